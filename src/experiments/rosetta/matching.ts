/** Matching of channels one to one. */
import type { Gpu } from "../../gpu/mod.ts";
import { matmul } from "../../linalg/matmul.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { seededRandom, shuffle } from "../../linalg/random.ts";

/** Sums over the places that units have been seen at, less the value at the first one. */
export interface UnitSums {
  rows: number;
  origin: Float64Array;
  sum: Float64Array;
  squares: Float64Array;
}

/** What makes values z-scores: (value − mean) · inverse. */
export interface UnitScale {
  mean: Float64Array;
  inverse: Float64Array;
}

/** Adds the places of a panel of maps, places × units, to the sums; absent: of none before. */
export function addToSums({ data, rows, cols }: Matrix, before?: UnitSums): UnitSums {
  const sums = before ?? {
    rows: 0,
    origin: Float64Array.from(data.subarray(0, cols)),
    sum: new Float64Array(cols),
    squares: new Float64Array(cols),
  };
  const { origin, sum, squares } = sums;
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++, at++) {
      const value = data[at] - origin[c];
      sum[c] += value;
      squares[c] += value * value;
    }
  }
  return { ...sums, rows: sums.rows + rows };
}

/** The scale by which units get mean 0 and variance 1; a unit that does not vary becomes 0 and correlates with nothing. */
export function scaleOf({ rows, origin, sum, squares }: UnitSums): UnitScale {
  const mean = origin.map((value, c) => value + sum[c] / rows);
  const inverse = squares.map((own, c) => {
    const varied = own - sum[c] ** 2 / rows;
    return varied > 1e-12 * rows * mean[c] ** 2 && varied > 0 ? Math.sqrt(rows / varied) : 0;
  });
  return { mean, inverse };
}

/** Z-scores of maps, in place. */
export function standardize({ data, rows, cols }: Matrix, { mean, inverse }: UnitScale): void {
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++, at++) data[at] = (data[at] - mean[c]) * inverse[c];
  }
}

/**
 * Pearson correlation of every unit with every other: Zₐᵀ Z_b / n of z-scored maps.
 *
 * @param panels places × units of a, and the same places × units of b, z-scored over the places of all panels
 * @returns units of a × units of b
 */
export async function correlate(
  gpu: Gpu,
  panels: Iterable<[a: Matrix, b: Matrix]> | AsyncIterable<[a: Matrix, b: Matrix]>,
): Promise<Matrix> {
  let sum: Matrix | undefined, places = 0;
  for await (const [a, b] of panels) {
    const product = await matmul(gpu, a, b, { transposeA: true });
    if (sum) { for (let at = 0; at < sum.data.length; at++) sum.data[at] += product.data[at]; }
    sum ??= product;
    places += a.rows;
  }
  for (let at = 0; at < sum!.data.length; at++) sum!.data[at] /= places;
  return sum!;
}

/**
 * Pairs in which each is the other's best match (Dravid et al. 2023); of equal ones the first counts.
 *
 * @param correlation units of a × units of b
 * @returns by the index of a
 */
export function mutualBest({ data, rows, cols }: Matrix): UnitPair[] {
  const bestOfRow = new Int32Array(rows), bestOfCol = new Int32Array(cols);
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < cols; b++) {
      const value = data[a * cols + b];
      if (value > data[a * cols + bestOfRow[a]]) bestOfRow[a] = b;
      if (value > data[bestOfCol[b] * cols + b]) bestOfCol[b] = a;
    }
  }
  return Array.from(bestOfRow, (b, a) => ({ a, b, found: data[a * cols + b] }))
    .filter(({ a, b, found }) => bestOfCol[b] === a && found > 0);
}

/**
 * For every aligned channel the layers of both models in which it correlates most.
 *
 * @param correlation layers · channels × layers · channels
 * @param channels of a layer
 * @param shift what is added to a channel's number in the second model, round the circle; default 0, the same channel
 */
export function bestLayers({ data, rows, cols }: Matrix, channels: number, shift = 0): UnitPair[] {
  return Array.from({ length: channels }, (_, channel) => {
    let best: UnitPair = { a: channel, b: channel, found: -Infinity };
    for (let a = channel; a < rows; a += channels) {
      for (let b = (channel + shift) % channels; b < cols; b += channels) {
        if (data[a * cols + b] > best.found) best = { a, b, found: data[a * cols + b] };
      }
    }
    return best;
  });
}

/** Aligned channels of one number in one layer, of the layers that both models have. */
export function sameLayer({ data, rows, cols }: Matrix, channels: number): UnitPair[] {
  const units = Math.floor(Math.min(rows, cols) / channels) * channels;
  return Array.from({ length: units }, (_, unit) => ({ a: unit, b: unit, found: data[unit * cols + unit] }));
}

/** What pairs are found to be, panel by panel of images. */
export interface PairMeasure {
  /** Complete when every image has been added. */
  found: MatchedPairs;
  /**
   * Adds consecutive images.
   *
   * @param a images · patches × units, z-scored over all images
   * @param b the same of the other model
   * @param apart the same of the other model, of the images half way round the set
   */
  add(a: Matrix, b: Matrix, apart: Matrix): void;
}

/**
 * How pairs correlate on images: over all of their patches, and image by image, as they are and with the maps of the
 * second model taken from the image half way round the set.
 *
 * @param images of all panels
 */
export function openMeasure(pairs: UnitPair[], images: number, patches: number): PairMeasure {
  const r = new Float64Array(pairs.length), shuffled = new Float64Array(pairs.length);
  const byImage = new Float64Array(images), byShuffledImage = new Float64Array(images);
  let first = 0;
  return {
    found: { pairs, r, shuffled, byImage, byShuffledImage },
    add(a, b, other) {
      const count = a.rows / patches;
      for (const [k, pair] of pairs.entries()) {
        for (let i = 0; i < count; i++) {
          let same = 0, apart = 0;
          for (let row = i * patches; row < (i + 1) * patches; row++) {
            const value = a.data[row * a.cols + pair.a], at = row * b.cols + pair.b;
            same += value * b.data[at];
            apart += value * other.data[at];
          }
          r[k] += same / patches / images;
          shuffled[k] += apart / patches / images;
          byImage[first + i] += same / patches / pairs.length;
          byShuffledImage[first + i] += apart / patches / pairs.length;
        }
      }
      first += count;
    },
  };
}

/** Pairs by falling correlation. */
export function strongestFirst(pairs: UnitPair[]): UnitPair[] {
  return pairs.toSorted((x, y) => y.found - x.found);
}

/** A unit of one model and a unit of another. */
export interface UnitPair {
  /** Index of the unit of the first model. */
  a: number;
  /** Index of the unit of the second. */
  b: number;
  /** Their correlation where they were matched. */
  found: number;
}

/** Pairs of units of two models, and how they correlate on images they were not matched on. */
export interface MatchedPairs {
  pairs: UnitPair[];
  /** Held-out correlation of every pair. */
  r: Float64Array;
  /** The same with every image's map of the first model beside another image's map of the second. */
  shuffled: Float64Array;
  /** Mean product of z-scored maps over pairs and patches, one a held-out image: their mean is the mean of `r`. */
  byImage: Float64Array;
  /** The same for shuffled images. */
  byShuffledImage: Float64Array;
}

function shuffledIndices(count: number, seed: number): Uint32Array {
  return shuffle(Uint32Array.from({ length: count }, (_, i) => i), seededRandom(seed));
}

/** β of `count` random voxels, or of all where there are fewer, in random order. */
export function voxelSample({ data, rows, cols }: Matrix, count: number, seed: number): Matrix {
  const voxels = shuffledIndices(cols, seed).subarray(0, Math.min(count, cols));
  return {
    data: Float32Array.from({ length: rows * voxels.length }, (_, at) => {
      return data[Math.floor(at / voxels.length) * cols + voxels[at % voxels.length]];
    }),
    rows,
    cols: voxels.length,
  };
}
