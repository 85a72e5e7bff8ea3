/** Ridge regression of one slot, with the choice of its penalty and the shrinkage of its predictions. */
import { transposed } from "../linalg/host_matrix.ts";
import type { Gpu } from "../gpu/mod.ts";
import { cholesky, releaseFactor, solveCholesky } from "../linalg/cholesky.ts";
import { columnErrors } from "../linalg/column_errors.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  downloadMatrices,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { crossValidationFolds } from "./folds.ts";
import { type AlignSlot, slotOffset } from "./model.ts";
import { meansOf } from "./standard_columns.ts";

/**
 * The penalty of a slot with the least error of leaving one image out, e_i / (1 − h_i) with h_i of the hat matrix, the largest
 * of equal ones; W with it, and its share of the kernel, which is added to.
 */
export async function fitPenalty(
  gpu: Gpu,
  { name, width }: AlignSlot,
  features: Matrix,
  right: GpuMatrix,
  targets: Matrix,
  kernel?: GpuMatrix,
): Promise<{ fit: SlotFit; transform: Matrix }> {
  const images = features.rows, p = uploadMatrix(gpu, features, `pooled features of ${name}`);
  const gram = multiply(gpu, p, p, { transposeA: true });
  const unit = meanSquares(features, name);
  const alphas = ALPHAS.filter((alpha) => alpha >= MIN_ALPHA * width);
  const factors = await cholesky(gpu, gram, alphas.map((alpha) => alpha * unit));
  const columns = transposed(features);
  const solutions: GpuMatrix[] = [], products: GpuMatrix[] = [];
  try {
    for (const factor of factors) {
      const b = uploadMatrix(gpu, columns, "pooled features by channel");
      const solution = solveCholesky(gpu, factor, b); // (PᵀP + α I)⁻¹ Pᵀ
      const w = multiply(gpu, solution, right);
      solutions.push(solution);
      products.push(w, multiply(gpu, p, w));
      releaseMatrix(gpu, b);
    }
    const found = await downloadMatrices(gpu, ...solutions, ...products); // one wait for all penalties
    const size = targets.data.reduce((sum, value) => sum + value * value, 0);
    let best: SlotFit & { index: number } | null = null;
    for (const [index, alpha] of alphas.entries()) {
      const hat = found[index].data, fitted = found[alphas.length + 2 * index + 1].data;
      let error = 0;
      for (let i = 0; i < images; i++) {
        let h = 1 / images;
        for (let d = 0; d < width; d++) h += features.data[i * width + d] * hat[d * images + i];
        for (let c = 0; c < targets.cols; c++) {
          const at = i * targets.cols + c;
          error += ((targets.data[at] - fitted[at]) / (1 - h)) ** 2;
        }
      }
      const explained = 1 - error / size;
      if (!best || explained > best.explained) best = { index, alpha, explained };
    }
    const { index, alpha, explained } = best!;
    if (kernel) multiply(gpu, p, solutions[index], { out: kernel, accumulate: true });
    return { fit: { alpha, explained }, transform: found[alphas.length + 2 * index] };
  } finally {
    for (const factor of factors) releaseFactor(gpu, factor);
    releaseMatrix(gpu, p, gram, ...solutions, ...products);
  }
}

/** (PᵀP + α I)⁻¹ Pᵀ T. */
export async function solveSlot(
  gpu: Gpu,
  { name }: AlignSlot,
  features: Matrix,
  right: GpuMatrix,
  alpha: number,
): Promise<Matrix> {
  const p = uploadMatrix(gpu, features, `pooled features of ${name}`);
  const gram = multiply(gpu, p, p, { transposeA: true }), b = multiply(gpu, p, right, { transposeA: true });
  const [factor] = await cholesky(gpu, gram, [alpha * meanSquares(features, name)]);
  const w = solveCholesky(gpu, factor, b);
  return await downloadMatrix(gpu, w).finally(() => {
    releaseFactor(gpu, factor);
    releaseMatrix(gpu, p, gram, b, w);
  });
}

/**
 * R = (H + γ I)⁻¹ T − T with the kernel H, for every component with the γ of least squared error over held-out images, the
 * larger of two equal.
 *
 * @param kernel Σ_l, that is `slots` times H
 */
export async function shrinkage(
  gpu: Gpu,
  kernel: GpuMatrix,
  slots: number,
  targets: Matrix,
  seed: number,
): Promise<Matrix> {
  const { data: sum } = await downloadMatrix(gpu, kernel);
  const h = sum.map((value) => value / slots), n = kernel.rows, count = targets.cols;
  const part = (rows: Uint32Array, cols: Uint32Array) => {
    const data = new Float32Array(rows.length * cols.length);
    // Both triangles are used, and equal up to rounding.
    rows.forEach((i, a) =>
      cols.forEach((j, b) => data[a * cols.length + b] = (h[i * n + j] + h[j * n + i]) / 2)
    );
    return { data, rows: rows.length, cols: cols.length };
  };
  const errors = GAMMAS.map(() => new Float64Array(count));
  for (const { train, held } of crossValidationFolds(n, FOLDS, seed)) {
    const mean = meansOf(targets, train);
    const own = uploadMatrix(gpu, part(train, train), "kernel"),
      across = uploadMatrix(gpu, part(held, train), "kernel");
    const right = less(targets, train, mean),
      truth = uploadMatrix(gpu, less(targets, held, mean), "components");
    const sums: GpuMatrix[] = [];
    try {
      for (const factor of await cholesky(gpu, own, GAMMAS)) {
        const b = uploadMatrix(gpu, right, "components"), solution = solveCholesky(gpu, factor, b);
        const predicted = multiply(gpu, across, solution);
        sums.push(columnErrors(gpu, predicted, truth));
        releaseFactor(gpu, factor);
        releaseMatrix(gpu, b, solution, predicted);
      }
      (await downloadMatrices(gpu, ...sums)).forEach(({ data }, k) => {
        data.forEach((error, at) => errors[k][at % count] += error);
      });
    } finally {
      releaseMatrix(gpu, own, across, truth, ...sums);
    }
  }
  const chosen = Array.from({ length: count }, (_, c) => {
    let best = 0;
    for (let k = 1; k < GAMMAS.length; k++) if (errors[k][c] < errors[best][c]) best = k;
    return best;
  });
  const whole = uploadMatrix(gpu, part(all(n), all(n)), "kernel"), rest = zeros(n, count);
  try {
    for (const factor of await cholesky(gpu, whole, GAMMAS.filter((_, k) => chosen.includes(k)))) {
      const b = uploadMatrix(gpu, targets, "components"), solution = solveCholesky(gpu, factor, b);
      const { data } = await downloadMatrix(gpu, solution)
        .finally(() => releaseMatrix(gpu, b, solution));
      releaseFactor(gpu, factor);
      for (let c = 0; c < count; c++) {
        if (GAMMAS[chosen[c]] !== factor.shift) continue;
        for (let i = c; i < data.length; i += count) rest.data[i] = data[i] - targets.data[i];
      }
    }
    return rest;
  } finally {
    releaseMatrix(gpu, whole);
  }
}

/** Mean of the diagonal of PᵀP. */
function meanSquares({ data, cols }: Matrix, name: string): number {
  let sum = 0;
  for (const value of data) sum += value * value;
  if (sum > 0) return sum / cols;
  throw new RangeError(
    `The pooled features of ${name} are the same in all images: leave this slot out, or give other images.`,
  );
}

/** The pooled features of a slot, less their means. */
export function centredSlot(slots: AlignSlot[], slot: number, pooled: Matrix, means: Float32Array): Matrix {
  const first = slotOffset(slots, slot), { width } = slots[slot];
  const data = new Float32Array(pooled.rows * width);
  for (let i = 0; i < pooled.rows; i++) {
    for (let k = 0; k < width; k++) {
      data[i * width + k] = pooled.data[i * pooled.cols + first + k] - means[first + k];
    }
  }
  return { data, rows: pooled.rows, cols: width };
}

/** Writes the shared channels of a slot, and what the encoder adds, side by side. */
export function writeSlot(transforms: Matrix, first: number, shared: Matrix, further?: Matrix): void {
  const { cols } = transforms, count = shared.cols;
  for (let k = 0; k < shared.rows; k++) {
    const row = (first + k) * cols;
    transforms.data.set(shared.data.subarray(k * count, (k + 1) * count), row);
    if (further) transforms.data.set(further.data.subarray(k * count, (k + 1) * count), row + count);
  }
}

/** Rows of x without a mean. */
export function less({ data, cols }: Matrix, rows: Uint32Array, mean: Float64Array): Matrix {
  const out = new Float32Array(rows.length * cols);
  rows.forEach((row, i) => {
    for (let c = 0; c < cols; c++) out[i * cols + c] = data[row * cols + c] - mean[c];
  });
  return { data: out, rows: rows.length, cols };
}

/** ‖x‖, Frobenius. */
export function norm({ data }: Matrix): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
}

/** A matrix of zeros. */
export function zeros(rows: number, cols: number): Matrix {
  return { data: new Float32Array(rows * cols), rows, cols };
}

/** 0, 1, … count − 1. */
export function all(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}

/** What was chosen for a slot, and how well it predicts the components of images that it was not fitted on. */
export interface SlotFit {
  /** Penalty, in units of the mean of the Gram matrix' diagonal. */
  alpha: number;
  /** 1 − squared error / squares of the components, leaving one image out at a time: 0 and below is nothing. */
  explained: number;
}

/** Penalties of a slot to choose from, in units of the mean of its Gram matrix' diagonal. */
const ALPHAS = [10, 1, 0.1, 0.01, 0.001];

/** What float32 can still solve: the least penalty, in units of the sum of the diagonal. */
const MIN_ALPHA = 4e-6;

/** Penalties of the encoder to choose from; the kernel's largest eigenvalue is below 1. */
const GAMMAS = [1, 0.3, 0.1, 0.03, 0.01];

/** Folds that choose it. */
export const FOLDS = 5;
