/** Where a run on Slurm stands: what its folder and Slurm's queue say together. */
import { writeFileAtomic } from "../../src/data/atomic_write.ts";
import { type SlurmPlan, type Step, STEPS } from "./plan.ts";
import { activeTasks } from "./queue.ts";
import { isDone, readNote, type TaskNote } from "./task_note.ts";

/** Jobs that were submitted, by stage: number and tasks. */
export type Jobs = Partial<Record<Step, { id: string; tasks: number[] }[]>>;

/** One task. */
export interface TaskState {
  index: number;
  state: "done" | "running" | "failed" | "waiting" | "missing";
  note: TaskNote | null;
  /** The jobs that have it in the queue. */
  jobs: string[];
}

/** The tasks of every stage. */
export async function runState(plan: SlurmPlan): Promise<Record<Step, TaskState[]>> {
  const jobs = await readJobs(plan), queue = await activeTasks();
  const stateOf = async (step: Step, index: number): Promise<TaskState> => {
    const note = await readNote(plan, step, index);
    const own = (jobs[step] ?? []).filter(({ tasks }) => tasks.includes(index)).map(({ id }) => id);
    const active = own.filter((id) => queue?.has(`${id}_${index}`));
    const isRunning = active.some((id) => queue!.get(`${id}_${index}`) === "RUNNING") ||
      queue === null && note?.state === "running";
    const state = await isDone(plan, note)
      ? "done"
      : isRunning
      ? "running"
      : active.length > 0
      ? "waiting"
      : note
      ? "failed"
      : "missing";
    return { index, state, note, jobs: active };
  };
  const all = STEPS.map(async (step) =>
    [
      step,
      await Promise.all(Array.from({ length: plan.tasks[step] }, (_, index) => stateOf(step, index))),
    ] as const
  );
  return Object.fromEntries(await Promise.all(all)) as Record<Step, TaskState[]>;
}

/** The jobs of a run. */
export async function readJobs({ folder }: SlurmPlan): Promise<Jobs> {
  try {
    return JSON.parse(await Deno.readTextFile(`${folder}/jobs.json`));
  } catch {
    return {}; // none submitted yet
  }
}

/** Notes the jobs of a run. */
export async function writeJobs({ folder }: SlurmPlan, jobs: Jobs): Promise<void> {
  await writeFileAtomic(`${folder}/jobs.json`, JSON.stringify(jobs, null, 2) + "\n");
}
