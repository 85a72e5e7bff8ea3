/** Faults in `src/report`. */
import type { Mutant } from "./mutant.ts";

export const REPORT: readonly Mutant[] = [
  {
    file: "src/report/explorer/half.ts",
    text: "fraction * 2 ** -24",
    replacement: "fraction * 2 ** -14",
    breaks: "subnormal halves come back too large",
    tests: ["explorer_test.ts"],
  },
  {
    file: "src/report/explorer/click_response.ts",
    text: "similarity[i] = dot / lengths[i] / lengths[node];",
    replacement: "similarity[i] = dot / lengths[i];",
    breaks: "similarity to a click is no cosine",
    tests: ["explorer_test.ts"],
  },
  {
    file: "src/report/mix_colors.ts",
    text: "(share * value + (1 - share) * b[i])",
    replacement: "(share * b[i] + (1 - share) * value)",
    breaks: "colors are mixed with swapped shares",
    tests: ["figures_test.ts"],
  },
  {
    file: "src/report/charts/spread_labels.ts",
    text: "limit = placed[label] - gap;",
    replacement: "limit = placed[label];",
    breaks: "labels at the end overlap",
    tests: ["chart_test.ts"],
  },
  {
    file: "src/report/charts/free_place.ts",
    text: "return y < low ? low - y : y > high ? y - high : 0;",
    replacement: "return Math.abs(y - low);",
    breaks: "a label may lie between the ends of a steep line",
    tests: ["chart_labels_test.ts"],
  },
  {
    file: "src/report/charts/lines.ts",
    text: "return [low >= 0 && low < 0.5 * high ? 0 : low - margin, high + margin];",
    replacement: "return [low - margin, high + margin];",
    breaks: "an axis of small positive numbers does not begin at 0",
    tests: ["chart_test.ts"],
  },
  {
    file: "src/report/charts/bar.ts",
    text: "Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(largest))))",
    replacement: "0",
    breaks: "numbers beside bars lose their digits",
    tests: ["chart_test.ts"],
  },
  {
    file: "src/report/results.ts",
    text: "timings: { ...earlier?.timings, ...update.timings },",
    replacement: "timings: update.timings,",
    breaks: "timings of earlier experiments are dropped",
    tests: ["results_test.ts"],
  },
  {
    file: "src/report/results.ts",
    text: 'typeof value === "number" && !Number.isFinite(value)',
    replacement: 'typeof value === "number" && Number.isNaN(value)',
    breaks: "infinite numbers become null in results",
    tests: ["results_test.ts"],
  },
  {
    file: "src/report/html.ts",
    text: '  "\'": "&#39;",\n',
    replacement: "",
    breaks: "an apostrophe ends an attribute",
    tests: ["page_test.ts"],
  },
  {
    file: "src/report/progress.ts",
    text: "(total / Math.max(done, 1) - 1)",
    replacement: "(total / Math.max(done, 1))",
    breaks: "the time left is the time in all",
    tests: ["progress_test.ts"],
  },
  {
    file: "src/report/explorer/payload_blocks.ts",
    text: '.replaceAll("<", "\\\\u003c")',
    replacement: "",
    breaks: "a name with </script> ends the script",
    tests: ["explorer_test.ts"],
  },
];
