/** `./run brain-score`: channel alignment against its baselines on held-out images, with a report. */
import type { Gpu } from "../mod.ts";
import { trim } from "../src/gpu/mod.ts";
import { DATA_OPTIONS } from "../src/cli/data_options.ts";
import { type Parsed, runCommand } from "../src/cli/options.ts";
import { wholeNumber } from "../src/cli/option_kinds.ts";
import { memoize } from "../src/data/cache/memoize.ts";
import { TABLE_FORMATS, writeTables } from "../src/data/formats/table_file.ts";
import { writeBrainScoreReport } from "../src/experiments/brain_score/report.ts";
import { measureBrainScores } from "../src/experiments/brain_score/compute.ts";
import { namesSha256, sha256 } from "../src/data/features/extract_parts.ts";
import type { Pipeline } from "../src/pipeline/nodes.ts";
import { layersApartLine } from "../src/pipeline/layers_apart.ts";
import { voxelTable } from "../src/experiments/brain_score/voxel_table.ts";
import { askedOf, openRunData, type RunData } from "./shared/open_data.ts";
import { openTaskGpu } from "./shared/open_task_gpu.ts";
import { adapter, cache, figures, limit, masks, out } from "./shared/options.ts";
import type { Tick } from "./shared/stage.ts";
import { openTaskRun, type TaskRun } from "./shared/task_run.ts";

/** The task and its options. */
export const COMMAND = {
  task: "brain-score",
  options: {
    ...DATA_OPTIONS,
    masks,
    limit: { ...limit, shown: "100" },
    seeds: wholeNumber({
      help: "trainings for each weight of the eigen-constraint, with seeds 0 to N − 1",
      default: 5,
      from: 1,
      to: 100,
    }),
    out: {
      ...out,
      help: "where the report goes, and every voxel's scores as tables/voxels.arrow and tables/voxels.csv",
    },
    figures,
    cache,
    adapter,
  },
};

/** A run with its device and data. */
type BrainScoreRun = TaskRun & {
  gpu: Gpu;
  data: RunData;
  /** Photographs that experiments look at; absent: all. */
  pipeline?: Pick<Pipeline, "images">;
};

/**
 * Trains and scores all conditions, or reads what an earlier run has left.
 *
 * @param seeds trainings of each condition
 */
async function computeBrainScore(run: BrainScoreRun, seeds: number) {
  const { gpu, data } = run, cacheDir = `${run.cache}/align`;
  const stage = <T>(name: string, work: (tick: Tick) => Promise<T>) =>
    run.stage(`brain-score ${name}`, (tick) => work(tick).finally(() => trim(gpu)));
  const brain = await stage("features", (tick) => data.readBrain(cacheDir, tick));
  const images = run.pipeline?.images ?? data.images;
  const { data: values } = brain.training.pooled;
  const inputs = {
    data: data.imagesKey,
    truth: data.labelsKey,
    sample: images.length < data.images.length ? namesSha256(images) : undefined,
    slots: brain.slots,
    pooled: sha256([new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]),
    seeds,
  };
  const found = await memoize(
    `${run.cache}/runs`,
    ["src/experiments/brain_score/compute.ts"],
    "brain-score",
    inputs,
    () => measureBrainScores({ gpu, brain, data: { ...data, images }, seeds, cacheDir, stage }),
  );
  return { brain, found };
}

/**
 * Trains and scores all conditions and writes the report.
 *
 * @param seeds trainings of each condition
 * @returns the path of the page
 */
export async function runBrainScore(run: BrainScoreRun, seeds: number): Promise<string> {
  const { data, out } = run, { brain, found } = await computeBrainScore(run, seeds);
  const { conditions, ridge, perSlot, space, trainedOn, universal } = found, { noiseCeiling } = brain;
  const apart = universal && layersApartLine(universal.ridge.slot, "ridge");
  if (apart) console.error(apart);
  const others = { ridge, no_align: perSlot, ridge_align: space, ridge_align_trained_on: trainedOn };
  await writeTables(out, "voxels", TABLE_FORMATS, () => [
    voxelTable(data.subject, { conditions, others, noiseCeiling }),
  ]);
  return await writeBrainScoreReport({
    ...found,
    ...run,
    seed: 0,
    data: data.name,
    models: brain.models,
    images: { training: brain.training.images.length, test: brain.test.images.length },
    voxels: Object.fromEntries([...brain.rois].map(([name, voxels]) => [name, voxels.length])),
    skipped: brain.skipped,
  });
}

async function brainScoreTask({ options }: Parsed<typeof COMMAND.options>): Promise<void> {
  const { adapter, seeds, limit = 100, cache, masks } = options, asked = askedOf(options);
  if (masks !== undefined && asked.folders.images === undefined) {
    throw new RangeError("--masks belongs to --images: give the photographs, too.");
  }
  const run = await openTaskRun(COMMAND.task, options), { timings } = run;
  // Models are compared by their means over an image: each sees its own patches.
  using data = await openRunData(asked, { quick: false, limit, cache, timings, masks, ownPatches: true });
  using gpu = await openTaskGpu(adapter, cache);
  const page = await runBrainScore({ ...run, gpu, data }, seeds);
  await run.finish({ [COMMAND.task]: page });
}

if (import.meta.main) await runCommand(COMMAND, brainScoreTask);
