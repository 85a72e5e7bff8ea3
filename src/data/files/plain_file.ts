/** Files that anyone may have made: read only where they are plain files, as a device has no end and a pipe no beginning. */
import { reasonOf } from "./atomic_write.ts";

/** 64 MB: lists, settings and records are shorter; more is a mistake or a trap. */
export const MAX_TEXT = 2 ** 26;
/** 4 GB of what is held in memory as a whole. */
const MAX_BYTES = 2 ** 32;

/**
 * Reads a whole file.
 *
 * @param path a plain file, or a link to one
 * @param most bytes that it may have
 * @throws Error "it is not a plain file"; "it has 70 MB, at most 67 MB are read": a reason to put in a sentence
 * @throws Deno.errors.NotFound and others of the system
 */
export async function readPlainFile(path: string, most = MAX_BYTES): Promise<Uint8Array<ArrayBuffer>> {
  await assertPlainFile(path, most);
  return await Deno.readFile(path);
}

/** Reads a text of at most 64 MB, as `readPlainFile`. */
export async function readPlainText(path: string): Promise<string> {
  await assertPlainFile(path, MAX_TEXT);
  return await Deno.readTextFile(path);
}

/** Opens a file to be read in parts, as `readPlainFile`. */
export async function openPlainFile(path: string): Promise<Deno.FsFile> {
  await assertPlainFile(path);
  return await Deno.open(path);
}

/** Refuses what is not a plain file, before it is opened: opening a pipe waits for its other end. */
export async function assertPlainFile(path: string, most = Infinity): Promise<void> {
  const { isFile, isDirectory, size } = await Deno.stat(path);
  if (!isFile && !isDirectory) throw new Error("it is not a plain file"); // of a folder the system says that it is one
  if (isFile && size > most) {
    throw new Error(`it has ${megabytes(size)}, at most ${megabytes(most)} are read`);
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

/** What to say of a file that was not read. @param what it is; else "There is no file a.npy.", "Cannot read a.npy: …" */
export function readError(error: unknown, path: string, what?: string): Error {
  const words = error instanceof Deno.errors.NotFound
    ? `There is no ${what ?? "file"} ${path}.`
    : `Cannot read ${what ? `the ${what} ` : ""}${path}: ${reasonOf(error)}.`;
  return new Error(words, { cause: error });
}

/** Whether there is a file or folder; of what the system does not let one look at, its error. */
export async function isThere(path: string): Promise<boolean> {
  return await statOf(path) !== null;
}

/** Whether there is a folder; as `isThere`. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory ?? false;
}

/** Whether there is a file; as `isThere`. */
export async function isFile(path: string): Promise<boolean> {
  return (await statOf(path))?.isFile ?? false;
}

async function statOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw new Error(`Cannot look at ${path}: ${(error as Error).message}.`, { cause: error });
  }
}

/** A text as `readPlainText` reads it; undefined where there is none. @throws Error as `readError` */
export async function readPlainTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readPlainText(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw readError(error, path);
  }
}

/** The text of a file; undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
