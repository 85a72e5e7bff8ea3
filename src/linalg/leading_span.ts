/** Where an eigensolver of a kernel matrix starts. */
import type { Gpu } from "../gpu/mod.ts";
import { combine } from "./combine.ts";
import { denseEigen } from "./dense_eigen.ts";
import { multiply } from "./matmul.ts";
import { allocateMatrix, downloadMatrix, type GpuMatrix, releaseMatrix, uploadMatrix } from "./matrix.ts";
import { orthonormalize } from "./orthonormalize.ts";
import { type Random, randomMatrix } from "./random.ts";

/** Length of the random part of a column: where the span says nothing new, the solver still has a direction. */
const NOISE = 1e-3;
/** Squared singular value, relative to the largest, below which a direction is not told from rounding. */
const LOST = 1e-6;
/** Channels up to which XᵀX is decomposed whole; beyond, a random sample of its range is. */
const WHOLE = 96;

/**
 * X U with the leading right singular vectors U of X: what a kernel of inner products varies along most. With more than 96
 * columns U is taken from the range of XᵀX Ω, Ω random (Halko, Martinsson & Tropp 2011, algorithm 4.3 with one power).
 *
 * @param x n × d; kept
 * @param width columns wanted
 * @returns n × width columns of length 1, to which random ones of length 0.001 are added; beyond the rank only these
 */
export async function leadingSpan(gpu: Gpu, x: GpuMatrix, width: number, random: Random): Promise<GpuMatrix> {
  const range = x.cols <= WHOLE ? null : await sampledRange(gpu, x, random);
  const columns = range ? multiply(gpu, x, range) : x;
  const gram = multiply(gpu, columns, columns, { transposeA: true });
  const { data } = await downloadMatrix(gpu, gram);
  const { values, vectors } = denseEigen(Float64Array.from(data), gram.cols);
  const leading = new Float32Array(gram.cols * width);
  for (let c = 0; c < Math.min(width, gram.cols); c++) {
    if (!(values[c] > LOST * values[0])) break;
    const scale = 1 / Math.sqrt(values[c]);
    for (let r = 0; r < gram.cols; r++) leading[r * width + c] = scale * vectors[r * gram.cols + c];
  }
  const rotation = uploadMatrix(gpu, { data: leading, rows: gram.cols, cols: width }, "leading directions");
  const jitter = uploadMatrix(gpu, randomMatrix(x.rows, width, random), "random columns");
  const exact = multiply(gpu, columns, rotation);
  const span = allocateMatrix(gpu, x.rows, width, "leading span");
  combine(gpu, span, [1, exact], [NOISE / Math.sqrt(x.rows), jitter]);
  releaseMatrix(gpu, gram, rotation, jitter, exact, ...(range ? [range, columns] : []));
  return span;
}

/** An orthonormal basis of the range of XᵀX Ω, d × 96. */
async function sampledRange(gpu: Gpu, x: GpuMatrix, random: Random): Promise<GpuMatrix> {
  const sample = uploadMatrix(gpu, randomMatrix(x.cols, WHOLE, random), "random directions");
  const image = multiply(gpu, x, sample);
  const range = multiply(gpu, x, image, { transposeA: true });
  releaseMatrix(gpu, sample, image);
  return await orthonormalize(gpu, range, [], random);
}
