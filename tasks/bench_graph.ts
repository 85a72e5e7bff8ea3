/**
 * `./run bench:graph`: times the large-graph pipeline on synthetic clusters, seconds of each stage and peak memory.
 */
import { openGpu } from "../mod.ts";
import type { NodeSource } from "../src/graph/node_source.ts";
import { fitNystrom } from "../src/graph/nystrom.ts";
import { fillRandom, seededRandom } from "../src/linalg/random.ts";
import { peakResidentMb } from "../src/experiments/shared/peak_memory.ts";
import { runCommand } from "../src/cli/options.ts";
import { type OptionValues, text, wholeNumber } from "../src/cli/option_kinds.ts";
import { doubleSoftwareThreads } from "./shared/software_threads.ts";

const CLUSTERS = 40;
const NOISE = 0.5;

/** What one run took. */
export interface GraphTimes {
  n: number;
  /** Seconds for the landmarks and their eigenvectors. */
  fit: number;
  /** Seconds for the vectors of all nodes. */
  transform: number;
  /** Highest bytes of GPU buffers. */
  gpuPeak: number;
  /** Highest MB of the process. */
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
async function benchGraph(n: number, d: number, m: number, k: number): Promise<GraphTimes> {
  doubleSoftwareThreads();
  using gpu = await openGpu();
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
    resident: peakResidentMb(),
  };
}

/** The task and its options. */
export const COMMAND = {
  task: "bench:graph",
  options: {
    graph: text({
      value: "LIST",
      help: "numbers of nodes, as 7.1M or 100k,200k,400k,709k",
      default: "100k,200k,400k,709200",
    }),
    channels: wholeNumber({ help: "channels of a node", default: 64, from: 1, to: 4096 }),
    landmarks: wholeNumber({ help: "number of landmarks", default: 2000, from: 100, to: 50_000 }),
    neighbors: wholeNumber({ help: "nearest landmarks of a node", default: 32, from: 1, to: 128 }),
  },
};

/** "7.1M", "709k" or "709200" as a number. */
function nodesOf(text: string): number {
  const found = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text);
  const nodes = found
    ? Math.round(Number(found[1]) * { "": 1, k: 1e3, M: 1e6 }[found[2] as "" | "k" | "M"])
    : 0;
  if (nodes >= 1000) return nodes;
  throw new RangeError(`--graph has "${text}": give numbers of nodes from 1000 on, as 709200, 709k or 7.1M.`);
}

/** Every size in a process of its own, so that none inherits the memory of another. */
async function eachByItself(
  sizes: number[],
  options: OptionValues<typeof COMMAND.options>,
): Promise<void> {
  const same = (["channels", "landmarks", "neighbors"] as const).map((name) => `--${name}=${options[name]}`);
  const script = new URL(import.meta.url).pathname;
  for (const n of sizes) {
    const args = ["run", "--allow-read", "--allow-env", "--allow-sys", script, "--graph", String(n), ...same];
    const { success } = await new Deno.Command(Deno.execPath(), {
      args,
      stdout: "inherit",
      stderr: "inherit",
    })
      .output();
    if (!success) Deno.exit(1);
  }
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options }) => {
    const { channels, landmarks, neighbors } = options, sizes = options.graph.split(",").map(nodesOf);
    if (sizes.length > 1) return await eachByItself(sizes, options);
    const { n, fit, transform, gpuPeak, resident } = await benchGraph(
      sizes[0],
      channels,
      landmarks,
      neighbors,
    );
    console.log(
      `${n} nodes: fit ${fit.toFixed(1)} s, transform ${transform.toFixed(1)} s, GPU ${
        (gpuPeak / 2 ** 20).toFixed(0)
      } MiB, resident ${resident} MB at most`,
    );
  });
}
