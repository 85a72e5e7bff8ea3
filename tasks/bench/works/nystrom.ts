/** The eigenvectors of a graph too large to solve. */
import { takeRows } from "../../../src/linalg/host_matrix.ts";
import { gatherRows, matrixSource } from "../../../src/graph/node_source.ts";
import { fitNystrom } from "../../../src/graph/nystrom.ts";
import { normalizedCut } from "../../../src/graph/normalized_cut.ts";
import { readNpy, writeNpy } from "../../../src/data/formats/npy.ts";
import type { Matrix } from "../../../src/linalg/matrix.ts";
import { sampleIndices, seededRandom } from "../../../src/linalg/random.ts";
import { loadMatrix, mixture, saveMatrix } from "../mixture.ts";
import { subspaceFigures } from "../subspace_figures.ts";
import type { OpenOwnWork } from "../work.ts";
import type { Figures, WorkPlan } from "../work_plan.ts";

const N = 200_000, D = 64, WIDE = 768, CLUSTERS = 40, NOISE = 1, COMPONENTS = 20, SUBSET = 3000;
/** As the pipeline does by default. */
const DEFAULTS = "ours, all of 300";

const plan = (d: number): WorkPlan => ({
  name: d === D ? "nystrom-200k" : `nystrom-200k-${d}`,
  title: `Nyström, N = 200,000, d = ${d}, m = 5,000 at random, K = 32, 20 components`,
  own: ["ours", DEFAULTS],
  peers: [
    { name: "ncut-pytorch", runtime: "python" },
    { name: "ncut-pytorch, defaults", runtime: "python" },
  ],
  rounds: 3,
  options: () => ({ landmarks: 5000, neighbors: 32, components: COMPONENTS }), // sampled as the pipeline does
  async prepare(folder) {
    const subset = Int32Array.from(sampleIndices(N, SUBSET, seededRandom(2)));
    await writeNpy(`${folder}/subset.npy`, subset, [SUBSET]);
    return {
      x: await saveMatrix(`${folder}/x.npy`, mixture(N, d, CLUSTERS, NOISE, 0)),
      subset: `${folder}/subset.npy`,
    };
  },
  cost: ({ landmarks }) => ({
    operations: 2 * N * d * (landmarks as number) + 2 * (landmarks as number) ** 2 * d,
    bytes: 4 * N * (d + COMPONENTS),
  }),
  /** Against the exact vectors of 3,000 nodes, as the run's own audit does. */
  async judge(gpu, results, files) {
    const x = matrixSource(await loadMatrix(files.x));
    const { data } = await readNpy(files.subset);
    const features = await gatherRows(x, Uint32Array.from(data as Int32Array));
    const exact = await normalizedCut(gpu, features, { components: COMPONENTS, tolerance: 1e-6 });
    const figures: Figures = {};
    for (const [name, path] of Object.entries(results)) {
      figures[name] = subspaceFigures(exact.eigenvectors, await loadMatrix(path));
    }
    return figures;
  },
});

export const plans: WorkPlan[] = [plan(D), { ...plan(WIDE), rounds: 1, like: "nystrom-200k" }];

export const open: OpenOwnWork = async (gpu, files, options, as) => {
  const source = matrixSource(await loadMatrix(files.x));
  const rows = (await readNpy(files.subset)).data as Int32Array;
  const settings = as === DEFAULTS
    ? { landmarks: 300, neighbors: "all" as const }
    : { landmarks: options.landmarks as number, neighbors: options.neighbors as number };
  let vectors: Matrix;
  return {
    async run() {
      const model = await fitNystrom(gpu, source, {
        ...settings,
        sampling: "uniform",
        components: options.components as number,
      });
      vectors = await model.transform(source);
    },
    async save(path) {
      await saveMatrix(path, takeRows(vectors, rows));
    },
  };
};
