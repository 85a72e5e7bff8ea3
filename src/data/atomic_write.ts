/** Files that appear under their name whole or not at all. */

/**
 * Writes a file beside its place and renames it there, so that no reader ever sees half of it.
 *
 * Two writes of one path at once from one process would share the file beside it: await the first.
 *
 * @param path where the file goes; its folder exists
 * @param content text (written as UTF-8) or bytes
 * @throws Error "Cannot write a/b.json: No such file or directory."
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.${Deno.pid}.tmp`;
  try {
    if (typeof content === "string") await Deno.writeTextFile(beside, content);
    else await Deno.writeFile(beside, content);
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw new Error(`Cannot write ${path}: ${reasonOf(error)}.`, { cause: error });
  }
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
