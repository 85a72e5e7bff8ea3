/**
 * The pipeline that the experiments share: features of every layer of every model, aligned into one space, one graph of
 * all their tokens, its eigenvectors, a spectral map and colors.
 */
import { basename } from "node:path";
import { type AlignModel, applyAlign } from "../align/model.ts";
import { extractFeatures, type FeatureManifest } from "../data/extract.ts";
import { type FeatureSource, openFeatureSource } from "../data/feature_source.ts";
import { chooseNeighborSearch, type NeighborMethod } from "../data/hnsw_neighbors.ts";
import { readNpy, writeNpy } from "../data/npy.ts";
import { loadNystrom, saveNystrom } from "../data/nystrom_file.ts";
import type { Stages } from "../data/stages.ts";
import { nearestColors } from "../embed/spectral_colors.ts";
import { spectralMap } from "../embed/spectral_map.ts";
import { type Gpu, trim } from "../gpu/mod.ts";
import { matrixSource, type NodeSource } from "../graph/node_source.ts";
import { fitNystrom, type NystromModel } from "../graph/nystrom.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { RunImage } from "./image_set.ts";
import type { RunModel } from "./run_models.ts";

/** What the pipeline is run on, and how. */
export interface PipelineOptions {
  models: RunModel[];
  /** As the models see them. */
  images: RunImage[];
  /** Names of the classes of their pixels by index, the background first; none where they are not known. */
  classes: readonly string[];
  /** What the images and the brain are, for people. */
  data: string;
  /** Tells these images from others of the same names. */
  identity: string;
  align: AlignModel;
  /** Hash of the align. */
  alignKey: string;
  landmarks: number;
  /** Nearest landmarks a node takes its vector from, or "all". */
  neighbors: number | "all";
  /** How nearest landmarks are found; "auto" depends on what is faster, so two machines may differ. */
  knn: NeighborMethod;
  components: number;
  /** Nodes that t-SNE is run on. */
  sample: number;
  /** Steps of t-SNE. */
  iterations: number;
  seed: number;
}

/** Farthest points change the density that eigenvectors reflect, and are further from the exact answer: see the page nystrom. */
const SAMPLING = "uniform";

/** Changes when the map is computed in another way from the same inputs. */
const MAP_VERSION = 3;

/** One layer of one model among the nodes. */
export interface PipelineSlot {
  model: string;
  /** 1 is the first. */
  layer: number;
  /** Index of its first node; its nodes follow image by image, token by token. */
  first: number;
}

/** What the experiments read. */
export interface Pipeline {
  models: string[];
  /** As in the options. */
  classes: readonly string[];
  /** As in the options. */
  data: string;
  manifests: FeatureManifest[];
  slots: PipelineSlot[];
  /** Images, and tokens of each: class token, then patches row by row. */
  images: RunImage[];
  tokens: number;
  grid: { rows: number; cols: number };
  /** N × C, one row a node. */
  eigenvectors: Matrix;
  /** The fit on landmarks. */
  fit: NystromModel;
  /** How nearest landmarks were found, and why, in one sentence. */
  search: string;
  /** Per node the index of its sample point. */
  nearest: Uint32Array;
  /** sample × 3 and sample × 2: the spectral map. */
  points3: Matrix;
  points2: Matrix;
  /** KL(P‖Q) and trustworthiness of the map in three dimensions. */
  map: { kl: number; trustworthiness: number };
  /** N × 3 bytes: AlignedCut colors. */
  colors: Uint8Array;
  align: AlignModel;
}

/** Index of a node. */
export function nodeOf({ slots, tokens }: Pipeline, slot: number, image: number, token: number): number {
  return slots[slot].first + image * tokens + token;
}

/** The slots of one model, by layer. */
export function slotsOf({ slots }: Pipeline, model: string): number[] {
  return slots.flatMap((slot, i) => slot.model === model ? [i] : []);
}

/** Aligned features, read panel by panel: raw ones through their slot's transform. */
export function alignedSource(gpu: Gpu, raw: FeatureSource, align: AlignModel): NodeSource {
  const slotOfAlign = raw.slots.map(({ model, layer }) => {
    const at = align.slots.findIndex(({ name }) => name === `${model} L${layer}`);
    if (at < 0) throw new Error(`The align has no slot ${model} L${layer}: train it on the same models.`);
    return at;
  });
  return {
    rows: raw.rows,
    cols: align.transforms.cols,
    name: "aligned features",
    strata: raw.strata,
    async read(first, count) {
      const data = new Float32Array(count * align.transforms.cols);
      for (const [i, slot] of raw.slots.entries()) {
        const from = Math.max(first, slot.first), to = Math.min(first + count, slot.first + slot.rows);
        if (from >= to) continue;
        const aligned = await applyAlign(gpu, align, slotOfAlign[i], await raw.read(from, to - from));
        data.set(aligned.data, (from - first) * align.transforms.cols);
      }
      return { data, rows: count, cols: align.transforms.cols };
    },
  };
}

/** The raw features of all slots, in the order of the pipeline's nodes; to be closed. */
export function openRawFeatures(manifests: FeatureManifest[]): Promise<FeatureSource> {
  return openFeatureSource(manifests.flatMap(({ layers }) => layers.map(({ path }) => path)));
}

/**
 * Runs the pipeline, stage by stage; what is finished under `stages` is read instead.
 *
 * @param onProgress told the stage, and how much of it is done
 * @returns null when the stages only explain and something is missing
 */
export async function runPipeline(
  gpu: Gpu,
  stages: Stages,
  options: PipelineOptions,
  onProgress: (stage: string, done: number, total: number) => void = () => {},
): Promise<Pipeline | null> {
  const { models, images, identity, align, alignKey, landmarks, neighbors, components, seed } = options;
  const { classes, data } = options;
  const manifests: FeatureManifest[] = [], inputs: unknown[] = [];
  for (const [i, { path, preprocessor, registers }] of models.entries()) {
    const input = {
      model: await hashOf(path),
      ...{ preprocessor, registers, identity, images: images.map(({ name }) => name), dtype: "float16" },
    };
    inputs.push(input);
    const extract = (folder: string) =>
      extractFeatures({
        ...{ model: path, preprocessor, registers, images, outDir: folder, dtype: "float16" },
        onProgress: (done) => onProgress("extract", i * images.length + done, models.length * images.length),
      });
    const name = `features-${basename(path).replace(/\.onnx$/, "")}`;
    const folder = await stages.run(name, input, async (folder) => void await extract(folder));
    if (folder) manifests.push(await extract(folder));
  }

  const { knn } = options;
  const graph = {
    features: inputs,
    alignKey,
    landmarks,
    neighbors,
    knn,
    components,
    sampling: SAMPLING,
    seed,
  };
  const cut = await stages.run("eigenvectors", graph, async (folder) => {
    const raw = await openRawFeatures(manifests);
    try {
      const source = alignedSource(gpu, raw, align);
      const fit = await fitNystrom(gpu, source, {
        ...{ landmarks: Math.min(landmarks, source.rows), neighbors, components, sampling: SAMPLING, seed },
        onProgress: (done, wanted) => onProgress("landmarks", done, wanted),
      });
      trim(gpu);
      const all = new Float32Array(source.rows * components);
      const { search, reason } = await chooseNeighborSearch(gpu, fit, source, knn);
      await Deno.writeTextFile(`${folder}/neighbors.txt`, `${reason}\n`);
      for await (const { first, vectors } of fit.panels(source, { search })) {
        all.set(vectors.data, first * components);
        onProgress("propagate", first + vectors.rows, source.rows);
      }
      await writeNpy(`${folder}/eigenvectors.npy`, all, [source.rows, components]);
      await saveNystrom(`${folder}/fit.arrow`, fit);
    } finally {
      await raw.close();
      trim(gpu);
    }
  });
  const { sample, iterations } = options;
  const map = await stages.run(
    "map",
    { version: MAP_VERSION, ...graph, sample, iterations },
    async (folder) => {
      const eigenvectors = matrixSource(await readMatrix(`${cut}/eigenvectors.npy`));
      const found = await spectralMap(gpu, eigenvectors, {
        ...{ sample: Math.min(sample, eigenvectors.rows), sampling: SAMPLING, iterations, seed },
        dimensions: [3, 2],
        onProgress: (done, total) => onProgress("map", done, total),
      });
      const [cube, plane] = found.maps;
      await writeNpy(`${folder}/points3.npy`, cube.points.data, [cube.points.rows, 3]);
      await writeNpy(`${folder}/points2.npy`, plane.points.data, [plane.points.rows, 2]);
      await writeNpy(`${folder}/nearest.npy`, Int32Array.from(found.nearest), [found.nearest.length]);
      await Deno.writeTextFile(
        `${folder}/map.json`,
        JSON.stringify({ kl: cube.kl, trustworthiness: cube.trustworthiness }),
      );
      trim(gpu);
    },
  );
  if (!cut || !map) return null;

  assertComparable(manifests);
  const [first] = manifests, points3 = await readMatrix(`${map}/points3.npy`);
  const nearest = Uint32Array.from((await readNpy(`${map}/nearest.npy`)).data as Int32Array);
  const colors = nearestColors(points3, nearest);
  let at = 0;
  const slots = manifests.flatMap(({ model, layers, tokens }) =>
    layers.map(({ layer }) => {
      const slot = { model, layer, first: at };
      at += images.length * tokens;
      return slot;
    })
  );
  return {
    ...{ models: manifests.map(({ model }) => model), classes, data },
    ...{ manifests, slots, images, tokens: first.tokens, grid: first.grid, points3, nearest, colors, align },
    eigenvectors: await readMatrix(`${cut}/eigenvectors.npy`),
    fit: await loadNystrom(gpu, `${cut}/fit.arrow`),
    search: (await Deno.readTextFile(`${cut}/neighbors.txt`)).trim(),
    points2: await readMatrix(`${map}/points2.npy`),
    map: JSON.parse(await Deno.readTextFile(`${map}/map.json`)),
  };
}

/** Patches of all models lie in the same places. */
function assertComparable([first, ...others]: FeatureManifest[]): void {
  const other = others.find(({ grid }) => grid.rows !== first.grid.rows || grid.cols !== first.grid.cols);
  if (!other) return;
  throw new Error(
    `${first.model} sees ${first.grid.rows} × ${first.grid.cols} patches, ${other.model} ${other.grid.rows} × ${other.grid.cols}: export one of them for images of another size.`,
  );
}

async function readMatrix(path: string): Promise<Matrix> {
  const { data, shape } = await readNpy(path);
  return { data: data as Float32Array, rows: shape[0], cols: shape[1] };
}

async function hashOf(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}
