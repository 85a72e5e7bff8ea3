/** What every task leaves in the run's folder: how far it came, what it took, what went wrong. */
import * as v from "valibot";
import { writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import {
  listOf,
  NUMBER,
  objectOf,
  oneOf,
  parseJson,
  recordOf,
  TEXT,
  wholeNumber,
} from "../../src/data/files/checked_json.ts";
import { extractedRanges } from "../../src/data/features/extract.ts";
import { areFilesThere, type FileLook, type SizesByFolder } from "../../src/data/files/file_look.ts";
import { type ExtractUnit, extractUnits, type SlurmPlan } from "./plan.ts";
import { type Step, STEPS } from "./steps.ts";

/** What something took. */
export interface Usage {
  seconds: number;
  /** Largest resident set of the process so far, MB. */
  peakMb: number;
  /** Largest sum of GPU buffers, MB. */
  gpuMb: number;
}

/** One task's note. */
export interface TaskNote extends Usage {
  step: Step;
  index: number;
  state: "running" | "done" | "failed";
  /** Node that ran it. */
  node: string;
  /** Milliseconds since 1970. */
  started: number;
  /** In one sentence. */
  error?: string;
  /** The folder that the result is in, where it is not in the plan. */
  folder?: string;
  /** The result, where no manifest says whether it is there. */
  files?: { path: string; bytes: number }[];
  /** The files in `folder` that it made or found, of a stage whose tasks make parts each. */
  parts?: SizesByFolder;
  /** What each shard took, where the task makes several. */
  shards?: (ExtractUnit & Usage)[];
}

const USAGE = { seconds: NUMBER, peakMb: NUMBER, gpuMb: NUMBER };
const NOTE = objectOf({
  ...USAGE,
  step: oneOf(STEPS),
  index: wholeNumber(),
  state: oneOf(["running", "done", "failed"]),
  node: TEXT,
  started: NUMBER,
  error: v.optional(TEXT),
  folder: v.optional(TEXT),
  files: v.optional(listOf(objectOf({ path: TEXT, bytes: wholeNumber() }))),
  parts: v.optional(recordOf(v.custom(areSizes, "sizes by name"))),
  shards: v.optional(listOf(objectOf(USAGE))),
});

/** Looked at here rather than name by name: a run has hundreds of thousands. */
function areSizes(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.values(value).every(Number.isSafeInteger);
}

/**
 * Notes how far a task is. A task that is done notes it in a file of its own, so that a duplicate that is running or has
 * failed takes nothing back.
 */
export async function writeNote(plan: SlurmPlan, note: TaskNote): Promise<void> {
  const path = notePaths(plan, note.step, note.index)[note.state === "done" ? 0 : 1];
  await writeFileAtomic(path, JSON.stringify(note));
}

/** A task's note; null where it has not started. */
export function readNote(plan: SlurmPlan, step: Step, index: number): TaskNote | null {
  for (const path of notePaths(plan, step, index)) {
    try {
      return parseJson(Deno.readTextFileSync(path), NOTE) as TaskNote;
    } catch { /* absent, or none of this version: the task is done again */ }
  }
  return null;
}

/** Forgets a task, whose result is not there, before it is submitted again. */
export async function removeNote(plan: SlurmPlan, step: Step, index: number): Promise<void> {
  for (const path of notePaths(plan, step, index)) await Deno.remove(path).catch(() => {}); // absent
}

/** The note of a task that is done, and that of one that is not yet. */
function notePaths({ folder }: SlurmPlan, step: Step, index: number): [string, string] {
  return [`${folder}/tasks/${step}/${index}.done.json`, `${folder}/tasks/${step}/${index}.json`];
}

/** Files as a note has them. */
export async function resultFiles(paths: readonly string[]): Promise<TaskNote["files"]> {
  return await Promise.all(paths.map(async (path) => {
    return { path: await Deno.realPath(path), bytes: (await Deno.stat(path)).size };
  }));
}

/** Stages whose tasks make parts each. */
const MAKES_PARTS: ReadonlySet<Step> = new Set([
  "landmarks",
  "affinities",
  "products",
  "propagate",
  "colors",
]);

/** Says of a task's note whether its result is there. */
export type IsDone = (note: TaskNote | null) => boolean;

/**
 * Says whether results are there: a task's note says so, and so do the shards' manifests, or the files, as far as `look`
 * looks.
 */
export function openResults(plan: SlurmPlan, look: FileLook): IsDone {
  const isExtracted = plan.features.map((folder) => extractedRanges(folder, look));
  return (note) => {
    if (note?.state !== "done") return false;
    const { step, index, folder, files = [], parts } = note;
    if (step === "extract") {
      return extractUnits(plan, index).every(({ model, range }) => isExtracted[model](range));
    }
    if (MAKES_PARTS.has(step)) return parts !== undefined && areFilesThere(folder!, parts, look);
    return files.every(({ path, bytes }) => look.sees(path, bytes));
  };
}
