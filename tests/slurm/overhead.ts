/**
 * What a finished run, submitted once, took beside its work: `overhead.ts RUN SLOTS`, for a cluster that runs SLOTS tasks
 * at a time.
 *
 * Work is what tasks took by their own clocks, which begin when the program has been loaded. Idle are the seconds of slots
 * that were free while a task waited that nothing else was needed for: from the end of the stages before its own, or from
 * the submission, to its start. That is what Slurm takes to see it, to start it and to end the one before, and Deno to load.
 */
import { type SlurmPlan, stepsOf } from "../../tasks/slurm/plan.ts";
import { usageOf } from "../../tasks/slurm/usage_page.ts";
import { AFTER, type Step } from "../../tasks/slurm/steps.ts";

const path = `${Deno.args[0]}/plan.json`, slots = Number(Deno.args[1] ?? 6);
const plan: SlurmPlan = JSON.parse(await Deno.readTextFile(path));
const submitted = (await Deno.stat(path)).mtime!.getTime() / 1000;
const tasks = usageOf(plan).map((note) => {
  const start = note.started / 1000;
  return { ...note, start, end: start + note.seconds };
});
const steps = stepsOf(plan).filter((step) => tasks.some((task) => task.step === step));
const of = (step: Step) => tasks.filter((task) => task.step === step);
const endOf = (step: Step) => Math.max(...of(step).map(({ end }) => end));
const ready = new Map(steps.map((step) => {
  const before = AFTER[step].filter((earlier) => steps.includes(earlier));
  return [step, Math.max(submitted, ...before.map(endOf))] as const;
}));
const sum = (numbers: number[]) => numbers.reduce((sum, own) => sum + own, 0);

const idle = new Map(steps.map((step) => [step, 0]));
const times = [...ready.values(), ...tasks.flatMap(({ start, end }) => [start, end])].sort((a, b) => a - b);
for (let at = 0; at + 1 < times.length; at++) {
  const middle = (times[at] + times[at + 1]) / 2, seconds = times[at + 1] - times[at];
  let free = slots - tasks.filter(({ start, end }) => start < middle && middle < end).length;
  for (const step of steps) {
    if (middle < ready.get(step)!) continue;
    const waiting = Math.min(free, of(step).filter(({ start }) => start > middle).length);
    idle.set(step, idle.get(step)! + waiting * seconds);
    free -= waiting;
  }
}

const line = (name: string, work: number, idle: number, seconds: number) =>
  `${name}: ${seconds.toFixed(1)} s, work ${work.toFixed(1)} s, idle ${idle.toFixed(1)} s ` +
  `(${(100 * idle / work).toFixed(1)} %)`;
for (const step of steps) {
  const own = of(step), work = sum(own.map(({ seconds }) => seconds));
  const most = (key: "peakMb" | "gpuMb") => Math.max(...own.map((task) => task[key]));
  console.log(
    `${line(step, work, idle.get(step)!, endOf(step) - ready.get(step)!)}, ${own.length} tasks of ` +
      `${(work / own.length).toFixed(1)} s, ${most("peakMb")} MB, GPU ${most("gpuMb")} MB`,
  );
}
const work = sum(tasks.map(({ seconds }) => seconds));
console.log(line("all", work, sum([...idle.values()]), Math.max(...steps.map(endOf)) - submitted));
