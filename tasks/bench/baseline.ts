/** Another commit of this repository, checked out beside it, as a participant. */

/** A commit's files in a folder of their own. */
export interface Baseline {
  /** As "4f63b69". */
  commit: string;
  folder: string;
  /** Removes the folder. */
  remove(): Promise<void>;
}

const REPOSITORY = new URL("../..", import.meta.url).pathname;

/**
 * Checks a commit out into a temporary folder.
 *
 * @throws Error 'There is no commit "abc" to compare with: …' with what git says
 */
export async function checkOut(commit: string): Promise<Baseline> {
  const temporary = await Deno.makeTempDir({ prefix: "alignedcut-baseline-" }), folder = `${temporary}/build`;
  try {
    const full = await git("rev-parse", "--short", "--verify", "--end-of-options", `${commit}^{commit}`);
    await git("worktree", "add", "--quiet", "--detach", folder, full);
    return {
      commit: full,
      folder,
      async remove() {
        await git("worktree", "remove", "--force", folder);
        await Deno.remove(temporary, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(temporary, { recursive: true });
    throw new Error(`There is no commit "${commit}" to compare with: ${(error as Error).message}`);
  }
}

async function git(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", { args: ["-C", REPOSITORY, ...args] })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim().split("\n")[0]);
  return new TextDecoder().decode(stdout).trim();
}
