/** The experiment `colors`: what the AlignedCut colors of all models and layers follow, image, place or category. */
import { fork, seededRandom, shuffle } from "../../linalg/random.ts";
import { bootstrapDraws, percentileInterval } from "../../statistics/bootstrap.ts";
import { bootstrapEffect, type Effect, permutationEffect } from "../../statistics/effect.ts";
import { mean } from "../../statistics/summary.ts";
import { imageCategories } from "../shared/image_truth.ts";
import { figurePatches } from "../shared/patch_labels.ts";
import { nodeOf, type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { layerLike } from "../shared/relative_layers.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";

/** Variance of one layer's colors explained by what, each from 0 to 1. */
export interface LayerVariance {
  model: string;
  layer: number;
  /** By the image that a patch is of. */
  image: number;
  /** By the place of the patch in its image. */
  position: number;
  /** Of the images' mean figure colors, by the category of the figure; null where that is not known. */
  category: number | null;
  /** 95 % interval of `image` over bootstrapped images. */
  interval: [number, number];
}

/** A claim's numbers for one model. */
export interface ModelTest {
  model: string;
  /** What is early and late in it. */
  bounds: LayerBounds;
  /** Variance explained by place less that by the image, least of the early layers; images bootstrapped. */
  early: Effect;
  /** Mean variance explained by the image in late layers, less that in early ones; images bootstrapped. */
  rise: Effect;
  /** Mean variance explained by category in the last layers, less that by categories exchanged between images. */
  category: Effect | null;
}

/** Which layers of a model count as early, late, and late enough for categories: 2, 4 and 9 of twelve. */
export interface LayerBounds {
  /** The last early one. */
  earlyTo: number;
  lateFrom: number;
  categoryFrom: number;
  /** The last of all. */
  last: number;
}

/** @throws UnsuitableData for a model of one layer */
export function boundsOf(model: string, depth: number): LayerBounds {
  if (depth < 2) {
    throw new UnsuitableData(`The model ${model} has one layer: its colors do not change over layers.`);
  }
  const earlyTo = layerLike(EARLY_TO, depth);
  return {
    earlyTo,
    lateFrom: Math.max(earlyTo + 1, layerLike(LATE_FROM, depth)),
    categoryFrom: layerLike(CATEGORY_FROM, depth),
    last: depth,
  };
}

/** What the experiment found. */
export interface AlignedColors {
  layers: LayerVariance[];
  models: ModelTest[];
  images: number;
  /** Different categories among the images; 0 where none is known. */
  categories: number;
}

/** Of twelve layers. */
const EARLY_TO = 2, LATE_FROM = 4, CATEGORY_FROM = 9;
const RESAMPLES = 200, PERMUTATIONS = 999;

/**
 * Share of the variance of points that their groups explain: η² = Σ_g n_g ‖mean_g − mean‖² / Σ_i ‖x_i − mean‖².
 *
 * @param points n × dims values
 * @param groups group of each point
 */
export function etaSquared(points: ArrayLike<number>, dims: number, groups: ArrayLike<number>): number {
  const n = groups.length, mean = new Float64Array(dims), sums = new Map<number, Float64Array>();
  const sizes = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const own = sums.get(groups[i]) ?? new Float64Array(dims);
    for (let c = 0; c < dims; c++) {
      own[c] += points[i * dims + c];
      mean[c] += points[i * dims + c] / n;
    }
    sums.set(groups[i], own);
    sizes.set(groups[i], (sizes.get(groups[i]) ?? 0) + 1);
  }
  let between = 0, total = 0;
  for (const [group, sum] of sums) {
    const size = sizes.get(group)!;
    for (let c = 0; c < dims; c++) between += size * (sum[c] / size - mean[c]) ** 2;
  }
  for (let at = 0; at < n * dims; at++) total += (points[at] - mean[at % dims]) ** 2;
  return total > 0 ? between / total : 0;
}

/** The patch colors of some images in one slot, image by image. */
function patchColors(pipeline: Pipeline, slot: number, images: ArrayLike<number>): Float64Array {
  const patches = pipeline.tokens - 1, out = new Float64Array(images.length * patches * 3);
  for (let i = 0; i < images.length; i++) {
    const from = 3 * nodeOf(pipeline, slot, images[i], 1);
    out.set(pipeline.colors.subarray(from, from + 3 * patches), i * patches * 3);
  }
  return out;
}

/** Figure tokens of every image whose figure and class are known. */
async function figureTokens({ images, grid }: Pipeline): Promise<number[][]> {
  const figures: number[][] = images.map(() => []);
  const known = [...images.keys()].filter((i) => images[i].mask && images[i].classMask);
  const labels = await figurePatches({ images: known.map((i) => images[i]), grid });
  known.forEach((image, i) =>
    figures[image] = Array.from(labels[i].keys()).filter((p) => labels[i][p] === 1).map((p) => p + 1)
  );
  return figures;
}

/** Mean figure color of every image in one slot; images without a figure patch are left out. */
function figureColors(
  pipeline: Pipeline,
  slot: number,
  figures: number[][],
): { points: number[]; images: number[] } {
  const points: number[] = [], images: number[] = [];
  figures.forEach((tokens, image) => {
    if (tokens.length === 0) return;
    images.push(image);
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (const token of tokens) sum += pipeline.colors[3 * nodeOf(pipeline, slot, image, token) + c];
      points.push(sum / tokens.length);
    }
  });
  return { points, images };
}

/**
 * Measures what explains the colors, layer by layer, with intervals over bootstrapped images.
 *
 * @param seed of resamples and permutations
 */
export async function alignedColors(pipeline: Pipeline, seed: number): Promise<AlignedColors> {
  const count = pipeline.images.length, patches = pipeline.tokens - 1;
  const categories = await imageCategories(pipeline.images, pipeline.classes);
  const figures = await figureTokens(pipeline);
  const labelled = [...figures.keys()].filter((image) => figures[image].length > 0);
  const known = new Set(labelled.map((image) => categories[image])).size;
  const imageOf = Uint16Array.from({ length: count * patches }, (_, at) => Math.floor(at / patches));
  const placeOf = imageOf.map((_, at) => at % patches);
  const shares = (slot: number, images: ArrayLike<number>, isPlaceAsked: boolean) => {
    const colors = patchColors(pipeline, slot, images);
    return {
      image: etaSquared(colors, 3, imageOf),
      position: isPlaceAsked ? etaSquared(colors, 3, placeOf) : 0,
    };
  };
  const all = Array.from({ length: count }, (_, i) => i), draws = bootstrapDraws(count, RESAMPLES, seed);
  const layers: LayerVariance[] = [], models: ModelTest[] = [];
  for (const model of pipeline.models) {
    const slots = slotsOf(pipeline, model), bounds = boundsOf(model, slots.length);
    const measured = slots.map((slot) => ({
      ...pipeline.slots[slot],
      ...shares(slot, all, true),
      drawn: draws.map((images) => shares(slot, images, pipeline.slots[slot].layer <= bounds.earlyTo)),
      figure: figureColors(pipeline, slot, figures),
    }));
    const categoryShare = (own: typeof measured, of: readonly number[]) =>
      mean(own.map(({ figure: { points, images } }) => etaSquared(points, 3, images.map((i) => of[i]))));
    for (const own of measured) {
      layers.push({
        model,
        layer: own.layer,
        image: own.image,
        position: own.position,
        category: known > 0 ? categoryShare([own], categories) : null,
        interval: percentileInterval(own.drawn.map(({ image }) => image)),
      });
    }
    const early = measured.filter(({ layer }) => layer <= bounds.earlyTo);
    const late = measured.filter(({ layer }) => layer >= bounds.lateFrom);
    const last = measured.filter(({ layer }) => layer >= bounds.categoryFrom);
    const least = (of: (own: typeof measured[number]) => { image: number; position: number }) =>
      Math.min(...early.map((own) => of(own).position - of(own).image));
    const rise = (of: (own: typeof measured[number]) => { image: number }) =>
      mean(late.map((own) => of(own).image)) - mean(early.map((own) => of(own).image));
    const random = seededRandom(fork(seed, "categories", model));
    models.push({
      model,
      bounds,
      early: bootstrapEffect(least((own) => own), draws.map((_, d) => least((own) => own.drawn[d])), count),
      rise: bootstrapEffect(rise((own) => own), draws.map((_, d) => rise((own) => own.drawn[d])), count),
      category: known > 1 && last.length > 0
        ? permutationEffect(
          categoryShare(last, categories),
          Array.from({ length: PERMUTATIONS }, () => {
            const mixed = categories.slice();
            shuffle(labelled.slice(), random).forEach((from, at) => mixed[labelled[at]] = categories[from]);
            return categoryShare(last, mixed);
          }),
          labelled.length,
        )
        : null,
    });
  }
  return { layers, models, images: count, categories: known };
}
