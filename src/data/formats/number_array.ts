/** Arrays of numbers from .npy and .npz files, with the shape that is expected of them. */
import type { Matrix } from "../../linalg/matrix.ts";
import { type NpyArray, readNpy } from "./npy.ts";
import { readNpz } from "./npz.ts";
import { isThere } from "../files/plain_file.ts";

/**
 * Finds an array: the .npy file, or the .npz in its place.
 *
 * @param path ends in .npy
 * @returns the path of what is there, `path` itself where neither is
 * @throws Error "There are both a.npy and a.npz: remove one."
 */
export async function findArray(path: string): Promise<string> {
  const packed = path.replace(/\.npy$/, ".npz");
  if (packed === path || !await isThere(packed)) return path;
  if (await isThere(path)) throw new Error(`There are both ${path} and ${packed}: remove one.`);
  return packed;
}

/**
 * Reads an array, .npy or .npz.
 *
 * @param path as of `findArray`
 * @throws Error as `readNpy` and `readNpz`
 */
export async function readArray(path: string): Promise<NpyArray & { path: string }> {
  const found = await findArray(path);
  return { ...await (found.endsWith(".npz") ? readNpz(found) : readNpy(found)), path: found };
}

/**
 * Reads a .npy file of finite numbers, or the .npz in its place.
 *
 * @param path the file
 * @param shape expected extents, null for any
 * @param mayLack whether values that are not finite are handed on
 * @throws Error as `readArray`, or "a.npy is 80 × 696, expected 81 × any: …"; "a.npy holds NaN at place 7 …"
 */
export async function readNumbers(
  path: string,
  shape: readonly (number | null)[],
  mayLack = false,
): Promise<{ data: ArrayLike<number>; shape: number[] }> {
  const array = await readArray(path);
  const fits = array.shape.length === shape.length &&
    shape.every((extent, axis) => extent === null ? array.shape[axis] > 0 : extent === array.shape[axis]);
  if (!fits) {
    const expected = shape.map((extent) => extent ?? "any").join(" × ");
    throw new Error(
      `${array.path} is ${
        array.shape.join(" × ") || "a single number"
      }, expected ${expected}: copy the whole data set again.`,
    );
  }
  const { data } = array;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return { data: Float64Array.from(data, Number), shape: array.shape };
  }
  if (!mayLack) assertFinite(data, data, array.path);
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

/**
 * Reads a .npy file, or the .npz in its place, as a float32 matrix.
 *
 * @param path the file
 * @param rows expected, null for any
 * @param cols expected, null for any
 * @param mayLack whether values that are not finite are handed on
 * @throws Error as `readNumbers`
 */
export async function readMatrix(
  path: string,
  rows: number | null = null,
  cols: number | null = null,
  mayLack = false,
): Promise<Matrix> {
  const { data, shape } = await readNumbers(path, [rows, cols], mayLack);
  const matrix = { data: Float32Array.from(data), rows: shape[0], cols: shape[1] };
  if (!mayLack) assertFinite(matrix.data, data, path);
  return matrix;
}
