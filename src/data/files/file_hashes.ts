/** Files of a folder by size and SHA-256, to know later whether they are as they were written. */
import { basename } from "node:path";
import { fileSha256 } from "../hub/download.ts";
import { mapConcurrently } from "./map_concurrently.ts";

/** By path in the folder. */
export type FileHashes = Record<string, { bytes: number; sha256: string }>;

/** A file that is not as it was written. */
export interface BrokenFile {
  /** Its path in the folder. */
  file: string;
  state: "missing" | "damaged";
}

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

/** Those that are missing or not as `hashFiles` has found them. */
export async function brokenFiles(folder: string, hashes: FileHashes): Promise<BrokenFile[]> {
  const noted = Object.entries(hashes);
  const found = await mapConcurrently(noted.length, LANES, async (i): Promise<BrokenFile[]> => {
    const [file, { bytes, sha256 }] = noted[i], path = `${folder}/${file}`;
    const size = await Deno.stat(path).then(({ size }) => size, () => null);
    if (size === null) return [{ file, state: "missing" }];
    const isWhole = size === bytes && await hashOf(path, size).catch(() => null) === sha256;
    return isWhole ? [] : [{ file, state: "damaged" }];
  });
  return found.flat();
}

async function hashOf(path: string, bytes: number): Promise<string> {
  if (bytes > WHOLE) return await fileSha256(path);
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}
