/** Where a run on Slurm stands: what its folder and Slurm's queue say together. */
import * as v from "valibot";
import { reasonOf, writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import { listOf, objectOf, oneOf, parseJson, TEXT, wholeNumber } from "../../src/data/files/checked_json.ts";
import { readPlainText } from "../../src/data/files/plain_file.ts";
import { type FileLook, lookAtSizes } from "../../src/data/files/file_look.ts";
import { logOf, type SlurmPlan } from "./plan.ts";
import { isActive } from "./queue.ts";
import { openResults, readNote, removeNote, type TaskNote } from "./task_note.ts";
import { type Step, STEPS } from "./steps.ts";

/** Jobs that were submitted, by stage: number and tasks. */
export type Jobs = Partial<Record<Step, { id: string; tasks: number[] }[]>>;

const SUBMITTED = objectOf({ id: TEXT, tasks: listOf(wholeNumber(), "a list of tasks") }, "a job");
const JOBS = v.record(oneOf(STEPS), listOf(SUBMITTED, "a list of jobs"), "jobs by stage");

/** One task. */
export interface TaskState {
  index: number;
  state: "done" | "running" | "failed" | "waiting" | "missing";
  note: TaskNote | null;
  /** As it is in the queue, "job_task": once, or several times where it was submitted again meanwhile. */
  active: string[];
  /** Those of them that have not started. */
  pending: string[];
  /** How Slurm says that it ended, the last time, while it still knows. */
  ended?: string;
}

/**
 * The tasks of every stage.
 *
 * @param queue states by "job_task"; null where the queue does not answer: then what is not done is as last noted
 * @param look at the files of what is done
 */
export async function runState(
  plan: SlurmPlan,
  queue: Map<string, string> | null,
  look: FileLook = lookAtSizes(),
): Promise<Record<Step, TaskState[]>> {
  const jobs = await readJobs(plan), isDone = openResults(plan, look);
  const statesOf = (step: Step) => {
    const submitted = (jobs[step] ?? []).map(({ id, tasks }) => ({ id, tasks: new Set(tasks) }));
    return Array.from({ length: plan.tasks[step] }, (_, index): TaskState => {
      const note = readNote(plan, step, index);
      const own = submitted.filter(({ tasks }) => tasks.has(index)).map(({ id }) => `${id}_${index}`);
      const active = own.filter((id) => isActive(queue?.get(id)));
      const pending = active.filter((id) => queue!.get(id) === "PENDING");
      const last = own.map((id) => queue?.get(id)).findLast((state) => state !== undefined);
      const more = { note, active, pending, ...(!isActive(last) && { ended: last }) };
      const isThere = isDone(note);
      if (note) delete note.parts; // of all tasks these are names of hundreds of thousands of files
      if (isThere) return { index, state: "done", ...more };
      if (!queue && own.length > 0 && note?.state !== "failed") {
        return { index, state: note?.state === "running" ? "running" : "waiting", ...more };
      }
      if (active.length > pending.length) return { index, state: "running", ...more };
      if (active.length > 0) return { index, state: "waiting", ...more };
      // A task whose note is done has lost its result; one without a note may have failed before it could write it.
      const hasFailed = note ? note.state !== "done" : own.length > 0 && look.sees(logOf(plan, step, index));
      return { index, state: hasFailed ? "failed" : "missing", ...more };
    });
  };
  return Object.fromEntries(STEPS.map((step) => [step, statesOf(step)])) as Record<Step, TaskState[]>;
}

/** Tasks of a stage that nothing is noted of. */
export function tasksNotThere(count: number): TaskState[] {
  return Array.from(
    { length: count },
    (_, index) => ({ index, state: "missing", note: null, active: [], pending: [] }),
  );
}

/** The jobs of a run. */
export async function readJobs({ folder }: SlurmPlan): Promise<Jobs> {
  const path = `${folder}/jobs.json`;
  try {
    return parseJson(await readPlainText(path), JOBS);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {}; // none submitted yet
    throw new Error(
      `Cannot use ${path} (${
        reasonOf(error)
      }): cancel this run's jobs with scancel, remove the file, and add --resume.`,
      { cause: error },
    );
  }
}

/** Forgets what is noted of some stages: their jobs, and how far their tasks are. */
export async function forgetSteps(plan: SlurmPlan, steps: readonly Step[]): Promise<void> {
  const jobs = await readJobs(plan);
  for (const step of steps) {
    delete jobs[step];
    for (let index = 0; index < plan.tasks[step]; index++) await removeNote(plan, step, index);
  }
  await writeJobs(plan, jobs);
}

/** Notes the jobs of a run. */
export async function writeJobs({ folder }: SlurmPlan, jobs: Jobs): Promise<void> {
  await writeFileAtomic(`${folder}/jobs.json`, JSON.stringify(jobs, null, 2) + "\n");
}
