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
  const noted = Object.entries(hashes), drawn = new Set<number>();
  let left = hashesAll ? Infinity : MAX_HASHED;
  for (const i of shuffledNumbers(noted.length)) {
    if (left <= 0) break;
    drawn.add(i);
    left -= noted[i][1].bytes;
  }
  const found = await mapConcurrently(noted.length, LANES, async (i): Promise<BrokenFile[]> => {
    const [file, { bytes, sha256 }] = noted[i], path = `${folder}/${file}`;
    const size = await Deno.stat(path).then(({ size }) => size, () => null);
    if (size === null) return [{ file, state: "missing" }];
    const isWhole = size === bytes &&
      (!drawn.has(i) || await hashOf(path, size).catch(() => null) === sha256);
    return isWhole ? [] : [{ file, state: "damaged" }];
  });
  return found.flat();
}

function shuffledNumbers(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
  }
  return numbers;
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

async function hashOf(path: string, bytes: number): Promise<string> {
  if (bytes > WHOLE) return await fileSha256(path);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}
