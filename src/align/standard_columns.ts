/** Columns centred and scaled by the statistics of some rows. */
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";

/** A column whose spread is below this share of its mean is constant as far as float32 can tell. */
const CONSTANT = 1e-7;

/** Mean of every column over some rows. */
export function meansOf({ data, cols }: Matrix, rows: Uint32Array): Float64Array {
  const means = new Float64Array(cols);
  for (const row of rows) for (let c = 0; c < cols; c++) means[c] += data[row * cols + c] / rows.length;
  return means;
}

/** Mean and inverse standard deviation of every column over some rows; 0 for what is constant. */
export function standardOf(x: Matrix, rows: Uint32Array): { mean: Float64Array; inverse: Float64Array } {
  const { data, cols } = x, mean = meansOf(x, rows), variance = new Float64Array(cols);
  for (const row of rows) {
    for (let c = 0; c < cols; c++) variance[c] += (data[row * cols + c] - mean[c]) ** 2 / rows.length;
  }
  const inverse = variance.map((value, c) =>
    Math.sqrt(value) > CONSTANT * Math.abs(mean[c]) ? 1 / Math.sqrt(value) : 0
  );
  return { mean, inverse };
}

/** (x − mean) · inverse of some rows. */
export function standardised(
  { data, cols }: Matrix,
  rows: Uint32Array,
  mean: Float64Array,
  inverse: Float64Array,
): Matrix {
  const out = new Float32Array(rows.length * cols);
  rows.forEach((row, i) => {
    for (let c = 0; c < cols; c++) out[i * cols + c] = (data[row * cols + c] - mean[c]) * inverse[c];
  });
  return { data: out, rows: rows.length, cols };
}

/** Some voxels' responses to some images, less their means. */
export function centered(
  { data, cols }: Matrix,
  rows: Uint32Array,
  voxels: Uint32Array,
  center: Float64Array,
): Matrix {
  const out = new Float32Array(rows.length * voxels.length);
  rows.forEach((row, i) => {
    voxels.forEach((voxel, v) => out[i * voxels.length + v] = data[row * cols + voxel] - center[voxel]);
  });
  return { data: out, rows: rows.length, cols: voxels.length };
}

/**
 * Checks features and responses of the same images.
 *
 * @throws RangeError "x has 12 images, y 11: they must be equal."; "x holds NaN in image 3, feature 5: …"
 */
export function assertImages(x: Matrix, y: Matrix): void {
  assertFinite(x, "x", "feature");
  assertFinite(y, "y", "voxel");
  if (x.rows !== y.rows) {
    throw new RangeError(`x has ${x.rows} images, y ${y.rows}: they must be equal.`);
  }
}

function assertFinite(matrix: Matrix, name: string, column: string): void {
  assertMatrix(matrix, name);
  const at = matrix.data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new RangeError(
    `${name} holds ${matrix.data[at]} in image ${Math.floor(at / matrix.cols)}, ${column} ${
      at % matrix.cols
    }: every value must be finite.`,
  );
}

/** Spreads of responses between these have squares that float32 adds up. */
const MIN_SPREAD = 2 ** -40, MAX_SPREAD = 2 ** 40;

/** Of every voxel the power of two that brings its spread near 1; 1 for most. */
export function squarableFactors(y: Matrix): Float64Array {
  const all = Uint32Array.from({ length: y.rows }, (_, i) => i);
  return standardOf(y, all).inverse.map((inverse) =>
    inverse === 0 || inverse >= 1 / MAX_SPREAD && inverse <= 1 / MIN_SPREAD
      ? 1
      : 2 ** Math.round(Math.log2(inverse))
  );
}

/** Columns times the factors to a power, 1 or −1; the matrix itself where all are 1. */
export function columnsTimes(x: Matrix, factors: Float64Array, power: 1 | -1): Matrix {
  if (factors.every((factor) => factor === 1)) return x;
  return { ...x, data: x.data.map((value, at) => value * factors[at % x.cols] ** power) };
}
