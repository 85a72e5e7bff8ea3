/** Pages that an earlier run has made of the same inputs by the same code, and that are as it left them. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { brokenFiles, type FileHashes, hashFiles } from "../../src/data/files/file_hashes.ts";

/** The pages of one run in their folder. */
export interface FinishedPages {
  /** Whether all of them are there, as they were made. */
  areThere(): Promise<boolean>;
  /** Notes the files that were written since the run began. */
  note(): Promise<void>;
}

/**
 * Opens the note on the pages in a folder.
 *
 * @param folders `cache`, which has the note, and `out`, which has the pages
 * @param of all that they depend on: plain values, hashes for code and data
 */
export function finishedPages(
  { cache, out }: { cache: string; out: string },
  of: Record<string, unknown>,
): FinishedPages {
  const began = Date.now(), hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const path = `${cache}/pages-${hash(resolve(out)).slice(0, 16)}.json`, key = hash(JSON.stringify(of));
  return {
    async areThere() {
      try {
        const noted: { key: string; files: FileHashes } = JSON.parse(await Deno.readTextFile(path));
        return noted.key === key && (await brokenFiles(out, noted.files)).length === 0;
      } catch {
        return false; // not noted yet
      }
    },
    async note() {
      const files = await hashFiles(out, await filesSince(out, began));
      await writeFileAtomic(path, JSON.stringify({ key, files })).catch(() => {}); // made again by the next run
    },
  };
}

/** Paths of the files in a folder, and those in it, that were written since a time; whole seconds, as some file systems have them. */
async function filesSince(folder: string, time: number, within = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${within}`)) {
    if (isDirectory) found.push(...await filesSince(folder, time, `${within}${name}/`));
    else if (((await Deno.stat(`${folder}/${within}${name}`)).mtime?.getTime() ?? 0) >= time - 1000) {
      found.push(within + name);
    }
  }
  return found.sort();
}
