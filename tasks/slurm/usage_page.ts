/** What the tasks of a run on Slurm have taken, as a page. */
import { basename } from "node:path";
import { table, text } from "../../src/report/blocks.ts";
import { writePage } from "../../src/report/write_page.ts";
import { commandLine } from "../../src/cli/options.ts";
import type { SlurmPlan } from "./plan.ts";
import { readNote, type TaskNote } from "./task_note.ts";
import { STEPS } from "./steps.ts";

/** What all finished tasks of a run have taken, stage by stage. */
export async function usageOf(plan: SlurmPlan): Promise<TaskNote[]> {
  const notes = STEPS.flatMap((step) =>
    Array.from({ length: plan.tasks[step] }, (_, index) => readNote(plan, step, index))
  );
  return (await Promise.all(notes)).filter((note) => note?.state === "done") as TaskNote[];
}

/**
 * Writes the page.
 *
 * @param out the folder of all pages
 * @returns its path
 */
export async function writeUsagePage(plan: SlurmPlan, out: string): Promise<string> {
  const usage = await usageOf(plan);
  const nodes = new Set(usage.map(({ node }) => node)).size;
  const rows = usage.map(({ step, index, node, seconds, peakMb, gpuMb }) =>
    [step, String(index), node, seconds, peakMb, gpuMb] as const
  );
  const shards = usage.flatMap(({ index, node, shards = [] }) =>
    shards.map(({ model, range: { first, count }, seconds, peakMb, gpuMb }) => {
      const name = basename(plan.features[model]).replace(/^features-(.*)-[0-9a-f]+$/, "$1");
      return [name, first, count, String(index), node, seconds, peakMb, gpuMb];
    })
  ).sort(([a, first], [b, other]) => String(a).localeCompare(String(b)) || Number(first) - Number(other));
  return await writePage(`${out}/slurm.html`, {
    title: "Cluster",
    question: "What did each task of this run on Slurm take?",
    method:
      `${usage.length} tasks on ${nodes} ${
        nodes === 1 ? "node" : "nodes"
      }: each notes its wall time from its own ` +
      "start (without what Slurm takes to start it), its largest resident set, and its largest sum of GPU buffers; " +
      "the tasks of extract the same of every shard, with the largest resident set of the process so far.",
    sections: [
      {
        heading: "Tasks",
        body: rows.length > 0
          ? table({
            caption: "Every finished task before the reports",
            columns: ["stage", "task", "node", "seconds", "memory, MB", "GPU buffers, MB"],
            rows: rows.map((row) => [...row]),
          })
          : text("None has finished yet."),
      },
      ...(shards.length === 0 ? [] : [{
        heading: "Shards of features",
        body: table({
          caption: "Every shard, a model's features of a range of images",
          columns: [
            "model",
            "first image",
            "images",
            "task",
            "node",
            "seconds",
            "memory, MB",
            "GPU buffers, MB",
          ],
          rows: shards,
        }),
      }]),
    ],
    settings: { shards: plan.features.length * plan.ranges.length, arraySize: plan.site.arraySize },
    command: commandLine("reproduce", plan.typed),
  });
}
