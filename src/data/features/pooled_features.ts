/** Features for channel alignment: every layer's mean over tokens, and a few tokens of each image. */
import { basename } from "node:path";
import { sampleIndices, seededRandom } from "../../linalg/random.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { AlignSlot } from "../../align/model.ts";
import { slotName } from "../../align/slots.ts";
import { readNpy, writeNpy } from "../formats/npy.ts";
import { hashOfModules } from "../files/code_hash.ts";
import { NotFinished, openStages } from "../cache/stages.ts";
import { type ExtractOptions, streamFeatures } from "./stream_features.ts";
import { type FeatureManifest, modelSha256 } from "./extract_parts.ts";

/** What `poolFeatures` is to do for one model. */
export interface PoolOptions extends
  Pick<
    ExtractOptions,
    | "model"
    | "preprocessor"
    | "images"
    | "registers"
    | "hook"
    | "shifts"
    | "provider"
    | "onProgress"
    | "signal"
  > {
  /** Tokens kept of every image, the same in all layers; all where an image has no more. */
  tokensPerImage: number;
  /** Pool over N cells along each side of the grid of patches; default 1: over the class token and all patches. */
  cells?: number;
  seed: number;
  /** Folder where finished features are kept. */
  cacheDir: string;
  /** What, beside names, distinguishes these images from others: a fingerprint of the dataset or the folder. */
  imagesKey: string;
  /** Compute nothing. */
  explain?: boolean;
}

/** What computes them; images are read and cropped by those who give them. */
export const POOLING_CODE = [
  "src/data/features/pooled_features.ts",
  "src/data/images/image.ts",
  "src/data/images/preprocess.ts",
];

/** The pooled features of one model. */
export interface PooledFeatures {
  /** One a layer, as "mae_tiny L3". */
  slots: AlignSlot[];
  /** images × Σ widths · cells²: each layer's mean over class token and patches, or over each cell, layers side by side. */
  pooled: Matrix;
  /** Per layer the kept tokens, equally many of each image, image by image; none when `tokensPerImage` is 0. */
  tokens: Matrix[];
}

/**
 * Pools the features of all layers over the tokens of each image, without storing the tokens: 12 layers × 1,000 images take
 * megabytes instead of gigabytes. What a finished run has left in `cacheDir` is read instead.
 *
 * @throws Error one sentence that names the model, or the image, layer and token, that is not usable
 * @throws NotFinished with `explain`, where they are not there
 */
export async function poolFeatures(options: PoolOptions): Promise<PooledFeatures> {
  const { model, preprocessor, images, registers = null, hook = "attention", shifts = 1 } = options;
  const { provider = "cpu", tokensPerImage, cells = 1, seed, cacheDir, imagesKey } = options;
  const name = basename(model).replace(/\.onnx$/, "");
  const stages = openStages(cacheDir, options.explain), stage = `pooled-${name}`;
  const folder = await stages.run(stage, {
    code: await hashOfModules(POOLING_CODE),
    model: await modelSha256(model),
    preprocessor,
    registers,
    hook,
    shifts,
    provider,
    images: images.map(({ name }) => name),
    tokensPerImage,
    cells,
    seed,
    imagesKey,
  }, (folder) => pool(options, folder));
  if (!folder) throw new NotFinished(stage, stages.reports[0].why);
  const pooled = await readNpy(`${folder}/pooled.npy`);
  const tokens = tokensPerImage ? (await readNpy(`${folder}/tokens.npy`)).data : new Float32Array(0);
  return assemble(name, pooled.shape, pooled.data as Float32Array, tokens as Float32Array);
}

/** Runs the model, and writes what is kept of its features. */
async function pool(options: PoolOptions, folder: string): Promise<void> {
  const { images, cells = 1, seed } = options;
  let manifest: FeatureManifest | undefined, tokensPerImage = 0;
  let pooled = new Float32Array(0), tokens = new Float32Array(0), share: Share[] = [];
  const random = seededRandom(seed), chosen: Uint32Array[] = [];
  await streamFeatures({ ...options, outDir: folder, dtype: "float32" }, {
    begin(found) {
      manifest = found;
      const { layers, width } = found;
      pooled = new Float32Array(images.length * layers.length * cells ** 2 * width);
      share = shares(found, cells);
      tokensPerImage = Math.min(options.tokensPerImage, found.tokens);
      tokens = new Float32Array(layers.length * images.length * tokensPerImage * width);
      for (let i = 0; i < images.length; i++) {
        chosen.push(sampleIndices(found.tokens, tokensPerImage, random));
      }
    },
    rows(layer, { image, token, vectors }) {
      const { layers, width } = manifest!;
      for (let row = 0; row < image.length; row++) {
        const i = image[row], from = row * width, { cell, weight } = share[token[row]];
        const to = ((i * layers.length + layer) * cells ** 2 + cell) * width;
        for (let k = 0; k < width; k++) pooled[to + k] += weight * vectors[from + k];
        const place = chosen[i].indexOf(token[row]);
        if (place < 0) continue;
        const kept = ((layer * images.length + i) * tokensPerImage + place) * width;
        tokens.set(vectors.subarray(from, from + width), kept);
      }
    },
  });
  const { layers, width } = manifest!;
  await writeNpy(`${folder}/tokens.npy`, tokens, [layers.length, images.length * tokensPerImage, width]);
  await writeNpy(`${folder}/pooled.npy`, pooled, [images.length, layers.length, cells ** 2 * width]);
}

/** Which cell a token belongs to, and its share of the mean there. */
interface Share {
  cell: number;
  weight: number;
}

function shares({ tokens, grid }: FeatureManifest, cells: number): Share[] {
  if (cells === 1) return Array.from({ length: tokens }, () => ({ cell: 0, weight: 1 / tokens }));
  const cellOf = (patch: number) => {
    const row = Math.floor(patch / grid.cols), col = patch % grid.cols;
    return Math.floor(row * cells / grid.rows) * cells + Math.floor(col * cells / grid.cols);
  };
  const count = new Uint32Array(cells ** 2);
  for (let patch = 0; patch < tokens - 1; patch++) count[cellOf(patch)]++;
  return Array.from({ length: tokens }, (_, token) => {
    const cell = token === 0 ? 0 : cellOf(token - 1);
    return { cell, weight: token === 0 ? 0 : 1 / count[cell] };
  });
}

function assemble(
  model: string,
  [images, layers, width]: number[],
  pooled: Float32Array,
  tokens: Float32Array,
): PooledFeatures {
  const rows = tokens.length / layers / width;
  return {
    slots: Array.from({ length: layers }, (_, l) => ({ name: slotName(model, l + 1), width })),
    pooled: { data: pooled, rows: images, cols: layers * width },
    tokens: rows === 0 ? [] : Array.from({ length: layers }, (_, l) => {
      return { data: tokens.subarray(l * rows * width, (l + 1) * rows * width), rows, cols: width };
    }),
  };
}

/** Several models' features of the same images, slot beside slot. */
export function joinPooled(parts: PooledFeatures[]): PooledFeatures {
  const names = parts.flatMap(({ slots }) => slots.map(({ name }) => name));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    throw new RangeError(`Two models have a layer called "${twice}": give their files different names.`);
  }
  const rows = parts[0].pooled.rows, cols = parts.reduce((sum, { pooled }) => sum + pooled.cols, 0);
  const data = new Float32Array(rows * cols);
  let first = 0;
  for (const { pooled } of parts) {
    for (let i = 0; i < rows; i++) {
      data.set(pooled.data.subarray(i * pooled.cols, (i + 1) * pooled.cols), i * cols + first);
    }
    first += pooled.cols;
  }
  return {
    slots: parts.flatMap(({ slots }) => slots),
    pooled: { data, rows, cols },
    tokens: parts.flatMap(({ tokens }) => tokens),
  };
}
