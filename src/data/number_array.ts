/** Arrays of numbers from .npy files, with the shape that is expected of them. */
import type { Matrix } from "../linalg/matrix.ts";
import { readNpy } from "./npy.ts";

/**
 * Reads a .npy file of finite numbers.
 *
 * @param path the file
 * @param shape expected extents, null for any
 * @throws Error as `readNpy`, or "a.npy is 80 × 696, expected 81 × any: …"; "a.npy holds NaN at place 7 …"
 */
export async function readNumbers(
  path: string,
  shape: readonly (number | null)[],
): Promise<{ data: ArrayLike<number>; shape: number[] }> {
  const array = await readNpy(path);
  const fits = array.shape.length === shape.length &&
    shape.every((extent, axis) => extent === null ? array.shape[axis] > 0 : extent === array.shape[axis]);
  if (!fits) {
    const expected = shape.map((extent) => extent ?? "any").join(" × ");
    throw new Error(
      `${path} is ${
        array.shape.join(" × ") || "a single number"
      }, expected ${expected}: copy the whole data set again.`,
    );
  }
  const { data } = array;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { data: Float64Array.from(data, Number), shape: array.shape };
  }
  assertFinite(data, data, path);
  return { data, shape: array.shape };
}

/** @param found the values as the file has them */
function assertFinite(values: ArrayLike<number>, found: ArrayLike<number>, path: string): void {
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new Error(
      `${path} holds ${found[i]} at place ${i}, counted from 0: every number must be finite in float32.`,
    );
  }
}

/** Reads a .npy file as a float32 matrix; see `readNumbers`. */
export async function readMatrix(path: string, rows: number | null, cols: number | null): Promise<Matrix> {
  const { data, shape } = await readNumbers(path, [rows, cols]);
  const matrix = { data: Float32Array.from(data), rows: shape[0], cols: shape[1] };
  assertFinite(matrix.data, data, path);
  return matrix;
}
