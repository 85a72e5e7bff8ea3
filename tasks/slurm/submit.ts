/** `./run reproduce --slurm`: plans a run and submits its stages. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { assertWritable, reasonOf } from "../../src/data/files/atomic_write.ts";
import { openStages } from "../../src/data/cache/stages.ts";
import type { ListedImage } from "../../src/data/datasets/data_parts.ts";
import { namesSha256 } from "../../src/data/features/extract_parts.ts";
import { featureStages } from "../../src/pipeline/pipeline.ts";
import { askedOf, openRunData } from "../shared/open_data.ts";
import { type Parsed, withoutOptions } from "../../src/cli/options.ts";
import { PIPELINE_OPTIONS } from "../shared/options.ts";
import { type RunSettings, runSettings } from "../shared/run_settings.ts";
import { EXPERIMENT_NAMES } from "../reproduce_all.ts";
import { clearRun, identityOf, readPlan, type SlurmPlan, stepsOf, writePlan } from "./plan.ts";
import { assertWithinLimits, readLimits } from "./limits.ts";
import { writeImageList } from "./image_list.ts";
import { arrayOf, askSlurm, isActive, type Queue, SLURM } from "./queue.ts";
import { forgetSteps, readJobs, runState, tasksNotThere, type TaskState, writeJobs } from "./run_state.ts";
import { batchScript } from "./script.ts";
import { removeNote } from "./task_note.ts";
import { readSite, type Site, SLURM_OPTIONS } from "./site.ts";
import { AFTER, type Step, STEPS } from "./steps.ts";

/** What the command line of a run on a cluster says. */
type SlurmParsed = Parsed<typeof PIPELINE_OPTIONS & typeof SLURM_OPTIONS>;

/**
 * Submits what is missing of a run.
 *
 * @param typed as `Deno.args`
 * @throws Error one sentence that names what cannot be used, the run that is under way already, or the run that cannot go
 * on with other options or data
 */
export async function submitRun(parsed: SlurmParsed, typed: string[]): Promise<void> {
  const { options } = parsed, isDry = options["dry-run"];
  const site = await readSite(options), settings = runSettings(parsed);
  if (settings.knn === "auto") {
    throw new RangeError(
      "--neighbor-search auto measures the machine, and nodes differ: give exact or hnsw with --slurm.",
    );
  }
  // Where there is no Slurm, that is said before data are looked at.
  const queue = isDry ? new Map<string, string>() : await SLURM.states();
  const { plan, listed } = await planRun(parsed, typed, settings, site);
  if (isDry) {
    for (const step of stepsOf(plan)) console.log(dryRun(plan, step));
    return;
  }
  const queued = [...queue.values()].filter(isActive).length;
  const limits = await readLimits(askSlurm, Deno.env.get("USER") ?? Deno.env.get("LOGNAME"));
  for (const note of assertWithinLimits(plan, limits, options.resume ? 0 : queued)) console.error(note);
  const before = await readPlan(`${plan.folder}/plan.json`).catch(() => null);
  if (before && options.resume) assertSameRun(before, plan);
  const states = before && await runState(before, queue);
  const isUnderWay = states && Object.values(states).flat().some(({ active }) => active.length > 0);
  if (isUnderWay && !options.resume) {
    throw new Error(
      `The run ${plan.folder} is under way: see \`./run status\`, or submit what is missing with --resume.`,
    );
  }
  if (before && options.resume) {
    plan.cwd = before.cwd;
    const divided = STEPS.filter((step) => before.tasks[step] !== plan.tasks[step]);
    const busy = divided.find((step) => states![step].some(({ active }) => active.length > 0));
    if (busy) {
      throw new Error(
        `${busy} is in the queue with ${before.tasks[busy]} tasks, not ${
          plan.tasks[busy]
        }: give --resume the --array-size ` +
          "that it was submitted with, or take it out (scancel) first.",
      );
    }
    // Shards and ranges that are there are found again, whoever made them.
    await forgetSteps(before, divided);
    for (const step of divided) states![step] = tasksNotThere(plan.tasks[step]);
  } else await clearRun(plan);
  await writePlan(plan);
  if (plan.images) await writeImageList(plan, listed);
  const submitted = await submitMissing(plan, queue, SLURM, options.resume && states || undefined);
  console.error(
    submitted.length > 0
      ? `submitted ${submitted.join(", ")}; \`./run status\` says how far it is: ${plan.folder}`
      : `nothing is missing: ${plan.folder}`,
  );
}

/**
 * What is done of a run counts for the same options and data only.
 *
 * @throws Error one sentence that says which of them differ
 */
export function assertSameRun(before: SlurmPlan, plan: SlurmPlan): void {
  const again = "give the same with --resume, or leave it out to begin anew";
  const [old, own] = [before, plan].map(({ args }) => args.join(" ") || "no options");
  if (old !== own) {
    throw new Error(`The run ${plan.folder} was submitted with ${old}, not with ${own}: ${again}.`);
  }
  const dataOf = ({ identity, features, ranges }: SlurmPlan) => JSON.stringify([identity, features, ranges]);
  if (dataOf(before) === dataOf(plan)) return;
  throw new Error(
    `The run ${plan.folder} was submitted with other photographs, models or --cache: ${again}.`,
  );
}

/** Resolves options and data into a plan; of long steps only photographs are hashed, once for all tasks. */
async function planRun(
  { options }: SlurmParsed,
  typed: string[],
  settings: RunSettings,
  site: Site,
): Promise<{ plan: SlurmPlan; listed: ListedImage[] }> {
  await assertWritable(settings.out);
  using data = await openRunData(askedOf(options), { ...settings, timings: {} });
  const stages = openStages(resolve(settings.cache, "runs"));
  const features = await featureStages({ ...settings, ...data });
  const folders = await Promise.all(features.map(({ name, input }) => stages.folder(name, input)));
  const { ranges } = features[0], args = withoutSlurm(typed);
  const identity = identityOf(features, data.labelsKey);
  const name = createHash("sha256").update(JSON.stringify([args, identity])).digest("hex").slice(0, 12);
  const one = { align: 1, fit: 1, map: 1, reports: 1 };
  const sums = settings.neighbors === "all" ? site.arraySize : 0;
  const { keys, table, listed } = data.opened, { length: count } = data.images;
  const images = listed.length > 0
    ? { count, namesSha256: namesSha256(data.images), keys, table, classes: data.classes }
    : undefined;
  const plan: SlurmPlan = {
    format: 1,
    args,
    typed,
    cwd: Deno.cwd(),
    identity,
    ranges,
    ...(images && { images }),
    site,
    folder: resolve(options.run ?? `${settings.cache}/slurm/run-${name}`),
    features: folders,
    tasks: {
      ...one,
      extract: Math.min(site.arraySize, folders.length * ranges.length),
      landmarks: settings.sampling === "farthest" ? site.arraySize : 0,
      affinities: sums,
      products: sums,
      propagate: site.arraySize,
      colors: site.arraySize,
      evaluate: Math.min(site.arraySize, EXPERIMENT_NAMES.length),
    },
  };
  return { plan, listed };
}

/** A command line without the options that are Slurm's. */
export function withoutSlurm(args: string[]): string[] {
  return withoutOptions({ ...SLURM_OPTIONS, "dry-run": PIPELINE_OPTIONS["dry-run"] }, args);
}

/**
 * Submits the tasks that are neither done nor in the queue, each stage behind those it needs. What waits for a stage that is
 * submitted again is submitted again, too: Slurm will take it out of the queue, as it waits for a job that has failed.
 *
 * Where Slurm refuses one of them, those submitted before it are taken back.
 *
 * @param queue states of tasks
 * @param states of all stages' tasks, where they are known
 * @throws Error what Slurm says, and what became of the stages before
 * @returns the stages that were submitted, in words
 */
export async function submitMissing(
  plan: SlurmPlan,
  queue: Map<string, string>,
  { submit, cancel, withdraw }: Pick<Queue, "submit" | "cancel" | "withdraw"> = SLURM,
  states?: Record<Step, TaskState[]>,
): Promise<string[]> {
  states ??= await runState(plan, queue);
  const jobs = await readJobs(plan), words: string[] = [];
  const submitted: { step: Step; id: string }[] = [];
  const waitFor: Record<string, string[]> = {}, renewed = new Set<Step>();
  for (const step of STEPS) {
    const isDoomed = AFTER[step].some((earlier) => renewed.has(earlier));
    const pending = isDoomed ? states[step].flatMap(({ pending }) => pending) : [];
    if (pending.length > 0) await cancel(pending);
    const missing = states[step].filter(({ state }) =>
      state === "failed" || state === "missing" || isDoomed && state === "waiting"
    );
    waitFor[step] = states[step].flatMap(({ active }) => active).filter((id) => !pending.includes(id));
    if (missing.length === 0) continue;
    renewed.add(step);
    const tasks = missing.map(({ index }) => index);
    for (const index of tasks) await removeNote(plan, step, index);
    const after = AFTER[step].flatMap((earlier) => waitFor[earlier]);
    let id: string;
    try {
      id = await submit(batchScript(plan, step), submitArgs(tasks, after));
    } catch (error) {
      throw await takenBack(plan, step, error as Error, submitted, withdraw);
    }
    submitted.push({ step, id });
    waitFor[step].push(id);
    jobs[step] = [...jobs[step] ?? [], { id, tasks }];
    await writeJobs(plan, jobs);
    words.push(`${step} (job ${id}, ${tasks.length} ${tasks.length === 1 ? "task" : "tasks"})`);
  }
  return words;
}

/** Takes back what was submitted before a stage that Slurm has refused. @returns the error that says so */
async function takenBack(
  plan: SlurmPlan,
  step: Step,
  error: Error,
  submitted: { step: Step; id: string }[],
  withdraw: Queue["withdraw"],
): Promise<Error> {
  const why = `Slurm refuses ${step}: ${error.message.replace(/\.$/, "")}`;
  if (submitted.length === 0) return new Error(`${why}.`, { cause: error });
  const names = submitted.map(({ step }) => step).join(", "), ids = submitted.map(({ id }) => id);
  try {
    await withdraw(ids);
  } catch (failure) {
    const command = `scancel ${ids.join(" ")}`;
    return new Error(`${why}; ${names} stay in the queue (${reasonOf(failure)}): type ${command}.`, {
      cause: error,
    });
  }
  const jobs = await readJobs(plan);
  for (const [name, own] of Object.entries(jobs)) {
    jobs[name as Step] = own.filter(({ id }) => !ids.includes(id));
  }
  await writeJobs(plan, jobs);
  return new Error(`${why}; ${names} were taken back, nothing of it is in the queue.`, { cause: error });
}

function submitArgs(tasks: number[], after: string[]): string[] {
  return [
    `--array=${arrayOf(tasks)}`,
    ...(after.length > 0 ? [`--dependency=afterok:${after.join(":")}`] : []),
  ];
}

/** The script of a stage, and how it would be submitted. */
export function dryRun(plan: SlurmPlan, step: Step): string {
  const tasks = Array.from({ length: plan.tasks[step] }, (_, i) => i);
  const after = AFTER[step].filter((earlier) => plan.tasks[earlier] > 0).map((earlier) => `$${earlier}`);
  const args = ["--parsable", ...submitArgs(tasks, after)].join(" ");
  return `# ${step}: ${step}=$(sbatch ${args} ${step}.sh)\n${batchScript(plan, step)}`;
}
