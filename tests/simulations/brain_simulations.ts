/** Simulations of the experiments in brain space: concepts, and figure and ground. */
import { conceptClaims } from "../../src/experiments/concepts/claims.ts";
import {
  type Concepts,
  layerPlaces,
  purityTest,
  reversedU,
  RULES,
  spheres,
} from "../../src/experiments/concepts/compute.ts";
import { figureGroundClaims } from "../../src/experiments/figure_ground/claims.ts";
import {
  beyondPlace,
  FIGURE_LESS,
  FIGURE_MORE,
  pairsOf,
  pixelsOf,
  regionsOf,
  RESAMPLES,
} from "../../src/experiments/figure_ground/compute.ts";
import {
  areaByImage,
  cosineLikeness,
  type Directions,
  exchangedAreas,
  meanOf,
  placeLikeness,
} from "../../src/experiments/figure_ground/pixel_search.ts";
import type { FigureGround, ModelFigureGround } from "../../src/experiments/figure_ground/results.ts";
import type { Random } from "../../src/linalg/random.ts";
import type { Claim } from "../../src/report/results.ts";
import { bootstrapDraws } from "../../src/statistics/bootstrap.ts";
import { signFlipEffect } from "../../src/statistics/effect.ts";
import { IMAGES, normal, normals, PATCHES, SIDE, simulationRandom, smoothField } from "./fields.ts";
import { simulatedPipeline } from "./simulated_pipeline.ts";

/** Spheres, and the patches that make one a concept: fewer than in a run, as there are fewer patches. */
const CENTRES = 24, MIN_PATCHES = 12;

/** Concepts are of a category, and vary less where they are strong; or patches are where they are by noise alone. */
export function conceptSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const random = simulationRandom(seed);
  const pipeline = simulatedPipeline(random, {
    models: ["clip"],
    layers: 1,
    components: 6,
    figureSize: 2,
    ...(hasEffect && {
      effect: ({ component, figure, category }) => figure && category - 1 === component ? 6 : 0,
    }),
  });
  const places = layerPlaces(pipeline, 0), { centres, radius } = spheres(places, CENTRES, RULES.covered);
  const inside = centres.map((centre) =>
    Uint32Array.from(places.keys()).filter((at) =>
      Math.hypot(...places[at].map((value, c) => value - centre[c])) <= radius
    )
  ).filter((own) => own.length >= MIN_PATCHES);
  // Regions read all eigenvectors; with an effect, those of strong activation saturate.
  const { data, cols } = pipeline.eigenvectors, { tokens } = pipeline;
  const regions = Array.from({ length: 6 }, () => {
    const weights = normals(cols, random);
    const values = Float64Array.from(places, (_, at) => {
      const row = (Math.floor(at / PATCHES) * tokens + 1 + at % PATCHES) * cols;
      return weights.reduce((sum, weight, c) => sum + weight * data[row + c], 0) / Math.hypot(...weights);
    });
    return hasEffect ? values.map((value) => 2 * Math.tanh(value / 2)) : values;
  });
  const points = inside.map((own) => regions.map((values) => spread(Array.from(own, (at) => values[at]))));
  const labels = pipeline.masks.map((mask, i) => mask.map((figure) => figure * pipeline.category[i]));
  return Promise.resolve(conceptClaims({
    ...reversedU(points, seed),
    purity: purityTest(inside, labels, PATCHES, seed),
    concepts: inside,
    rois: regions,
    model: "clip",
    layer: 9,
  } as unknown as Concepts));
}

function spread(values: number[]): { mean: number; sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, sd: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

const MODELS = ["clip", "dino", "mae"], ROIS = [...FIGURE_MORE, ...FIGURE_LESS, "EBA", "RSC"];

/** Figure moves regions and features; or regions move together by noise, and features know place and noise only. */
export function figureGroundSimulation(seed: number, hasEffect: boolean): Promise<Claim[]> {
  const random = simulationRandom(seed);
  const pipeline = simulatedPipeline(random, {
    models: MODELS,
    layers: 1,
    components: 6,
    ...(hasEffect && { effect: ({ component, figure }) => component < 2 ? 3 * (2 * figure - 1) : 0 }),
  });
  const { masks: labels, category, grid, tokens, eigenvectors: { data, cols } } = pipeline;
  const images = [...labels.keys()], targets = { labels, categories: category, images };
  const queries = pixelsOf(grid, labels, images),
    near = placeLikeness(grid),
    draws = bootstrapDraws(IMAGES, RESAMPLES, seed);
  const place = {
    figure: areaByImage(near, queries.figure, targets, 1),
    ground: areaByImage(near, queries.ground, targets, 0),
  };
  const spaces = MODELS.map((_, m): Directions => ({
    data: Float32Array.from({ length: IMAGES * PATCHES * cols }, (_, at) => {
      const patch = Math.floor(at / cols), image = Math.floor(patch / PATCHES);
      const row = pipeline.slots[m].first + image * tokens + 1 + patch % PATCHES;
      return data[row * cols + at % cols];
    }),
    patches: PATCHES,
    dims: cols,
  }));
  const patterns = MODELS.map(() => activations(random, hasEffect));
  const models = MODELS.map((model, m) => {
    const figure = { data: Float32Array.from(patterns[m].flat()), rows: IMAGES, cols: ROIS.length };
    const activation = { figure, ground: { ...figure, data: new Float32Array(figure.data.length) } };
    const regions = regionsOf(
      activation as unknown as Parameters<typeof regionsOf>[0],
      ROIS,
      draws,
      seed,
    );
    const search = (kind: "figure" | "ground") => {
      const likeness = cosineLikeness(spaces[m]);
      const areas = areaByImage(likeness, queries[kind], targets, Number(kind === "figure"));
      const exchanged = exchangedAreas(likeness, queries[kind], targets, Number(kind === "figure"));
      return {
        area: { value: meanOf(areas) },
        beyondPlace: beyondPlace(areas, { near: place[kind], exchanged }, seed),
      };
    };
    return {
      model,
      layer: 1,
      layers: [0],
      regions,
      whole: regions,
      figure: search("figure"),
      ground: search("ground"),
    };
  }) as unknown as ModelFigureGround[];
  const columns = patterns.map((rows) => ROIS.map((_, r) => Float64Array.from(rows, (row) => row[r])));
  const agreement = () => normals(IMAGES, random).map((value) => 0.1 * value + (hasEffect ? 0.3 : 0));
  const effect = () => ({ raw: 0, aligned: 0, gain: signFlipEffect(agreement(), seed) });
  return Promise.resolve(figureGroundClaims({
    images,
    models,
    rois: ROIS,
    queries,
    place: { figure: meanOf(place.figure), ground: meanOf(place.ground) },
    pairs: pairsOf(MODELS, columns, draws, seed),
    maps: effect(),
    across: effect(),
    categories: category,
  } as FigureGround));
}

/** Figure minus ground: images × regions, regions next to each other alike; with an effect as the paper has it. */
function activations(random: Random, hasEffect: boolean): number[][] {
  return Array.from({ length: IMAGES }, () => {
    const common = normal(random), field = smoothField(random).subarray(0, SIDE);
    return ROIS.map((roi, r) => {
      const expected = FIGURE_MORE.includes(roi) ? 1 : FIGURE_LESS.includes(roi) ? -1 : 0;
      return 0.5 * common + 0.5 * field[r % SIDE] + 0.5 * normal(random) + (hasEffect ? 2 * expected : 0);
    });
  });
}
