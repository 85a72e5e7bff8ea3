/** The experiment `figure-ground`: what figure and ground are in brain space, and whether one pixel finds its kind. */
import { applyAlign } from "../../align/model.ts";
import { findSlot } from "../../align/slots.ts";
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { bootstrapDraws, type Estimate, percentileInterval } from "../../statistics/bootstrap.ts";
import { FIGURE, GROUND, type SlotActivation, slotActivation, slotFeatures } from "../shared/activation.ts";
import {
  agreementByImage,
  areaByImage,
  cosineLikeness,
  type Directions,
  directions,
  exchangedAreas,
  type Likeness,
  meanOf,
  meanOverQueries,
  placeLikeness,
  type Query,
  searchAreas,
  type Targets,
} from "./pixel_search.ts";
import { figurePatches, imagesWithBoth } from "../shared/patch_labels.ts";
import { type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { layerLike } from "../shared/relative_layers.ts";
import { type Effect, signFlipEffect, weakest } from "../../statistics/effect.ts";
import { signFlipTest } from "../../statistics/sign_flip_test.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";
import { slotVectors } from "../shared/slot_vectors.ts";
import { examplePixels } from "../shared/places.ts";
import type {
  AlignEffect,
  FigureGround,
  LayerFigureGround,
  ModelFigureGround,
  ModelPair,
  PixelSearch,
  RegionActivation,
} from "./results.ts";
import { mean, pearson } from "../../statistics/summary.ts";

/** The layers in which the paper sees one color of figures over all categories; they are tested, whatever ours show. */
export const PAPER_LAYERS = [
  { name: "CLIP", layer: 5 },
  { name: "DINO", layer: 6 },
  { name: "MAE", layer: 8 },
] as const;

/** Regions that figure activates more than ground, and less; the others are not in the claim. */
export const FIGURE_MORE = ["V1", "V2", "V3", "V4", "OFA", "FFA"], FIGURE_LESS = ["OPA", "PPA"];

/** Bootstrap resamples of images, and random signs of images. */
export const RESAMPLES = 999, PERMUTATIONS = 9_999;

/** Images that a pixel is taken of. */
const QUERIES = 20;

/** The layer of a model that is tested: what lies as deep as the paper's, or for other models the middle one. */
export function testedLayer(model: string, layers: readonly number[]): number {
  const paper = PAPER_LAYERS.find(({ name }) => model.toUpperCase().includes(name));
  if (paper) return layers[layerLike(paper.layer, layers.length) - 1];
  return layers[Math.floor((layers.length - 1) / 2)];
}

/**
 * Measures figure and ground in brain space and by similarity.
 *
 * @param rois voxels of every region
 * @param categories of every image
 * @param seed of resamples and permutations
 * @throws Error when fewer than two images hold figure and ground
 */
export async function figureGround(
  gpu: Gpu,
  pipeline: Pipeline,
  rois: Map<string, Uint32Array>,
  categories: number[],
  seed: number,
  onProgress?: (done: number, total: number) => void,
): Promise<FigureGround> {
  const labels = await figurePatches(pipeline), images = imagesWithBoth(labels);
  if (images.every((image) => categories[image] === categories[images[0]])) {
    throw new UnsuitableData(`All ${images.length} images show one category: give images of two at least.`);
  }
  const draws = bootstrapDraws(images.length, RESAMPLES, seed), targets = { labels, categories, images };
  const queries = pixelsOf(pipeline.grid, labels, images);
  const near = placeLikeness(pipeline.grid);
  const place = {
    figure: areaByImage(near, queries.figure, targets, FIGURE),
    ground: areaByImage(near, queries.ground, targets, GROUND),
  };
  const models: ModelFigureGround[] = [], patterns: Float64Array[][] = [];
  const spaces: { aligned: Directions; raw: Directions }[] = [];
  for (const model of pipeline.models) {
    const slots = slotsOf(pipeline, model);
    const layer = testedLayer(model, slots.map((slot) => pipeline.slots[slot].layer));
    const slot = slots.find((slot) => pipeline.slots[slot].layer === layer)!;
    const layers: LayerFigureGround[] = [];
    let tested: SlotActivation | undefined, whole: SlotActivation | undefined;
    for (const own of slots) {
      const activation = await slotActivation(gpu, pipeline, own, labels, images, rois);
      if (own === slot) tested = activation;
      whole = whole ? sumOf(whole, activation) : activation;
      const likeness = cosineLikeness(eigenDirections(pipeline, own));
      layers.push({
        layer: pipeline.slots[own].layer,
        differences: columnsOf(activation).map((values) => estimate(values, draws)),
        area: estimate(areaByImage(likeness, queries.figure, targets, FIGURE), draws),
      });
      onProgress?.(pipeline.models.indexOf(model) * slots.length + layers.length, pipeline.slots.length);
    }
    const raw = await slotFeatures(pipeline, slot);
    const alignSlot = findSlot(pipeline.align.slots, model, layer);
    const space = {
      aligned: directions(await applyAlign(gpu, pipeline.align, alignSlot, raw), pipeline.tokens),
      raw: directions(raw, pipeline.tokens),
    };
    const eigen = cosineLikeness(eigenDirections(pipeline, slot));
    const search = (kind: "figure" | "ground") =>
      pixelSearch(eigen, space, queries[kind], targets, kind === "figure" ? FIGURE : GROUND, place[kind], {
        draws,
        seed,
      });
    spaces.push(space);
    patterns.push(columnsOf(tested!));
    models.push({
      model,
      layer,
      slot,
      layers,
      voxels: { figure: [...tested!.voxels.figure], ground: [...tested!.voxels.ground] },
      regions: regionsOf(tested!, [...rois.keys()], draws, seed),
      whole: regionsOf(whole!, [...rois.keys()], draws, seed),
      figure: search("figure"),
      ground: search("ground"),
    });
  }
  return {
    images,
    models,
    queries,
    categories,
    rois: [...rois.keys()],
    place: { figure: meanOf(place.figure), ground: meanOf(place.ground) },
    pairs: pairsOf(pipeline.models, patterns, draws, seed),
    maps: mapAgreement(spaces, queries.figure, targets, seed),
    across: acrossModels(spaces, queries.figure, targets, seed),
  };
}

/** Figure and ground pixels of up to `QUERIES` images, evenly spread. */
export function pixelsOf(
  grid: { rows: number; cols: number },
  labels: Uint8Array[],
  images: number[],
): { figure: Query[]; ground: Query[] } {
  const count = Math.min(QUERIES, images.length);
  const chosen = Array.from({ length: count }, (_, i) => images[Math.floor(i * images.length / count)]);
  const pixels = chosen.flatMap((image) => examplePixels(grid, labels[image], image));
  const of = (kind: "figure" | "ground") => pixels.filter((pixel) => pixel.kind === kind);
  return { figure: of("figure"), ground: of("ground") };
}

/** Patches of one slot in all eigenvectors of the pipeline. */
export function eigenDirections(pipeline: Pipeline, slot: number): Directions {
  return directions(slotVectors(pipeline, slot, pipeline.eigenvectors.cols), pipeline.tokens);
}

/** Figure minus ground of every region, one value an image. */
function columnsOf({ figure, ground }: SlotActivation): Float64Array[] {
  const { rows, cols } = figure;
  return Array.from(
    { length: cols },
    (_, r) =>
      Float64Array.from({ length: rows }, (_, i) => figure.data[i * cols + r] - ground.data[i * cols + r]),
  );
}

function sumOf(a: SlotActivation, b: SlotActivation): SlotActivation {
  const add = (x: Float32Array, y: Float32Array) => x.map((value, i) => value + y[i]);
  const matrices = (x: Matrix, y: Matrix) => ({ ...x, data: add(x.data, y.data) });
  return {
    figure: matrices(a.figure, b.figure),
    ground: matrices(a.ground, b.ground),
    voxels: { figure: add(a.voxels.figure, b.voxels.figure), ground: add(a.voxels.ground, b.voxels.ground) },
  };
}

/** The regions of one layer, each with its test. */
export function regionsOf(
  activation: SlotActivation,
  rois: string[],
  draws: Uint32Array[],
  seed: number,
): RegionActivation[] {
  return columnsOf(activation).map((differences, r) => {
    const roi = rois[r], { rows, cols } = activation.figure;
    const column = ({ data }: Matrix) =>
      meanOf(Float64Array.from({ length: rows }, (_, i) => data[i * cols + r]));
    const expected = FIGURE_MORE.includes(roi) ? 1 : FIGURE_LESS.includes(roi) ? -1 : 0;
    return {
      roi,
      expected,
      figure: column(activation.figure),
      ground: column(activation.ground),
      difference: estimate(differences, draws),
      p: expected === 0 ? null : signFlipTest(differences.map((value) => expected * value), seed),
    };
  });
}

function pixelSearch(
  eigen: Likeness,
  space: { aligned: Directions; raw: Directions },
  queries: Query[],
  targets: Targets,
  kind: number,
  place: Float64Array,
  { draws, seed }: { draws: Uint32Array[]; seed: number },
): PixelSearch {
  const each = searchAreas(eigen, queries, targets, kind), areas = meanOverQueries(each);
  const single = each.map(meanOf);
  return {
    area: estimate(areas, draws),
    beyondPlace: beyondPlace(
      areas,
      { near: place, exchanged: exchangedAreas(eigen, queries, targets, kind) },
      seed,
    ),
    range: [Math.min(...single), Math.max(...single)],
    aligned: meanOf(areaByImage(cosineLikeness(space.aligned), queries, targets, kind)),
    raw: meanOf(areaByImage(cosineLikeness(space.raw), queries, targets, kind)),
  };
}

/**
 * How much better a search is than place alone: than nearness to the pixel's place (or one half, where that does worse),
 * and than the same similarities with the masks of other images, which stand where figures tend to stand. Both have to
 * hold, and the one with the larger p counts.
 *
 * @param areas one an image, NaN where nothing was asked
 * @param near the same by nearness
 * @param exchanged the same with other images' masks
 */
export function beyondPlace(
  areas: Float64Array,
  { near, exchanged }: { near: Float64Array; exchanged: Float64Array },
  seed: number,
): Effect {
  const isBelowChance = meanOf(near) < 0.5;
  const less = (of: (image: number) => number) => signFlipEffect(areas.map((area, i) => area - of(i)), seed);
  return weakest([less((i) => isBelowChance ? 0.5 : near[i]), less((i) => exchanged[i])]);
}

export function pairsOf(
  models: string[],
  patterns: Float64Array[][],
  draws: Uint32Array[],
  seed: number,
): ModelPair[] {
  return models.flatMap((model, a) =>
    models.slice(a + 1).map((other, i): ModelPair => {
      const [own, others] = [patterns[a], patterns[a + 1 + i]], images = own[0].length;
      const r = pearson(own.map(meanOf), others.map(meanOf));
      const resampled = draws.map((draw) => pearson(drawnMeans(own, draw), drawnMeans(others, draw)));
      const [low, high] = percentileInterval(resampled);
      const p = flippedP(own.map(meanOf), others, seed);
      return { models: [model, other], agreement: { effect: r, low, high, p, n: images } };
    })
  );
}

function drawnMeans(columns: Float64Array[], draw: Uint32Array): number[] {
  return columns.map((values) => draw.reduce((sum, i) => sum + values[i], 0) / draw.length);
}

/**
 * One-sided p of two models' patterns over regions varying together: figure and ground are exchanged in random images of
 * one model, so that its regions go on varying together; the data as they are count as one of the exchanges. The statistic
 * is the covariance, as r of an exchanged strong pattern is as large as that of the pattern itself.
 *
 * @param pattern of the other model, one value a region
 * @param columns figure minus ground, one list a region, one value an image
 */
export function flippedP(pattern: number[], columns: Float64Array[], seed: number): number {
  const middle = mean(pattern), images = columns[0].length;
  const weighted = Float64Array.from(
    { length: images },
    (_, i) => columns.reduce((sum, values, r) => sum + (pattern[r] - middle) * values[i], 0),
  );
  return signFlipTest(weighted, seed, PERMUTATIONS);
}

function mapAgreement(
  spaces: { aligned: Directions; raw: Directions }[],
  queries: Query[],
  targets: Targets,
  seed: number,
): AlignEffect | null {
  if (spaces.length < 2) return null;
  const of = (name: "aligned" | "raw") =>
    agreementByImage(spaces.map((space) => cosineLikeness(space[name])), queries, targets);
  return effectOf(of("raw"), of("aligned"), seed);
}

function acrossModels(
  spaces: { aligned: Directions; raw: Directions }[],
  queries: Query[],
  targets: Targets,
  seed: number,
): AlignEffect | null {
  if (spaces.length < 2 || spaces.some(({ raw }) => raw.dims !== spaces[0].raw.dims)) return null;
  const of = (name: "aligned" | "raw") => {
    const found = spaces.flatMap((from, a) =>
      spaces.filter((_, b) => b !== a).map((to) =>
        areaByImage(cosineLikeness(from[name], to[name]), queries, targets, FIGURE)
      )
    );
    return found[0].map((_, i) => found.reduce((sum, areas) => sum + areas[i], 0) / found.length);
  };
  return effectOf(of("raw"), of("aligned"), seed);
}

function effectOf(raw: Float64Array, aligned: Float64Array, seed: number): AlignEffect {
  const gain = signFlipEffect(aligned.map((value, i) => value - raw[i]), seed);
  return { raw: meanOf(raw), aligned: meanOf(aligned), gain };
}

function estimate(values: Float64Array, draws: Uint32Array[]): Estimate {
  const drawn = new Float64Array(values.length);
  const means = draws.map((draw) => {
    for (let i = 0; i < draw.length; i++) drawn[i] = values[draw[i]];
    return meanOf(drawn);
  });
  return { value: meanOf(values), interval: percentileInterval(means.filter((mean) => !Number.isNaN(mean))) };
}
