/**
 * What more nodes than memory holds take on one machine: `features_on_disk.ts NODES DIR`, as 7.1M or 142k.
 *
 * Features of one synthetic model are written to DIR as `extract` writes them (36 layers, 197 tokens an image, 768 channels,
 * float16: 1.5 kB a node), made by seed image by image; where they are there already, they are taken. Then the pipeline's own
 * stages run on them: transforms to 128 channels, as the alignment by ridge regression has them, 300 landmarks with all of
 * them extended to every node, 20 eigenvectors, a map of 3,000 nodes, colors. Each prints its seconds, those of all
 * processors together, which a busy machine changes less, and the resident set at its middle and at most: memory that grew
 * with nodes would show in both, and between sizes.
 */
import process from "node:process";
import { openGpu } from "../../mod.ts";
import type { AlignModel } from "../../src/align/model.ts";
import type { FeatureManifest } from "../../src/data/features/extract_parts.ts";
import { shardName, shardRanges } from "../../src/data/features/feature_shards.ts";
import { createFeatures } from "../../src/data/features/feature_store.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import type { PipelineOptions } from "../../src/pipeline/pipeline_options.ts";
import { solveGraph } from "../../src/pipeline/solve_graph.ts";
import { makeColors, makeMap } from "../../src/pipeline/spectral_stages.ts";
import { peakResidentMb } from "../../src/experiments/shared/peak_memory.ts";
import { doubleSoftwareThreads } from "../shared/software_threads.ts";

const LAYERS = 36, GRID = 14, TOKENS = 1 + GRID * GRID, CHANNELS = 768, ALIGNED = 128, CLUSTERS = 40;
/** Milliseconds between looks at the resident set. */
const EVERY = 250;

/** Writes the features of all layers that are not there. */
async function writeFeatures(folder: string, images: number): Promise<FeatureManifest> {
  const centres = fillRandom(new Float32Array(CLUSTERS * CHANNELS), seededRandom(0));
  const noise = fillRandom(new Float32Array(2 ** 20), seededRandom(1));
  const meta = { model: "synthetic", tokens: String(TOKENS) }, layers: FeatureManifest["layers"] = [];
  for (let layer = 1; layer <= LAYERS; layer++) {
    const path = `${folder}/synthetic.L${String(layer).padStart(2, "0")}`;
    await Deno.mkdir(path, { recursive: true });
    layers.push({ layer, path, tensor: "", shards: [] });
    for (const range of shardRanges(images)) {
      const name = `${path}/${shardName(range)}`;
      if (await Deno.stat(name).catch(() => null)) continue;
      const writer = await createFeatures(name, layer, CHANNELS, "float16", meta);
      for (let image = range.first; image < range.first + range.count; image++) {
        const vectors = new Float32Array(TOKENS * CHANNELS);
        for (let token = 0; token < TOKENS; token++) {
          const node = (layer * images + image) * TOKENS + token, from = Math.imul(node, 0x9e3779b1) >>> 0;
          const centre = ((image + (token >> 4) + (layer >> 2)) % CLUSTERS) * CHANNELS;
          for (let c = 0; c < CHANNELS; c++) {
            vectors[token * CHANNELS + c] = centres[centre + c] +
              0.5 * noise[(from + Math.imul(c, 7919)) & (noise.length - 1)];
          }
        }
        await writer.write({
          image: new Int32Array(TOKENS).fill(image),
          token: Int16Array.from({ length: TOKENS }, (_, t) => t),
          vectors,
        });
      }
      await writer.finish();
    }
  }
  const names = Array.from({ length: images }, (_, i) => String(i));
  return {
    model: "synthetic",
    layers,
    images: names,
    width: CHANNELS,
    tokens: TOKENS,
    grid: { rows: GRID, cols: GRID },
  } as FeatureManifest;
}

/** Transforms of all layers, by seed: as large as those of an alignment with 64 components. */
function alignment({ model, layers }: FeatureManifest): AlignModel {
  const slots = layers.map(({ layer }) => ({ name: `${model} L${layer}`, width: CHANNELS }));
  const one = fillRandom(new Float32Array(CHANNELS * ALIGNED), seededRandom(2));
  const data = new Float32Array(slots.length * one.length);
  for (const at of slots.keys()) data.set(one, at * one.length);
  return { slots, transforms: { data, rows: slots.length * CHANNELS, cols: ALIGNED } } as AlignModel;
}

/** Runs a stage and prints what it took. */
async function timed<T>(name: string, nodes: number, run: () => Promise<T>): Promise<T> {
  const seen: number[] = [], look = () => seen.push(Deno.memoryUsage().rss / 1e6);
  const clock = setInterval(look, EVERY), started = performance.now(), before = process.cpuUsage();
  try {
    return await run();
  } finally {
    clearInterval(clock);
    look();
    const seconds = (performance.now() - started) / 1000, { user, system } = process.cpuUsage(before);
    const work = (user + system) / 1e6, middle = seen[seen.length >> 1], most = Math.max(...seen);
    const figures = [
      `${seconds.toFixed(1)} s`,
      `${work.toFixed(1)} s of processors`,
      `${(1e6 * work / nodes).toFixed(1)} µs a node`,
      `resident ${middle.toFixed(0)} MB at its middle, ${most.toFixed(0)} MB at most`,
    ];
    console.log(`${name}: ${figures.join(", ")}`);
  }
}

const found = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(Deno.args[0] ?? ""), dir = Deno.args[1];
if (!found || !dir) throw new Error("Give a number of nodes, as 142k or 7.1M, and a folder.");
const wanted = Number(found[1]) * { "": 1, k: 1e3, M: 1e6 }[found[2] as "" | "k" | "M"];
const images = Math.max(1, Math.round(wanted / (LAYERS * TOKENS))), nodes = images * LAYERS * TOKENS;
console.log(`${nodes} nodes: ${images} images × ${LAYERS} layers × ${TOKENS} tokens, ${CHANNELS} channels`);

doubleSoftwareThreads();
const started = performance.now();
const manifests = [await timed("features", nodes, () => writeFeatures(`${dir}/features-${nodes}`, images))];
const [cut, map, colors] = ["eigenvectors", "map", "colors"].map((name) => `${dir}/${name}-${nodes}`);
for (const folder of [cut, map, colors]) {
  await Deno.remove(folder, { recursive: true }).catch(() => {}); // of an earlier run
  await Deno.mkdir(folder, { recursive: true });
}
const options = {
  align: alignment(manifests[0]),
  landmarks: 300,
  sampling: "uniform",
  neighbors: "all",
  knn: "exact",
  components: 20,
  seed: 0,
  sample: 3000,
  iterations: 500,
} as unknown as PipelineOptions;
using gpu = await openGpu();
await timed("eigenvectors", nodes, () => solveGraph({ gpu, folder: cut, manifests, options }));
await timed("map", nodes, () => makeMap(gpu, map, cut, manifests, options));
await timed("colors", nodes, () => makeColors(gpu, colors, { cut, map, manifests }, () => {}));
console.log(
  `all ${
    ((performance.now() - started) / 60_000).toFixed(1)
  } min, resident ${peakResidentMb()} MB at most, ` +
    `GPU buffers ${(gpu.memory.peak / 2 ** 20).toFixed(0)} MiB`,
);
