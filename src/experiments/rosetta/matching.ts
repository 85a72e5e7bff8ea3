/** Matching of channels one to one. */
import type { Gpu } from "../../gpu/mod.ts";
import { matmul } from "../../linalg/matmul.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { seededRandom, shuffle } from "../../linalg/random.ts";

/**
 * Gives every column mean 0 and variance 1, in place; a column that does not vary becomes 0 and correlates with nothing.
 *
 * @param maps places × units
 */
export function standardizeUnits({ data, rows, cols }: Matrix): void {
  const mean = new Float64Array(cols), squares = new Float64Array(cols);
  for (let i = 0, at = 0; i < rows; i++) for (let c = 0; c < cols; c++, at++) mean[c] += data[at] / rows;
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++, at++) squares[c] += (data[at] - mean[c]) ** 2;
  }
  const inverse = squares.map((sum, c) =>
    sum > 1e-12 * rows * mean[c] ** 2 && sum > 0 ? Math.sqrt(rows / sum) : 0
  );
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++, at++) data[at] = (data[at] - mean[c]) * inverse[c];
  }
}

/**
 * Pearson correlation of every unit with every other: Zₐᵀ Z_b / n of z-scored maps.
 *
 * @param a places × units, z-scored
 * @param b the same places × other units
 * @returns units of a × units of b
 */
export async function correlate(gpu: Gpu, a: Matrix, b: Matrix): Promise<Matrix> {
  const product = await matmul(gpu, a, b, { transposeA: true });
  return { ...product, data: product.data.map((value) => value / a.rows) };
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

/**
 * How pairs correlate on images: over all of their patches, and image by image, as they are and with the maps of the
 * second model taken from the image half way round the set.
 *
 * @param a images · patches × units, z-scored over these images
 * @param b the same of the other model
 */
export function measurePairs(
  a: Matrix,
  b: Matrix,
  pairs: UnitPair[],
  images: number,
  patches: number,
): MatchedPairs {
  const r = new Float64Array(pairs.length), shuffled = new Float64Array(pairs.length);
  const byImage = new Float64Array(images), byShuffledImage = new Float64Array(images);
  const half = Math.floor(images / 2);
  for (const [k, pair] of pairs.entries()) {
    for (let i = 0; i < images; i++) {
      const other = (i + half) % images;
      let same = 0, apart = 0;
      for (let patch = 0; patch < patches; patch++) {
        const value = a.data[(i * patches + patch) * a.cols + pair.a];
        same += value * b.data[(i * patches + patch) * b.cols + pair.b];
        apart += value * b.data[(other * patches + patch) * b.cols + pair.b];
      }
      r[k] += same / patches / images;
      shuffled[k] += apart / patches / images;
      byImage[i] += same / patches / pairs.length;
      byShuffledImage[i] += apart / patches / pairs.length;
    }
  }
  return { pairs, r, shuffled, byImage, byShuffledImage };
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

/** Maps of one model's channels over the patches of some images. */
export interface UnitMaps {
  /** images · patches × layers · channels, every column z-scored. */
  maps: Matrix;
  /** Channels of a layer. */
  channels: number;
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
