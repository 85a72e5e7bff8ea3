/** Units of maps that are held as a whole. */
import {
  addToSums,
  type MatchedPairs,
  openMeasure,
  scaleOf,
  standardize,
  type UnitPair,
} from "../../src/experiments/rosetta/matching.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";

/**
 * Gives every column mean 0 and variance 1, in place.
 *
 * @param maps places × units
 */
export function standardizeUnits(maps: Matrix): void {
  standardize(maps, scaleOf(addToSums(maps)));
}

/** What `openMeasure` finds of all images at once. */
export function measurePairs(
  a: Matrix,
  b: Matrix,
  pairs: UnitPair[],
  images: number,
  patches: number,
): MatchedPairs {
  const half = Math.floor(images / 2) * patches * b.cols,
    { found, add } = openMeasure(pairs, images, patches);
  const apart = new Float32Array(b.data.length);
  apart.set(b.data.subarray(half));
  apart.set(b.data.subarray(0, half), b.data.length - half);
  add(a, b, { ...b, data: apart });
  return found;
}
