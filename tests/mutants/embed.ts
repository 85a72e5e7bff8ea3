/** Faults in `src/embed`. */
import type { Mutant } from "./mutant.ts";

export const EMBED: readonly Mutant[] = [
  {
    file: "src/embed/tsne.ts",
    text: "late: 0.9",
    replacement: "late: 0.5",
    breaks: "the late momentum is the early one",
    tests: ["embed/tsne_step_test.ts"],
  },
  {
    file: "src/embed/tsne.ts",
    text: "(freedom + 1) / 2 * Math.log1p(squared / freedom)",
    replacement: "Math.log1p(squared / freedom)",
    breaks: "KL without the exponent of the t distribution",
    tests: ["embed/tsne_step_test.ts"],
  },
  {
    file: "src/embed/tsne.ts",
    text: "freedom = dimensions - 1;",
    replacement: "freedom = 1;",
    breaks: "the t distribution ignores the dimensions",
    tests: ["embed/tsne_step_test.ts"],
  },
  {
    file: "src/embed/joint_probabilities.ts",
    text: "forward.values[a++] / (2 * n)",
    replacement: "forward.values[a++] / n",
    breaks: "joint probabilities add up to 2",
    tests: ["embed/tsne_step_test.ts"],
  },
  {
    file: "src/embed/tsne.ts",
    text: "const COLLAPSED = 1e-6;",
    replacement: "const COLLAPSED = 1e-9;",
    breaks: "points that were drawn together are not begun anew",
    tests: ["embed/tsne_collapse_test.ts"],
  },
  {
    file: "src/embed/tsne_start.ts",
    text: "columnsOf(x, dimensions) :",
    replacement: "principalComponents(x, dimensions) :",
    breaks: "maps of eigenvectors begin along components that last bits choose",
    tests: ["embed/tsne_steady_test.ts"],
  },
  {
    file: "src/embed/spectral_map.ts",
    text: '      start: "columns",\n',
    replacement: "",
    breaks: "the map of all nodes begins along principal components of eigenvectors",
    tests: ["embed/tsne_steady_test.ts"],
  },
  {
    file: "src/embed/grid_repulsion.ts",
    text: "60 / (33 + 26 * Math.cos(angle) + Math.cos(2 * angle)) / cols",
    replacement: "1 / cols",
    breaks: "what spreading and reading blur is not sharpened",
    tests: ["embed/grid_repulsion_test.ts"],
  },
  {
    file: "src/embed/grid_repulsion.ts",
    text: "own: n / parts",
    replacement: "own: 0",
    breaks: "the normaliser counts every point with itself",
    tests: ["embed/grid_repulsion_test.ts"],
  },
  {
    file: "src/embed/trustworthiness.ts",
    text: "penalty += Math.max(0, rank[j] - k);",
    replacement: "penalty += Math.max(0, rank[j] - k + 1);",
    breaks: "ranks are off by one",
    tests: ["embed/tsne_golden_test.ts"],
  },
  {
    file: "src/embed/trustworthiness.ts",
    text: ".subarray(1, k + 1)",
    replacement: ".subarray(0, k)",
    breaks: "a point counts among its own neighbours",
    tests: ["embed/tsne_golden_test.ts"],
  },
  {
    file: "src/embed/color.ts",
    text: "high = sorted[Math.ceil((1 - quantile) * (rows - 1))];",
    replacement: "high = sorted[rows - 1];",
    breaks: "only the low end is clipped",
    tests: ["embed/spectral_colors_test.ts"],
  },
  {
    file: "src/embed/spectral_colors.ts",
    text: "const own = colorsFromPoints(points, quantile),",
    replacement: "const own = colorsFromPoints(points),",
    breaks: "the quantile option is ignored",
    tests: ["embed/spectral_colors_test.ts"],
  },
  {
    file: "src/embed/spectral_map.ts",
    text:
      "const nearest = new Uint32Array(vectors.rows);\n  for await (const panel of nearestRows(gpu, vectors, base)) nearest.set(panel.nearest, panel.first);",
    replacement:
      "const nearest = new Uint32Array(vectors.rows);\n  for await (const panel of nearestRows(gpu, vectors, base)) nearest.set(panel.nearest);",
    breaks: "later panels overwrite the nearest points of the first",
    tests: ["embed/spectral_colors_test.ts"],
  },
];
