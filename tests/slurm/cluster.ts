/** A Slurm of three nodes on this machine, and what tests do to it. */
import { assert, assertEquals } from "@std/assert";
import { datasetFolder, syntheticDataset } from "../../src/synthetic/dataset.ts";
import type { Step } from "../../tasks/slurm/steps.ts";
import { copyFolder } from "../support/copy_folder.ts";
import { inTemporaryFolder } from "../support/in_temporary_folder.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;
const PERMISSIONS = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-ffi",
  "--allow-sys",
  "--allow-run=sbatch,squeue,scancel,scontrol,sinfo,sacctmgr",
];
/** Options of a run of two models and nine images that has every stage. */
export const SMALL = [
  "--quick",
  "--limit=9",
  "--images-per-shard=8",
  "--model=clip_tiny",
  "--model=mae_tiny",
  "--landmarks=100",
  "--sampling=farthest",
];

/** It. */
export interface Cluster {
  dir: string;
  env: Record<string, string>;
  /** Since when jobs are held, ms, by number. */
  heldSince: Map<string, number>;
}

/** What a command says. @throws Error when it fails */
export async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env, cwd: ROOT }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${text(stderr)}`);
  return text(stdout) + text(stderr);
}

/** What a task of the toolkit says. */
export const task = (name: string, args: string[], env = {}) =>
  run(Deno.execPath(), ["run", ...PERMISSIONS, `${ROOT}/tasks/${name}.ts`, ...args], env);

/** Starts one in a folder of its own, and ends it with all that it runs. */
export async function withSlurm(body: (cluster: Cluster) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (dir) => {
    // Daemons keep what they inherit open: output is left alone.
    const start = new Deno.Command(`${HERE}/start.sh`, { args: [dir], stdout: "null", stderr: "null" });
    assertEquals((await start.output()).code, 0, "start.sh");
    try {
      await body({ dir, env: { SLURM_CONF: `${dir}/slurm.conf` }, heldSince: new Map() });
    } finally {
      await run(`${HERE}/stop.sh`, [dir]);
      await sleep(1000);
    }
  });
}

/** Copies the synthetic dataset of `--quick` into a cache: faster than rendering it. */
export async function copyDataset(cache: string): Promise<void> {
  await syntheticDataset(120);
  await copyFolder(datasetFolder(120), datasetFolder(120, cache));
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `is` holds. */
export async function until<T>(
  what: string,
  seconds: number,
  is: () => Promise<T | null | false>,
): Promise<T> {
  for (let waited = 0; waited < 4 * seconds; waited++) {
    const found = await is();
    if (found) return found;
    await sleep(250);
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

/** The tasks in the queue: "job_task name state reason node". */
export async function queued({ env }: Cluster): Promise<string[]> {
  const lines = await run("squeue", ["--noheader", "--array", "--format=%F_%K %j %T %r %N"], env).catch(() =>
    "?"
  );
  return lines.trim().split("\n").filter(Boolean);
}

/**
 * Waits for the queue to be empty. Slurm holds jobs that it has taken back for two minutes; they are let go after 20 s, when
 * its nodes have forgotten the earlier start (sooner, they refuse the job: "credential revoked").
 */
export async function finished(cluster: Cluster, seconds: number): Promise<void> {
  await until("the queue is empty", seconds, async () => (await letGo(cluster)).length === 0);
}

/** Lets go what has been held for 20 s. @returns the queue */
export async function letGo(cluster: Cluster): Promise<string[]> {
  const lines = await queued(cluster), { heldSince } = cluster;
  for (const line of lines) {
    const [id, , state, reason] = line.split(" ");
    if (state !== "PENDING" || reason !== "BeginTime") continue;
    if (!heldSince.has(id)) heldSince.set(id, Date.now());
    if (Date.now() - heldSince.get(id)! < 20_000) continue;
    await run("scontrol", ["update", `jobid=${id}`, "starttime=now"], cluster.env).catch(() => {});
  }
  return lines;
}

/** The log of one task. */
export const logOf = (runFolder: string, task: string) => Deno.readTextFile(`${runFolder}/logs/${task}.log`);

/** The logs of all tasks. */
export const logs = async (runFolder: string) => {
  const texts: string[] = [];
  for await (const { name: step } of Deno.readDir(`${runFolder}/logs`)) {
    for await (const { name } of Deno.readDir(`${runFolder}/logs/${step}`)) {
      texts.push(await Deno.readTextFile(`${runFolder}/logs/${step}/${name}`));
    }
  }
  return texts.join("\n");
};

/** The controller's log. */
export const slurmLog = ({ dir }: Cluster) => Deno.readTextFile(`${dir}/slurmctld.log`);

/** Kills a stage's program on a node or "any", or all that Slurm runs on one; false while that is nothing. */
export async function killTasks({ dir }: Cluster, node: string, what: "lost" | Step): Promise<boolean> {
  // What it says of processes that have just ended is on its other output.
  const { success, stdout } = await new Deno.Command(`${HERE}/kill_tasks.sh`, { args: [dir, node, what] })
    .output();
  assert(success, "kill_tasks.sh");
  return stdout.length > 0;
}

/** Tells Slurm that a node is lost, as it would find out in time. */
export async function markDown({ env }: Cluster, node: string): Promise<void> {
  await run("scontrol", ["update", `nodename=${node}`, "state=down", "reason=test"], env);
}

/** Ends the controller, which saves its state as with `systemctl restart`, and starts it again. */
export async function restartController({ dir, env }: Cluster): Promise<void> {
  Deno.kill(Number((await Deno.readTextFile(`${dir}/slurmctld.pid`)).trim()), "SIGTERM");
  await until(
    "the controller has ended",
    20,
    () => Deno.stat(`${dir}/slurmctld.pid`).then(() => false, () => true),
  );
  const restarted = new Deno.Command("/usr/sbin/slurmctld", { env, stdout: "null", stderr: "null" });
  assertEquals((await restarted.output()).code, 0, "slurmctld");
}

/** Starts a lost node again. */
export async function restartNode({ env }: Cluster, node: string): Promise<void> {
  const started = new Deno.Command("/usr/sbin/slurmd", {
    args: ["-N", node],
    env,
    stdout: "null",
    stderr: "null",
  });
  assertEquals((await started.output()).code, 0, "slurmd");
  await until(`${node} is up`, 30, async () => {
    await run("scontrol", ["update", `nodename=${node}`, "state=resume"], env).catch(() => {}); // up already
    return /idle|mix|alloc/.test(await run("sinfo", ["--noheader", "--nodes", node, "--format=%t"], env));
  });
}
