/** Which version of the code made something. */
import { createHash } from "node:crypto";

const ROOT = new URL("../..", import.meta.url);

/**
 * A hash of the names and contents of all files under some of the project's folders.
 *
 * @param folders as "src" or "fixtures/scenes"
 */
export async function hashOfCode(folders: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const path of await filesUnder(new URL(`${folder}/`, ROOT))) {
      hash.update(path.href.slice(ROOT.href.length)).update(await Deno.readFile(path));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function filesUnder(folder: URL): Promise<URL[]> {
  const entries = (await Array.fromAsync(Deno.readDir(folder))).sort((a, b) => a.name < b.name ? -1 : 1);
  const found = await Promise.all(
    entries.map(({ name, isDirectory }) =>
      isDirectory ? filesUnder(new URL(`${name}/`, folder)) : [new URL(name, folder)]
    ),
  );
  return found.flat();
}
