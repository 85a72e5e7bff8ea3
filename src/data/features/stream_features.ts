/** Features of every layer, batch by batch. */
import { findAttentionOutputs } from "../onnx/attention_outputs.ts";
import { learnedTokens, patchSize } from "../onnx/patch_order.ts";
import { findHookOutputs } from "../onnx/block_hooks.ts";
import type { ImageRange } from "./feature_shards.ts";
import { prefetch } from "../files/prefetch.ts";
import { readOnnx, withOutputs } from "../onnx/graph.ts";
import { type ModelInput, preprocess } from "../images/preprocess.ts";
import { shiftedImages, stitched } from "../images/shift_and_stitch.ts";
import { tokenLayout } from "../models/token_layout.ts";
import { openModel, readWeights } from "../models/vision_model.ts";
import type { InferenceProvider, ModelOutput } from "../onnx/types.ts";
import { basename } from "node:path";
import type { FeatureType } from "./feature_store.ts";
import type { RgbImage } from "../images/picture.ts";
import { type FeatureManifest, namesSha256, sha256 } from "./extract_parts.ts";
import type { Preprocessor } from "../images/preprocessor.ts";
import {
  assertInPlace,
  assertShape,
  headTensor,
  MAX_TOKENS,
  type OutputShape,
  probe,
} from "./probe_model.ts";
import type { Hook } from "../onnx/head_roles.ts";

/**
 * Runs a vision transformer over images and hands on the features of every layer, batch by batch, keeping none.
 *
 * @param options as of `extractFeatures`; `outDir` only names the files of the manifest
 * @param ranges of images, default all
 * @param sink called with the manifest before the first batch, then each layer's rows (counted from 0) of each batch
 */
export async function streamFeatures(
  options: ExtractOptions,
  sink: {
    begin(manifest: FeatureManifest): Promise<void> | void;
    rows(layer: number, rows: LayerRows): Promise<void> | void;
    /** Called before the first batch of every range. */
    beginRange?(range: ImageRange): Promise<void>;
    /** Called after the last batch of every range; the next one goes on meanwhile, but does not end before. */
    endRange?(range: ImageRange): Promise<void>;
  },
  ranges: ImageRange[] = [{ first: 0, count: options.images.length }],
): Promise<FeatureManifest> {
  const { model: path, preprocessor, images, outDir, batch = 8, onProgress } = options;
  const { graph, weights, wanted } = await openGraph(options);
  const blocks = findAttentionOutputs(graph), outputs = findHookOutputs(graph, wanted.hook);
  const tensors = outputs.map(({ tensor }) => tensor), parts = outputs.flatMap(({ part }) => part ?? []);
  const perHead = headTensor(blocks[0]);
  const added = outputs.flatMap(({ added }) => added);
  if (perHead.length > 0) added.push(...[blocks[0].weightsAdded ?? []].flat());
  const model = await openModel(
    graph,
    withOutputs(graph, [...tensors, ...parts, ...perHead], added),
    weights,
    wanted.provider,
  );
  let ending: Promise<void> | undefined;
  try {
    const [first] = await loadImages(images.slice(0, 1), preprocessor);
    const { shape, channels } = await probe(model, graph, blocks[0], outputs, first);
    const patch = patchSize(graph);
    const patches = patch &&
      { rows: Math.floor(first.height / patch[0]), cols: Math.floor(first.width / patch[1]) };
    assertInPlace(graph, shape, patches);
    const { classToken, registers, grid: ownGrid } = tokenLayout(
      shape.tokens,
      patches,
      options.registers,
      path,
      learnedTokens(graph, blocks),
      first,
    );
    const { heads } = shape, width = channels[0]?.length ?? shape.width;
    const layers = outputs.map(({ layer, tensor }) => {
      const path = `${outDir}/${wanted.model}.L${String(layer).padStart(2, "0")}`;
      return { layer, path, tensor, shards: [] };
    });
    const { shifts } = wanted, grid = { rows: shifts * ownGrid.rows, cols: shifts * ownGrid.cols };
    const tokens = 1 + grid.rows * grid.cols;
    if (shifts > 1 && (!patch || tokens > MAX_TOKENS)) {
      throw new Error(
        patch
          ? `${path} would give ${tokens} tokens an image, more than ${MAX_TOKENS}: give a larger --stride.`
          : `${path} does not state the size of its patches: leave out --stride.`,
      );
    }
    const manifest = {
      ...wanted,
      images: images.map(({ name }) => name),
      layers,
      heads,
      width,
      tokens,
      classToken,
      registers,
      grid,
    };
    await sink.begin(manifest);
    // Images of a batch, and shifted images of a run of the model: one and the same without shifts.
    const run = model.fixedBatch ?? batch, step = Math.max(1, Math.floor(run / shifts ** 2));
    const batches = ranges.flatMap((range) =>
      Array.from(
        { length: Math.ceil(range.count / step) },
        (_, i) => ({ range, from: range.first + i * step }),
      )
    );
    const loaded = prefetch(batches, async ({ range, from }) => {
      const to = Math.min(from + step, range.first + range.count);
      const loaded = await loadImages(images.slice(from, to), preprocessor, first);
      return {
        range,
        from,
        to,
        pixels: loaded.flatMap((image) => shiftedImages(image, patch ?? [1, 1], shifts)),
      };
    });
    const computed = prefetch(loaded, async ({ pixels, ...batch }) => {
      const results: Record<string, ModelOutput>[] = [];
      for (let at = 0; at < pixels.length; at += run) {
        results.push(await model.run(pixels.slice(at, at + run), tensors));
      }
      return { ...batch, results };
    }, 2); // so that the model's thread has the next one at hand
    let done = images.length - ranges.reduce((sum, { count }) => sum + count, 0);
    for await (const { range, from, to, results } of computed) {
      if (from === range.first) await sink.beginRange?.(range);
      for (const [l, tensor] of tensors.entries()) {
        const runs = results.map((result) => result[tensor]);
        for (const [r, own] of runs.entries()) {
          const count = model.fixedBatch ?? Math.min(run, (to - from) * shifts ** 2 - r * run);
          assertShape(own, shape, count, tensor, path);
        }
        await sink.rows(
          l,
          rowsOf({ runs, run }, to - from, manifest, shape, channels[l], from, layers[l].layer),
        );
      }
      onProgress?.(done += to - from, images.length);
      if (to === range.first + range.count) {
        await ending;
        ending = sink.endRange?.(range);
        ending?.catch(() => {}); // reported when it is waited for
      }
      options.signal?.throwIfAborted();
    }
    await ending;
    return manifest;
  } finally {
    await ending?.catch(() => {});
    options.onInference?.(model.seconds());
    await model[Symbol.asyncDispose]();
  }
}

/** Loads and preprocesses images, which must come out as large as `like`. */
async function loadImages(
  images: ExtractOptions["images"],
  preprocessor: Preprocessor,
  like?: ModelInput,
): Promise<ModelInput[]> {
  const inputs: ModelInput[] = [];
  for (const { name, load } of images) {
    const input = preprocess(await load(), preprocessor, name);
    if (like && (input.width !== like.width || input.height !== like.height)) {
      throw new Error(
        `${name} is ${input.width} × ${input.height} after preprocessing, the first image ${like.width} × ` +
          `${like.height}: preprocess with a crop or an exact size.`,
      );
    }
    inputs.push(input);
  }
  return inputs;
}

/**
 * One layer's rows of a batch: registers dropped, the mean of the patches in the place of a missing class token; of shifted
 * images the patches laid between one another and the mean of the class tokens.
 */
function rowsOf(
  { runs, run }: { runs: ModelOutput[]; run: number },
  count: number,
  manifest: FeatureManifest,
  { tokens: all, tokensFirst, width: allChannels }: OutputShape,
  channels: Int32Array | undefined,
  firstImage: number,
  layer: number,
): LayerRows {
  const { tokens, classToken, registers, width, shifts, grid } = manifest;
  const before = registers + (classToken ? 1 : 0), each = shifts ** 2;
  const image = new Int32Array(count * tokens), token = new Int16Array(count * tokens);
  const vectors = new Float32Array(count * tokens * width);
  const isWhole = !channels && each === 1 && !tokensFirst; // an image's vectors lie one behind the other
  for (let i = 0; i < count; i++) {
    const row = i * tokens;
    image.fill(firstImage + i, row, row + tokens);
    for (let t = 0; t < tokens; t++) token[row + t] = t;
    const vectorOf = (shift: number, at: number) => {
      const seen = i * each + shift, { data } = runs[Math.floor(seen / run)], place = seen % run;
      const inRun = data.length / allChannels / all;
      const from = (tokensFirst ? at * inRun + place : place * all + at) * allChannels;
      return channels
        ? Float32Array.from(channels, (channel) => data[from + channel])
        : data.subarray(from, from + width);
    };
    const patchOf = (number: number) => {
      const { shift, patch } = stitched(number, grid.cols, shifts);
      return vectorOf(shift, before + patch);
    };
    const classOf = () =>
      !classToken
        ? meanOf(width, tokens - 1, patchOf)
        : each > 1
        ? meanOf(width, each, (shift) => vectorOf(shift, 0))
        : vectorOf(0, 0);
    vectors.set(classOf(), row * width);
    if (isWhole) {
      const { data } = runs[Math.floor(i / run)], from = (i % run * all + before) * width;
      vectors.set(data.subarray(from, from + (tokens - 1) * width), (row + 1) * width);
    } else for (let t = 1; t < tokens; t++) vectors.set(patchOf(t - 1), (row + t) * width);
    for (let t = 0; t < tokens; t++) {
      assertUsable(vectors, (row + t) * width, manifest, { image: firstImage + i, layer, token: t });
    }
  }
  return { image, token, vectors };
}

/** The mean of `count` vectors, summed in float64. */
function meanOf(width: number, count: number, vectorOf: (at: number) => Float32Array): Float32Array {
  const sum = new Float64Array(width);
  for (let at = 0; at < count; at++) {
    const vector = vectorOf(at);
    for (let k = 0; k < width; k++) sum[k] += vector[k];
  }
  return Float32Array.from(sum, (value) => value / count);
}

/** A vector, `width` values from `from` on, that is not finite or is zero has no cosine. */
function assertUsable(
  vectors: Float32Array,
  from: number,
  { model, images, width, dtype, grid, classToken }: FeatureManifest,
  at: { image: number; layer: number; token: number },
): void {
  let largest = 0, sum = 0;
  for (let i = from; i < from + width; i++) {
    const value = Math.abs(vectors[i]);
    sum += value;
    if (value > largest) largest = value;
  }
  if (!Number.isFinite(sum)) largest = NaN;
  const isHalf = dtype === "float16";
  const [least, most] = isHalf ? [FLOAT16_ZERO, FLOAT16_MAX] : [0, Infinity];
  if (largest > least && largest <= most) return;
  const what = Number.isNaN(largest)
    ? "holds NaN or infinite values: check the model's weights and preprocessing"
    : largest > most
    ? `holds ${largest}, too large for float16: store float32`
    : largest > 0
    ? "is a zero vector in float16: store float32"
    : "is a zero vector, which has no cosine: check the model's weights and preprocessing";
  const patch = at.token - 1;
  const place = at.token === 0
    ? classToken ? "the class token" : "the mean of the patches"
    : `the patch in row ${Math.floor(patch / grid.cols)}, column ${patch % grid.cols}`;
  throw new Error(
    `${model}: the feature of ${images[at.image]}, layer ${at.layer}, token ${at.token} (${place}) ${what}.`,
  );
}

/** Tokens of some images in one layer, registers dropped: vectors are rows × width, row-major. */
interface LayerRows {
  image: Int32Array;
  token: Int16Array;
  vectors: Float32Array;
}

/** What `extractFeatures` is to do. */
export interface ExtractOptions {
  /** Path of an ONNX file. */
  model: string;
  preprocessor: Preprocessor;
  images: { name: string; load(): Promise<RgbImage> }[];
  /**
   * Of all their names, where `images` has gaps: of one range alone the first image and its own are needed, to join ranges
   * none.
   */
  imagesSha256?: string;
  /** Folder for the layers' folders and the manifest. */
  outDir: string;
  dtype: FeatureType;
  /** Register tokens before the patches; found from the patch size when not given. */
  registers?: number;
  /** What is taken of every block; default "attention". */
  hook?: Hook;
  /** Runs with the image shifted, along each side: 2 gives four times the patches (shift-and-stitch); default 1. */
  shifts?: number;
  /** What the model runs on; default "cpu". Values differ in their last bits. */
  provider?: InferenceProvider;
  /** Images of a shard; default 64. */
  shardImages?: number;
  /** Images a run of the model; default 8. */
  batch?: number;
  onProgress?: (done: number, total: number) => void;
  /** Stops the extraction after a batch; it then rejects with the signal's reason, and the next one goes on after what is kept. */
  signal?: AbortSignal;
  /** Called at the end with how many seconds onnxruntime has taken. */
  onInference?: (seconds: number) => void;
}

/** Float16 ends here; from 65520 on it rounds to infinity. */
const FLOAT16_MAX = 65504;

/** Half the smallest float16: rounds to 0. */
const FLOAT16_ZERO = 2 ** -25;

/** Reads a model, and finds what is to be taken of its blocks. */
export async function openGraph(options: ExtractOptions) {
  const { model: path, preprocessor, images, dtype, registers } = options;
  const { hook = "attention", shifts = 1, provider = "cpu" } = options;
  if (images.length === 0) throw new Error("There are no images to extract features of: give at least one.");
  const graph = await readOnnx(path), weights = await readWeights(graph);
  const wanted = {
    model: basename(path).replace(/\.onnx$/, ""),
    modelSha256: sha256([graph.bytes, ...weights.map(({ data }) => data)]),
    imagesSha256: options.imagesSha256 ?? namesSha256(images),
    dtype,
    hook,
    shifts,
    provider,
    preprocessing: JSON.stringify([preprocessor, registers ?? null]),
  };
  return { graph, weights, wanted };
}
