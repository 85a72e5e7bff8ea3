/** Exact t-SNE. */
import { tsne } from "../../../src/embed/tsne.ts";
import { trustworthiness } from "../../../src/embed/trustworthiness.ts";
import type { Matrix } from "../../../src/linalg/matrix.ts";
import { loadMatrix, mixture, saveMatrix } from "../mixture.ts";
import type { OpenOwnWork } from "../work.ts";
import type { Figures, WorkPlan } from "../work_plan.ts";
import type { Tsne } from "../../../src/embed/joint_probabilities.ts";

const N = 5000, D = 20, CLUSTERS = 20, NOISE = 0.5;
/** Ours by default, for the count of operations. */
const ITERATIONS = 350;
/** Every so many points are judged: trustworthiness sorts all distances. */
const STEP = 2;
/** Iterations whose kernels are timed one by one. */
const PROFILED = 250;

export const plans: WorkPlan[] = [{
  name: "tsne-5000",
  title: "t-SNE, 5,000 × 20 → 3-D, each with its own defaults",
  own: ["ours"],
  peers: [{ name: "scikit-learn", runtime: "python" }],
  rounds: 5,
  fewer: { "scikit-learn": 2 },
  options: () => ({}),
  async prepare(folder) {
    return { x: await saveMatrix(`${folder}/x.npy`, mixture(N, D, CLUSTERS, NOISE, 0)) };
  },
  // a pair: 3 differences, 5 operations for the squared distance, 8 for the force
  cost: () => ({ operations: ITERATIONS * N * N * 16, bytes: ITERATIONS * N * 64 }),
  async judge(_gpu, results, files) {
    const x = someRows(await loadMatrix(files.x)), figures: Figures = {};
    for (const [name, path] of Object.entries(results)) {
      figures[name] = { trustworthiness: trustworthiness(x, someRows(await loadMatrix(path)), 12) };
    }
    return figures;
  },
}];

function someRows({ data, rows, cols }: Matrix): Matrix {
  const count = Math.floor(rows / STEP), some = new Float32Array(count * cols);
  for (let i = 0; i < count; i++) {
    some.set(data.subarray(i * STEP * cols, (i * STEP + 1) * cols), i * cols);
  }
  return { data: some, rows: count, cols };
}

export const open: OpenOwnWork = async (gpu, files) => {
  const x = await loadMatrix(files.x);
  let map: Tsne;
  return {
    async run() {
      map = await tsne(gpu, x);
      return { kl: map.kl };
    },
    warm: () => tsne(gpu, x, { iterations: 50 }),
    profiled: () => tsne(gpu, x, { iterations: PROFILED }),
    async save(path) {
      await saveMatrix(path, map.points);
    },
  };
};
