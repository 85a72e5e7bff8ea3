/** Residuals of pairs of eigenvalues and eigenvectors, on the device. */
import residualCode from "../../shaders/residual_squares.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release } from "../gpu/mod.ts";
import { multiply, sumSlabs } from "./matmul.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowWindows,
} from "./matrix.ts";
import { uploadSmall } from "./orthonormalize.ts";
import { type Basis, mix, RELATIVE_TOLERANCE, type RitzPairs, type SymmetricOperator } from "./ritz_pairs.ts";

const RESIDUAL: Kernel = { label: "residual_squares", code: residualCode };

const RESIDUAL_RUN = 64;

/** Residuals as columns, their lengths, and their Gram matrix. */
export interface Residuals {
  block: GpuMatrix;
  norms: number[];
  gram: Matrix;
}

/** M x − θ x of the leading `count` Ritz pairs. */
export async function residuals(gpu: Gpu, basis: Basis, ritz: RitzPairs, count: number): Promise<Residuals> {
  const block = mix(gpu, basis.images, ritz, ritz.vectors, count);
  mix(gpu, basis.vectors, ritz, ritz.vectors.map((s, at) => -s * ritz.values[at % ritz.cols]), count, block);
  const product = multiply(gpu, block, block, { transposeA: true });
  const gram = await downloadMatrix(gpu, product);
  releaseMatrix(gpu, product);
  const norms = Array.from({ length: count }, (_, c) => Math.sqrt(Math.max(0, gram.data[c * (count + 1)])));
  return { block, norms, gram };
}

/** Residuals of eigenpairs on an image that is made afresh. */
export async function measure(
  gpu: Gpu,
  operator: SymmetricOperator,
  eigenvectors: GpuMatrix,
  eigenvalues: number[],
): Promise<number[]> {
  const image = allocateMatrix(gpu, eigenvectors.rows, eigenvectors.cols, "M · eigenvectors");
  operator.apply(eigenvectors, image);
  const norms = await residualNorms(gpu, eigenvectors, image, Float64Array.from(eigenvalues));
  releaseMatrix(gpu, image);
  return norms;
}

/** ‖M x_c − λ_c x_c‖ for every column of x, given mx = M x. */
export async function residualNorms(
  gpu: Gpu,
  x: GpuMatrix,
  mx: GpuMatrix,
  values: Float64Array,
): Promise<number[]> {
  const padded = new Float64Array(x.stride);
  padded.set(values);
  const lambda = uploadSmall(gpu, padded, 1, x.stride, "eigenvalues");
  const windows = rowWindows(x);
  const runs = windows.reduce((sum, { rows }) => sum + Math.ceil(rows / RESIDUAL_RUN), 0);
  const partial = allocate(gpu, runs * x.stride * 4, "residuals by runs");
  const sums = allocate(gpu, x.stride * 4, "residuals");
  let run = 0;
  windows.forEach(({ rows }, panel) => {
    dispatch(gpu, RESIDUAL, {
      buffers: [mx.panels[panel], x.panels[panel], lambda.panels[0], partial],
      params: { rows, stride: x.stride / 4, outRun: run },
      workgroups: [Math.ceil(rows / RESIDUAL_RUN / 8), x.stride / 4],
      sizes: `${x.rows} × ${x.cols}`,
    });
    run += Math.ceil(rows / RESIDUAL_RUN);
  });
  sumSlabs(gpu, partial, sums, x.stride / 4, runs);
  const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: x.stride * 4 }]);
  release(gpu, partial);
  release(gpu, sums);
  releaseMatrix(gpu, lambda);
  return [...new Float32Array(bytes).subarray(0, x.cols)].map(Math.sqrt);
}

/** Residual at which a pair with eigenvalue `value` has converged. */
export function allowed(
  { floor = FLOAT32_FLOOR }: Pick<SymmetricOperator, "floor">,
  value: number,
  tolerance: number,
): number {
  return Math.min(tolerance, Math.max(RELATIVE_TOLERANCE * value, floor));
}

/** … as far as float32 can tell, of an operator of norm 1 that does not say otherwise. */
export const FLOAT32_FLOOR = 3e-7;

/** Residual, relative to the largest eigenvalue, below which its direction is mostly rounding. */
export const ROUNDING = 3e-7;
