/** Folders that a task writes to, made ready before long work is spent on what goes there. */
import { keepsFinishedIn } from "../../src/cli/interrupt.ts";
import { assertWritable, removeLeftovers } from "../../src/data/files/atomic_write.ts";

/**
 * Proves that folders can be written, and removes what killed runs have left in them. Ctrl-C then names the cache.
 *
 * @param folders by the option that another one can be chosen with
 * @throws Error "Cannot write to a/b: Permission denied; choose another folder with --out."
 */
export async function openFolders(folders: Record<string, string>): Promise<void> {
  for (const [option, folder] of Object.entries(folders)) await assertWritable(folder, option);
  await sweepFolders(Object.values(folders));
  if (folders["--cache"]) keepsFinishedIn(folders["--cache"]);
}

/**
 * Removes what killed runs have left. Not within a job of Slurm: the folders are those of several machines, and a lock of
 * another one may not be seen here.
 */
export async function sweepFolders(folders: string[]): Promise<void> {
  if (Deno.env.has("SLURM_JOB_ID")) return;
  for (const folder of folders) await removeLeftovers(folder);
}
