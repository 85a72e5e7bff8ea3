/** The experiment `colors`: what the AlignedCut colors of all models and layers follow, image, place or category. */
import { seededRandom } from "../../linalg/random.ts";
import { imageCategories } from "../shared/image_truth.ts";
import { figurePatches } from "../shared/patch_labels.ts";
import { nodeOf, type Pipeline, slotsOf } from "../../pipeline/pipeline.ts";
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
  /** Mean variance explained by the image in late layers, less that in early ones; its 95 % interval. */
  rise: number;
  interval: [number, number];
  /** Whether place explains more than the image in the early layers. */
  earlyIgnores: boolean;
  /** Mean variance explained by category in the last layers, and how often chance reaches it. */
  lateCategory: number | null;
  p: number | null;
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

function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))];
}

/**
 * Measures what explains the colors, layer by layer, with intervals over bootstrapped images.
 *
 * @param seed of resamples and permutations
 */
export async function alignedColors(pipeline: Pipeline, seed: number): Promise<AlignedColors> {
  const count = pipeline.images.length, patches = pipeline.tokens - 1, random = seededRandom(seed);
  const categories = await imageCategories(pipeline.images, pipeline.classes);
  const figures = await figureTokens(pipeline);
  const labelled = [...figures.keys()].filter((image) => figures[image].length > 0);
  const known = new Set(labelled.map((image) => categories[image])).size;
  const all = Array.from({ length: count }, (_, i) => i);
  const imageOf = Uint16Array.from({ length: count * patches }, (_, at) => Math.floor(at / patches));
  const placeOf = imageOf.map((_, at) => at % patches);
  const draws = Array.from({ length: RESAMPLES }, () => all.map(() => Math.floor(random() * count)));
  const layers: LayerVariance[] = [], models: ModelTest[] = [];
  for (const model of pipeline.models) {
    const rises = new Float64Array(RESAMPLES), own: LayerVariance[] = [];
    const slots = slotsOf(pipeline, model), bounds = boundsOf(model, slots.length);
    const late = slots.filter((s) => pipeline.slots[s].layer >= bounds.lateFrom).length;
    for (const slot of slots) {
      const { layer } = pipeline.slots[slot], colors = patchColors(pipeline, slot, all);
      const weight = layer >= bounds.lateFrom ? 1 / late : layer <= bounds.earlyTo ? -1 / bounds.earlyTo : 0;
      const resampled = draws.map((images, draw) => {
        const eta = etaSquared(patchColors(pipeline, slot, images), 3, imageOf);
        rises[draw] += weight * eta;
        return eta;
      }).sort((a, b) => a - b);
      const { points, images } = figureColors(pipeline, slot, figures);
      own.push({
        model,
        layer,
        image: etaSquared(colors, 3, imageOf),
        position: etaSquared(colors, 3, placeOf),
        category: known > 0 ? etaSquared(points, 3, images.map((image) => categories[image])) : null,
        interval: [quantile(resampled, 0.025), quantile(resampled, 0.975)],
      });
    }
    const mean = (part: LayerVariance[], of: "image" | "position" | "category") =>
      part.reduce((sum, layer) => sum + (layer[of] ?? 0), 0) / part.length;
    const early = own.filter(({ layer }) => layer <= bounds.earlyTo);
    const lateOnes = own.filter(({ layer }) => layer >= bounds.categoryFrom);
    const lateSlots = slots.filter((slot) => pipeline.slots[slot].layer >= bounds.categoryFrom);
    const colors = lateSlots.map((slot) => figureColors(pipeline, slot, figures));
    const lateCategory = known > 0 && lateOnes.length > 0 ? mean(lateOnes, "category") : null;
    let reached = 1;
    for (let i = 0; i < PERMUTATIONS && lateCategory !== null; i++) {
      const order = labelled.slice();
      for (let k = order.length - 1; k > 0; k--) {
        const j = Math.floor(random() * (k + 1));
        [order[k], order[j]] = [order[j], order[k]];
      }
      const exchanged = new Map(labelled.map((image, at) => [image, categories[order[at]]]));
      const eta = colors.reduce((sum, { points, images }) =>
        sum + etaSquared(
          points,
          3,
          images.map((image) => exchanged.get(image)!),
        ), 0) / colors.length;
      if (eta >= lateCategory - 1e-12) reached++;
    }
    const sorted = [...rises].sort((a, b) => a - b);
    models.push({
      model,
      bounds,
      rise: mean(own.filter(({ layer }) => layer >= bounds.lateFrom), "image") - mean(early, "image"),
      interval: [quantile(sorted, 0.025), quantile(sorted, 0.975)],
      earlyIgnores: early.every(({ image, position }) => position > image),
      lateCategory,
      p: lateCategory === null ? null : reached / (PERMUTATIONS + 1),
    });
    layers.push(...own);
  }
  return { layers, models, images: count, categories: known };
}
