/** Features of every layer of a vision transformer. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { reasonOf, writeFileAtomic } from "../files/atomic_write.ts";
import {
  type AttentionOutput,
  findAttentionOutputs,
  learnedTokens,
  patchSize,
} from "../onnx/attention_outputs.ts";
import { channelsOf, findHookOutputs, type Hook, type HookOutput } from "../onnx/block_hooks.ts";
import {
  describeShard,
  type FeatureShard,
  type ImageRange,
  isWhole,
  shardName,
  shardRanges,
} from "./feature_shards.ts";
import type { BrokenFile } from "../files/file_hashes.ts";
import { createFeatures, type FeatureType, type FeatureWriter } from "./feature_store.ts";
import { ahead } from "../files/prefetch.ts";
import { inLanes } from "../files/map_concurrently.ts";
import { type OnnxGraph, readOnnx, withOutputs } from "../onnx/graph.ts";
import { type ModelInput, preprocess, type Preprocessor } from "../images/preprocess.ts";
import { shiftedImages, stitched } from "../images/shift_and_stitch.ts";
import { type TokenLayout, tokenLayout } from "../models/token_layout.ts";
import { openModel, readModelBytes, readWeights, type VisionModel } from "../models/vision_model.ts";
import type { RgbImage } from "../images/picture.ts";
import type { InferenceProvider, ModelOutput } from "../onnx/types.ts";

/** What `extractFeatures` is to do. */
export interface ExtractOptions {
  /** Path of an ONNX file. */
  model: string;
  preprocessor: Preprocessor;
  images: { name: string; load(): Promise<RgbImage> }[];
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
  onProgress?: (images: number) => void;
  /** Told at the end how many seconds onnxruntime has taken. */
  onInference?: (seconds: number) => void;
}

/** What was found and written. */
export interface FeatureManifest {
  /** The model file's name without its ending. */
  model: string;
  /** Of the model file and the weight files beside it, one behind the other. */
  modelSha256: string;
  /** `path` is a folder; `shards` are its files, in the order of the images. */
  layers: { layer: number; path: string; tensor: string; shards: FeatureShard[] }[];
  /** 0 when neither the graph nor its tensors tell. */
  heads: number;
  width: number;
  /** Tokens kept of every image: the class token, or what stands for it, and the patches. */
  tokens: number;
  /** Whether the model has a class token; else the first of `tokens` is the mean of its patches. */
  classToken: boolean;
  registers: number;
  grid: { rows: number; cols: number };
  images: string[];
  dtype: FeatureType;
  /** What was taken of every block. */
  hook: Hook;
  /** Shifted images along each side whose patches were laid between one another; 1 for none. */
  shifts: number;
  /** What the model ran on. */
  provider: InferenceProvider;
  /** The preprocessing and the registers asked for, as JSON. */
  preprocessing: string;
}

/** Float16 ends here; from 65520 on it rounds to infinity. */
const FLOAT16_MAX = 65504;
/** Shards that are finished and read back at a time. */
const LANES = 4;
/** Tokens of an image that the column of a shard can number. */
const MAX_TOKENS = 2 ** 15;
/** Half the smallest float16: rounds to 0. */
const FLOAT16_ZERO = 2 ** -25;

/** Tokens of some images in one layer, registers dropped: vectors are rows × width, row-major. */
export interface LayerRows {
  image: Int32Array;
  token: Int16Array;
  vectors: Float32Array;
}

/**
 * Runs a vision transformer over images and stores, for every layer, the attention block's output after its projection,
 * before the residual add (METHOD, `V_l`), or another `hook` of the block: class token and patches, register tokens dropped. A model without class token
 * gets the mean of its patches in that place, which is what such models pool to.
 *
 * Every layer is a folder of shards, each of a range of images (METHOD's tokens × images, `SHARD_IMAGES` at a time).
 * The manifest, rewritten after every range, has the SHA-256 of each shard: what it covers and finds unchanged on disk is
 * not computed again, so that a run that was stopped goes on where it was, and a shard that was lost, cut or altered is
 * made again, alone with the others of its range. Ranges that `extractRange` has left are taken over.
 *
 * @returns layers, heads, width, tokens, and the shards
 * @throws Error one sentence that names the model, or the image, layer and token, that is not usable
 */
export async function extractFeatures(options: ExtractOptions): Promise<FeatureManifest> {
  const { outDir, images, shardImages } = options;
  const manifestPath = `${outDir}/manifest.json`;
  const known = await readManifest(manifestPath), { wanted } = await openGraph(options);
  const ranges = shardRanges(images.length, shardImages);
  const finishedOnce = known && covers(known, wanted) ? known : null;
  const earlier = finishedOnce ?? await joinParts(outDir, ranges, wanted);
  const finished = await Promise.all(ranges.map(async (range) => {
    const shards = earlier?.layers.map((layer) => shardOf(layer.shards, range)) ?? [];
    if (shards.length === 0 || shards.includes(undefined)) return false;
    for (const shard of shards) if (!await isWhole(shard!)) return false;
    return true;
  }));
  const missing = ranges.filter((_, i) => !finished[i]);
  if (earlier && missing.length === 0) {
    if (!finishedOnce) await writeFileAtomic(manifestPath, JSON.stringify(earlier, null, 2));
    return earlier;
  }
  await makeFolder(outDir);
  let writers: FeatureWriter[] = [], manifest: FeatureManifest | undefined;
  const unfinished = new Set<FeatureWriter>();
  try {
    await streamFeatures(options, {
      async begin(fresh) {
        const kept = ranges.filter((_, i) => finished[i]);
        manifest = {
          ...fresh,
          layers: fresh.layers.map((layer, l) => ({
            ...layer,
            shards: kept.map((range) => shardOf(earlier!.layers[l].shards, range)!),
          })),
        };
        for (const { path } of manifest.layers) await emptied(path, kept.map(shardName));
      },
      async beginRange(range) {
        writers = [];
        for (const { layer, path } of manifest!.layers) {
          const name = `${path}/${shardName(range)}`;
          writers.push(
            await createFeatures(name, layer, manifest!.width, options.dtype, noted(manifest!, range)),
          );
          unfinished.add(writers.at(-1)!);
        }
      },
      rows: (l, rows) => writers[l].write(rows),
      async endRange(range) {
        const mine = writers; // the next range's may be made meanwhile
        const described = await inLanes(mine.length, LANES, async (l) => {
          await mine[l].finish();
          unfinished.delete(mine[l]);
          return await describeShard(`${manifest!.layers[l].path}/${shardName(range)}`, range);
        });
        for (const [l, { shards }] of manifest!.layers.entries()) {
          shards.push(described[l]);
          shards.sort((a, b) => a.first - b.first);
        }
        await writeFileAtomic(manifestPath, JSON.stringify(manifest, null, 2));
      },
    }, missing);
    return manifest!;
  } catch (error) {
    for (const writer of unfinished) await writer.abandon();
    for (const { path } of manifest?.layers ?? []) await Deno.remove(path).catch(() => {}); // where it is empty
    throw error;
  }
}

/**
 * Extracts one range of images alone, to be joined by `extractFeatures` of the same options. A range whose own manifest is
 * there and whose shards are whole is left as it is, so that several processes may be given the same one.
 *
 * @param range one of `shardRanges` of the images and `shardImages`
 * @throws Error as `extractFeatures`
 */
export async function extractRange(options: ExtractOptions, range: ImageRange): Promise<FeatureManifest> {
  const { outDir } = options, path = partPath(outDir, range);
  const known = await readManifest(path), { wanted } = await openGraph(options);
  if (known && covers(known, wanted) && await isWholeManifest(known)) return known;
  await makeFolder(`${outDir}/parts`);
  let writers: FeatureWriter[] = [], manifest: FeatureManifest | undefined;
  try {
    await streamFeatures(options, {
      async begin(fresh) {
        manifest = fresh;
        for (const { layer, path } of fresh.layers) {
          await makeFolder(path);
          const name = `${path}/${shardName(range)}`;
          writers.push(await createFeatures(name, layer, fresh.width, options.dtype, noted(fresh, range)));
        }
      },
      rows: (l, rows) => writers[l].write(rows),
    }, [range]);
    for (const writer of writers) await writer.finish();
    writers = [];
    for (const { path, shards } of manifest!.layers) {
      shards.push(await describeShard(`${path}/${shardName(range)}`, range));
    }
    await writeFileAtomic(path, JSON.stringify(manifest, null, 2));
    return manifest!;
  } catch (error) {
    for (const writer of writers) await writer.abandon();
    throw error;
  }
}

/** Whether a range's own manifest is there, and its shards are as large as it says; their bytes are not looked at. */
export async function isRangeExtracted(outDir: string, range: ImageRange): Promise<boolean> {
  const shards = (await readManifest(partPath(outDir, range)))?.layers.flatMap(({ shards }) => shards) ?? [];
  const there = shards.map(({ path, bytes }) =>
    Deno.stat(path).then(({ size }) => size === bytes, () => false)
  );
  return there.length > 0 && (await Promise.all(there)).every(Boolean);
}

/** What `extractFeatures` has left in a folder, without a look at the shards. */
export async function readExtracted(outDir: string): Promise<FeatureManifest> {
  const manifest = await readManifest(`${outDir}/manifest.json`);
  if (manifest) return manifest;
  throw new Error(`There is no usable ${outDir}/manifest.json: extract the features first.`);
}

function partPath(outDir: string, range: ImageRange): string {
  return `${outDir}/parts/${shardName(range).replace(/\.arrow$/, ".json")}`;
}

/** Shards that are not as the manifest in a folder has them. */
export async function brokenShards(outDir: string): Promise<BrokenFile[]> {
  const { layers } = await readExtracted(outDir);
  const shards = layers.flatMap(({ shards }) => shards), broken: BrokenFile[] = [];
  await inLanes(shards.length, LANES, async (i) => {
    if (await isWhole(shards[i])) return;
    broken.push({ file: shards[i].path.split("/").slice(-2).join("/"), state: "damaged" });
  });
  return broken;
}

async function isWholeManifest({ layers }: FeatureManifest): Promise<boolean> {
  for (const { shards } of layers) {
    for (const shard of shards) if (!await isWhole(shard)) return false;
  }
  return true;
}

/** The ranges that are there as one manifest; null where there is none. */
async function joinParts(
  outDir: string,
  ranges: ImageRange[],
  wanted: Partial<FeatureManifest>,
): Promise<FeatureManifest | null> {
  let joined: FeatureManifest | null = null;
  for (const range of ranges) {
    const part = await readManifest(partPath(outDir, range));
    if (!part || !covers(part, wanted)) continue;
    if (joined) {
      for (const [l, { shards }] of part.layers.entries()) joined.layers[l].shards.push(...shards);
    } else joined = part;
  }
  return joined;
}

function shardOf(shards: FeatureShard[], { first, count }: ImageRange): FeatureShard | undefined {
  return shards.find((shard) => shard.first === first && shard.count === count);
}

/** Makes a layer's folder, and takes all out of it but the shards to keep: what a stopped run or another one has left. */
async function emptied(folder: string, keep: string[]): Promise<void> {
  await makeFolder(folder);
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && !keep.includes(name) && /^images-.*\.(?:arrow|tmp)$/.test(name)) {
      await Deno.remove(`${folder}/${name}`);
    }
  }
}

/** SHA-256 of a model file and the weight files beside it, one behind the other. */
export async function modelSha256(path: string): Promise<string> {
  return sha256(await readModelBytes(path));
}

async function openGraph(
  { model: path, preprocessor, images, dtype, registers, hook = "attention", shifts = 1, provider = "cpu" }:
    ExtractOptions,
) {
  if (images.length === 0) throw new Error("There are no images to extract features of: give at least one.");
  const graph = await readOnnx(path), weights = await readWeights(graph);
  const wanted = {
    model: basename(path).replace(/\.onnx$/, ""),
    modelSha256: sha256([graph.bytes, ...weights.map(({ data }) => data)]),
    images: images.map(({ name }) => name),
    dtype,
    hook,
    shifts,
    provider,
    preprocessing: JSON.stringify([preprocessor, registers ?? null]),
  };
  return { graph, weights, wanted };
}

/**
 * Runs a vision transformer over images and hands on the features of every layer, batch by batch, keeping none.
 *
 * @param options as of `extractFeatures`; `outDir` only names the files of the manifest
 * @param ranges of images, default all
 * @param sink told the manifest before the first batch, then each layer's rows (counted from 0) of each batch
 */
export async function streamFeatures(
  options: ExtractOptions,
  sink: {
    begin(manifest: FeatureManifest): Promise<void> | void;
    rows(layer: number, rows: LayerRows): Promise<void> | void;
    /** Told before the first batch of every range. */
    beginRange?(range: ImageRange): Promise<void>;
    /** Told after the last batch of every range; the next one goes on meanwhile, but does not end before. */
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
          : `${path} does not tell the size of its patches: leave out --stride.`,
      );
    }
    const manifest = { ...wanted, layers, heads, width, tokens, classToken, registers, grid };
    await sink.begin(manifest);
    // Images of a batch, and shifted images of a run of the model: one and the same without shifts.
    const run = model.fixedBatch ?? batch, step = Math.max(1, Math.floor(run / shifts ** 2));
    const batches = ranges.flatMap((range) =>
      Array.from(
        { length: Math.ceil(range.count / step) },
        (_, i) => ({ range, from: range.first + i * step }),
      )
    );
    const loaded = ahead(batches, async ({ range, from }) => {
      const to = Math.min(from + step, range.first + range.count);
      const loaded = await loadImages(images.slice(from, to), preprocessor, first);
      return {
        range,
        from,
        to,
        pixels: loaded.flatMap((image) => shiftedImages(image, patch ?? [1, 1], shifts)),
      };
    });
    const computed = ahead(loaded, async ({ pixels, ...batch }) => {
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
      onProgress?.(done += to - from);
      if (to === range.first + range.count) {
        await ending;
        ending = sink.endRange?.(range);
        ending?.catch(() => {}); // told when it is waited for
      }
    }
    await ending;
    return manifest;
  } finally {
    await ending?.catch(() => {});
    options.onInference?.(model.seconds());
    await model.release();
  }
}

/** An attention output's shape. */
interface OutputShape {
  /** Registers included. */
  tokens: number;
  width: number;
  heads: number;
  /** tokens × images × width, else images × tokens × width. */
  tokensFirst: boolean;
  /** Of images × rows × columns × width, where tokens are so laid out. */
  sides?: { rows: number; cols: number };
}

/** Runs one image, which tells the dimension of the images from that of the tokens, and the channels that are wanted. */
async function probe(
  model: VisionModel,
  { path }: OnnxGraph,
  block: AttentionOutput,
  outputs: HookOutput[],
  image: ModelInput,
): Promise<{ shape: OutputShape; channels: (Int32Array | undefined)[] }> {
  const { heads } = block, [{ tensor }] = outputs;
  const perHead = headTensor(block);
  const count = model.fixedBatch ?? 1;
  const wanted = outputs.flatMap(({ tensor, part }, i) => part ? [tensor, part] : i === 0 ? [tensor] : []);
  const results = await model.run([image], [...new Set([...wanted, ...perHead])]);
  const { dims } = results[tensor], inRows = dims.length === 4 && dims[0] === count;
  const imageAxis = inRows ? 0 : dims.indexOf(count);
  if (!inRows && (dims.length !== 3 || imageAxis < 0 || imageAxis > 1)) {
    const windows = dims.length === 3 && dims[0] % count === 0
      ? `: it attends within ${dims[0] / count} windows of ${dims[1]} tokens, which are not put back in place`
      : "";
    throw new Error(
      `${path}: the output ${tensor} has the shape ${dims.join(" × ")}, ` +
        `expected ${count} (images) × tokens × width${windows}.`,
    );
  }
  const tokens = inRows ? dims[1] * dims[2] : dims[1 - imageAxis];
  const shape = {
    tokens,
    width: dims.at(-1)!,
    heads: heads ?? headsOf(results[perHead[0]].dims, count, tokens),
    tokensFirst: imageAxis === 1,
    ...(inRows && { sides: { rows: dims[1], cols: dims[2] } }),
  };
  const channels = outputs.map(({ tensor, part, layer }) => {
    if (part === undefined) return undefined;
    assertShape(results[tensor], shape, count, tensor, path);
    const found = channelsOf(results[part], results[tensor], shape, count);
    if (typeof found !== "string") return found;
    throw new Error(
      `${path}: which channels of ${tensor} are those of ${part} (layer ${layer}) is not known, for ${found}: ` +
        "take another --hook.",
    );
  });
  const other = channels.findIndex((own) => own?.length !== channels[0]?.length);
  if (other >= 0) {
    throw new Error(
      `${path}: layer 1 has ${channels[0]?.length ?? shape.width} channels, layer ${other + 1} ${
        channels[other]?.length ?? shape.width
      }: take another --hook.`,
    );
  }
  return { shape, channels };
}

/** Tokens in rows and columns have to be the patches, as they are where windows were put back in place. */
function assertInPlace(
  { path }: OnnxGraph,
  { sides, width }: OutputShape,
  patches: TokenLayout["grid"] | null,
): void {
  if (!sides || patches && sides.rows === patches.rows && sides.cols === patches.cols) return;
  throw new Error(
    `${path}: the output has ${sides.rows} × ${sides.cols} tokens of ${width} channels, but ${
      patches
        ? `${patches.rows} × ${patches.cols} patches fit in the image`
        : "the size of its patches is not known"
    }: give a model whose layers all see the same patches.`,
  );
}

/** The tensor whose shape tells the heads where the graph does not. */
function headTensor({ heads, weights, queries }: AttentionOutput): string[] {
  return heads === null ? [weights ?? queries!] : [];
}

/** Heads, from images × heads × … × …, or images · heads × tokens × … where no windows are among the images. */
function headsOf(dims: readonly number[], images: number, tokens: number): number {
  if (dims.length === 4) return dims[1];
  return dims.length === 3 && dims[1] === tokens && dims[0] % images === 0 ? dims[0] / images : 0;
}

function assertShape(
  { dims }: ModelOutput,
  shape: OutputShape,
  count: number,
  tensor: string,
  path: string,
): void {
  const { tokens, width, tokensFirst, sides } = shape;
  const expected = tokensFirst ? [tokens, count, width] : [count, tokens, width];
  if (String(dims) === String(expected)) return;
  if (sides) {
    const inRows = [count, sides.rows, sides.cols, width];
    if (String(dims) === String(inRows)) return;
    expected.splice(0, 3, ...inRows);
  }
  throw new Error(
    `${path}: the output ${tensor} has the shape ${dims.join(" × ")}, expected ${expected.join(" × ")} ` +
      "as in the first layer: give a model whose layers all see the same patches, not one of stages or windows as Swin.",
  );
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
  for (let i = 0, row = 0; i < count; i++) {
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
    for (let t = 0; t < tokens; t++, row++) {
      const vector = t > 0 ? patchOf(t - 1) : classOf();
      assertUsable(vector, manifest, { image: firstImage + i, layer, token: t });
      vectors.set(vector, row * width);
      image[row] = firstImage + i;
      token[row] = t;
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

/** A vector that is not finite or is zero has no cosine. */
function assertUsable(
  vector: Float32Array,
  { model, images, dtype, grid, classToken }: FeatureManifest,
  at: { image: number; layer: number; token: number },
): void {
  let largest = 0, sum = 0;
  for (let i = 0; i < vector.length; i++) {
    const value = Math.abs(vector[i]);
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

function sha256(parts: Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function noted(manifest: FeatureManifest, { first, count }: ImageRange): Record<string, string> {
  const { model, modelSha256, heads, tokens, classToken, registers, grid, images, hook, shifts, provider } =
    manifest;
  return {
    ...(provider === "cpu" ? {} : { provider }),
    ...(shifts === 1 ? {} : { shifts: String(shifts) }),
    ...(hook === "attention" ? {} : { hook }),
    model,
    modelSha256,
    heads: String(heads),
    tokens: String(tokens),
    registers: String(registers),
    ...(classToken ? {} : { classToken: "mean of the patches" }),
    grid: `${grid.rows} ${grid.cols}`,
    images: JSON.stringify(images.slice(first, first + count)),
    first: String(first),
    count: String(count),
  };
}

function covers(finished: FeatureManifest, wanted: Partial<FeatureManifest>): boolean {
  return Object.entries(wanted).every(([key, value]) =>
    JSON.stringify(finished[key as keyof FeatureManifest]) === JSON.stringify(value)
  );
}

async function makeFolder(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    throw new Error(`Cannot write features to ${dir}: ${reasonOf(error)}.`, { cause: error });
  }
}

async function readManifest(path: string): Promise<FeatureManifest | null> {
  try {
    const manifest: FeatureManifest = JSON.parse(await Deno.readTextFile(path));
    return manifest.layers.every(({ shards }) => Array.isArray(shards)) ? manifest : null;
  } catch {
    return null; // absent or unreadable: all is extracted again
  }
}
