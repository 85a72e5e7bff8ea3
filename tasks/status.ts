/** `./run status`: how far a run on Slurm is, and what has gone wrong. */
import { type Parsed, refuseWithoutEffect, runCommand } from "../src/cli/options.ts";
import { text } from "../src/cli/option_kinds.ts";
import { extractedRanges } from "../src/data/features/extract.ts";
import { type FileLook, lookAtNames } from "../src/data/files/file_look.ts";
import { formatSeconds } from "../src/report/progress.ts";
import { extractUnits, logOf, readPlan, type SlurmPlan, stepsOf } from "./slurm/plan.ts";
import { SLURM } from "./slurm/queue.ts";
import { runState, type TaskState } from "./slurm/run_state.ts";
import type { Step } from "./slurm/steps.ts";
import { cache } from "./shared/options.ts";

/** The task and its options. */
export const COMMAND = {
  task: "status",
  about:
    "How far a run on Slurm is: tasks of every stage, the time left, and the last line of every failure's log",
  options: {
    run: text({ value: "DIR", help: "the run's folder", shown: "the latest under --cache" }),
    cache: { ...cache, help: "the folder that the run was given by --cache" },
  },
};

/** The run that was planned last. */
async function latestRun(cache: string): Promise<string> {
  const runs: { folder: string; at: number }[] = [];
  try {
    for await (const { name } of Deno.readDir(`${cache}/slurm`)) {
      const folder = `${cache}/slurm/${name}`, { mtime } = await Deno.stat(`${folder}/plan.json`);
      runs.push({ folder, at: mtime?.getTime() ?? 0 });
    }
  } catch { /* reported below */ }
  const last = runs.sort((a, b) => b.at - a.at)[0];
  if (last) return last.folder;
  throw new Error(
    `There is no run on Slurm under ${cache}/slurm: start one with \`./run reproduce --slurm\`.`,
  );
}

/** What some of Slurm's reasons mean; others are given as they are. */
const MEANING: Record<string, string> = {
  Dependency: "Dependency (the stages before it)",
  DependencyNeverSatisfied:
    "DependencyNeverSatisfied (a stage before it has failed: --resume submits it again)",
  PartitionDown: "PartitionDown (no job of the partition starts until it is up)",
  PartitionInactive: "PartitionInactive (the partition takes and starts no jobs)",
  PartitionTimeLimit: "PartitionTimeLimit (its time limit is above the partition's)",
  PartitionNodeLimit: "PartitionNodeLimit (the partition has fewer nodes than it asks for)",
  JobHeldUser: "JobHeldUser (scontrol release lets it go)",
};

const COUNTED = ["done", "running", "waiting", "failed", "missing"] as const;

function stageLine(step: Step, tasks: TaskState[], reasons: Map<string, string>): string {
  const counts = COUNTED.map((state) => tasks.filter((task) => task.state === state).length);
  const [done, running] = counts;
  const seconds = tasks.filter(({ state }) => state === "done").map(({ note }) => note!.seconds);
  const mean = seconds.reduce((sum, own) => sum + own, 0) / seconds.length;
  const left = done === tasks.length
    ? "finished"
    : done > 0
    ? `about ${formatSeconds(mean * (tasks.length - done) / Math.max(1, running))}`
    : whyWaiting(tasks, reasons) ?? "not known yet";
  const cells = [step.padEnd(10), String(tasks.length), ...counts.map(String)];
  return `${cells.map((cell) => cell.padStart(8)).join("")}  ${left}`;
}

/** Slurm's reasons for which a stage's tasks wait, most frequent first; undefined where it gives none. */
function whyWaiting(tasks: TaskState[], reasons: Map<string, string>): string | undefined {
  const counts = new Map<string, number>();
  for (const id of tasks.flatMap(({ pending }) => pending)) {
    const reason = reasons.get(id);
    if (reason && reason !== "None") counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const named = [...counts].sort(([, a], [, b]) => b - a).map(([reason]) => MEANING[reason] ?? reason);
  return named.length > 0 ? `waits: ${named.join("; ")}` : undefined;
}

/** What a task notes of its error, or the last line that it has logged, and how Slurm has ended it. */
async function failureLine(plan: SlurmPlan, step: Step, { index, note, ended }: TaskState): Promise<string> {
  const path = logOf(plan, step, index), where = note ? ` on ${note.node}` : "";
  const log = await Deno.readTextFile(path).catch(() => ""); // absent
  const last = note?.error ?? (log.trim().split("\n").at(-1) || "ended without a word");
  const how = ended && !["FAILED", "COMPLETED"].includes(ended) ? `${ended}: ` : "";
  return `${step} ${index}${where}: ${how}${last} (${path})`;
}

/** Shards of features that are there: those of tasks that are done, and what others have made so far. */
function shardsThere(plan: SlurmPlan, extract: TaskState[], look: FileLook): number {
  const isExtracted = plan.features.map((folder) => extractedRanges(folder, look));
  return extract.reduce((sum, { index, state }) => {
    const units = extractUnits(plan, index);
    const there = state === "done" ? units : units.filter(({ model, range }) => isExtracted[model](range));
    return sum + there.length;
  }, 0);
}

/** States of tasks in the queue; null, and why, where it does not answer. */
async function askQueue(): Promise<Map<string, string> | null> {
  try {
    return await SLURM.states();
  } catch (error) {
    console.log(`The queue does not answer, so states are as last recorded: ${(error as Error).message}`);
    return null;
  }
}

async function status({ options, given }: Parsed<typeof COMMAND.options>): Promise<void> {
  const folder = options.run ?? await latestRun(options.cache);
  if (options.run) refuseWithoutEffect(given, ["cache"], "--run names the run's folder itself");
  const plan = await readPlan(`${folder}/plan.json`), queue = await askQueue(), look = lookAtNames();
  const states = await runState(plan, queue, look);
  const reasons = await SLURM.reasons().catch(() => new Map<string, string>()); // reported above
  const done = shardsThere(plan, states.extract, look), shards = plan.features.length * plan.ranges.length;
  console.log(`run ${plan.folder}: ${done} of ${shards} shards of features done`);
  console.log(
    `${["stage".padEnd(10), "tasks", ...COUNTED].map((cell) => cell.padStart(8)).join("")}  time left`,
  );
  for (const step of stepsOf(plan)) console.log(stageLine(step, states[step], reasons));
  for (const step of stepsOf(plan)) {
    for (const task of states[step].filter(({ state }) => state === "failed")) {
      console.log(`failed: ${await failureLine(plan, step, task)}`);
    }
  }
}

if (import.meta.main) await runCommand(COMMAND, status);
