/** The experiment `transitions`: from which circle of the map to which other figure and ground go between two layers. */
import { seededRandom, shuffle } from "../../linalg/random.ts";
import { quantileOf } from "../../statistics/bootstrap.ts";
import { type Effect, permutationEffect } from "../../statistics/effect.ts";
import { FEW_PATCHES, figurePatches } from "../shared/patch_labels.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { layerLike } from "../shared/relative_layers.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";
import { patchPlaces, type Place } from "../shared/places.ts";

/** Circles of one layer. */
export interface Circles {
  layer: number;
  centres: Place[];
  radius: number;
  /** Patches inside any of them, as a share. */
  covered: number;
  /** Some patches of the layer, for the chart. */
  sample: { place: Place; figure: boolean }[];
}

/** Patches of one kind by circle: counts from (rows) and to (columns; the last is outside of all circles). */
export type Counts = Uint32Array;

/** Two cells that differ most, one in either direction. */
export interface Cell {
  from: number;
  to: number;
  figure: number;
  ground: number;
}

/** What the experiment found. */
export interface Transitions {
  model: string;
  from: Circles;
  to: Circles;
  /** circles × (circles + 1) counts. */
  figure: Counts;
  ground: Counts;
  /** Σ over circles of the χ² of figure against ground. */
  chiSquare: number;
  /** √(χ² / patches), less what it is when masks are moved around their image. */
  shifted: Effect;
  /** The same when masks are those of other images. */
  exchanged: Effect;
  images: number;
}

/** What is to be measured. */
export interface TransitionOptions {
  /** Default: the first model with "clip" in its name. */
  model?: string;
  /** Layers to go between, default 3 and 4, of more than twelve what lies as deep, of three or two the last. */
  layers?: [from: number, to: number];
  /** Default 5. */
  circles?: number;
  /** In the map's units; default: within it lie three of four of the layer's patches, seen from their nearest centre. */
  radius?: number;
  seed: number;
}

/** Permutations of either test. */
export const PERMUTATIONS = 999;

const COVERED = 0.75, SAMPLE = 400;

/**
 * Measures transitions between two layers of one model.
 *
 * @throws Error when there is no such model or layer
 */
export async function transitions(pipeline: Pipeline, options: TransitionOptions): Promise<Transitions> {
  const { circles = 5, seed } = options;
  const model = options.model ?? pipeline.models.find((name) => /clip/i.test(name)) ??
    pipeline.models[0];
  if (!pipeline.models.includes(model)) {
    throw new Error(
      `There is no model ${model}: choose one of ${pipeline.models.join(", ")}.`,
    );
  }
  const depth = pipeline.slots.filter((slot) => slot.model === model).length;
  if (depth < 2) throw new UnsuitableData(`The model ${model} has one layer: a transition needs two.`);
  const first = Math.min(Math.max(3, layerLike(3, depth)), depth - 1);
  const layers = options.layers ?? [first, first + 1];
  const slots = layers.map((layer) => {
    const at = pipeline.slots.findIndex((slot) => slot.model === model && slot.layer === layer);
    if (at < 0) throw new UnsuitableData(`The model ${model} has no layer ${layer}: choose another.`);
    return at;
  });
  const masks = await figurePatches(pipeline), images = masks.length, patches = pipeline.tokens - 1;
  const places = slots.map((slot) => masks.map((_, image) => patchPlaces(pipeline, slot, image)));
  const [from, to] = places.map((own, i): Circles => {
    const flat = own.flatMap((image) =>
      Array.from({ length: patches }, (_, p): Place => [image[2 * p], image[2 * p + 1]])
    );
    const { centres, radius } = conceptCircles(flat, circles, options.radius);
    const inside = flat.filter((place) => circleOf(place, centres, radius) < circles).length;
    const count = Math.min(SAMPLE, flat.length);
    return {
      layer: layers[i],
      centres,
      radius,
      covered: inside / flat.length,
      sample: Array.from({ length: count }, (_, s) => {
        const at = Math.floor((s + 0.5) * flat.length / count);
        return { place: flat[at], figure: masks[Math.floor(at / patches)][at % patches] === 1 };
      }),
    };
  });
  const codes = [from, to].map(({ centres, radius }, i) =>
    places[i].map((own) =>
      Uint8Array.from({ length: patches }, (_, p) => circleOf([own[2 * p], own[2 * p + 1]], centres, radius))
    )
  );
  const count = (labels: Uint8Array[]) => countTransitions(codes[0], codes[1], labels, circles);
  const [ground, figure] = count(masks), chiSquare = rowChiSquare(figure, ground, circles);
  const random = seededRandom(seed), counted = sum(figure) + sum(ground);
  const sizeOf = (square: number) => Math.sqrt(square / Math.max(1, counted));
  const against = (draw: () => Uint8Array[]) => {
    const permuted = Array.from({ length: PERMUTATIONS }, () => {
      const [apart, together] = count(draw());
      return sizeOf(rowChiSquare(together, apart, circles));
    });
    return permutationEffect(sizeOf(chiSquare), permuted, images);
  };
  const { rows, cols } = pipeline.grid;
  return {
    model,
    from,
    to,
    figure,
    ground,
    chiSquare,
    images,
    shifted: against(() =>
      masks.map((mask) =>
        shiftMask(mask, rows, cols, Math.floor(random() * rows), Math.floor(random() * cols))
      )
    ),
    exchanged: against(() => shuffle([...masks.keys()], random).map((image) => masks[image])),
  };
}

function sum(counts: Counts): number {
  return counts.reduce((all, count) => all + count, 0);
}

/**
 * Circles around farthest points (Gonzalez 1985): first the place nearest to the mean, then always the place farthest from
 * all taken.
 *
 * @param places of a layer's patches; equal ones count for the radius
 * @param count at most as many as there are different places
 * @param radius default: the distance within which three of four patches lie from their nearest centre
 * @throws RangeError when there are fewer different places than circles
 */
export function conceptCircles(
  places: readonly Place[],
  count: number,
  radius?: number,
): { centres: Place[]; radius: number } {
  const different = [...new Map(places.map((place) => [place.join(), place])).values()];
  if (different.length < count) {
    throw new UnsuitableData(
      `The layer has ${different.length} different places on the map: ask for at most that number of circles, not ${count}.`,
    );
  }
  const middle: Place = [0, 0];
  for (const [x, y] of places) {
    middle[0] += x / places.length;
    middle[1] += y / places.length;
  }
  const first = different.reduce((best, place) =>
    distance(place, middle) < distance(best, middle) ? place : best
  );
  const centres = [first], nearest = different.map((place) => distance(place, first));
  while (centres.length < count) {
    const next = different[nearest.indexOf(Math.max(...nearest))];
    centres.push(next);
    different.forEach((place, i) => nearest[i] = Math.min(nearest[i], distance(place, next)));
  }
  const own = Float64Array.from(
    places,
    (place) => Math.min(...centres.map((centre) => distance(place, centre))),
  );
  return { centres, radius: radius ?? quantileOf(own.sort(), COVERED) };
}

/** The circle that a place is in, the nearest where they overlap; the number of circles when it is in none. */
export function circleOf(place: Place, centres: readonly Place[], radius: number): number {
  let best = centres.length, least = radius;
  centres.forEach((centre, i) => {
    const far = distance(place, centre);
    if (far < least || (far === least && best === centres.length)) [best, least] = [i, far];
  });
  return best;
}

function distance([x, y]: Place, [u, v]: Place): number {
  return Math.hypot(x - u, y - v);
}

/**
 * Counts patches by where they come from and go to, for each label.
 *
 * @param from circle of every patch of every image in the first layer; patches in none of `circles` are left out
 * @param to in the second layer
 * @returns counts of label 0 and of label 1, circles × (circles + 1)
 */
export function countTransitions(
  from: readonly Uint8Array[],
  to: readonly Uint8Array[],
  labels: readonly Uint8Array[],
  circles: number,
): [Counts, Counts] {
  const counts: [Counts, Counts] = [0, 1].map(() => new Uint32Array(circles * (circles + 1))) as [
    Counts,
    Counts,
  ];
  labels.forEach((own, image) => {
    for (let p = 0; p < own.length; p++) {
      const a = from[image][p];
      if (a < circles) counts[own[p]][a * (circles + 1) + to[image][p]]++;
    }
  });
  return counts;
}

/**
 * Homogeneity of two sets of counts given the circle they come from: Σ over circles of Pearson's χ² of a 2 × (circles + 1)
 * table. Circles without patches of either kind add nothing.
 */
export function rowChiSquare(figure: Counts, ground: Counts, circles: number): number {
  const cols = circles + 1;
  let sum = 0;
  for (let a = 0; a < circles; a++) {
    const rows = [figure, ground].map((counts) => counts.subarray(a * cols, (a + 1) * cols));
    const totals = rows.map((row) => row.reduce((all, count) => all + count, 0)), all = totals[0] + totals[1];
    if (!totals[0] || !totals[1]) continue;
    for (let b = 0; b < cols; b++) {
      const column = rows[0][b] + rows[1][b];
      if (!column) continue;
      rows.forEach((row, kind) => {
        const expected = totals[kind] * column / all;
        sum += (row[b] - expected) ** 2 / expected;
      });
    }
  }
  return sum;
}

/**
 * Proportions of the patches of each circle, row by row.
 *
 * @returns circles × circles, and the patches of each row; a row without patches is null
 */
export function proportions(
  counts: Counts,
  circles: number,
): { rows: (number[] | null)[]; patches: number[] } {
  const patches: number[] = [];
  const rows = Array.from({ length: circles }, (_, a) => {
    const row = counts.subarray(a * (circles + 1), (a + 1) * (circles + 1));
    const total = row.reduce((all, count) => all + count, 0);
    patches.push(total);
    return total ? Array.from(row.subarray(0, circles), (count) => count / total) : null;
  });
  return { rows, patches };
}

/**
 * The two cells that differ most: where figure goes more often than ground, and the reverse.
 *
 * @returns each null when no circle has enough patches of both
 */
export function extremeCells(figure: Counts, ground: Counts, circles: number): {
  figureMore: Cell | null;
  groundMore: Cell | null;
} {
  const [one, other] = [proportions(figure, circles), proportions(ground, circles)];
  let figureMore: Cell | null = null, groundMore: Cell | null = null;
  const lead = (cell: Cell | null) => cell ? cell.figure - cell.ground : 0;
  for (let from = 0; from < circles; from++) {
    if (Math.min(one.patches[from], other.patches[from]) < FEW_PATCHES) continue;
    for (let to = 0; to < circles; to++) {
      const cell = { from, to, figure: one.rows[from]![to], ground: other.rows[from]![to] };
      if (lead(cell) > lead(figureMore)) figureMore = cell;
      if (lead(cell) < lead(groundMore)) groundMore = cell;
    }
  }
  return { figureMore, groundMore };
}

/** A mask moved around the grid; what leaves at one side comes in at the other. */
export function shiftMask(
  mask: Uint8Array,
  rows: number,
  cols: number,
  down: number,
  right: number,
): Uint8Array {
  return mask.map((_, p) =>
    mask[(Math.floor(p / cols) + rows - down) % rows * cols + (p % cols + cols - right) % cols]
  );
}
