/**
 * What tasks of finished runs held at most, by run and stage, and of evaluate by experiment where each has a task of its own:
 * `memory.ts RUN [RUN …]`, as the rows of a table in Markdown.
 */
import { readPlan, stepsOf } from "../../tasks/slurm/plan.ts";
import { EXPERIMENT_NAMES } from "../../tasks/reproduce_all.ts";
import { usageOf } from "../../tasks/slurm/usage_page.ts";

const runs = await Promise.all(Deno.args.map((run) => readPlan(`${run}/plan.json`)));
const images = runs.map(({ ranges }) => ranges.reduce((sum, { count }) => sum + count, 0));
const rows = new Map<string, string[]>();
for (const [at, plan] of runs.entries()) {
  for (const step of stepsOf(plan)) {
    const tasks = usageOf(plan).filter((task) => task.step === step);
    const isSplit = step === "evaluate" && plan.tasks.evaluate === EXPERIMENT_NAMES.length;
    for (const [name, own] of Map.groupBy(tasks, ({ index }) => isSplit ? EXPERIMENT_NAMES[index] : step)) {
      const [resident, gpu] = (["peakMb", "gpuMb"] as const).map((key) =>
        Math.max(...own.map((task) => task[key]))
      );
      const row = rows.get(name) ?? runs.map(() => "");
      rows.set(name, row.with(at, `${resident} (${gpu})`));
    }
  }
}
const line = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
line(["MB resident at most (GPU buffers)", ...images.map((count) => `${count} images`)]);
line(["---", ...images.map(() => "---")]);
for (const [name, cells] of rows) line([name, ...cells]);
