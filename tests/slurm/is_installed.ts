/** Whether Slurm is installed: what takes minutes and is about runs on a cluster runs only there. */
export function isInstalled(): boolean {
  try {
    return new Deno.Command("sbatch", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .code <= 1;
  } catch {
    return false;
  }
}
