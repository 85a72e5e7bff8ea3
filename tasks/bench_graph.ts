/**
 * Times the large-graph pipeline on synthetic clusters: seconds of each stage and peak memory as N grows.
 *
 *   deno run --allow-read --allow-env --allow-sys tasks/bench_graph.ts [--n 100000,200000] [--d 64] [--m 2000] [--k 32]
 */
import { parseArgs } from "@std/cli";
import { closeGpu, openGpu } from "../mod.ts";
import type { NodeSource } from "../src/graph/node_source.ts";
import { fitNystrom } from "../src/graph/nystrom.ts";
import { fillRandom, seededRandom } from "../src/linalg/random.ts";

const CLUSTERS = 40;
const NOISE = 0.5;

/** What one run took. */
export interface GraphTimes {
  n: number;
  /** Seconds for the landmarks and their eigenvectors. */
  fit: number;
  /** Seconds for the vectors of all nodes. */
  transform: number;
  /** Highest bytes of GPU buffers, and of the process's resident memory after the run. */
  gpuPeak: number;
  resident: number;
}

/** n nodes of d channels around 40 centres, made by seed when they are read: nothing of size n is held. */
function syntheticNodes(n: number, d: number): NodeSource {
  const centres = fillRandom(new Float32Array(CLUSTERS * d), seededRandom(0));
  const noise = fillRandom(new Float32Array(2 ** 20), seededRandom(1));
  return {
    rows: n,
    cols: d,
    strata: (row) => row % CLUSTERS,
    read(first, count) {
      const data = new Float32Array(count * d);
      for (let i = 0; i < count; i++) {
        const node = first + i, from = Math.imul(node, 0x9e3779b1) >>> 0, centre = (node % CLUSTERS) * d;
        for (let c = 0; c < d; c++) {
          data[i * d + c] = centres[centre + c] +
            NOISE * noise[(from + Math.imul(c, 7919)) & (noise.length - 1)];
        }
      }
      return Promise.resolve({ data, rows: count, cols: d });
    },
  };
}

/**
 * Fits m landmarks of n synthetic nodes and streams the 20 eigenvectors of all nodes.
 *
 * @param d channels
 * @param k neighbours
 */
export async function benchGraph(n: number, d: number, m: number, k: number): Promise<GraphTimes> {
  const gpu = await openGpu();
  try {
    const source = syntheticNodes(n, d);
    const started = performance.now();
    const model = await fitNystrom(gpu, source, { landmarks: m, neighbors: k, components: 20 });
    const fitted = performance.now();
    for await (const { vectors } of model.panels(source)) {
      if (!vectors.data.every(Number.isFinite)) throw new Error("A vector is not finite.");
    }
    return {
      n,
      fit: (fitted - started) / 1000,
      transform: (performance.now() - fitted) / 1000,
      gpuPeak: gpu.memory.peak,
      resident: Deno.memoryUsage().rss,
    };
  } finally {
    closeGpu(gpu);
  }
}

if (import.meta.main) {
  const args = parseArgs(Deno.args, {
    string: ["n", "d", "m", "k"],
    default: { n: "100000,200000,400000,709200", d: "64", m: "2000", k: "32" },
  });
  for (const n of args.n.split(",").map(Number)) {
    const { fit, transform, gpuPeak, resident } = await benchGraph(
      n,
      Number(args.d),
      Number(args.m),
      Number(args.k),
    );
    console.log(
      `${n} nodes: fit ${fit.toFixed(1)} s, transform ${transform.toFixed(1)} s, GPU ${
        (gpuPeak / 2 ** 20).toFixed(0)
      } MiB, resident ${(resident / 2 ** 20).toFixed(0)} MiB`,
    );
  }
}
