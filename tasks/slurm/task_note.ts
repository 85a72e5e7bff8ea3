/** What every task leaves in the run's folder: how far it came, what it took, what went wrong. */
import { writeFileAtomic } from "../../src/data/atomic_write.ts";
import { isRangeExtracted } from "../../src/data/extract.ts";
import { areCandidatesFound, isPropagated } from "../../src/experiments/solve_graph.ts";
import { extractUnits, type SlurmPlan, type Step } from "./plan.ts";

/** One task's note. */
export interface TaskNote {
  step: Step;
  index: number;
  state: "running" | "done" | "failed";
  /** Node that ran it. */
  node: string;
  /** Milliseconds since 1970. */
  started: number;
  seconds: number;
  /** Largest resident set, MB. */
  peakMb: number;
  /** Largest sum of GPU buffers, MB. */
  gpuMb: number;
  /** In one sentence. */
  error?: string;
  /** The folder that the result is in, where it is not in the plan. */
  folder?: string;
}

/** Replaces a task's note. */
export async function writeNote({ folder }: SlurmPlan, note: TaskNote): Promise<void> {
  await writeFileAtomic(`${folder}/tasks/${note.step}-${note.index}.json`, JSON.stringify(note));
}

/** A task's note; null where it has not started. */
export async function readNote(plan: SlurmPlan, step: Step, index: number): Promise<TaskNote | null> {
  try {
    return JSON.parse(await Deno.readTextFile(`${plan.folder}/tasks/${step}-${index}.json`));
  } catch {
    return null; // absent
  }
}

/** Whether a task's result is there: its note says so and, for shards, so do their manifests. */
export async function isDone(plan: SlurmPlan, note: TaskNote | null): Promise<boolean> {
  if (note?.state !== "done") return false;
  if (note.step === "extract") {
    for (const { model, range } of extractUnits(plan, note.index)) {
      if (!await isRangeExtracted(plan.features[model], range)) return false;
    }
  }
  if (note.step === "landmarks") {
    return await areCandidatesFound(note.folder!, note.index, plan.tasks.landmarks);
  }
  if (note.step === "propagate") return await isPropagated(note.folder!, note.index, plan.tasks.propagate);
  return true;
}
