/** Parts of an extraction on disk: their places, and whether they are whole. */
import { reasonOf, writeFileAtomic } from "../files/atomic_write.ts";
import {
  listOf,
  objectOf,
  oneOf,
  parseJson,
  SHA256,
  TEXT,
  TOGGLE,
  wholeNumber,
} from "../files/checked_json.ts";
import { readPlainText } from "../files/plain_file.ts";
import { type FeatureShard, type ImageRange, isWhole, shardName } from "./feature_shards.ts";
import { type BrokenFile, brokenFiles } from "../files/file_hashes.ts";
import { readModelBytes } from "../models/vision_model.ts";
import { createHash } from "node:crypto";
import type * as v from "valibot";

/** Folder of one range of an extraction. */
export function partPath(outDir: string, range: ImageRange): string {
  return `${outDir}/parts/${shardName(range).replace(/\.arrow$/, ".json")}`;
}

/** Shards that are not as the manifest in a folder has them, found as `brokenFiles` does. */
export async function brokenShards(outDir: string, hashesAll = false): Promise<BrokenFile[]> {
  return await brokenOf(outDir, await readExtracted(outDir), hashesAll);
}

/** Shards that are not as a manifest has them, found as `brokenFiles` does. */
export async function brokenOf(
  outDir: string,
  { layers }: FeatureManifest,
  hashesAll = false,
): Promise<BrokenFile[]> {
  const shards = layers.flatMap(({ shards }) => shards).map((shard) =>
    [nameInFolder(shard), { bytes: shard.bytes, sha256: shard.sha256 }] as const
  );
  return await brokenFiles(outDir, Object.fromEntries(shards), hashesAll);
}

/** A shard's path in the folder of its extraction. */
export function nameInFolder({ path }: FeatureShard): string {
  return path.split("/").slice(-2).join("/");
}

/** Whether every shard of a manifest is there. */
export async function isWholeManifest({ layers }: FeatureManifest): Promise<boolean> {
  for (const { shards } of layers) {
    for (const shard of shards) if (!await isWhole(shard)) return false;
  }
  return true;
}

/** The ranges that are there as one manifest; null where there is none. */
export async function joinParts(
  outDir: string,
  ranges: ImageRange[],
  wanted: Partial<FeatureManifest>,
  names: string[],
): Promise<FeatureManifest | null> {
  let joined: FeatureManifest | null = null;
  for (const range of ranges) {
    const part = await readManifest(partPath(outDir, range));
    if (!part || !covers(part, wanted)) continue;
    if (joined) {
      for (const [l, { shards }] of part.layers.entries()) joined.layers[l].shards.push(...shards);
    } else joined = { ...part, images: names };
  }
  return joined;
}

/** The shard of a range. */
export function shardOf(shards: FeatureShard[], { first, count }: ImageRange): FeatureShard | undefined {
  return shards.find((shard) => shard.first === first && shard.count === count);
}

/** Makes a layer's folder, and takes all out of it but the shards to keep: what a stopped run or another one has left. */
export async function emptied(folder: string, keep: string[]): Promise<void> {
  await makeFolder(folder);
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && !keep.includes(name) && /^images-.*\.(?:arrow|tmp)$/.test(name)) {
      await Deno.remove(`${folder}/${name}`);
    }
  }
}

/** What a shard says of itself in its file. */
export function noted(manifest: FeatureManifest, { first, count }: ImageRange): Record<string, string> {
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

/** Whether what is finished was made as is wanted. */
export function covers(finished: FeatureManifest, wanted: Partial<FeatureManifest>): boolean {
  return Object.entries(wanted).every(([key, value]) =>
    JSON.stringify(finished[key as keyof FeatureManifest]) === JSON.stringify(value)
  );
}

/** Makes a folder and those above it. */
export async function makeFolder(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
  } catch (error) {
    throw new Error(`Cannot write features to ${dir}: ${reasonOf(error)}.`, { cause: error });
  }
}

/** The manifest in a file; null where there is none, or none of this version: all is extracted again. */
export async function readManifest(path: string): Promise<FeatureManifest | null> {
  return await parsedManifest(path).catch(() => null);
}

async function parsedManifest(path: string): Promise<FeatureManifest> {
  return parseJson(await readPlainText(path), MANIFEST);
}

const SHARD = objectOf({
  first: wholeNumber(),
  count: wholeNumber(),
  path: TEXT,
  bytes: wholeNumber(),
  sha256: SHA256,
}, "a shard");
const LAYER = objectOf({
  layer: wholeNumber(),
  /** A folder. */
  path: TEXT,
  tensor: TEXT,
  /** The folder's files, in the order of the images. */
  shards: listOf(SHARD, "a list of shards"),
}, "a layer");
const MANIFEST = objectOf({
  /** The model file's name without its ending. */
  model: TEXT,
  /** Of the model file and the weight files beside it, one behind the other. */
  modelSha256: SHA256,
  layers: listOf(LAYER, "a list of layers"),
  /** 0 when neither the graph nor its tensors tell. */
  heads: wholeNumber(),
  width: wholeNumber(1),
  /** Tokens kept of every image: the class token, or what stands for it, and the patches. */
  tokens: wholeNumber(1),
  /** Whether the model has a class token; else the first of `tokens` is the mean of its patches. */
  classToken: TOGGLE,
  registers: wholeNumber(),
  grid: objectOf({ rows: wholeNumber(1), cols: wholeNumber(1) }, "rows and cols"),
  /** Names of all images; none in the manifest of one range, which does not repeat them, or where a plan has them. */
  images: listOf(TEXT, "a list of names"),
  /** Of the list of these names. */
  imagesSha256: SHA256,
  dtype: oneOf(["float16", "float32"]),
  /** What was taken of every block. */
  hook: oneOf(["attention", "residual", "mlp", "q", "k", "v"]),
  /** Shifted images along each side whose patches were laid between one another; 1 for none. */
  shifts: wholeNumber(1),
  /** What the model ran on. */
  provider: oneOf(["cpu", "webgpu"]),
  /** The preprocessing and the registers asked for, as JSON. */
  preprocessing: TEXT,
}, "the manifest of a model's features");

/** What was found and written. */
export type FeatureManifest = v.InferOutput<typeof MANIFEST>;

/** Shards that are finished and read back at a time. */
export const LANES = 4;

/** What `extractFeatures` has left in a folder, without a look at the shards. */
export async function readExtracted(outDir: string): Promise<FeatureManifest> {
  return await readFinished(`${outDir}/manifest.json`);
}

async function readFinished(path: string): Promise<FeatureManifest> {
  try {
    return await parsedManifest(path);
  } catch (error) {
    throw new Error(`Cannot use ${path} (${reasonOf(error)}): extract the features again.`, { cause: error });
  }
}

/**
 * Writes what most readers need of a manifest: it without the names of images and without shards, whose number grows with
 * the images.
 */
export async function writeHeader(outDir: string, manifest: FeatureManifest): Promise<void> {
  const layers = manifest.layers.map((layer) => ({ ...layer, shards: [] }));
  await writeFileAtomic(
    `${outDir}/header.json`,
    JSON.stringify({ ...manifest, layers, images: [] }, null, 2),
  );
}

/** The manifest of a finished extraction without its images and shards; as `readExtracted` else. */
export async function readHeader(outDir: string): Promise<FeatureManifest> {
  return await readFinished(`${outDir}/header.json`);
}

/** SHA-256 of a model file and the weight files beside it, one behind the other. */
export async function modelSha256(path: string): Promise<string> {
  return sha256(await readModelBytes(path));
}

/** SHA-256 of the list of some images' names. */
export function namesSha256(images: readonly { name: string }[]): string {
  const hash = createHash("sha256");
  for (const { name } of images) hash.update(`${JSON.stringify(name)}\n`);
  return hash.digest("hex");
}

/** SHA-256 of bytes one behind the other. */
export function sha256(parts: Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
