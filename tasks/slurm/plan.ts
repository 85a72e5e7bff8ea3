/** The plan of a run on Slurm: one JSON in the run's folder, which every task reads. */
import { createHash } from "node:crypto";
import type { ImageRange } from "../../src/data/features/feature_shards.ts";
import { reasonOf, writeFileAtomic } from "../../src/data/files/atomic_write.ts";
import type { Site } from "./site.ts";
import { type Step, STEPS } from "./steps.ts";

/** All that a task needs to know. */
export interface SlurmPlan {
  format: 1;
  /** Options as typed, those of Slurm left out. */
  args: string[];
  /** The same, those of Slurm included, for reports. */
  typed: string[];
  /** The folder in which they were typed. */
  cwd: string;
  /** The run's folder. */
  folder: string;
  /** Changes with data and models. */
  identity: string;
  /** Of every model the folder of its features; together with `ranges` the shards to extract. */
  features: string[];
  ranges: ImageRange[];
  /** Tasks of every stage. */
  tasks: Record<Step, number>;
  site: Site;
}

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
  return features.flatMap((_, model) => ranges.map((range) => ({ model, range })))
    .filter((_, at) => at % tasks.extract === task);
}

/** Tells photographs, what is known of them, and models from others. */
export function identityOf(features: { input: Record<string, unknown> }[], truth: string): string {
  const inputs = [truth, ...features.map(({ input }) => input)];
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex");
}

/** The log of a task. */
export function logOf({ folder }: SlurmPlan, step: Step, index: number): string {
  return `${folder}/logs/${step}-${index}.log`;
}

/** Takes what an earlier run of this folder has noted away. */
export async function clearRun({ folder }: SlurmPlan): Promise<void> {
  for (const name of ["tasks", "logs", "jobs.json"]) {
    await Deno.remove(`${folder}/${name}`, { recursive: true }).catch(() => {}); // not there yet
  }
}

/** Writes the plan into its folder. */
export async function writePlan(plan: SlurmPlan): Promise<void> {
  await Deno.mkdir(`${plan.folder}/logs`, { recursive: true });
  await Deno.mkdir(`${plan.folder}/tasks`, { recursive: true });
  await writeFileAtomic(`${plan.folder}/plan.json`, JSON.stringify(plan, null, 2) + "\n");
}

/**
 * Reads a plan.
 *
 * @throws Error "Cannot read the plan …" naming the file
 */
export async function readPlan(path: string): Promise<SlurmPlan> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new Error(`Cannot read the plan ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}
