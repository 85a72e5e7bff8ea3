/** Orthonormal bases of tall blocks. */
import type { Gpu } from "../gpu/mod.ts";
import { combine } from "./combine.ts";
import { multiply } from "./matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "./matrix.ts";
import { fillRandom, type Random } from "./random.ts";
import { inverseCholesky } from "./symmetric_eigen.ts";

/** Squared length, relative to its own, below which a column counts as dependent on those before it in float32. */
const DEPENDENT = 1e-5;
/** … above which it is so independent that what is computed of it loses no digits. */
const INDEPENDENT = 0.25;
const MAX_PASSES = 6;

/** A small host matrix of float64 values, rounded to float32 and uploaded. */
export function uploadSmall(
  gpu: Gpu,
  values: Float64Array,
  rows: number,
  cols: number,
  label: string,
): GpuMatrix {
  return uploadMatrix(gpu, { data: Float32Array.from(values), rows, cols }, label);
}

/** y ← y − Σ q (qᵀ y) for every orthonormal block q, in place of y; the old y is released. */
export function projectOut(gpu: Gpu, y: GpuMatrix, against: GpuMatrix[]): GpuMatrix {
  for (const q of against) {
    const coefficients = multiply(gpu, q, y, { transposeA: true });
    const part = multiply(gpu, q, coefficients);
    const rest = allocateMatrix(gpu, y.rows, y.cols, y.label);
    combine(gpu, rest, [1, y], [-1, part]);
    releaseMatrix(gpu, coefficients, part, y);
    y = rest;
  }
  return y;
}

/**
 * An orthonormal basis of the columns of y, orthogonal to the blocks `against`, by Cholesky-QR: y ← y T with
 * Tᵀ (yᵀ y) T = I, repeated (CholeskyQR2, Yamamoto et al. 2015) until the Gram matrix itself says that it is done.
 * Columns that depend on others are replaced by random ones.
 *
 * @param y n × c on the GPU, c ≤ n; released
 * @param against orthonormal blocks of n rows
 * @returns n × c orthonormal columns
 * @throws Error when y holds NaN or infinite values
 */
export async function orthonormalize(
  gpu: Gpu,
  y: GpuMatrix,
  against: GpuMatrix[],
  random: Random,
): Promise<GpuMatrix> {
  const c = y.cols;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    y = projectOut(gpu, y, against);
    const gram = multiply(gpu, y, y, { transposeA: true });
    const [g] = await downloadMatrices(gpu, gram);
    releaseMatrix(gpu, gram);
    if (!g.data.every(Number.isFinite)) {
      throw new Error(`${y.label}: a block to orthonormalize holds NaN or infinite values.`);
    }
    if (distanceFromIdentity(g) < 1e-3) return y; // what is left, the caller's own Rayleigh–Ritz removes
    const { transform, deficient } = inverseCholesky(Float64Array.from(g.data), c, DEPENDENT);
    const t = uploadSmall(gpu, transform, c, c, "inverse Cholesky factor");
    let next = multiply(gpu, y, t);
    releaseMatrix(gpu, t, y);
    if (deficient.length) next = refill(gpu, next, deficient, random);
    y = next;
  }
  return y;
}

/**
 * V T and W T with V T orthonormal, given V and W, by one Cholesky-QR; the last `taken` columns of V come first, so that only
 * their lengths change.
 *
 * @returns both; null where the columns of V depend on one another so far that T would multiply what is rounded off W
 */
export async function orthonormalizeBoth(
  gpu: Gpu,
  v: GpuMatrix,
  w: GpuMatrix,
  taken: number,
): Promise<[GpuMatrix, GpuMatrix] | null> {
  const c = v.cols, product = multiply(gpu, v, v, { transposeA: true });
  const [gram] = await downloadMatrices(gpu, product);
  releaseMatrix(gpu, product);
  const order = Array.from({ length: c }, (_, i) => (i + c - taken) % c), ordered = new Float64Array(c * c);
  order.forEach((r, i) => order.forEach((s, j) => ordered[i * c + j] = gram.data[r * c + s]));
  const { transform, deficient } = inverseCholesky(ordered, c, INDEPENDENT),
    rotation = new Float64Array(c * c);
  if (deficient.length > 0) return null;
  order.forEach((r, i) => order.forEach((s, j) => rotation[r * c + s] = transform[i * c + j]));
  const t = uploadSmall(gpu, rotation, c, c, "inverse Cholesky factor");
  const both: [GpuMatrix, GpuMatrix] = [multiply(gpu, v, t), multiply(gpu, w, t)];
  releaseMatrix(gpu, t);
  return both;
}

function distanceFromIdentity(g: Matrix): number {
  let worst = 0;
  for (let i = 0; i < g.rows; i++) {
    for (let j = 0; j < g.cols; j++) {
      worst = Math.max(worst, Math.abs(g.data[i * g.cols + j] - Number(i === j)));
    }
  }
  return worst;
}

/** Adds random unit columns where `columns` says that y's are zero. */
function refill(gpu: Gpu, y: GpuMatrix, columns: number[], random: Random): GpuMatrix {
  const noise = new Float32Array(y.rows * columns.length);
  fillRandom(noise, random);
  const scale = 1 / Math.sqrt(y.rows);
  const data = new Float32Array(y.rows * y.cols);
  columns.forEach((column, k) => {
    for (let r = 0; r < y.rows; r++) data[r * y.cols + column] = noise[r * columns.length + k] * scale;
  });
  const fresh = uploadMatrix(gpu, { data, rows: y.rows, cols: y.cols }, "random columns");
  const sum = allocateMatrix(gpu, y.rows, y.cols, y.label);
  combine(gpu, sum, [1, y], [1, fresh]);
  releaseMatrix(gpu, y, fresh);
  return sum;
}
