/** Trains and scores every alignment and its baselines. */
import { type AlignModel, predictResponses } from "../../align/model.ts";
import { slotName } from "../../align/slots.ts";
import { report } from "../../data/files/skipped.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { alignConditions, alignOf, scoreOf } from "../../pipeline/align_cache.ts";
import { type BrainData, type BrainDataOptions, depthOf, firstImages } from "../../pipeline/brain_data.ts";
import type { RunImage } from "../../pipeline/images.ts";
import type { RunModel } from "../../pipeline/models.ts";
import { layerLike } from "../shared/relative_layers.ts";
import { alignName, clusteringEffects, mixedNeighbors } from "./align_effect.ts";
import { perSlotScore, positionScores, ridgeScore } from "./baselines.ts";
import { sampleUniversality, slotsOfOneWidth, universality } from "./universality.ts";

/** Images whose tokens are clustered, and the most that models are mixed on. */
const CLUSTERED = 6, MIXED = 100;
/** Training images and cells a side of the measurement of position. */
const POSITION_IMAGES = 400, CELLS = 3;

/** Reports how much of a stage is done. */
type Tick = (done: number, total: number, note?: string) => void;

/** What is scored: models, their photographs, and the subject's responses. */
export interface ScoredData {
  models: RunModel[];
  /** Whether all models see the same patches. */
  isOneGrid: boolean;
  images: RunImage[];
  /** Photographs with classes that are not among `images`. */
  further: RunImage[];
  /** Class names by index, the background first; none where they are not known. */
  classes: readonly string[];
  readBrain(
    cacheDir: string,
    onProgress: Tick,
    options?: Pick<BrainDataOptions, "cells" | "limit"> & { models?: RunModel[] },
  ): Promise<BrainData>;
}

/** What `measureBrainScores` reads. */
export interface Measuring {
  gpu: Gpu;
  brain: BrainData;
  data: ScoredData;
  seeds: number;
  cacheDir: string;
  stage: <T>(name: string, work: (tick: Tick) => Promise<T>) => Promise<T>;
}

/** Trains and scores all conditions and baselines. */
export async function measureBrainScores({ gpu, brain, data, seeds, cacheDir, stage }: Measuring) {
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
    const middle = slotName(brain.models[0], layerLike(6, depthOf(brain, brain.models[0])));
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
  const alignments: Record<string, AlignModel> = { ridge_align: fitted };
  for (let seed = 0; seed < seeds; seed++) {
    for (const eigenWeight of [0, 1]) {
      const { model } = await alignOf(gpu, brain, { eigenWeight, seed }, cacheDir);
      alignments[alignName(eigenWeight === 1, seed)] = model;
    }
  }
  const paper = alignments[alignName(true, 0)];
  const masked = data.images.filter(({ mask }) => mask).slice(0, CLUSTERED);
  if (!data.isOneGrid) {
    report("left out, as models see different patches: clusters before and after alignment, the mixed graph");
  }
  const effects = masked.length > 0 && data.isOneGrid
    ? await stage("clusters", (tick) => clusteringEffects(gpu, data.models, alignments, masked, tick))
    : undefined;
  const mixable = { paper, ridge: fitted };
  const further = { images: data.further.slice(0, MIXED), classes: data.classes };
  const areMixed = further.images.length > 1 && data.models.length > 1 && data.isOneGrid;
  const mixed = areMixed
    ? await stage("mixed graph", () => mixedNeighbors(gpu, data.models, mixable, further, 0))
    : undefined;
  if (areMixed && !mixed) {
    report("left out, as fewer than two of the further photographs show a class: the mixed graph");
  }
  const universal = masked.length > 0
    ? await stage("universality", (tick) => universalities(gpu, data, paper, fitted, tick))
    : undefined;
  if (universal && data.models.length > 1 && !universal.ridge.agreement) {
    report(
      "left out, as no class of a figure is in two images, or only one is: agreement of models on classes",
    );
  }
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
async function universalities(gpu: Gpu, data: ScoredData, paper: AlignModel, ridge: AlignModel, tick: Tick) {
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
