/** Matrices in half precision, as pages hold them. */
import type { Matrix } from "../../linalg/matrix.ts";

/** rows × cols float16 values of magnitude up to 1, to be multiplied by `scale`. */
export interface HalfMatrix {
  /** The values' bits, row by row. */
  bits: Uint16Array;
  rows: number;
  cols: number;
  /** The largest magnitude of the matrix. */
  scale: number;
}

/**
 * Rounds a matrix to float16 after division by its largest magnitude: a value of at least 6e-5 of that keeps 11 bits.
 *
 * @returns relative error of a value at most 2⁻¹¹ from there on, absolute error 3e-8 · scale below
 */
export function toHalf({ data, rows, cols }: Matrix): HalfMatrix {
  let scale = 0;
  for (let i = 0; i < data.length; i++) scale = Math.max(scale, Math.abs(data[i]));
  scale ||= 1;
  const halves = new Float16Array(data.length); // Float16Array.from would make a list of all numbers first
  for (let i = 0; i < data.length; i++) halves[i] = data[i] / scale;
  return { bits: new Uint16Array(halves.buffer), rows, cols, scale };
}

/** The values of one row. */
export function halfRow({ bits, cols, scale }: HalfMatrix, row: number): Float32Array {
  return Float32Array.from(bits.subarray(row * cols, (row + 1) * cols), (half) => scale * valueOf(half));
}

/** The whole matrix in float32. */
export function fromHalf({ bits, rows, cols, scale }: HalfMatrix): Matrix {
  const data = new Float32Array(bits.length);
  for (let i = 0; i < data.length; i++) data[i] = scale * valueOf(bits[i]);
  return { data, rows, cols };
}

/** The number that 16 bits stand for; not every browser has Float16Array. */
function valueOf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1, exponent = half >> 10 & 31, fraction = half & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
}
