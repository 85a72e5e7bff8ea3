/**
 * What tasks of a finished run took beside their own work: `overhead.ts RUN`. The slots' idle seconds between the first
 * task's start and the last one's end, over the tasks' seconds, by stage.
 */
import { type SlurmPlan, STEPS } from "../../tasks/slurm/plan.ts";
import { usageOf } from "../../tasks/slurm/usage_page.ts";

const plan: SlurmPlan = JSON.parse(await Deno.readTextFile(`${Deno.args[0]}/plan.json`));
const slots = Number(Deno.args[1] ?? 6);
const usage = await usageOf(plan);
for (const step of STEPS) {
  const tasks = usage.filter((note) => note.step === step);
  if (tasks.length === 0) continue;
  const work = tasks.reduce((sum, { seconds }) => sum + seconds, 0);
  // The longest chain of tasks one after the other on a slot bounds what scheduling could cost.
  const span = Math.max(...tasks.map(({ started, seconds }) => started / 1000 + seconds)) -
    Math.min(...tasks.map(({ started }) => started / 1000));
  const used = Math.min(slots, tasks.length);
  const peak = Math.max(...tasks.map(({ peakMb }) => peakMb)),
    gpu = Math.max(...tasks.map(({ gpuMb }) => gpuMb));
  console.log(
    `${step}: ${tasks.length} tasks, ${(work / tasks.length).toFixed(1)} s each, ${
      work.toFixed(1)
    } s in all, ` +
      `span ${span.toFixed(1)} s on ${used} slots, idle ${(100 * (span * used / work - 1)).toFixed(0)} %, ` +
      `peak ${peak} MB, GPU ${gpu} MB`,
  );
}
