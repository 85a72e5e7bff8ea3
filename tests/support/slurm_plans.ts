/** Plans of runs on Slurm, for tests. */
import type { FeatureManifest } from "../../src/data/features/extract_parts.ts";
import { type SlurmPlan, writePlan } from "../../tasks/slurm/plan.ts";
import type { TaskNote } from "../../tasks/slurm/task_note.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";

export function planIn(folder: string): SlurmPlan {
  return {
    format: 1,
    args: ["--quick"],
    typed: ["--slurm", "--quick"],
    cwd: folder,
    folder,
    identity: "a",
    features: [`${folder}/features-vit-0123456789abcdef`],
    ranges: [{ first: 0, count: 8 }, { first: 8, count: 8 }],
    tasks: {
      extract: 2,
      align: 1,
      landmarks: 0,
      affinities: 0,
      products: 0,
      fit: 1,
      propagate: 3,
      map: 1,
      colors: 3,
      evaluate: 2,
      reports: 1,
    },
    site: { arraySize: 3, attempts: 2, restarts: 1, setup: [], options: {} },
  };
}

/** A plan in a folder of its own, with what it needs to be written to. */
export async function withPlan(body: (plan: SlurmPlan) => Promise<void>): Promise<void> {
  await inTemporaryFolder(async (dir) => {
    const plan = planIn(dir);
    await writePlan(plan);
    await body(plan);
  });
}

export const noteOf = (own: Partial<TaskNote>): TaskNote => ({
  step: "fit",
  index: 0,
  state: "running",
  node: "n1",
  started: 0,
  seconds: 1,
  peakMb: 10,
  gpuMb: 0,
  ...own,
});

/** The manifest of a model with one layer in one shard. */
export function manifestWith(shard: { path: string; bytes: number }): FeatureManifest {
  const sha256 = "0".repeat(64);
  return {
    model: "vit",
    modelSha256: sha256,
    layers: [{ layer: 1, path: ".", tensor: "a", shards: [{ first: 0, count: 8, sha256, ...shard }] }],
    heads: 1,
    width: 4,
    tokens: 5,
    classToken: true,
    registers: 0,
    grid: { rows: 2, cols: 2 },
    images: [],
    imagesSha256: sha256,
    dtype: "float16",
    hook: "attention",
    shifts: 1,
    provider: "cpu",
    preprocessing: "{}",
  };
}
