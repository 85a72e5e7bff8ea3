/** The experiment `segmentation`: the layer from which figure and ground, and categories, are separable. */
import type { Matrix } from "../../linalg/matrix.ts";
import { bootstrapDraws, type Estimate, percentileInterval } from "../../statistics/bootstrap.ts";
import { bootstrapEffect, type Effect } from "../../statistics/effect.ts";
import { classLabels, figureLabels, plainFeatures } from "../shared/image_truth.ts";
import { type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import type { LayerGraph } from "./layer_graphs.ts";
import { bestOverlap, type ImageSegmentation, segmentImages } from "./overlap.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";
import { ORACLE_COMPONENTS, THRESHOLDS, type TokenLabels } from "../shared/oracle_segmentation.ts";
import { slotVectors } from "../shared/slot_vectors.ts";

/** What is told apart. */
export const KINDS = ["figure_ground", "category"] as const;
/** One of the two. */
export type Kind = typeof KINDS[number];

/** One value of each kind. */
export type ByKind<T> = Record<Kind, T>;

/** What counts as a peak that is reached and stays; set before any number was seen. */
export const ORDER_RULE = {
  /** A layer has reached its curve's peak when its mIoU is at least this share of it. */
  reached: 0.95,
  /** From that layer on figure-ground mIoU never falls below this share of its peak. */
  kept: 0.9,
};

/** Bootstrap resamples of the images. */
export const RESAMPLES = 999;

/** Oracle segmentation of one layer. */
export interface LayerScore extends Estimate {
  /** 1 is the first. */
  layer: number;
  /** The best of the grid. */
  threshold: number;
  /** Class given to every token. */
  assigned: Uint8Array;
  /** mIoU of every resample of the images. */
  resampled: Float64Array;
}

/** How the curves of figure-ground and category are ordered. */
export interface LayerOrder {
  /** First layer that reaches 95 % of its curve's peak, with its interval over bootstrapped images. */
  reached: ByKind<{ layer: number; interval: [low: number, high: number] }>;
  /** Layer of the peak. */
  peak: ByKind<{ layer: number; value: number; interval: [low: number, high: number] }>;
  /** Layers by which figure and ground reach it earlier than categories. */
  earlier: Effect;
  /** Least figure-ground mIoU from its layer on, as a share of its peak, less `ORDER_RULE.kept`. */
  stays: Effect;
  /** Peak of figure-ground less that of color and position. */
  beyondBaseline: Effect;
}

export interface ModelSegmentation {
  /** Its name. */
  model: string;
  /** By layer. */
  scores: ByKind<LayerScore[]>;
  /** Which comes first. */
  order: LayerOrder;
}

/** One kind of graph. */
export interface GraphSegmentation {
  /** How many. */
  images: number;
  /** In the pipeline's order. */
  models: ModelSegmentation[];
  /** Color and place of the patches instead of eigenvectors, on the same images. */
  baseline: ByKind<Estimate>;
}

/** Single layers before and after alignment. */
export interface AlignedScore {
  model: string;
  layer: number;
  /** Features of the model as they are. */
  before: ByKind<Estimate>;
  /** After alignment with the eigen-constraint. */
  aligned: ByKind<Estimate>;
  /** After alignment without it. */
  noConstraint: ByKind<Estimate>;
}

/** What the experiment found. */
export interface Segmentation {
  /** Each layer's graph by itself. */
  single: GraphSegmentation;
  /** The pipeline's one graph of all layers and models. */
  joint: GraphSegmentation;
  /** Layers that were clustered before and after alignment. */
  aligned: AlignedScore[];
  /** Aligned with the constraint, less without. */
  constraint: ByKind<Effect>;
  /** Before alignment, less after alignment with the constraint. */
  loss: ByKind<Effect>;
}

/** Truth of some images: pixel counts of every token. */
export type Truth = ByKind<TokenLabels>;

/** Truth of all images of a pipeline: figure and ground, and classes with the background. */
export async function pipelineTruth(
  { images, grid, classes }: Pick<Pipeline, "images" | "grid" | "classes">,
): Promise<Truth> {
  if (!images.some(({ mask }) => mask)) {
    throw new UnsuitableData("No image has a figure-ground mask: give --data voc:DIR or imagenet-seg:DIR.");
  }
  if (!images.some(({ classMask }) => classMask)) {
    throw new UnsuitableData("The classes of the images are not known: give --data voc:DIR.");
  }
  return {
    figure_ground: await figureLabels(images, grid),
    category: await classLabels(images, grid, classes),
  };
}

/**
 * Scores every layer of the pipeline's graph, and of the graphs of single layers before and after alignment.
 *
 * @param truth of all images of the pipeline
 * @param graphs of the pipeline's first images: of every layer before alignment, of the same some layers after it
 * @param seed of the resamples
 */
export async function segmentation(
  pipeline: Pipeline,
  truth: Truth,
  graphs: { images: number; before: LayerGraph[]; aligned: LayerGraph[]; noConstraint: LayerGraph[] },
  seed: number,
): Promise<Segmentation> {
  const joint = await segmentGraph(
    pipeline,
    truth,
    pipeline.images.length,
    (slot) => slotVectors(pipeline, slot, ORACLE_COMPONENTS),
    seed,
  );
  const { images } = graphs, tokens = pipeline.tokens * images;
  const part = (kind: Kind): TokenLabels => {
    const { counts, classes } = truth[kind];
    return { counts: counts.subarray(0, tokens * classes), classes };
  };
  const seen = { figure_ground: part("figure_ground"), category: part("category") };
  const before = new Map(graphs.before.map(({ slot, eigenvectors }) => [slot, eigenvectors]));
  const single = await segmentGraph(pipeline, seen, images, (slot) => before.get(slot)!, seed);

  const draws = bootstrapDraws(images, RESAMPLES, seed);
  const scoreOf = (vectors: Matrix) => byKind((kind) => score(vectors, seen[kind], images, draws));
  const measured = graphs.aligned.map(({ slot, eigenvectors }, i) => {
    const { model, layer } = pipeline.slots[slot];
    const own = single.models.find((found) => found.model === model)!.scores;
    return {
      model,
      layer,
      before: byKind((kind) => own[kind].find((found) => found.layer === layer)!),
      aligned: scoreOf(eigenvectors),
      noConstraint: scoreOf(graphs.noConstraint[i].eigenvectors),
    };
  });
  return {
    single,
    joint,
    aligned: measured,
    constraint: byKind((kind) =>
      difference(
        measured.map((own) => own.aligned[kind]),
        measured.map((own) => own.noConstraint[kind]),
        images,
      )
    ),
    loss: byKind((kind) =>
      difference(measured.map((own) => own.before[kind]), measured.map((own) => own.aligned[kind]), images)
    ),
  };
}

function byKind<T>(of: (kind: Kind) => T): ByKind<T> {
  return { figure_ground: of("figure_ground"), category: of("category") };
}

async function segmentGraph(
  pipeline: Pipeline,
  truth: Truth,
  images: number,
  vectorsOf: (slot: number) => Matrix,
  seed: number,
): Promise<GraphSegmentation> {
  const draws = bootstrapDraws(images, RESAMPLES, seed);
  const plain = await plainFeatures(pipeline.images.slice(0, images), pipeline.grid);
  const baseline = byKind((kind) => score(plain, truth[kind], images, draws));
  const models = pipeline.models.map((model) => {
    const slots = slotsOf(pipeline, model), vectors = slots.map(vectorsOf);
    const scores = byKind((kind) =>
      slots.map((slot, i) => ({
        layer: pipeline.slots[slot].layer,
        ...score(vectors[i], truth[kind], images, draws),
      }))
    );
    return { model, scores, order: layerOrder(scores, baseline.figure_ground, images) };
  });
  return { images, models, baseline };
}

function score(vectors: Matrix, labels: TokenLabels, images: number, draws: Uint32Array[]) {
  const { miou, threshold, overlaps, assigned }: ImageSegmentation = segmentImages(vectors, labels, images);
  const resampled = Float64Array.from(draws, (draw) => bestOverlap(overlaps, draw).miou);
  return {
    value: miou,
    interval: percentileInterval(resampled),
    resampled,
    assigned,
    threshold: THRESHOLDS[threshold],
  };
}

/** A score with its resamples. */
type Resampled = Pick<LayerScore, "value" | "resampled">;

/**
 * Which of two curves reaches its peak first (see `ORDER_RULE`).
 *
 * @param scores by layer, resampled alike
 * @param baseline what figure-ground is to exceed
 * @param images that were resampled
 */
export function layerOrder(
  scores: ByKind<(Resampled & { layer: number })[]>,
  baseline: Resampled,
  images: number,
): LayerOrder {
  const resamples = baseline.resampled.length;
  const layers = scores.figure_ground.map(({ layer }) => layer);
  const curves = byKind((kind) => scores[kind].map(({ value }) => value));
  const drawn = byKind((kind) =>
    Array.from({ length: resamples }, (_, b) => scores[kind].map(({ resampled }) => resampled[b]))
  );
  const earlier = (figure: number[], category: number[]) =>
    layers[reachedAt(category)] - layers[reachedAt(figure)];
  const stays = (curve: number[]) =>
    Math.min(...curve.slice(reachedAt(curve))) / Math.max(...curve) - ORDER_RULE.kept;
  const figure = curves.figure_ground;
  return {
    reached: byKind((kind) => ({
      layer: layers[reachedAt(curves[kind])],
      interval: percentileInterval(drawn[kind].map((curve) => layers[reachedAt(curve)])),
    })),
    peak: byKind((kind) => ({
      layer: layers[peakAt(curves[kind])],
      value: curves[kind][peakAt(curves[kind])],
      interval: percentileInterval(drawn[kind].map((curve) => layers[peakAt(curve)])),
    })),
    earlier: bootstrapEffect(
      earlier(figure, curves.category),
      drawn.figure_ground.map((curve, b) => earlier(curve, drawn.category[b])),
      images,
    ),
    stays: bootstrapEffect(stays(figure), drawn.figure_ground.map(stays), images),
    beyondBaseline: bootstrapEffect(
      Math.max(...figure) - baseline.value,
      drawn.figure_ground.map((curve, b) => Math.max(...curve) - baseline.resampled[b]),
      images,
    ),
  };
}

/**
 * How near two curves' layers are to those that the paper names: two layers less the larger of the two distances, so that
 * it is above 0 where both are the same, give or take one.
 *
 * @param scores by layer, resampled alike
 * @param paper first layer that figure-ground is to reach its peak at, and those where categories are to peak
 * @param images that were resampled
 */
export function nearPaper(
  scores: ByKind<(Resampled & { layer: number })[]>,
  paper: { figureGround: number; category: readonly number[] },
  images: number,
): Effect {
  const layers = scores.category.map(({ layer }) => layer),
    distance = (a: number, b: number) => Math.abs(a - b);
  const near = (figure: number[], category: number[]) =>
    2 - Math.max(
      distance(layers[reachedAt(figure)], paper.figureGround),
      Math.min(...paper.category.map((own) => distance(layers[peakAt(category)], own))),
    );
  const of = (kind: Kind, b?: number) =>
    scores[kind].map(({ value, resampled }) => b === undefined ? value : resampled[b]);
  return bootstrapEffect(
    near(of("figure_ground"), of("category")),
    Array.from(scores.category[0].resampled, (_, b) => near(of("figure_ground", b), of("category", b))),
    images,
  );
}

/** Index of the first value that is at least 95 % of the largest. */
export function reachedAt(curve: readonly number[]): number {
  const wanted = ORDER_RULE.reached * Math.max(...curve);
  return curve.findIndex((value) => value >= wanted);
}

function peakAt(curve: readonly number[]): number {
  return curve.indexOf(Math.max(...curve));
}

/** Mean over layers of one condition less another, resampled alike. */
export function difference(more: readonly Resampled[], less: readonly Resampled[], images: number): Effect {
  const mean = (of: (score: Resampled) => number) =>
    more.reduce((sum, own, i) => sum + of(own) - of(less[i]), 0) / more.length;
  const resampled = Array.from(more[0].resampled, (_, b) => mean((own) => own.resampled[b]));
  return bootstrapEffect(mean((own) => own.value), resampled, images);
}
