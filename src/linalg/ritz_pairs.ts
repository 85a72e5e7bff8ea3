/** Ritz pairs of a symmetric operator. */
import type { Gpu } from "../gpu/mod.ts";
import { combineRows } from "./combine_rows.ts";
import { denseEigen } from "./dense_eigen.ts";
import { multiply } from "./matmul.ts";
import { allocateMatrix, type GpuMatrix, releaseMatrix } from "./matrix.ts";
import { uploadSmall } from "./orthonormalize.ts";
import { inverseCholesky, smallProduct } from "./symmetric_eigen.ts";

/** A symmetric n × n operator that can be applied to a block of columns. */
export interface SymmetricOperator {
  size: number;
  /** out ← M x, both n × c; x and out differ. */
  apply(x: GpuMatrix, out: GpuMatrix): void;
  /** The residual ‖M x − λ x‖ of a unit vector x that float32 can tell from 0 when M is applied; default 3e-7. */
  floor?: number;
}

/** Columns V and their images M V. */
export interface AppliedBlock {
  /** V, n × c. */
  vectors: GpuMatrix;
  /** M V, n × c. */
  images: GpuMatrix;
}

/** Orthonormal blocks V and their images M V, with VᵀV and VᵀMV as they are in float32. */
export interface Basis {
  vectors: GpuMatrix[];
  images: GpuMatrix[];
  size: number;
  gram: Float64Array;
  projected: Float64Array;
}

/** The best eigenpairs within a basis. */
export interface RitzPairs {
  /** Descending. */
  values: Float64Array;
  /** What combines the basis into them: its size × cols. */
  vectors: Float64Array;
  cols: number;
}

/**
 * The best eigenpairs within the basis: VᵀMV s = θ VᵀV s, values descending, coefficients s as columns.
 *
 * @param most pairs, if there are as many
 * @param aside pairs set aside, below all others
 */
export function ritzPairs({ size, gram, projected }: Basis, most: number, aside: number): RitzPairs {
  const { transform, deficient } = inverseCholesky(gram, size, 1e-6);
  const reduced = smallProduct(transform, smallProduct(projected, transform, size), size, true);
  for (const column of deficient) reduced[column * (size + 1)] = -1;
  const cols = Math.min(most, size - aside - deficient.length);
  const { values, vectors } = denseEigen(reduced, size, cols), coefficients = new Float64Array(size * cols);
  const rows = Array.from({ length: size }, (_, r) => r * cols);
  combineRows(transform, { data: vectors, rows, length: cols }, {
    data: coefficients,
    stride: cols,
    first: 0,
  });
  return { values, vectors: coefficients, cols };
}

/**
 * Σ blocks · rows of `coefficients`, added to `onto` where there is one.
 *
 * @param coefficients as many rows as the blocks have columns, `pairs.cols` columns
 * @param cols leading columns that are made
 */
export function mix(
  gpu: Gpu,
  blocks: GpuMatrix[],
  pairs: { cols: number },
  coefficients: Float64Array,
  cols: number,
  onto?: GpuMatrix,
): GpuMatrix {
  const out = onto ?? allocateMatrix(gpu, blocks[0].rows, cols, "Ritz vectors");
  let row = 0;
  blocks.forEach((block, i) => {
    const part = new Float64Array(block.cols * cols);
    for (let r = 0; r < block.cols; r++, row++) {
      part.set(coefficients.subarray(row * pairs.cols, row * pairs.cols + cols), r * cols);
    }
    const rotation = uploadSmall(gpu, part, block.cols, cols, "Ritz rotation");
    multiply(gpu, block, rotation, { out, accumulate: onto !== undefined || i > 0 });
    releaseMatrix(gpu, rotation);
  });
  return out;
}

/** Blocks side by side. */
export function joined(gpu: Gpu, blocks: GpuMatrix[]): GpuMatrix {
  const cols = blocks.reduce((sum, block) => sum + block.cols, 0);
  const identity = Float64Array.from({ length: cols * cols }, (_, at) => Number(at % (cols + 1) === 0));
  return mix(gpu, blocks, { cols }, identity, cols);
}

/** A residual is also to be small beside its eigenvalue, or small eigenvalues would pass with any vector … */
export const RELATIVE_TOLERANCE = 0.01;
