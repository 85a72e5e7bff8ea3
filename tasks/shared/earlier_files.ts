/** Figures, charts and tables beside pages that a run has made anew without them. */
import { join } from "node:path";

/** Files as old as this before the run began are its own where a file system counts whole seconds, in ms. */
const COARSE = 2000;
/** The tables of a page, by what their names begin with. */
const TABLES: Record<string, string> = { colors: "nodes.", "brain-score": "voxels." };

/**
 * A line on the files that belong to pages by their names, but were written before.
 *
 * @param out folder of the pages
 * @param pages names of those that the run has written
 * @param began when the run did, as of `Date.now()`
 * @returns undefined where there are none
 */
export async function earlierFiles(
  out: string,
  pages: readonly string[],
  began: number,
): Promise<string | undefined> {
  const figure = (name: string) => pages.some((page) => name.startsWith(`${page}-`));
  const of: [folder: string, isOfPage: (name: string) => boolean][] = [
    ["", (name) => name.endsWith(".vl.json") && figure(name)],
    ["figures", figure],
    ["tables", (name) => pages.some((page) => TABLES[page] && name.startsWith(TABLES[page]))],
  ];
  const found: string[] = [];
  for (const [folder, isOfPage] of of) {
    for (const { name, isFile } of await Array.fromAsync(Deno.readDir(join(out, folder))).catch(() => [])) {
      const path = join(folder, name);
      if (isFile && isOfPage(name) && await changedAt(join(out, path)) < began - COARSE) found.push(path);
    }
  }
  if (found.length === 0) return undefined;
  const [first, ...others] = found.sort();
  return `${first}${others.length > 0 ? ` and ${others.length} more` : ""} in ${out} ${
    others.length > 0 ? "are" : "is"
  } of an earlier run, not of the pages as they are now: write them anew by the options that made them, or remove them`;
}

async function changedAt(path: string): Promise<number> {
  return (await Deno.stat(path).catch(() => null))?.mtime?.getTime() ?? Infinity;
}
