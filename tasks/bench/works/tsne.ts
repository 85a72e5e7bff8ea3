/** t-SNE: over all pairs, interpolated, and how its time grows. */
import { rowRange, takeRows } from "../../../src/linalg/host_matrix.ts";
import { repulsiveForces } from "../../../src/embed/exact_repulsion.ts";
import { ivfNeighbors, recallOf } from "../../../src/graph/ivf_neighbors.ts";
import { divergence, STEPS, tsne } from "../../../src/embed/tsne.ts";
import { trustworthiness } from "../../../src/embed/trustworthiness.ts";
import type { Matrix } from "../../../src/linalg/matrix.ts";
import { loadMatrix, mixture, saveMatrix } from "../mixture.ts";
import type { OpenOwnWork } from "../work.ts";
import type { Figures, WorkPlan } from "../work_plan.ts";
import { jointProbabilities, type Tsne } from "../../../src/embed/joint_probabilities.ts";

const N = 5000, D = 20, CLUSTERS = 20, NOISE = 0.5;
/** Ours by default, for the count of operations. */
const ITERATIONS = STEPS[3];
/** Every Nth point is judged: trustworthiness sorts all distances. */
const STEP = 2;
/** Points of the interpolated map, and perplexity of everybody. */
const MANY = 100_000, PERPLEXITY = 30;
/** Points of the maps whose times are compared, by participant. */
const SIZES: Record<string, number> = {
  "ours": 20_000,
  "ours, 50,000": 50_000,
  "ours, 100,000": 100_000,
  "ours, 200,000": 200_000,
};
/** Points that kernels are compiled on and timed one by one, enough for the grid. */
const FEW = 10_000;
/** Iterations whose kernels are timed one by one. */
const PROFILED = 250;

export const plans: WorkPlan[] = [{
  name: "tsne-5000",
  title: "t-SNE, 5,000 × 20 → 3-D, each with its own defaults",
  own: ["ours"],
  peers: [{ name: "scikit-learn", runtime: "python" }],
  rounds: 5,
  fewer: { "scikit-learn": 2 },
  options: () => ({ dimensions: 3 }),
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
}, {
  name: "tsne-100k",
  title: "t-SNE, 100,000 × 20 → 2-D, each with its own defaults",
  own: ["ours"],
  peers: [{ name: "openTSNE", runtime: "python" }],
  rounds: 1,
  options: () => ({ dimensions: 2 }),
  async prepare(folder) {
    return { x: await saveMatrix(`${folder}/x.npy`, mixture(MANY, D, CLUSTERS, NOISE, 0)) };
  },
  async judge(gpu, results, files) {
    const x = await loadMatrix(files.x), figures: Figures = {};
    const joint = await jointProbabilities(gpu, x, PERPLEXITY, true); // the same for all maps
    for (const [name, path] of Object.entries(results)) {
      const { data } = await loadMatrix(path);
      const y = Float32Array.from(
        { length: 4 * MANY },
        (_, at) => at % 4 < 2 ? data[2 * (at >> 2) + at % 4] : 0,
      );
      const { z } = await repulsiveForces(gpu, y, MANY);
      figures[name] = { "kl, exact": divergence(joint, y, z, 1) };
    }
    const found = await ivfNeighbors(gpu, x, 3 * PERPLEXITY + 1);
    figures.ours["recall of neighbours"] = await recallOf(gpu, x, found, 400);
    return figures;
  },
}, {
  name: "tsne-growth",
  title: "t-SNE of 20,000 points × 20 → 2-D, and of more",
  own: Object.keys(SIZES),
  peers: [],
  rounds: 1,
  options: () => ({ dimensions: 2, growth: 1 }),
  async prepare(folder) {
    const most = Math.max(...Object.values(SIZES));
    return { x: await saveMatrix(`${folder}/x.npy`, mixture(most, D, CLUSTERS, NOISE, 0)) };
  },
}];

function someRows(x: Matrix): Matrix {
  return takeRows(x, Array.from({ length: Math.floor(x.rows / STEP) }, (_, i) => i * STEP));
}

export const open: OpenOwnWork = async (gpu, files, { dimensions, growth }, as) => {
  const all = await loadMatrix(files.x), x = growth ? rowRange(all, 0, SIZES[as]) : all;
  const few = rowRange(x, 0, Math.min(x.rows, FEW)), options = { dimensions: Number(dimensions) as 2 | 3 };
  let map: Tsne;
  return {
    async run() {
      map = await tsne(gpu, x, options);
      return { kl: map.kl };
    },
    warm: () => tsne(gpu, few, { ...options, iterations: 50 }),
    profiled: () => tsne(gpu, few, { ...options, iterations: PROFILED }),
    async save(path) {
      await saveMatrix(path, map.points);
    },
  };
};
