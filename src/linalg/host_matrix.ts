/** Parts of matrices, on the host. */
import type { Matrix } from "./matrix.ts";
import { lengthOf } from "./portable_math.ts";

/** Rows of a matrix, by index. */
export function takeRows({ data, cols }: Matrix, rows: ArrayLike<number>): Matrix {
  const out = new Float32Array(rows.length * cols);
  for (let i = 0; i < rows.length; i++) {
    out.set(data.subarray(rows[i] * cols, (rows[i] + 1) * cols), i * cols);
  }
  return { data: out, rows: rows.length, cols };
}

/** Rows of a matrix that follow each other, a view. */
export function rowRange({ data, cols }: Matrix, first: number, rows: number): Matrix {
  return { data: data.subarray(first * cols, (first + rows) * cols), rows, cols };
}

/** Columns [from, to) of a matrix. */
export function takeColumns({ data, rows, cols }: Matrix, from: number, to: number): Matrix {
  const width = to - from, out = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) out.set(data.subarray(i * cols + from, i * cols + to), i * width);
  return { data: out, rows, cols: width };
}

/** xᵀ. */
export function transposed({ data, rows, cols }: Matrix): Matrix {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let k = 0; k < cols; k++) out[k * rows + i] = data[i * cols + k];
  return { data: out, rows: cols, cols: rows };
}

/** Rows of length 1 in float64; a zero row stays. */
export function unitRows64({ data, rows, cols }: Matrix): Float64Array {
  const unit = Float64Array.from(data);
  for (let i = 0; i < rows; i++) {
    const row = unit.subarray(i * cols, (i + 1) * cols), length = lengthOf(row) || 1;
    for (let k = 0; k < cols; k++) row[k] /= length;
  }
  return unit;
}

/** Σ a_i b_i, of two lists of one length. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
