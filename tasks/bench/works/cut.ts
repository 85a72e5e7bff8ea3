/** The normalised cut of a whole graph. */
import { type Gpu, trim } from "../../../src/gpu/mod.ts";
import { degrees } from "../../../src/graph/affinity.ts";
import { type NormalizedCut, normalizedCut } from "../../../src/graph/normalized_cut.ts";
import type { Matrix } from "../../../src/linalg/matrix.ts";
import { sampleIndices, seededRandom } from "../../../src/linalg/random.ts";
import { loadMatrix, mixture, saveMatrix } from "../mixture.ts";
import { subspaceFigures } from "../subspace_figures.ts";
import type { OpenOwnWork } from "../work.ts";
import type { Figures, Peer, WorkPlan } from "../work_plan.ts";

const CLUSTERS = 40, NOISE = 1, COMPONENTS = 20, TOLERANCE = 1e-4;
/** Rows on which residuals are taken. */
const ROWS = 400;

const MANY: Peer[] = ["scipy", "ncut-pytorch", "scikit-learn"].map((name) => ({ name, runtime: "python" }));
const SIZES: [n: number, d: number, rounds: number, peers: Peer[], onlyWhenNamed?: "software"][] = [
  [5000, 64, 7, MANY],
  [20000, 64, 3, MANY.slice(0, 2)],
  [5000, 768, 5, MANY.slice(0, 2)],
  [20000, 768, 2, MANY.slice(0, 2), "software"],
];

export const plans: WorkPlan[] = SIZES.map(([n, d, rounds, peers, onlyWhenNamed]) => ({
  name: d === 64 ? `cut-${n}` : `cut-${n}-${d}`,
  title: `normalised cut, n = ${n.toLocaleString("en-US")}, d = ${d}, 20 components`,
  like: "cut-5000",
  own: ["ours"],
  onlyWhenNamed,
  peers,
  rounds,
  options: () => ({ n, components: COMPONENTS, tolerance: TOLERANCE }),
  async prepare(folder) {
    return { x: await saveMatrix(`${folder}/x.npy`, mixture(n, d, CLUSTERS, NOISE, 0)) };
  },
  cost: () => ({ operations: 2 * n * n * d, bytes: 4 * n * n }),
  judge,
}));

/** Residuals on a sample of rows in float64, and the angle to the exact vectors: scipy's in float64, else our own of 1e-6. */
async function judge(
  gpu: Gpu,
  results: Record<string, string>,
  files: Record<string, string>,
): Promise<Figures> {
  const x = await loadMatrix(files.x);
  const exact = files.exact
    ? await loadMatrix(files.exact)
    : (await normalizedCut(gpu, x, { components: COMPONENTS, tolerance: 1e-6 })).eigenvectors;
  const d = await degrees(gpu, x);
  trim(gpu);
  const figures: Figures = {};
  for (const [name, path] of Object.entries(results)) {
    const found = await loadMatrix(path);
    figures[name] = { residual: largestResidual(x, d, found), ...subspaceFigures(exact, found) };
  }
  return figures;
}

/** The largest ‖M v − λ v‖ / ‖v‖, estimated from some rows of M. */
function largestResidual(x: Matrix, d: Float32Array, vectors: Matrix): number {
  const { rows: n, cols } = x, { cols: c } = vectors;
  const unit = new Float64Array(x.data.length);
  for (let i = 0; i < n; i++) {
    let squares = 0;
    for (let k = i * cols; k < (i + 1) * cols; k++) squares += x.data[k] ** 2;
    for (let k = i * cols; k < (i + 1) * cols; k++) unit[k] = x.data[k] / Math.sqrt(squares);
  }
  const lengths = new Float64Array(c);
  vectors.data.forEach((value, at) => lengths[at % c] += value * value);
  const chosen = sampleIndices(n, Math.min(ROWS, n), seededRandom(1));
  const images = new Float64Array(chosen.length * c);
  chosen.forEach((i, at) => {
    for (let j = 0; j < n; j++) {
      let cosine = 0;
      for (let k = 0; k < cols; k++) cosine += unit[i * cols + k] * unit[j * cols + k];
      const m = Math.exp(cosine - 1) / Math.sqrt(d[i] * d[j]);
      for (let v = 0; v < c; v++) images[at * c + v] += m * vectors.data[j * c + v];
    }
  });
  let largest = 0;
  for (let v = 0; v < c; v++) {
    let product = 0, own = 0, squares = 0;
    chosen.forEach((i, at) => {
      product += images[at * c + v] * vectors.data[i * c + v];
      own += vectors.data[i * c + v] ** 2;
    });
    chosen.forEach((i, at) => squares += (images[at * c + v] - product / own * vectors.data[i * c + v]) ** 2);
    largest = Math.max(largest, Math.sqrt(squares * n / chosen.length / lengths[v]));
  }
  return largest;
}

export const open: OpenOwnWork = async (gpu, files, { components, tolerance }) => {
  const x = await loadMatrix(files.x);
  let cut: NormalizedCut;
  return {
    async run() {
      cut = await normalizedCut(gpu, x, {
        components: components as number,
        tolerance: tolerance as number,
      });
      if (!cut.converged) throw new Error("the normalised cut did not converge.");
      return { applications: cut.applications, "residual of its own": Math.max(...cut.residuals) };
    },
    async save(path) {
      await saveMatrix(path, cut.eigenvectors);
    },
  };
};
