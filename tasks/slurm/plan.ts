/** The plan of a run on Slurm: one JSON in the run's folder, which every task reads. */
import * as v from "valibot";
import { createHash } from "node:crypto";
import type { ImageRange } from "../../src/data/features/feature_shards.ts";
import { reasonOf, writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import {
  listOf,
  objectOf,
  parseJson,
  recordOf,
  TEXT,
  wholeNumber,
} from "../../src/data/files/checked_json.ts";
import { readPlainText } from "../../src/data/files/plain_file.ts";
import type { PlannedData } from "../../src/data/datasets/open_data.ts";
import { SETTINGS } from "./site.ts";
import { type Step, STEPS } from "./steps.ts";

const COUNT = wholeNumber();
const PLAN = objectOf({
  format: v.literal(1, "1"),
  /** Options as typed, those of Slurm left out. */
  args: listOf(TEXT, "a list of options"),
  /** The same, those of Slurm included, for reports. */
  typed: listOf(TEXT, "a list of options"),
  /** The folder in which they were typed. */
  cwd: TEXT,
  /** The run's folder. */
  folder: TEXT,
  /** Changes with data and models. */
  identity: TEXT,
  /** Of every model the folder of its features; together with `ranges` the shards to extract. */
  features: listOf(TEXT, "a list of folders"),
  ranges: listOf(
    objectOf({ first: wholeNumber(), count: wholeNumber(1) }, "first and count"),
    "a list of ranges",
  ),
  images: v.optional(
    objectOf({ count: COUNT, namesSha256: TEXT, keys: recordOf(TEXT), table: listOf(recordOf(TEXT)) }),
  ),
  /** Tasks of every stage. */
  tasks: objectOf(
    Object.fromEntries(STEPS.map((step) => [step, COUNT])) as Record<Step, typeof COUNT>,
    "the number of tasks by stage",
  ),
  site: objectOf({
    ...SETTINGS,
    partition: v.optional(TEXT),
    account: v.optional(TEXT),
    time: v.optional(TEXT),
    gres: v.optional(TEXT),
  }, "settings of the cluster"),
}, "the plan of a run");

/** All that a task needs to know. */
export interface SlurmPlan extends Omit<v.InferOutput<typeof PLAN>, "images"> {
  /** What is known of the photographs; the list of them is in the folder `images`, by range. Absent where they are the subject's. */
  images?: PlannedImages;
}

/** Photographs as a plan has them, but for their list. */
export type PlannedImages = Omit<PlannedData, "chosen" | "further">;

/** A shard to extract: a model's index and a range of images. */
export interface ExtractUnit {
  model: number;
  range: ImageRange;
}

/** The stages that a plan has. */
export function stepsOf({ tasks }: SlurmPlan): Step[] {
  return STEPS.filter((step) => tasks[step] > 0);
}

/** What one task of the stage extract makes. */
export function extractUnits({ features, ranges, tasks }: SlurmPlan, task: number): ExtractUnit[] {
  const units: ExtractUnit[] = [];
  for (let at = task; at < features.length * ranges.length; at += tasks.extract) {
    units.push({ model: Math.floor(at / ranges.length), range: ranges[at % ranges.length] });
  }
  return units;
}

/** Distinguishes photographs, what is known of them, and models from others. */
export function identityOf(features: { input: Record<string, unknown> }[], labelsKey: string): string {
  const inputs = [labelsKey, ...features.map(({ input }) => input)];
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex");
}

/** The log of a task; each stage has a folder, so that none has more files than its array has tasks. */
export function logOf({ folder }: SlurmPlan, step: Step, index: number): string {
  return `${folder}/logs/${step}/${index}.log`;
}

/** Takes what an earlier run of this folder has noted away. */
export async function clearRun({ folder }: SlurmPlan): Promise<void> {
  for (const name of ["tasks", "logs", "images", "jobs.json"]) {
    await Deno.remove(`${folder}/${name}`, { recursive: true }).catch(() => {}); // not there yet
  }
}

/** Writes the plan into its folder. */
export async function writePlan(plan: SlurmPlan): Promise<void> {
  for (const step of STEPS) {
    for (const kind of ["logs", "tasks"]) {
      await Deno.mkdir(`${plan.folder}/${kind}/${step}`, { recursive: true });
    }
  }
  await writeFileAtomic(`${plan.folder}/plan.json`, JSON.stringify(plan, null, 2) + "\n");
}

/**
 * Reads a plan.
 *
 * @throws Error "Cannot read the plan …" naming the file
 */
export async function readPlan(path: string): Promise<SlurmPlan> {
  try {
    return parseJson(await readPlainText(path), PLAN) as SlurmPlan;
  } catch (error) {
    throw new Error(
      `Cannot use the plan ${path}: ${reasonOf(error)}; submit the run again, without --resume.`,
      {
        cause: error,
      },
    );
  }
}
