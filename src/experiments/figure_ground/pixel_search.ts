/** Whether one pixel finds its own kind, figure or ground, in images of other categories. */
import type { Matrix } from "../../linalg/matrix.ts";
import { areaUnderCurve } from "../../statistics/discriminant.ts";
import { midranksOf, rankingOf } from "../../statistics/rank_correlation.ts";
import { pearson } from "../../statistics/summary.ts";

/** One pixel that is pointed at. */
export interface Query {
  /** Index of its image. */
  image: number;
  /** Patch, row by row. */
  patch: number;
}

/** Patches of all images as directions: unit rows, class tokens left out. */
export interface Directions {
  /** (images × patches) × dims. */
  data: Float32Array;
  /** Patches of an image. */
  patches: number;
  /** Coordinates. */
  dims: number;
}

/** What is looked for, and where. */
export interface Targets {
  /** 1 figure, 0 ground of every image's patches. */
  labels: Uint8Array[];
  /** Category of every image. */
  categories: number[];
  /** Images to look in. */
  images: number[];
}

/** Similarity of a query to every patch of an image. */
export type Likeness = (query: Query, image: number) => ArrayLike<number>;

/** Unit rows of the patches of all images; a zero row stays zero. */
export function directions({ data, rows, cols }: Matrix, tokens: number): Directions {
  const patches = tokens - 1, unit = new Float32Array(rows / tokens * patches * cols);
  for (let i = 0, to = 0; i < rows; i++) {
    if (i % tokens === 0) continue;
    let square = 0;
    for (let c = 0; c < cols; c++) square += data[i * cols + c] ** 2;
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let c = 0; c < cols; c++) unit[to++] = data[i * cols + c] * scale;
  }
  return { data: unit, patches, dims: cols };
}

/**
 * Cosine of a pixel to all patches of an image.
 *
 * @param from directions of the pixel's model
 * @param to directions of the patches' model, in the same space
 */
export function cosineLikeness(from: Directions, to: Directions = from): Likeness {
  const { dims, patches } = from;
  return ({ image, patch }, other) => {
    const at = (image * patches + patch) * dims, cosines = new Float32Array(patches);
    for (let p = 0; p < patches; p++) {
      let dot = 0;
      for (let c = 0, i = (other * patches + p) * dims; c < dims; c++) {
        dot += from.data[at + c] * to.data[i + c];
      }
      cosines[p] = dot;
    }
    return cosines;
  };
}

/** Nearness in the image to the place of the pixel: what similarity has to exceed to be about more than place. */
export function placeLikeness({ rows, cols }: { rows: number; cols: number }): Likeness {
  return ({ patch }) =>
    Float32Array.from(
      { length: rows * cols },
      (_, p) => -Math.hypot(Math.floor(p / cols) - Math.floor(patch / cols), p % cols - patch % cols),
    );
}

/**
 * How well pixels find their own kind: the area under the curve of every pixel in every target image.
 *
 * @param kind of the pixels: 1 figure, 0 ground
 * @returns queries × target images; NaN where the image is of the pixel's category
 */
export function searchAreas(
  likeness: Likeness,
  queries: Query[],
  { labels, categories, images }: Targets,
  kind: number,
): Float64Array[] {
  return queries.map((query) =>
    Float64Array.from(images, (image) => {
      if (categories[query.image] === categories[image]) return NaN;
      const area = areaUnderCurve(likeness(query, image), labels[image]) ?? 0.5;
      return kind === 1 ? area : 1 - area;
    })
  );
}

/**
 * Mean of `searchAreas` over the pixels of other categories.
 *
 * @returns one value a target image; NaN where every pixel is of its category
 */
export function areaByImage(
  likeness: Likeness,
  queries: Query[],
  targets: Targets,
  kind: number,
): Float64Array {
  return meanOverQueries(searchAreas(likeness, queries, targets, kind));
}

/**
 * As `areaByImage`, with the masks of all other images in place of an image's own: what similarity finds because it knows
 * where figures tend to stand.
 *
 * @returns one value a target image; NaN where every pixel is of its category
 */
export function exchangedAreas(
  likeness: Likeness,
  queries: Query[],
  { labels, categories, images }: Targets,
  kind: number,
): Float64Array {
  return meanOverQueries(queries.map((query) =>
    Float64Array.from(images, (image) => {
      if (categories[query.image] === categories[image]) return NaN;
      const ranks = midranksOf(rankingOf(likeness(query, image)));
      return meanOf(images.map((other) => {
        const area = other === image ? null : areaOfRanks(ranks, labels[other]);
        return area === null ? NaN : kind === 1 ? area : 1 - area;
      }));
    })
  ));
}

/** `areaUnderCurve` of scores whose ranks are known. */
function areaOfRanks(ranks: Float64Array, labels: ArrayLike<number>): number | null {
  let figures = 0, sum = 0;
  for (let p = 0; p < ranks.length; p++) {
    if (labels[p] !== 1) continue;
    figures++;
    sum += ranks[p];
  }
  const grounds = ranks.length - figures;
  return figures && grounds ? (sum - figures * (figures + 1) / 2) / (figures * grounds) : null;
}

/** Mean over queries of what there is for every image. */
export function meanOverQueries(areas: Float64Array[]): Float64Array {
  return areas[0].map((_, i) => meanOf(areas.map((own) => own[i])));
}

/** Mean of the numbers among some values; NaN stands for images that nothing was asked of. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0, count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    sum += values[i];
    count++;
  }
  return sum / count;
}

/**
 * How alike two models' similarity maps are: Pearson's r over the patches of an image, mean over the pixels of other
 * categories and the pairs of models.
 *
 * @param maps one a model
 * @returns one value a target image; NaN where every pixel is of its category
 */
export function agreementByImage(
  maps: Likeness[],
  queries: Query[],
  { categories, images }: Targets,
): Float64Array {
  return Float64Array.from(images, (image) => {
    const found: number[] = [];
    for (const query of queries) {
      if (categories[query.image] === categories[image]) continue;
      const own = maps.map((likeness) => likeness(query, image));
      own.forEach((map, a) => own.slice(a + 1).forEach((other) => found.push(pearson(map, other))));
    }
    return found.reduce((sum, r) => sum + r, 0) / found.length;
  });
}
