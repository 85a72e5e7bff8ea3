/** The experiment `concepts`: spheres of patches on the map of a late layer, and what they do in brain space. */
import { leadingChannels, sharedBeta, slotTransform } from "../../align/model.ts";
import { findSlot } from "../../align/slots.ts";
import { fork, seededRandom, shuffle } from "../../linalg/random.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { bootstrapDraws, quantileOf } from "../../statistics/bootstrap.ts";
import { bootstrapEffect, type Effect, permutationEffect } from "../../statistics/effect.ts";
import { slotFeatures } from "../shared/activation.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { layerLike } from "../shared/relative_layers.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";

/** A place on the map. */
export type Place3 = [x: number, y: number, z: number];

/** Patches of one sphere. */
export interface Concept {
  centre: Place3;
  /** Numbers of its patches: image × patches of an image + patch. */
  patches: Uint32Array;
  /** Images that they lie in. */
  images: number;
  /** Share of figure patches. */
  figure: number;
  /** The commonest class of its figure patches, and its share of them; null without any. */
  category: { index: number; share: number } | null;
  /** By region: mean and standard deviation over the patches, in standard deviations of all patches of the layer. */
  regions: { mean: number; sd: number }[];
  /** Mean activation, one a voxel, in standard deviations of the voxel's response. */
  voxels: Float32Array;
}

/** sd = a + b mean + c mean² over concepts × regions. */
export interface Parabola {
  constant: number;
  linear: number;
  quadratic: number;
}

/** What the experiment found. */
export interface Concepts {
  model: string;
  layer: number;
  radius: number;
  /** Centres that had too few patches or images, and were left out. */
  dropped: number;
  rois: string[];
  concepts: Concept[];
  parabola: Parabola;
  /** How far the parabola opens downwards, −c (`reversedU`). */
  shape: Effect;
  /** Mean share of the commonest category over concepts with figure patches, less that with categories exchanged between images. */
  purity: (Effect & { mean: number; concepts: number }) | null;
  images: number;
}

/** What is measured beside the pipeline. */
export interface ConceptTruth {
  /** Class of every patch, 0 where it is ground or not known: one list an image. */
  categories: Uint8Array[];
  /** Voxels of every region. */
  rois: Map<string, Uint32Array>;
}

/** Rules, set before any number was seen. */
export const RULES = {
  /** Centres to take, of the layer's different places. */
  centres: 48,
  /** The sphere's radius: within it lies this share of the layer's patches, seen from their nearest centre. */
  covered: 0.75,
  /** Spheres with fewer patches, or from fewer images, are no concepts. */
  patches: 30,
  images: 3,
  resamples: 999,
} as const;

/**
 * Finds concepts in one layer (METHOD, "Experiments of the paper": farthest points of the spectral map in three
 * dimensions, the nodes inside a sphere around each) and measures mean and spread of their activation in brain space.
 *
 * @param options model, by default the first with "clip" in its name; layer, by default the 9th of twelve, or what lies as deep
 * @throws Error when there is no such model or layer
 */
export async function findConcepts(
  pipeline: Pipeline,
  truth: ConceptTruth,
  { seed, ...options }: { model?: string; layer?: number; seed: number },
): Promise<Concepts> {
  const model = options.model ?? pipeline.models.find((name) => /clip/i.test(name)) ?? pipeline.models[0];
  const layers = pipeline.slots.filter((slot) => slot.model === model).map(({ layer }) => layer);
  const layer = options.layer ?? layers[layerLike(9, layers.length) - 1];
  const slot = pipeline.slots.findIndex((own) => own.model === model && own.layer === layer);
  if (slot < 0) throw new UnsuitableData(`There is no layer ${layer} of ${model}: choose another.`);
  const places = layerPlaces(pipeline, slot), patches = pipeline.tokens - 1;
  const { centres, radius } = spheres(places, RULES.centres, RULES.covered);
  const members = centres.map((centre) =>
    Uint32Array.from(places.keys()).filter((at) => distance(places[at], centre) <= radius)
  );
  const imagesOf = (own: Uint32Array) => new Set(Array.from(own, (at) => Math.floor(at / patches))).size;
  const kept = [...centres.keys()].filter((i) =>
    members[i].length >= RULES.patches && imagesOf(members[i]) >= RULES.images
  );
  const activation = await brainActivation(pipeline, slot, truth.rois);
  const concepts = kept.map((i): Concept => {
    const own = members[i], seen = categoriesOf(own, truth.categories, patches);
    return {
      centre: centres[i],
      patches: own,
      images: imagesOf(own),
      figure: seen.figure / own.length,
      category: seen.commonest,
      ...activation.of(own),
    };
  });
  const points = concepts.map(({ regions }) => regions);
  return {
    model,
    layer,
    radius,
    concepts,
    rois: [...truth.rois.keys()],
    dropped: centres.length - kept.length,
    ...reversedU(points, seed),
    purity: purityTest(concepts.map(({ patches }) => patches), truth.categories, patches, seed),
    images: pipeline.images.length,
  };
}

/** Places of the patches of one slot on the map, image by image; class tokens left out. */
export function layerPlaces({ points3, nearest, slots, images, tokens }: Pipeline, slot: number): Place3[] {
  const places: Place3[] = [];
  for (let image = 0; image < images.length; image++) {
    for (let token = 1; token < tokens; token++) {
      const at = 3 * nearest[slots[slot].first + image * tokens + token];
      places.push([points3.data[at], points3.data[at + 1], points3.data[at + 2]]);
    }
  }
  return places;
}

function distance(a: Place3, b: Place3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/**
 * Farthest points (Gonzalez 1985) of a layer's places, and the radius within which the share `covered` of all places lies
 * from their nearest centre. The first is the place nearest to the mean; equal places count once for the centres.
 */
export function spheres(
  places: Place3[],
  count: number,
  covered: number,
): { centres: Place3[]; radius: number } {
  const different = [...new Map(places.map((place) => [place.join(), place])).values()];
  const mean = [0, 1, 2].map((c) =>
    places.reduce((sum, place) => sum + place[c], 0) / places.length
  ) as Place3;
  const nearestTo = (target: Place3) =>
    different.reduce((best, place) => distance(place, target) < distance(best, target) ? place : best);
  const centres = [nearestTo(mean)], far = different.map((place) => distance(place, centres[0]));
  while (centres.length < Math.min(count, different.length)) {
    const next = far.indexOf(Math.max(...far));
    centres.push(different[next]);
    different.forEach((place, i) => far[i] = Math.min(far[i], distance(place, different[next])));
  }
  const reach = Float64Array.from(places, (place) => Math.min(...centres.map((own) => distance(place, own))))
    .sort();
  return { centres, radius: quantileOf(reach, covered) };
}

function categoriesOf(members: Uint32Array, categories: Uint8Array[], patches: number) {
  const counts = new Map<number, number>();
  let figure = 0;
  for (const at of members) {
    const category = categories[Math.floor(at / patches)][at % patches];
    if (category === 0) continue;
    figure++;
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  const [first] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  return { figure, commonest: first ? { index: first[0], share: first[1] / figure } : null };
}

/** Mean and spread of brain activation of sets of patches, from their mean and covariance: B = v W β is linear. */
async function brainActivation(pipeline: Pipeline, slot: number, rois: Map<string, Uint32Array>) {
  const { align, tokens } = pipeline, { model, layer } = pipeline.slots[slot];
  const at = findSlot(align.slots, model, layer);
  const beta = sharedBeta(align);
  const toVoxels = product(leadingChannels(slotTransform(align, at), beta.rows), beta),
    voxels = align.beta.cols;
  const { data, rows, cols: d } = await slotFeatures(pipeline, slot);
  const regions = [...rois.values()];
  const toRegions = new Float64Array(d * regions.length);
  regions.forEach((own, r) => {
    for (let k = 0; k < d; k++) {
      let sum = 0;
      for (const voxel of own) sum += toVoxels[k * voxels + voxel];
      toRegions[k * regions.length + r] = sum / own.length;
    }
  });
  const row = (patch: number) => Math.floor(patch / (tokens - 1)) * tokens + 1 + patch % (tokens - 1);
  const meanOf = (patches: ArrayLike<number>) => {
    const mean = new Float64Array(d);
    for (let i = 0; i < patches.length; i++) {
      const from = row(patches[i]) * d;
      for (let k = 0; k < d; k++) mean[k] += data[from + k] / patches.length;
    }
    return mean;
  };
  const byRegion = (patches: ArrayLike<number>) =>
    regions.map((_, r) => {
      let sum = 0, squares = 0;
      for (let i = 0; i < patches.length; i++) {
        const from = row(patches[i]) * d;
        let value = 0;
        for (let k = 0; k < d; k++) value += data[from + k] * toRegions[k * regions.length + r];
        sum += value;
        squares += value * value;
      }
      const mean = sum / patches.length;
      return { mean, sd: Math.sqrt(Math.max(0, squares / patches.length - mean * mean)) };
    });
  const all = Uint32Array.from({ length: rows / tokens * (tokens - 1) }, (_, i) => i), whole = byRegion(all);
  return {
    of(patches: Uint32Array) {
      const mean = meanOf(patches), center = meanOf(all);
      return {
        regions: byRegion(patches).map(({ mean, sd }, r) => {
          const unit = Math.max(whole[r].sd, 1e-12);
          return { mean: (mean - whole[r].mean) / unit, sd: sd / unit };
        }),
        voxels: Float32Array.from({ length: voxels }, (_, v) => {
          let sum = 0;
          for (let k = 0; k < d; k++) sum += (mean[k] - center[k]) * toVoxels[k * voxels + v];
          return sum;
        }),
      };
    },
  };
}

function product(a: Matrix, b: Matrix): Float64Array {
  const out = new Float64Array(a.rows * b.cols);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.cols; k++) {
      const factor = a.data[i * a.cols + k];
      for (let j = 0; j < b.cols; j++) out[i * b.cols + j] += factor * b.data[k * b.cols + j];
    }
  }
  return out;
}

/** Least squares of sd on 1, mean and mean². */
export function fitParabola(points: { mean: number; sd: number }[]): Parabola {
  const gram = new Float64Array(9), right = new Float64Array(3);
  for (const { mean, sd } of points) {
    const x = [1, mean, mean * mean];
    for (let i = 0; i < 3; i++) {
      right[i] += x[i] * sd;
      for (let j = 0; j < 3; j++) gram[3 * i + j] += x[i] * x[j];
    }
  }
  const [constant, linear, quadratic] = solve3(gram, right);
  return { constant, linear, quadratic };
}

/** Cramer's rule. */
function solve3(a: Float64Array, b: Float64Array): number[] {
  const det = (m: ArrayLike<number>) =>
    m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
    m[2] * (m[3] * m[7] - m[4] * m[6]);
  const whole = det(a);
  return [0, 1, 2].map((column) => {
    if (!(Math.abs(whole) > 0)) return 0;
    return det(a.map((value, at) => at % 3 === column ? b[Math.floor(at / 3)] : value)) / whole;
  });
}

/**
 * The parabola over all concepts × regions, and whether it opens downwards. Concepts are the units: one concept's regions
 * vary together, so that its means go to another concept all at once. It has to beat that and to hold for bootstrapped
 * concepts: p is the larger of the two.
 *
 * @param points one list a concept, one entry a region
 */
export function reversedU(
  points: { mean: number; sd: number }[][],
  seed: number,
): { parabola: Parabola; shape: Effect } {
  const parabola = fitParabola(points.flat()), n = points.length;
  const bend = (own: { mean: number; sd: number }[]) => -fitParabola(own).quadratic;
  const drawn = bootstrapDraws(Math.max(1, n), RULES.resamples, seed)
    .map((draw) => n > 0 ? bend(Array.from(draw, (i) => points[i]).flat()) : 0);
  const random = seededRandom(fork(seed, "exchanged means"));
  const exchanged = drawn.map(() => {
    const order = shuffle([...points.keys()], random);
    return bend(points.flatMap((own, i) => own.map(({ sd }, r) => ({ mean: points[order[i]][r].mean, sd }))));
  });
  const bootstrapped = bootstrapEffect(-parabola.quadratic, drawn, n);
  const { p } = permutationEffect(-parabola.quadratic, exchanged, n);
  return { parabola, shape: { ...bootstrapped, p: Math.max(p, bootstrapped.p) } };
}

/** Mean share of the commonest category over concepts with enough figure patches, against images whose categories are exchanged. */
export function purityTest(
  members: Uint32Array[],
  categories: Uint8Array[],
  patches: number,
  seed: number,
): Concepts["purity"] {
  const figures = members.map((own) =>
    Uint32Array.from(
      own.filter((at) => categories[Math.floor(at / patches)][at % patches] > 0),
      (at) => Math.floor(at / patches),
    )
  ).filter((images) => images.length >= RULES.patches);
  if (figures.length === 0) return null;
  const categoryOf = categories.map((own) => own.find((category) => category > 0) ?? 0);
  const used = categoryOf.flatMap((category, image) => category > 0 ? [image] : []);
  const meanShare = (of: ArrayLike<number>) =>
    figures.reduce((sum, images) => {
      const counts = new Map<number, number>();
      for (const image of images) counts.set(of[image], (counts.get(of[image]) ?? 0) + 1);
      return sum + Math.max(...counts.values()) / images.length;
    }, 0) / figures.length;
  const mean = meanShare(categoryOf), random = seededRandom(fork(seed, "exchanged categories"));
  const permuted = Array.from({ length: RULES.resamples }, () => {
    const order = shuffle([...used.keys()], random), mixed = [...categoryOf];
    used.forEach((image, i) => mixed[image] = categoryOf[used[order[i]]]);
    return meanShare(mixed);
  });
  return { ...permutationEffect(mean, permuted, used.length), mean, concepts: figures.length };
}
