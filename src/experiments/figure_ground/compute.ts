/** The experiment `figure-ground`: what figure and ground are in brain space, and whether one pixel finds its kind. */
import { applyAlign } from "../../align/model.ts";
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { seededRandom, shuffle } from "../../linalg/random.ts";
import { bootstrapDraws, percentileInterval } from "../../statistics/bootstrap.ts";
import { FIGURE, GROUND, type SlotActivation, slotActivation, slotFeatures } from "../shared/activation.ts";
import {
  agreementByImage,
  areaByImage,
  cosineLikeness,
  type Directions,
  directions,
  type Likeness,
  meanOf,
  meanOverQueries,
  placeLikeness,
  type Query,
  searchAreas,
  type Targets,
} from "./pixel_search.ts";
import { figurePatches } from "../shared/patch_labels.ts";
import { type Pipeline, slotsOf } from "../../pipeline/pipeline.ts";
import { layerLike } from "../shared/relative_layers.ts";
import { signFlipTest } from "../../statistics/sign_flip_test.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";
import { slotVectors } from "../shared/slot_vectors.ts";
import { examplePixels } from "../shared/places.ts";
import type {
  AlignEffect,
  Estimate,
  FigureGround,
  LayerFigureGround,
  ModelFigureGround,
  ModelPair,
  PixelSearch,
  RegionActivation,
} from "./results.ts";
import { pearson } from "../../statistics/summary.ts";

/** The layers in which the paper sees one color of figures over all categories; they are tested, whatever ours show. */
export const PAPER_LAYERS = [
  { name: "CLIP", layer: 5 },
  { name: "DINO", layer: 6 },
  { name: "MAE", layer: 8 },
] as const;

/** Regions that figure activates more than ground, and less; the others are not in the claim. */
export const FIGURE_MORE = ["V1", "V2", "V3", "V4", "OFA", "FFA"], FIGURE_LESS = ["OPA", "PPA"];

/** Most p of every verdict here; where several tests have to hold, the largest of their p counts. */
export const P = 0.01;

/** Bootstrap resamples of images, and permutations of regions. */
export const RESAMPLES = 999, PERMUTATIONS = 9_999;

/** Images that a pixel is taken of. */
export const QUERIES = 20;

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
  const labels = await figurePatches(pipeline);
  const images = [...labels.keys()].filter((image) => labels[image].includes(0) && labels[image].includes(1));
  if (images.length < 2) {
    throw new UnsuitableData(
      `${images.length} of ${labels.length} images hold figure and ground: give at least 2 that do.`,
    );
  }
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
    const alignSlot = pipeline.align.slots.findIndex(({ name }) => name === `${model} L${layer}`);
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

/** Figure less ground of every region, one value an image. */
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

/** The largest p of the expected regions: all of them have to hold. */
export function regionsP(regions: RegionActivation[]): number {
  return Math.max(...regions.flatMap(({ p }) => p ?? []));
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
    p: signFlipTest(present(areas.map((area, i) => area - place[i])), seed),
    range: [Math.min(...single), Math.max(...single)],
    aligned: meanOf(areaByImage(cosineLikeness(space.aligned), queries, targets, kind)),
    raw: meanOf(areaByImage(cosineLikeness(space.raw), queries, targets, kind)),
  };
}

function pairsOf(
  models: string[],
  patterns: Float64Array[][],
  draws: Uint32Array[],
  seed: number,
): ModelPair[] {
  return models.flatMap((model, a) =>
    models.slice(a + 1).map((other, i): ModelPair => {
      const [own, others] = [patterns[a], patterns[a + 1 + i]];
      const r = pearson(own.map(meanOf), others.map(meanOf));
      const resampled = draws.map((draw) => pearson(drawnMeans(own, draw), drawnMeans(others, draw)));
      return {
        models: [model, other],
        r: { value: r, interval: percentileInterval(resampled) },
        p: permutedP(own.map(meanOf), others.map(meanOf), seed),
      };
    })
  );
}

function drawnMeans(columns: Float64Array[], draw: Uint32Array): number[] {
  return columns.map((values) => draw.reduce((sum, i) => sum + values[i], 0) / draw.length);
}

/** One-sided p of a correlation above 0: the share of permutations of one side, itself included, that reach it. */
export function permutedP(a: number[], b: number[], seed: number): number {
  const random = seededRandom(seed), observed = pearson(a, b), shuffled = b.slice();
  let reached = 1;
  for (let i = 0; i < PERMUTATIONS; i++) {
    if (pearson(a, shuffle(shuffled, random)) >= observed - 1e-12) reached++;
  }
  return reached / (PERMUTATIONS + 1);
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
  const differences = present(aligned.map((value, i) => value - raw[i]));
  return {
    raw: meanOf(raw),
    aligned: meanOf(aligned),
    images: differences.length,
    p: signFlipTest(differences, seed),
  };
}

/** Without NaN, which stands for images that nothing was asked of. */
function present(values: Float64Array): Float64Array {
  return values.filter((value) => !Number.isNaN(value));
}

function estimate(values: Float64Array, draws: Uint32Array[]): Estimate {
  const drawn = new Float64Array(values.length);
  const means = draws.map((draw) => {
    for (let i = 0; i < draw.length; i++) drawn[i] = values[draw[i]];
    return meanOf(drawn);
  });
  return { value: meanOf(values), interval: percentileInterval(means.filter((mean) => !Number.isNaN(mean))) };
}
