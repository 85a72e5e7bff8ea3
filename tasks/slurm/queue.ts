/** Slurm's own commands. */
import { reasonOf } from "../../src/data/atomic_write.ts";

/** Runs one of Slurm's commands. */
async function slurm(command: string, args: string[], input = ""): Promise<string> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(command, { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
  } catch (error) {
    throw new Error(`Cannot run ${command} (${reasonOf(error)}): is this a machine of a Slurm cluster?`, {
      cause: error,
    });
  }
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {}); // told by the exit code
  await writer.close().catch(() => {});
  const { success, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`${command} says: ${text(stderr).split("\n").at(-1)}`);
  return text(stdout);
}

/**
 * Submits a script.
 *
 * @returns the job's number
 */
export async function submit(script: string, args: string[]): Promise<string> {
  return (await slurm("sbatch", ["--parsable", ...args], script)).split(";")[0];
}

/** States of tasks that wait or run, by "job_task"; null where Slurm does not answer. */
export async function activeTasks(): Promise<Map<string, string> | null> {
  try {
    const lines = await slurm("squeue", ["--noheader", "--array", "--me", "--format=%F_%K %T"]);
    return new Map(lines.split("\n").filter(Boolean).map((line) => line.split(" ") as [string, string]));
  } catch {
    return null;
  }
}

/** Task numbers as `--array` has them: 0-3,7. */
export function arrayOf(tasks: number[]): string {
  const runs: [number, number][] = [];
  for (const task of tasks) {
    const last = runs.at(-1);
    if (last && last[1] === task - 1) last[1] = task;
    else runs.push([task, task]);
  }
  return runs.map(([from, to]) => from === to ? String(from) : `${from}-${to}`).join(",");
}
