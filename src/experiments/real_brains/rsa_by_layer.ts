/** Which layers of vision models find the same pictures alike as human and monkey inferior temporal cortex do. */
import { takeColumns } from "../../linalg/host_matrix.ts";
import { basename } from "node:path";
import { openStages } from "../../data/cache/stages.ts";
import { readFeatures } from "../../data/features/feature_shards.ts";
import { readImage } from "../../data/images/image.ts";
import type { Kriegeskorte92 } from "../../data/datasets/kriegeskorte92.ts";
import type { InferenceProvider } from "../../data/onnx/types.ts";
import { openKnownModel } from "../../data/models/known_models.ts";
import { previewCrop } from "../../data/images/preprocess.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { brokenShards, type FeatureManifest, readExtracted } from "../../data/features/extract_parts.ts";
import { featureStages } from "../../pipeline/pipeline.ts";
import { type Agreement, rdm, rsa, type RsaOptions } from "../../statistics/rsa.ts";
import type { Hook } from "../../data/onnx/head_roles.ts";

/** Cortex of two species: inferior temporal, human and monkey. */
export const BRAINS = ["hIT", "mIT"] as const;
/** One of the two. */
export type Brain = typeof BRAINS[number];

/** One pattern a picture, compared with both brains. */
export interface BrainAgreement extends Record<Brain, Agreement> {
  /** Mean over human subjects of the agreement with each one's own IT; absent where these are not known. */
  subjects?: Agreement;
}

/** One layer of a model. */
export interface LayerSimilarity {
  /** 1 is the first. */
  layer: number;
  /** Features averaged over all tokens, as the brain encoder sees them. */
  pooled: BrainAgreement;
  /** Features of all tokens side by side, which keep where things are. */
  tokens: BrainAgreement;
  /** Features of the class token alone; absent where the model has none. */
  classToken?: BrainAgreement;
}

export interface ModelSimilarity {
  /** The model file's name without its ending. */
  model: string;
  /** Pixels of the pictures as this model gets them: what needs no model. */
  pixels: BrainAgreement;
  /** In order. */
  layers: LayerSimilarity[];
}

/** Settings of `brainSimilarity`. */
export interface BrainSimilarityOptions extends RsaOptions {
  /** Folder for features; a stopped run goes on from what is there. */
  cacheDir: string;
  /** Distinguishes the pictures from others of the same names. */
  imagesKey: string;
  /** What is taken of every block; default the attention's output. */
  hook?: Hook;
  /** What the model runs on; default the processor. */
  provider?: InferenceProvider;
  /** Called with the share of the work that is done, from 0 to 1, and what was done. */
  onProgress?: (done: number, total: number, note: string) => void;
}

/** Human and monkey IT compared with each other: what a perfect model of the one would reach on the other. */
export function betweenBrains({ human, monkey }: Kriegeskorte92, options: RsaOptions = {}): Agreement {
  return rsa(human, monkey, options);
}

/**
 * Extracts a model's features of the pictures and compares every layer with both brains.
 *
 * @param path an ONNX file with its preprocessor file beside it
 * @param data the pictures and the brains' dissimilarities
 * @throws Error one sentence that names the file, layer or picture that is not usable
 */
export async function brainSimilarity(
  path: string,
  data: Kriegeskorte92,
  { cacheDir, imagesKey, hook, provider, onProgress, ...bootstrap }: BrainSimilarityOptions,
): Promise<ModelSimilarity> {
  const { preprocessor, registers } = await openKnownModel(path);
  const images = data.images.map((file) => ({ name: basename(file), load: () => readImage(file) }));
  const model = basename(path).replace(/\.onnx$/, "");
  const models = [{ path, preprocessor, registers, hook, provider }];
  const [{ name, input, extract }] = await featureStages({ models, images, imagesKey, dtype: "float32" });
  const compute = async (folder: string) => {
    await extract(folder, (done, total) => onProgress?.(done / total, 2, `${model} pictures`));
  };
  const folder = await openStages(cacheDir).run(name, input, compute, brokenShards);
  const manifest = await readExtracted(folder!);
  const compare = (patterns: Matrix): BrainAgreement => {
    const own = rdm(patterns);
    return {
      hIT: rsa(own, data.human, bootstrap),
      mIT: rsa(own, data.monkey, bootstrap),
      ...(data.subjects && { subjects: rsa(own, data.subjects, bootstrap) }),
    };
  };
  const pixels = await Promise.all(
    images.map(async ({ name, load }) => previewCrop(await load(), preprocessor, name).data),
  );
  const layers: LayerSimilarity[] = [];
  for (const { layer, path: file } of manifest.layers) {
    const tokens = await readImages(file, manifest);
    layers.push({
      layer,
      pooled: compare(averaged(tokens, manifest.width)),
      tokens: compare(tokens),
      ...(manifest.classToken && { classToken: compare(takeColumns(tokens, 0, manifest.width)) }),
    });
    onProgress?.(1 + layers.length / manifest.layers.length, 2, `${model} layer ${layer}`);
  }
  return { model, pixels: compare(rowsOf(pixels)), layers };
}

/** One layer's features, one row an image: tokens side by side. */
async function readImages(path: string, { images, tokens, width }: FeatureManifest): Promise<Matrix> {
  return { data: (await readFeatures(path)).data, rows: images.length, cols: tokens * width };
}

/** Mean over tokens of rows that hold tokens of `width` side by side. */
function averaged({ data, rows, cols }: Matrix, width: number): Matrix {
  const sums = new Float64Array(rows * width);
  data.forEach((value, at) => sums[Math.floor(at / cols) * width + at % width] += value * width / cols);
  return { data: Float32Array.from(sums), rows, cols: width };
}

/** Rows of equally many bytes as a matrix. */
export function rowsOf(parts: readonly Uint8Array[]): Matrix {
  const cols = parts[0].length, data = new Float32Array(parts.length * cols);
  parts.forEach((part, i) => data.set(part, i * cols));
  return { data, rows: parts.length, cols };
}
