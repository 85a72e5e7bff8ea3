/** Files that appear under their name whole or not at all. */

/**
 * Writes a file beside its place and renames it there, so that no reader ever sees half of it.
 *
 * Several processes, on several machines of one file system, may write one path at once: the last rename stays.
 *
 * @param path where the file goes; its folder exists
 * @param content text (written as UTF-8) or bytes, or pieces of bytes one behind the other
 * @throws Error "Cannot write a/b.json: No such file or directory."
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const pieces = bytes instanceof Uint8Array ? [bytes] : bytes;
  let opened: Beside | undefined;
  try {
    opened = await openBeside(path);
    for (const piece of pieces) {
      await writeAll(opened.file, piece);
    }
    opened.file.close();
    await Deno.rename(opened.beside, path);
  } catch (error) {
    if (opened) await abandonBeside(opened);
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

/** A file being written beside its place. */
export interface Beside {
  file: Deno.FsFile;
  /** Its path for now. */
  beside: string;
}

/** Opens a file beside a place, locked: what is there without a lock was left by a process that was killed. */
export async function openBeside(path: string): Promise<Beside> {
  const beside = besideName(path);
  const file = await Deno.open(beside, { write: true, create: true, truncate: true });
  await file.lock(true);
  return { file, beside };
}

/** Closes and removes what was written beside a place. */
export async function abandonBeside({ file, beside }: Beside): Promise<void> {
  try {
    file.close();
  } catch { /* closed already */ }
  await Deno.remove(beside).catch(() => {});
}

/** Names of files beside their place, and of locks of stages; nobody else's. */
const LEFTOVER = /\.[0-9a-f]{8}-[0-9a-f]{4}\.tmp$|-[0-9a-f]{16}\.lock$/;
/** A file written to within this number of ms may be about to be locked, or renamed, by its writer: it is looked at again. */
const FRESH = 1000;

/**
 * Removes what killed processes have left in a folder and those in it: files beside their place, and locks, that nobody
 * holds. What was written to just now is looked at once more, a second later: a run is often killed and started again at
 * once.
 *
 * @returns how many
 */
export async function removeLeftovers(folder: string): Promise<number> {
  let removed = 0;
  const fresh: string[] = [];
  for await (const path of leftovers(folder)) {
    const outcome = await removeUnheld(path);
    if (outcome === "removed") removed++;
    if (outcome === "fresh") fresh.push(path);
  }
  if (fresh.length === 0) return removed;
  await new Promise((resolve) => setTimeout(resolve, FRESH));
  for (const path of fresh) if (await removeUnheld(path) === "removed") removed++;
  return removed;
}

/** The files of a folder and those in it that have the name of a leftover. */
async function* leftovers(folder: string): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name, isDirectory, isFile } of entries) {
    if (isDirectory) yield* leftovers(`${folder}/${name}`);
    if (isFile && LEFTOVER.test(name)) yield `${folder}/${name}`;
  }
}

/** Removes a file that nobody holds; "fresh": nobody does, but it was written to just now. */
async function removeUnheld(path: string): Promise<"removed" | "held" | "fresh"> {
  try {
    using file = await Deno.open(path, { write: true });
    if (!await file.tryLock(true) || !await isAt(file, path)) return "held";
    const { mtime } = await file.stat();
    if (mtime && Date.now() - mtime.getTime() < FRESH) return "fresh";
    await Deno.remove(path);
    return "removed";
  } catch { // another process was faster
    return "held";
  }
}

/**
 * Waits until no other process holds a file, which is made where it is missing, and holds it; what a killed process held is
 * free. Who holds it removes it in the end, so a lock counts only on the file that still has the name.
 *
 * @returns to let go of it
 */
export async function holdFile(path: string): Promise<() => Promise<void>> {
  while (true) {
    const file = await Deno.open(path, { write: true, create: true });
    await file.lock(true);
    if (await isAt(file, path)) {
      return async () => {
        if (await isAt(file, path)) await Deno.remove(path).catch(() => {});
        file.close();
      };
    }
    file.close(); // removed while we waited: whoever comes now locks another
  }
}

/**
 * Holds a folder of pages, which is made where it is missing, against other processes: what is read there, as results.json, may
 * be written back with an addition.
 *
 * @returns to be disposed of when all is written
 */
export async function holdPages(folder: string): Promise<AsyncDisposable> {
  await Deno.mkdir(folder, { recursive: true });
  return { [Symbol.asyncDispose]: await holdFile(`${folder}/.pages.lock`) };
}

/** Whether an open file is still the one of that name. */
async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  const own = await file.stat(), named = await Deno.stat(path).catch(() => null);
  return named !== null && own.ino === named.ino && own.dev === named.dev;
}

/** A name beside a file's own that no other process on any machine takes. */
function besideName(path: string): string {
  return `${path}.${crypto.randomUUID().slice(0, 13)}.tmp`;
}

/**
 * Makes a folder if there is none and proves that a file can be written in it, before long work is spent on one.
 *
 * @param dir the folder
 * @param option by which another one can be chosen
 * @throws Error "Cannot write to a/b: Permission denied; choose another folder with --out."
 */
export async function assertWritable(dir: string, option = "--out"): Promise<void> {
  const probe = `${dir}/.writable.${crypto.randomUUID().slice(0, 13)}.tmp`;
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeTextFile(probe, "writable\n");
    await Deno.remove(probe);
  } catch (error) {
    await Deno.remove(probe).catch(() => {});
    throw new Error(`Cannot write to ${dir}: ${reasonOf(error)}; choose another folder with ${option}.`, {
      cause: error,
    });
  }
}

/** What a library says when it runs into something that it did not look for. */
const ENGINE =
  /Cannot read prop|is not a function|is not iterable|Invalid (typed )?array|allocation failed|Maximum call stack|out of bounds|Offset is outside|undefined/i;

/**
 * What went wrong, on one line and without the call: "Permission denied" out of "Permission denied (os error 13): open '…'",
 * and "it is damaged" where a library has only stumbled.
 */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (ENGINE.test(message)) return "it is damaged";
  // deno-lint-ignore no-control-regex
  return message.replace(/ \(os error \d+\).*$/s, "").replace(/[\s\x00-\x1f\x7f]+/g, " ").trim().replace(
    /\.$/,
    "",
  );
}

/** Writes bytes to the end of a file, all of them: one call may take fewer. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
