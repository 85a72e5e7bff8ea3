/** Slurm's own commands. */
import { reasonOf } from "../../src/data/files/atomic_write.ts";

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
  await writer.write(new TextEncoder().encode(input)).catch(() => {}); // reported by the exit code
  await writer.close().catch(() => {});
  const { success, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`${command} says: ${text(stderr).split("\n").at(-1)?.replace(/\.$/, "")}.`);
  return text(stdout);
}

/** Questions and commands to Slurm. */
export interface Queue {
  /** Submits a script. @returns the job's number */
  submit(script: string, args: string[]): Promise<string>;
  /** States of own tasks by "job_task", those that ended lately included. */
  states(): Promise<Map<string, string>>;
  /** Why own tasks wait, in Slurm's word, by "job_task". */
  reasons(): Promise<Map<string, string>>;
  /** Takes tasks out that have not started: "job_task". */
  cancel(tasks: string[]): Promise<void>;
  /** Takes jobs out, what runs of them included. @throws Error where Slurm does not */
  withdraw(jobs: string[]): Promise<void>;
}

/** Slurm's own. */
export const SLURM: Queue = {
  submit: async (script, args) => (await slurm("sbatch", ["--parsable", ...args], script)).split(";")[0],
  async states() {
    const lines = await slurm("squeue", QUEUE_ARGS);
    return new Map(lines.split("\n").filter(Boolean).map((line) => line.split(" ") as [string, string]));
  },
  async reasons() {
    const lines = await slurm("squeue", [...WAITING_ARGS]);
    return new Map(
      lines.split("\n").filter(Boolean).map((line) => {
        const [, id, reason] = /^(\S+) (.*)$/.exec(line) ?? [, line, ""];
        return [id!, reason!.trim()];
      }),
    );
  },
  withdraw: async (jobs) => void await slurm("scancel", jobs),
  // Slurm may have taken them out meanwhile; one that stays is a duplicate, which does no harm.
  cancel: async (tasks) => void await slurm("scancel", ["--state=PENDING", ...tasks]).catch(() => {}),
};

/** Asks one of Slurm's commands; null where it is not there or has no answer. */
export async function askSlurm(command: string, args: string[]): Promise<string | null> {
  return await slurm(command, args).catch(() => null);
}

const WAITING_ARGS = ["--noheader", "--array", "--me", "--states=PENDING", "--format=%F_%K %r"];
const QUEUE_ARGS = ["--noheader", "--array", "--me", "--states=all", "--format=%F_%K %T"];

/** States in which Slurm is done with a task; all others are in the queue. */
const ENDED = [
  "BOOT_FAIL",
  "CANCELLED",
  "COMPLETED",
  "DEADLINE",
  "FAILED",
  "NODE_FAIL",
  "OUT_OF_MEMORY",
  "PREEMPTED",
  "REVOKED",
  "TIMEOUT",
];

/** Whether a task in this state is in the queue, waiting or running. */
export function isActive(state: string | undefined): boolean {
  return state !== undefined && !ENDED.includes(state);
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
