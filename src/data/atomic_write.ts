/** Files that appear under their name whole or not at all. */

/**
 * Writes a file beside its place and renames it there, so that no reader ever sees half of it.
 *
 * Several processes, on several machines of one file system, may write one path at once: the last rename stays.
 *
 * @param path where the file goes; its folder exists
 * @param content text (written as UTF-8) or bytes
 * @throws Error "Cannot write a/b.json: No such file or directory."
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const beside = besideName(path);
  try {
    if (typeof content === "string") await Deno.writeTextFile(beside, content);
    else await Deno.writeFile(beside, content);
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

/** A name beside a file's own that no other process on any machine takes. */
export function besideName(path: string): string {
  return `${path}.${crypto.randomUUID().slice(0, 13)}.tmp`;
}

/**
 * Makes a folder if there is none and proves that a file can be written in it, before long work is spent on one.
 *
 * @param dir the folder
 * @throws Error "Cannot write to a/b: Permission denied; choose another folder with --out."
 */
export async function assertWritable(dir: string): Promise<void> {
  const probe = `${dir}/.writable.${Deno.pid}.tmp`;
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeTextFile(probe, "writable\n");
    await Deno.remove(probe);
  } catch (error) {
    await Deno.remove(probe).catch(() => {});
    throw new Error(`Cannot write to ${dir}: ${reasonOf(error)}; choose another folder with --out.`, {
      cause: error,
    });
  }
}

/** "Permission denied" out of "Permission denied (os error 13): open '…'": what went wrong, without the call. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\).*$/s, "").replace(/\.$/, "");
}
