/** Files of a folder by size and SHA-256, to know later whether they are as they were written. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { reasonOf } from "./atomic_write.ts";
import { mapConcurrently } from "./map_concurrently.ts";
import { openPlainFile } from "./plain_file.ts";

/** By path in the folder. */
export type FileHashes = Record<string, { bytes: number; sha256: string }>;

/** A file that is not as it was written. */
export interface BrokenFile {
  /** Its path in the folder. */
  file: string;
  state: "missing" | "damaged";
}

/** Bytes read at a time. */
const CHUNK = 2 ** 20;
/** Larger files are read piece by piece; smaller ones are hashed on a thread of their own, `LANES` at a time. */
const WHOLE = 2 ** 24, LANES = 8;

/** Sizes and hashes of files. */
export async function hashFiles(folder: string, files: readonly string[]): Promise<FileHashes> {
  return Object.fromEntries(
    await mapConcurrently(files.length, LANES, async (i) => {
      const path = `${folder}/${files[i]}`, { size: bytes } = await Deno.stat(path);
      return [files[i], { bytes, sha256: await hashOf(path, bytes) }] as const;
    }),
  );
}

/** Names and SHA-256 of files, in their order. */
export async function hashesByName(paths: readonly string[]): Promise<[name: string, hash: string][]> {
  const hashes: [string, string][] = [];
  for (const path of paths) hashes.push([basename(path), await fileSha256(path)]);
  return hashes;
}

/** Bytes of files whose SHA-256 is looked at where there are more: `brokenFiles` draws them anew each time. */
const MAX_HASHED = 2 ** 28;

/**
 * Those that are missing or not as `hashFiles` has found them: of more than 268 MB the size of every file is looked at, and the
 * SHA-256 of as many as have that size, which are drawn anew each time.
 *
 * @param hashesAll look at the SHA-256 of every file
 */
export async function brokenFiles(
  folder: string,
  hashes: FileHashes,
  hashesAll = false,
): Promise<BrokenFile[]> {
  return await brokenInBatches(folder, [hashes], hashesAll);
}

/** The same of files that are noted batch by batch: one batch is held at a time, and of the others what is drawn. */
export async function brokenInBatches(
  folder: string,
  batches: Iterable<FileHashes> | AsyncIterable<FileHashes>,
  hashesAll = false,
): Promise<BrokenFile[]> {
  const broken: BrokenFile[] = [];
  let drawn: Drawn[] = [], bytes = 0;
  for await (const hashes of batches) {
    const noted = Object.entries(hashes);
    const sizes = await mapConcurrently(
      noted.length,
      LANES,
      (i) => Deno.stat(`${folder}/${noted[i][0]}`).then(({ size }) => size, () => null),
    );
    for (const [i, [file, hash]] of noted.entries()) {
      if (sizes[i] === hash.bytes) drawn.push({ file, ...hash, key: Math.random() });
      else broken.push({ file, state: sizes[i] === null ? "missing" : "damaged" });
      bytes += hash.bytes;
    }
    if (hashesAll) broken.push(...await damagedOf(folder, drawn.splice(0)));
    else if (bytes > 2 * MAX_HASHED) [drawn, bytes] = smallest(drawn);
  }
  return [...broken, ...await damagedOf(folder, smallest(drawn)[0])];
}

/** A file whose hash is looked at unless there are enough of smaller keys, which are random numbers. */
interface Drawn {
  file: string;
  bytes: number;
  sha256: string;
  key: number;
}

/** Files of the smallest keys that have `MAX_HASHED` bytes together, and their bytes. */
function smallest(drawn: Drawn[]): [Drawn[], number] {
  let bytes = 0;
  const kept = drawn.sort((a, b) => a.key - b.key).filter((file) => {
    if (bytes >= MAX_HASHED) return false;
    bytes += file.bytes;
    return true;
  });
  return [kept, bytes];
}

/** Those of some files whose hash is another. */
async function damagedOf(folder: string, files: readonly Drawn[]): Promise<BrokenFile[]> {
  const found = await mapConcurrently(files.length, LANES, async (i): Promise<BrokenFile[]> => {
    const { file, bytes, sha256 } = files[i];
    const hash = await hashOf(`${folder}/${file}`, bytes).catch(() => null);
    return hash === sha256 ? [] : [{ file, state: "damaged" }];
  });
  return found.flat();
}

/**
 * The SHA-256 of a file, read piece by piece.
 *
 * @returns 64 hexadecimal digits
 * @throws Error "Cannot read a.onnx: No such file or directory."
 */
export function fileSha256(path: string): Promise<string> {
  return hashFile(path, "sha256");
}

/** The hash of what comes before a file and of its bytes, in hexadecimal. */
export async function hashFile(path: string, algorithm: string, prefix = ""): Promise<string> {
  const hash = createHash(algorithm).update(prefix);
  try {
    using file = await openPlainFile(path);
    const piece = new Uint8Array(CHUNK);
    for (let n = await file.read(piece); n !== null; n = await file.read(piece)) {
      hash.update(piece.subarray(0, n));
    }
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${reasonOf(error)}.`, { cause: error });
  }
  return hash.digest("hex");
}

/** The SHA-256 of a file of a known size, of which no more than `WHOLE` is held. */
export async function hashOf(path: string, bytes: number): Promise<string> {
  if (bytes > WHOLE) return await fileSha256(path);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path)); // on a thread of its own, unlike node:crypto's
  return new Uint8Array(digest).toHex();
}
