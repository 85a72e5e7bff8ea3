/** What the tasks of a run on Slurm have taken, as a page. */
import { basename } from "node:path";
import { table, text } from "../../src/report/blocks.ts";
import { writePage } from "../../src/report/write_page.ts";
import { commandLine } from "../../src/cli/options.ts";
import type { SlurmPlan } from "./plan.ts";
import { readNote, type TaskNote, type Usage } from "./task_note.ts";
import { STEPS } from "./steps.ts";

/** Tasks of which each is named for its time. */
const LONGEST = 20;

/** The notes of all tasks, stage by stage. */
function notesOf(plan: SlurmPlan): TaskNote[] {
  return STEPS.flatMap((step) =>
    Array.from({ length: plan.tasks[step] }, (_, index) => {
      const note = readNote(plan, step, index);
      if (note) delete note.parts; // of all tasks these are names of hundreds of thousands of files
      return note ?? [];
    })
  ).flat();
}

/** What all finished tasks of a run have taken, stage by stage. */
export function usageOf(plan: SlurmPlan): TaskNote[] {
  return notesOf(plan).filter(({ state }) => state === "done");
}

/** Rows of a table at most: what is more is counted, not shown. */
const MAX_ROWS = 100;

/** Sum, median and largest of what some tasks or shards took. */
function took(all: readonly Usage[]): (number | string)[] {
  const seconds = all.map((own) => own.seconds).sort((a, b) => a - b);
  const most = (key: "peakMb" | "gpuMb") => all.reduce((most, own) => Math.max(most, own[key]), 0);
  const sum = seconds.reduce((sum, own) => sum + own, 0);
  return [all.length, sum, seconds[seconds.length >> 1], seconds.at(-1)!, most("peakMb"), most("gpuMb")];
}

const TOOK = ["seconds of all", "median", "longest", "memory at most, MB", "GPU buffers at most, MB"];

/** Those that share a name, in the order of the names' first ones. */
function byName<T>(all: readonly T[], nameOf: (one: T) => string): [string, T[]][] {
  return [...Map.groupBy(all, nameOf)];
}

/** A section of a table of at most `MAX_ROWS` rows, whose caption says how many there were. */
function section(heading: string, caption: string, columns: string[], rows: (number | string)[][]) {
  const some = rows.length > MAX_ROWS ? `${caption}: the first ${MAX_ROWS} of ${rows.length}` : caption;
  return { heading, body: table({ caption: some, columns, rows: rows.slice(0, MAX_ROWS) }) };
}

/**
 * Writes the page: sums by stage, node and model, however many tasks there were, and by name the tasks that took longest and
 * those that have failed.
 *
 * @param out the folder of all pages
 * @returns its path
 */
export async function writeUsagePage(plan: SlurmPlan, out: string): Promise<string> {
  const notes = notesOf(plan), usage = notes.filter(({ state }) => state === "done");
  const failed = notes.filter(({ state }) => state === "failed");
  const nodes = byName(usage, ({ node }) => node);
  const modelOf = (model: number) =>
    basename(plan.features[model]).replace(/^features-(.*)-[0-9a-f]+$/, "$1");
  const shards = byName(usage.flatMap(({ shards = [] }) => shards), ({ model }) => modelOf(model));
  const longest = usage.toSorted((a, b) => b.seconds - a.seconds).slice(0, LONGEST);
  return await writePage(`${out}/slurm.html`, {
    title: "Cluster",
    question: "What did this run on Slurm take?",
    method:
      `${usage.length} tasks on ${nodes.length} ${
        nodes.length === 1 ? "node" : "nodes"
      }: each notes its wall time from its own ` +
      "start (without what Slurm takes to start it), its largest resident set, and its largest sum of GPU buffers; " +
      "the tasks of extract the same of every shard, with the largest resident set of the process so far. " +
      `What each task took is in ${plan.folder}/tasks.`,
    sections: usage.length === 0 ? [{ heading: "Tasks", body: text("None has finished yet.") }] : [
      section(
        "Stages",
        "Finished tasks before the reports, by stage",
        ["stage", "tasks", ...TOOK],
        byName(usage, ({ step }) => step).map(([step, own]) => [step, ...took(own)]),
      ),
      section(
        "Nodes",
        "The same by node",
        ["node", "tasks", ...TOOK],
        nodes.map(([node, own]) => [node, ...took(own)]),
      ),
      section(
        "Longest tasks",
        `The ${longest.length} tasks that took longest`,
        ["task", "node", "seconds", "memory, MB", "GPU buffers, MB"],
        longest.map((
          { step, index, node, seconds, peakMb, gpuMb },
        ) => [`${step} ${index}`, node, seconds, peakMb, gpuMb]),
      ),
      ...shards.length === 0 ? [] : [section(
        "Shards of features",
        "Shards, each a model's features of a range of images, by model",
        ["model", "shards", ...TOOK],
        shards.map(([model, own]) => [model, ...took(own)]),
      )],
      ...failed.length === 0 ? [] : [section(
        "Failures",
        "Tasks that have failed and are not done",
        ["task", "node", "error"],
        failed.map(({ step, index, node, error = "" }) => [`${step} ${index}`, node, error]),
      )],
    ],
    settings: { shards: plan.features.length * plan.ranges.length, arraySize: plan.site.arraySize },
    command: commandLine("reproduce", plan.typed),
  });
}
