/** Features of one layer as a folder of Arrow files, each of a range of images. */
import { reasonOf } from "../files/atomic_write.ts";
import { type FeatureFile, openFeatureFile } from "./feature_store.ts";
import { hashOf } from "../files/file_hashes.ts";
import { assertPlainFile } from "../files/plain_file.ts";
import type { Matrix } from "../../linalg/matrix.ts";

/** Images of a shard: at 197 tokens of 768 float16 channels 19 MB. */
export const SHARD_IMAGES = 64;

/** A range of images. */
export interface ImageRange {
  /** The first image. */
  first: number;
  /** How many. */
  count: number;
}

/** One shard of one layer, as the manifest has it. */
export interface FeatureShard extends ImageRange {
  path: string;
  bytes: number;
  /** Of the whole file. */
  sha256: string;
}

/** The ranges that `images` images are stored in. */
export function shardRanges(images: number, size = SHARD_IMAGES): ImageRange[] {
  return Array.from({ length: Math.ceil(images / size) }, (_, i) => ({
    first: i * size,
    count: Math.min(size, images - i * size),
  }));
}

/** Name of a shard in its layer's folder: the ranges sort as the names do. */
export function shardName({ first, count }: ImageRange): string {
  const padded = (image: number) => String(image).padStart(8, "0");
  return `images-${padded(first)}-${padded(first + count - 1)}.arrow`;
}

/** What the manifest is to say of a shard that has been written. */
export async function describeShard(path: string, range: ImageRange): Promise<FeatureShard> {
  await assertPlainFile(path);
  const { size: bytes } = await Deno.stat(path);
  return { path, ...range, bytes, sha256: await hashOf(path, bytes) };
}

/** Whether a shard is there, and every byte of it as it was written. */
export async function isWhole(shard: FeatureShard): Promise<boolean> {
  try {
    if ((await Deno.stat(shard.path)).size !== shard.bytes) return false;
    return (await describeShard(shard.path, shard)).sha256 === shard.sha256;
  } catch {
    return false; // absent or not readable
  }
}

/**
 * Opens a layer's features for reading by random access: one feature file, or a folder of shards as one. Of a folder at
 * most one shard is open at a time.
 *
 * @throws Error "Cannot read the features …" naming the file or folder, when it is absent, incomplete or damaged
 */
export async function openFeatures(path: string): Promise<FeatureFile> {
  let names: string[];
  try {
    if (!(await Deno.stat(path)).isDirectory) return await openFeatureFile(path);
    names = (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("Cannot read the features")) throw error;
    throw new Error(`Cannot read the features ${path}: ${reasonOf(error)}.`);
  }
  const broken = (why: string) => new Error(`Cannot read the features ${path}: ${why}; extract them again.`);
  const shards = names.flatMap((name) => {
    const found = /^images-(\d+)-(\d+)\.arrow$/.exec(name);
    return found ? [{ name, first: Number(found[1]), count: Number(found[2]) - Number(found[1]) + 1 }] : [];
  }).sort((a, b) => a.first - b.first);
  if (shards.length === 0) throw broken("the folder holds no shard");
  let next = 0;
  for (const { first, count } of shards) {
    if (first !== next || count < 1) throw broken(`the shard of image ${next} is missing`);
    next += count;
  }
  let open = { at: 0, file: await openFeatureFile(`${path}/${shards[0].name}`) };
  const { cols, meta } = open.file, tokens = open.file.rows / shards[0].count;
  if (!Number.isInteger(tokens)) {
    throw broken(`${shards[0].name} has ${open.file.rows} rows of ${shards[0].count} images`);
  }
  const shardAt = async (at: number): Promise<FeatureFile> => {
    if (open.at === at) return open.file;
    const name = shards[at].name, file = await openFeatureFile(`${path}/${name}`);
    if (file.cols !== cols || file.rows !== shards[at].count * tokens) {
      await file.close();
      throw broken(`${name} is ${file.rows} × ${file.cols}, expected ${shards[at].count * tokens} × ${cols}`);
    }
    await open.file.close();
    open = { at, file };
    return file;
  };
  const rows = next * tokens;
  let last: Promise<unknown> = Promise.resolve();
  const close = async () => {
    await last.catch(() => {});
    await open.file.close();
  };
  return {
    rows,
    cols,
    meta,
    readRows(start, end) {
      const read = last.catch(() => {}).then(async () => {
        if (!(start >= 0 && start <= end && end <= rows)) {
          throw new RangeError(`${path} has ${rows} rows, not ${start} to ${end}.`);
        }
        const out = new Float32Array((end - start) * cols);
        for (const [at, { first, count }] of shards.entries()) {
          const from = Math.max(start, first * tokens), to = Math.min(end, (first + count) * tokens);
          if (from >= to) continue;
          const file = await shardAt(at);
          out.set(await file.readRows(from - first * tokens, to - first * tokens), (from - start) * cols);
        }
        return out;
      });
      last = read;
      return read;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * The features of a layer, or its first rows, as one matrix.
 *
 * @throws Error as `openFeatures`
 */
export async function readFeatures(path: string, rows?: number): Promise<Matrix> {
  await using file = await openFeatures(path);
  return { data: await file.readRows(0, rows ?? file.rows), rows: rows ?? file.rows, cols: file.cols };
}
