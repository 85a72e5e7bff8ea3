/** HDF5 that says when something cannot be read: h5wasm otherwise prints it and hands on whatever the memory holds. */
import type * as hdf5 from "h5wasm";
import { basename, dirname, join, resolve } from "node:path";
import { openPlainFile, readError } from "../files/plain_file.ts";

/** Bytes of MATLAB's text before the HDF5 part of its files. */
export const USER_BLOCK = 512;
/** As much of HDF5's first block as says how long the file is, with addresses of 8 bytes. */
const SUPERBLOCK = 48;
/** Virtual datasets of virtual datasets, one in the other, at the most. */
const MAX_VIRTUAL = 8;
const HDF5_START = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Opens a file to be read, without loading it.
 *
 * @param path an HDF5 file, behind MATLAB's text or not
 * @param kind what is expected, in errors
 * @param cure for what is none, in errors
 * @returns the file, which the end of a `using` block closes, and its bytes
 * @throws Error "There is no file a.hdf5."; "a.hdf5 is not an HDF5 file …"; "a.hdf5 is cut short: …"; "a.hdf5 is damaged (…)."
 */
export async function openHdf5(
  path: string,
  kind = "an HDF5 file",
  cure = "copy it again",
): Promise<{ file: hdf5.File; size: number } & Disposable> {
  const size = await checkStart(path, kind, cure);
  await readyHdf5();
  try {
    const file = new h5wasm.File(path, "r");
    if (file.file_id < 0n) throw new Error("HDF5 cannot open it");
    return { file, size, [Symbol.dispose]: () => void file.close() };
  } catch (error) {
    throw new Error(`${path} is damaged ${hdf5Reason(error)}.`, { cause: error });
  }
}

/** The package, from `readyHdf5` on: its code takes longer to compile than most scripts to run. */
export let h5wasm: typeof hdf5;

/** Makes HDF5 ready, its errors thrown. */
export async function readyHdf5(): Promise<void> {
  h5wasm ??= await import("h5wasm");
  const module = await h5wasm.ready;
  if (module.activate_throwing_error_handler() < 0) throw new Error("HDF5 does not throw its errors.");
}

/**
 * Why HDF5 could not do something, and the cure: a filter that is missing by its name, else the innermost cause.
 *
 * @param error as thrown
 * @returns as '(the filter "lzf" is missing): save it with gzip'
 */
export function hdf5Reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const filter = /required filter '([^']*)'/.exec(message)?.[1];
  if (filter !== undefined) return `(the filter "${filter}" is missing): save it with gzip`;
  const causes = [...message.matchAll(/^\s*#\d+: \S+ line \d+ in \S+\(\): (.*)$/gm)];
  return `(${causes.at(-1)?.[1] ?? message.split("\n")[0]}): copy it again`;
}

/** Checks what HDF5 would only tell on stderr: that this is its format, and all of it. @returns bytes of the file */
async function checkStart(path: string, kind: string, cure: string): Promise<number> {
  const start = new Uint8Array(USER_BLOCK + SUPERBLOCK);
  let size: number;
  try {
    using file = await openPlainFile(path);
    await file.read(start);
    ({ size } = await file.stat());
  } catch (error) {
    throw readError(error, path);
  }
  const at = [USER_BLOCK, 0].find((offset) => HDF5_START.every((byte, i) => start[offset + i] === byte));
  if (at === undefined) {
    throw new Error(`${path} is not ${kind}, whatever its name says: ${cure}.`);
  }
  const superblock = new DataView(start.buffer, at);
  const version = superblock.getUint8(8);
  const end = Number(superblock.getBigUint64(version < 2 ? 40 : 28, true));
  if (size < end) {
    throw new Error(`${path} is cut short: expected ${end} bytes, found ${size}; copy it again.`);
  }
  return size;
}

/** A dataset of which no value was read. */
export interface FoundDataset {
  dataset: hdf5.Dataset;
  shape: number[];
  /** As "<h". */
  dtype: string;
  /** Extents of the pieces it is stored in; null where it is stored as a whole. */
  chunks: number[] | null;
}

/**
 * A dataset by name; undefined for anything else, and where HDF5 cannot find it.
 *
 * @throws Error "betas of all.hdf5 is virtual, and 1 of its 3 sources cannot be read (run1.hdf5): …"
 */
export function findDataset(file: hdf5.File, name: string, depth = 0): FoundDataset | undefined {
  const found = quietly(() => {
    const dataset = file.get(name);
    if (!(dataset instanceof h5wasm.Dataset)) return undefined;
    const { shape, chunks } = dataset.metadata, { dtype } = dataset;
    return {
      dataset,
      shape: shape ?? [],
      dtype: typeof dtype === "string" ? dtype : "",
      chunks: chunks ?? null,
    };
  });
  if (found) checkSources(file, name, found.dataset, depth);
  return found;
}

/** Of a virtual dataset, HDF5 reads the parts whose source is missing as the fill value, mostly 0, and raises nothing. */
function checkSources(file: hdf5.File, name: string, dataset: hdf5.Dataset, depth: number): void {
  const sources = dataset.metadata.virtual_sources ?? [];
  const missing = sources.filter((source) => !hasSource(file, source, depth)).map((source) =>
    source.file_name
  );
  if (missing.length === 0) return;
  const some = missing.slice(0, 3).join(", ") + (missing.length > 3 ? ", …" : "");
  throw new Error(
    `${name} of ${file.filename} is virtual, and ${missing.length} of its ${sources.length} sources cannot be read ` +
      `(${some}), where HDF5 would give zeros: put them where the file expects them, or write it as a plain dataset.`,
  );
}

/** Whether HDF5 finds a source: in the same file, by its path, or from the folder of the file that names it. */
function hasSource(
  file: hdf5.File,
  { file_name: name, dset_name: dataset }: { file_name: string; dset_name: string },
  depth: number,
): boolean {
  if (name === ".") return file.get(dataset) instanceof h5wasm.Dataset;
  const folder = dirname(resolve(file.filename));
  const path = [resolve(folder, name), join(folder, basename(name))].find((path) =>
    quietly(() => Deno.statSync(path).isFile)
  );
  if (path === undefined || depth === MAX_VIRTUAL) return false;
  const source = quietly(() => new h5wasm.File(path, "r"));
  if (!source || source.file_id < 0n) return false;
  try {
    return findDataset(source, dataset, depth + 1) !== undefined;
  } finally {
    source.close();
  }
}

/** What HDF5 makes of a damaged file, or undefined where it gives up. */
export function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
