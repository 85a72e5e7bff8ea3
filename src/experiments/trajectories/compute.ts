/** The experiment `trajectories`: where figure and ground part on their way through the layers of each model. */
import { figurePatches, imagesWithBoth } from "../shared/patch_labels.ts";
import { bootstrapDraws, percentileInterval } from "../../statistics/bootstrap.ts";
import { type StepTest, testStep } from "../../statistics/change_point.ts";
import { nodeOf, type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { areaUnderCurve, separationByImage } from "../../statistics/discriminant.ts";
import { type Effect, signFlipEffect } from "../../statistics/effect.ts";
import { type ExamplePixel, examplePixels, patchPlaces, type Place, placeOf } from "../shared/places.ts";
import { mean } from "../../statistics/summary.ts";

/** Where one kind of patch is in one layer. */
export interface MeanPlace {
  mean: Place;
  /** Standard deviation of the images' means, along each coordinate. */
  sd: Place;
}

/** One layer of one model. */
export interface LayerTrajectory {
  layer: number;
  /** Area under the curve in all eigenvectors, mean over images, with its 95 % interval over bootstrapped images. */
  separation: number;
  interval: [low: number, high: number];
  /** The same in the plane of the map. */
  planeSeparation: number;
  figure: MeanPlace;
  ground: MeanPlace;
  /** Some patches, for the chart of all layers. */
  sample: Place[];
}

export interface ModelTrajectory {
  model: string;
  layers: LayerTrajectory[];
  /** The step of the separation over the layers; `layer` is the first after it. */
  step: StepTest & { layer: number };
  /** Separation from that layer on less that of place alone; signs flipped image by image. */
  beyondPlace: Effect;
  /** The step, with the largest p of all that has to hold for a parting of ways. */
  parting: Effect;
  /** Places of the example pixels, layer by layer. */
  examples: Place[][];
}

/** What the experiment found. */
export interface Trajectories {
  models: ModelTrajectory[];
  examples: ExamplePixel[];
  /** Separation by the place in the image alone. */
  place: number;
  /** Images with figure and ground. */
  images: number;
  /** Paths are drawn from this layer on, in models of twelve, and from as deep in others. */
  firstDrawn: number;
}

/** Bootstrap resamples, and permutations. */
export const RESAMPLES = 999;

const SAMPLE = 60, EXAMPLES = 3, FIRST_DRAWN = 3;

/**
 * Follows figure and ground through the layers of each model.
 *
 * @param seed of resamples, permutations and the sample that is drawn
 * @throws Error when no image holds both figure and ground
 */
export async function trajectories(pipeline: Pipeline, seed: number): Promise<Trajectories> {
  const all = await figurePatches(pipeline), kept = imagesWithBoth(all);
  const labels = kept.map((image) => all[image]);
  const place = placeSeparation(labels), placeMean = mean(place);
  const examples = kept.slice(0, EXAMPLES).flatMap((image) =>
    examplePixels(pipeline.grid, all[image], image)
  );
  const draws = bootstrapDraws(kept.length, RESAMPLES, seed);
  const models = pipeline.models.map((model): ModelTrajectory => {
    const series = kept.map((): number[] => []);
    const layers = slotsOf(pipeline, model).map((slot): LayerTrajectory => {
      const places = kept.map((image) => patchPlaces(pipeline, slot, image));
      const inFull = separationByImage(
        kept.map((image) => patchVectors(pipeline, slot, image)),
        labels,
        pipeline.eigenvectors.cols,
      ).map((area) => area ?? 0.5);
      inFull.forEach((area, i) => series[i].push(area));
      const means = draws.map((draw) => draw.reduce((sum, i) => sum + inFull[i], 0) / draw.length);
      return {
        layer: pipeline.slots[slot].layer,
        separation: mean(inFull),
        interval: percentileInterval(means),
        planeSeparation: mean(separationByImage(places, labels, 2).map((area) => area ?? 0.5)),
        figure: meanPlace(places, labels, 1),
        ground: meanPlace(places, labels, 0),
        sample: spread(places, SAMPLE),
      };
    });
    const step = testStep(series, seed, RESAMPLES);
    const over = Float64Array.from(
      series,
      (own, i) => mean(own.slice(step.at)) - place[i],
    );
    const beyondPlace = signFlipEffect(over, seed);
    return {
      model,
      layers,
      beyondPlace,
      step: { ...step, layer: layers[step.at].layer },
      parting: partingOf(step, beyondPlace),
      examples: examples.map(({ image, patch }) =>
        slotsOf(pipeline, model).map((slot) => placeOf(pipeline, nodeOf(pipeline, slot, image, 1 + patch)))
      ),
    };
  });
  return { models, examples, place: placeMean, images: kept.length, firstDrawn: FIRST_DRAWN };
}

/**
 * The step upwards as an effect. It has to beat chance, a straight line and place alone, and to stay where it is, give or
 * take a layer, when images are resampled: p is the largest of the four.
 *
 * @param step of the separation over the layers
 * @param beyondPlace of the layers from the step on
 */
export function partingOf(
  { at, p, lineP, movedP, jump, interval: [low, high] }: StepTest,
  beyondPlace: Effect,
): Effect {
  const n = beyondPlace.n;
  if (at === 0) return { effect: 0, low, high, p: 1, n };
  return { effect: jump, low, high, p: Math.max(p, lineP, movedP, beyondPlace.p), n };
}

/**
 * Separation by place alone: a patch scores the share of the other images that have figure there.
 *
 * @param labels 1 figure, 0 ground of every image's patches
 * @returns the area under the curve of every image
 */
export function placeSeparation(labels: readonly ArrayLike<number>[]): Float64Array {
  const share = new Float64Array(labels[0].length);
  for (const own of labels) for (let p = 0; p < own.length; p++) share[p] += own[p];
  return Float64Array.from(labels, (own) => areaUnderCurve(share.map((sum, p) => sum - own[p]), own) ?? 0.5);
}

/** Eigenvectors of one image's patches in one slot, a view. */
function patchVectors(pipeline: Pipeline, slot: number, image: number): Float32Array {
  const { data, cols } = pipeline.eigenvectors, first = nodeOf(pipeline, slot, image, 1);
  return data.subarray(first * cols, (first + pipeline.tokens - 1) * cols);
}

function meanPlace(places: Float32Array[], labels: Uint8Array[], kind: number): MeanPlace {
  const means = places.map((own, image): Place => {
    let x = 0, y = 0, count = 0;
    labels[image].forEach((label, p) => {
      if (label !== kind) return;
      x += own[2 * p];
      y += own[2 * p + 1];
      count++;
    });
    return [x / count, y / count];
  });
  const along = (c: 0 | 1) => {
    const middle = mean(means.map((place) => place[c]));
    return { middle, sd: Math.sqrt(mean(means.map((place) => (place[c] - middle) ** 2))) };
  };
  const [x, y] = [along(0), along(1)];
  return { mean: [x.middle, y.middle], sd: [x.sd, y.sd] };
}

/** About `count` patches at even steps through all images and places. */
function spread(places: Float32Array[], count: number): Place[] {
  const patches = places[0].length / 2, total = places.length * patches;
  return Array.from({ length: Math.min(count, total) }, (_, i) => {
    const at = Math.floor((i + 0.5) * total / Math.min(count, total));
    const p = at % patches, own = places[Math.floor(at / patches)];
    return [own[2 * p], own[2 * p + 1]];
  });
}
