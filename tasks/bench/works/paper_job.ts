/** The paper's graph, stage by stage; features are made when they are read, nothing of size N × d is held. */
import { type Gpu, trim } from "../../../src/gpu/mod.ts";
import { chooseInvertedFile } from "../../../src/graph/ivf_landmarks.ts";
import { sampleLandmarks } from "../../../src/graph/landmarks.ts";
import { gatherRows, type NodeSource } from "../../../src/graph/node_source.ts";
import { normalizedCut } from "../../../src/graph/normalized_cut.ts";
import { nystromModel } from "../../../src/graph/nystrom.ts";
import { fillRandom, seededRandom } from "../../../src/linalg/random.ts";
import type { OpenOwnWork } from "../work.ts";
import type { WorkPlan } from "../work_plan.ts";

const CLUSTERS = 400, NOISE = 1;

export const plans: WorkPlan[] = [{
  name: "paper-job",
  title: "the paper's graph: N = 7,092,000, d = 768, m = 50,000, K = 100, 20 components",
  own: ["ours"],
  peers: [{ name: "ncut-pytorch-cuda", runtime: "python" }],
  rounds: 1,
  onlyWhenNamed: "software",
  options: () => ({ nodes: 7_092_000, channels: 768, landmarks: 50_000, neighbors: 100, components: 20 }),
  prepare: () => Promise.resolve({}),
  cost({ nodes, channels, landmarks }) {
    const [n, d, m] = [nodes, channels, landmarks].map(Number);
    return { operations: 2 * n * m * d + 2 * m * m * d, bytes: 4 * n * d };
  },
}];

/** n nodes of d channels around 400 centres, made by seed when they are read. */
function madeNodes(n: number, d: number): NodeSource {
  const centres = fillRandom(new Float32Array(CLUSTERS * d), seededRandom(0));
  const noise = fillRandom(new Float32Array(2 ** 22 + d), seededRandom(1));
  return {
    rows: n,
    cols: d,
    read(first, count) {
      const data = new Float32Array(count * d);
      for (let i = 0; i < count; i++) {
        const node = first + i, from = Math.imul(node, 0x9e3779b1) >>> 10, to = i * d;
        const centre = (node % CLUSTERS) * d;
        for (let c = 0; c < d; c++) data[to + c] = centres[centre + c] + NOISE * noise[from + c];
      }
      return Promise.resolve({ data, rows: count, cols: d });
    },
  };
}

export const open: OpenOwnWork = (gpu, _files, options) => {
  const [nodes, channels, landmarks, neighbors, components] = [
    "nodes",
    "channels",
    "landmarks",
    "neighbors",
    "components",
  ].map((name) => Number(options[name]));
  const source = madeNodes(nodes, channels);
  return Promise.resolve({
    warm: () => stages(gpu, madeNodes(20_000, channels), 2000, Math.min(neighbors, 32), components),
    run: () => stages(gpu, source, landmarks, neighbors, components),
  });
};

/** Seconds of every stage. */
async function stages(gpu: Gpu, source: NodeSource, count: number, neighbors: number, components: number) {
  const seconds: Record<string, number> = {};
  const stage = async <T>(name: string, work: () => Promise<T>) => {
    const started = performance.now(), result = await work();
    seconds[`seconds, ${name}`] = (performance.now() - started) / 1000;
    console.error(`${name}: ${seconds[`seconds, ${name}`].toFixed(2)} s`);
    return result;
  };
  const indices = await stage("choose landmarks", () => sampleLandmarks(gpu, source, { count }));
  const features = await stage("read landmarks", () => gatherRows(source, indices));
  const cut = await stage(
    "solve landmarks",
    () => normalizedCut(gpu, features, { components, tolerance: 1e-4 }),
  );
  trim(gpu);
  const projection = null, sampling = "farthest" as const, seed = 0;
  const ivf = await stage(
    "choose inverted file",
    () => chooseInvertedFile(gpu, source, features, { k: neighbors, seed }),
  );
  const model = nystromModel(gpu, {
    landmarks: { indices, features },
    cut,
    neighbors,
    ivf,
    projection,
    sampling,
    seed,
  });
  await stage("extend to all nodes", async () => {
    for await (const { vectors } of model.panels(source)) {
      if (!vectors.data.every(Number.isFinite)) throw new Error("a vector is not finite.");
    }
  });
  return {
    ...seconds,
    residual: Math.max(...cut.residuals),
    applications: cut.applications,
    "share of landmarks compared": ivf?.share ?? 1,
    "recall of nearest landmarks": ivf?.recall ?? 1,
    "GPU MB in use at most": gpu.memory.peak / 2 ** 20,
  };
}
