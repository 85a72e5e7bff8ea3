/** Values whose squares float32 holds: sizes far from 1 are brought near it, by powers of two, which change no digit. */
import type { Matrix } from "./matrix.ts";

/** Largest magnitudes between these are left as they are: squares of differences, and sums of these, neither vanish nor overflow. */
const LEAST = 2 ** -40, MOST = 2 ** 50;

/** The largest magnitude. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, Math.abs(values[at]));
  return largest;
}

/**
 * The power of two that values are multiplied by so that float32 holds the squares of their differences; 1 for most.
 *
 * @param matrices of finite values, in one unit
 */
export function squarableFactor(...matrices: Matrix[]): number {
  const largest = Math.max(...matrices.map(({ data }) => largestMagnitude(data)));
  if (largest === 0 || largest >= LEAST && largest <= MOST) return 1;
  const exponent = Math.floor(Math.log2(largest));
  return largest < LEAST ? 2 ** Math.min(-exponent, 1000) : 2 ** (Math.log2(MOST) - 1 - exponent);
}

/** The matrix times a factor; itself where that is 1. */
export function scaledBy(x: Matrix, factor: number): Matrix {
  return factor === 1 ? x : { ...x, data: x.data.map((value) => value * factor) };
}
