/** Samples that are spread evenly. */
import type { Matrix } from "../../linalg/matrix.ts";

/** `count` of n indices, evenly spread, ascending. */
export function spread(count: number, n: number): number[] {
  return Array.from({ length: Math.min(count, n) }, (_, i) => Math.floor(i * n / Math.min(count, n)));
}

/** Rows of a matrix, in the order of `rows`. */
export function rowsOf({ data, cols }: Matrix, rows: Uint32Array): Matrix {
  const chosen = new Float32Array(rows.length * cols);
  rows.forEach((row, i) => chosen.set(data.subarray(row * cols, (row + 1) * cols), i * cols));
  return { data: chosen, rows: rows.length, cols };
}
