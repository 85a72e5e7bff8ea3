/** What `--resume` finds missing of a run that is in no queue, and what that takes: `time_resume.ts DIR`; nothing is submitted. */
import { readPlan } from "../../tasks/slurm/plan.ts";
import { submitMissing } from "../../tasks/slurm/submit.ts";

const plan = await readPlan(`${Deno.args[0]}/plan.json`), started = performance.now();
let jobs = 1000;
const submitted = await submitMissing(plan, new Map(), {
  submit: () => Promise.resolve(String(++jobs)),
  cancel: () => Promise.resolve(),
  withdraw: () => Promise.resolve(),
});
console.log(`${submitted.join(", ")}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
