/** `./run brain-score`: channel alignment against its baselines on held-out images, with a report. */
import { createHash } from "node:crypto";
import { closeGpu, type Gpu } from "../mod.ts";
import { DATA_OPTIONS } from "../src/cli/data_options.ts";
import { type Parsed, runCommand } from "../src/cli/options.ts";
import { wholeNumber } from "../src/cli/option_kinds.ts";
import { tell } from "../src/data/files/skipped.ts";
import { memoize } from "../src/data/cache/memoize.ts";
import { TABLE_FORMATS, writeTables } from "../src/data/formats/table_file.ts";
import { alignConditions, alignOf, scoreOf } from "../src/pipeline/align_cache.ts";
import { type AlignModel, predictResponses } from "../src/align/model.ts";
import { alignName, clusteringEffects, mixedNeighbors } from "../src/experiments/brain_score/align_effect.ts";
import { type BrainData, depthOf, firstImages } from "../src/pipeline/brain_data.ts";
import { writeBrainScoreReport } from "../src/experiments/brain_score/report.ts";
import { perSlotScore, positionScores, ridgeScore } from "../src/experiments/brain_score/baselines.ts";
import { writeIndexPage } from "../src/experiments/shared/index_page.ts";
import { layerLike } from "../src/experiments/shared/relative_layers.ts";
import {
  sampleUniversality,
  slotsOfOneWidth,
  universality,
} from "../src/experiments/brain_score/universality.ts";
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
      help: "how often each weight of the eigen-constraint is trained, by seeds 0 to N − 1",
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

/** Images whose tokens are clustered, and the most that models are mixed on. */
const CLUSTERED = 6, MIXED = 100;
/** Training images and cells a side of the measurement of position. */
const POSITION_IMAGES = 400, CELLS = 3;

/** A run with its device and data. */
type BrainScoreRun = TaskRun & { gpu: Gpu; data: RunData };

/**
 * Trains and scores all conditions, or reads what an earlier run, or a thread beside this one, has left.
 *
 * @param seeds trainings of each condition
 */
export async function computeBrainScore(run: BrainScoreRun, seeds: number) {
  const { gpu, data } = run, cacheDir = `${run.cache}/align`;
  const stage = <T>(name: string, work: (tick: Tick) => Promise<T>) => run.stage(`brain-score ${name}`, work);
  const brain = await stage("features", (tick) => data.readBrain(cacheDir, tick));
  const inputs = {
    data: data.identity,
    truth: data.truth,
    slots: brain.slots,
    pooled: hashOf(brain.training.pooled),
    seeds,
  };
  const found = await memoize(
    `${run.cache}/runs`,
    ["tasks/brain_score.ts"],
    "brain-score",
    inputs,
    () => measured({ gpu, brain, data, seeds, cacheDir, stage }),
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

function hashOf({ data }: { data: Float32Array }): string {
  return createHash("sha256").update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).digest(
    "hex",
  );
}

/** What `measured` reads. */
interface Measuring {
  gpu: Gpu;
  brain: BrainData;
  data: RunData;
  seeds: number;
  cacheDir: string;
  stage: <T>(name: string, work: (tick: Tick) => Promise<T>) => Promise<T>;
}

/** Trains and scores all conditions and baselines. */
async function measured({ gpu, brain, data, seeds, cacheDir, stage }: Measuring) {
  const fitted =
    (await stage("ridge alignment", (tick) => alignOf(gpu, brain, "ridge", cacheDir, tick))).model;
  const [conditions, trained] = await stage("align", (tick) =>
    Promise.all([
      alignConditions(gpu, brain, seeds, cacheDir, tick),
      alignOf(gpu, brain, "ridge trained on", cacheDir),
    ]));
  const ridge = await stage("ridge", () => ridgeScore(gpu, brain));
  const perSlot = await stage("no alignment", (tick) => perSlotScore(gpu, brain, tick));
  const position = await stage("position", async (onProgress) => {
    const middle = `${brain.models[0]} L${layerLike(6, depthOf(brain, brain.models[0]))}`;
    const one = { models: data.models.slice(0, 1), limit: POSITION_IMAGES, cells: CELLS };
    const cells = await data.readBrain(cacheDir, onProgress, one);
    return await positionScores(
      gpu,
      firstImages(brain, POSITION_IMAGES),
      cells,
      middle,
      CELLS,
    );
  });
  const aligns: Record<string, AlignModel> = { ridge_align: fitted };
  for (let seed = 0; seed < seeds; seed++) {
    for (const eigenWeight of [0, 1]) {
      const { model } = await alignOf(gpu, brain, { eigenWeight, seed }, cacheDir);
      aligns[alignName(eigenWeight === 1, seed)] = model;
    }
  }
  const paper = aligns[alignName(true, 0)];
  const masked = data.images.filter(({ mask }) => mask).slice(0, CLUSTERED);
  if (!data.isOneGrid) {
    tell("left out, as models see different patches: clusters before and after alignment, the mixed graph");
  }
  const effects = masked.length > 0 && data.isOneGrid
    ? await stage("clusters", (tick) => clusteringEffects(gpu, data.models, aligns, masked, tick))
    : undefined;
  const mixable = { paper, ridge: fitted };
  const further = { images: data.further.slice(0, MIXED), classes: data.classes };
  const mixed = further.images.length > 1 && data.models.length > 1 && data.isOneGrid
    ? await stage("mixed graph", () => mixedNeighbors(gpu, data.models, mixable, further, 0))
    : undefined;
  const universal = masked.length > 0
    ? await stage("universality", (tick) => universalities(gpu, data, paper, fitted, tick))
    : undefined;
  const score = async (model: AlignModel) =>
    scoreOf(brain, await predictResponses(gpu, model, brain.test.pooled));
  return {
    conditions,
    ridge,
    perSlot,
    position,
    effects,
    mixed,
    universal,
    space: await score(fitted),
    trainedOn: await score(trained.model),
  };
}

/** Raw features, where they have one width; aligned as in the paper; and aligned by ridge regression. */
async function universalities(gpu: Gpu, data: RunData, paper: AlignModel, ridge: AlignModel, tick: Tick) {
  const sample = await sampleUniversality(data.models, data.images, data.classes, 0, { onProgress: tick });
  const isOneWidth = new Set(sample.slots.map(({ features }) => features.cols)).size === 1;
  const part = isOneWidth ? undefined : slotsOfOneWidth(sample);
  return {
    nodes: sample.joint * sample.slots.length,
    images: sample.images,
    ...(isOneWidth && { raw: await universality(gpu, sample) }),
    paper: await universality(gpu, sample, paper),
    ridge: await universality(gpu, sample, ridge),
    ...(part && {
      oneWidth: {
        models: [...new Set(part.slots.map(({ model }) => model))],
        width: part.slots[0].features.cols,
        raw: await universality(gpu, part),
        ridge: await universality(gpu, part, ridge),
      },
    }),
  };
}

async function brainScoreTask({ options }: Parsed<typeof COMMAND.options>): Promise<void> {
  const { adapter, seeds, limit = 100, cache, masks } = options, asked = askedOf(options);
  if (masks !== undefined && asked.folders.images === undefined) {
    throw new RangeError("--masks belongs to --images: give the photographs, too.");
  }
  const run = await openTaskRun(COMMAND.task, options), { timings } = run;
  // Models are compared by their means over an image: each sees its own patches.
  const data = await openRunData(asked, { quick: false, limit, cache, timings, masks, ownPatches: true });
  const gpu = await openTaskGpu(adapter, cache);
  try {
    const page = await runBrainScore({ ...run, gpu, data }, seeds);
    await writeIndexPage(run.out, { [COMMAND.task]: page }, run.command);
    console.error(`done: ${page}`);
  } finally {
    closeGpu(gpu);
    data.close();
  }
}

if (import.meta.main) await runCommand(COMMAND, brainScoreTask);
