/** The leading components of the responses, which every layer is fitted to. */
import type { Gpu } from "../gpu/mod.ts";
import { denseEigen } from "../linalg/dense_eigen.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  downloadMatrices,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { subspaceIteration } from "../linalg/subspace_iteration.ts";
import { meansOf } from "./standard_columns.ts";
import { all, zeros } from "./slot_ridge.ts";

/** Leading components of the centred responses, and the encoder from there. */
export interface Components {
  /** T = U S^½, images × components. */
  targets: Matrix;
  /** From centred responses to T: voxels × components. */
  basis: Matrix;
  /** From T back to the responses, components × voxels: what is nearest to them. */
  beta: Matrix;
  center: Float32Array;
  held: number;
}

/** T = U S^½ of the centred (and weighted) responses Y = U S Vᵀ, images × voxels, with what leads there and back. */
export async function responseComponents(
  gpu: Gpu,
  responses: Matrix,
  components: number,
  noiseCeiling?: ArrayLike<number>,
): Promise<Components> {
  const { rows: images, cols: voxels } = responses;
  const weights = voxelWeights(voxels, noiseCeiling);
  const center = Float32Array.from(meansOf(responses, all(images)));
  const centred = responses.data.map((value, at) => value - center[at % voxels]);
  const y = uploadMatrix(gpu, { ...responses, data: centred }, "centred responses");
  const weighted = uploadMatrix(gpu, {
    ...responses,
    data: weights ? centred.map((value, at) => value * weights[at % voxels]) : centred,
  }, "weighted responses");
  const gram = multiply(gpu, weighted, weighted, { transposeB: true });
  try {
    const { vectors, values, trace } = await leadingPairs(gpu, gram, components);
    // Components that float32 cannot tell from none are no components.
    const count = values.filter((value) => value > 1e-6 * values[0]).length;
    if (!(trace > 0) || count === 0) {
      throw new RangeError(
        `The responses to ${images} images are the same in every voxel that counts: there is nothing to align to.`,
      );
    }
    const targets = zeros(images, count);
    for (let c = 0; c < count; c++) {
      const scale = values[c] ** (SCALE / 2);
      for (let i = 0; i < images; i++) targets.data[i * count + c] = vectors[i * components + c] * scale;
    }
    // Vᵀ S^(p−1) = Tᵀ Y / S: what takes a response to its component, and Tᵀ Y / S^(2 p), what takes it back.
    const t = uploadMatrix(gpu, targets, "components");
    const back = multiply(gpu, t, y, { transposeA: true }),
      forth = multiply(gpu, t, weighted, {
        transposeA: true,
      });
    const [beta, toComponent] = await downloadMatrices(gpu, back, forth)
      .finally(() => releaseMatrix(gpu, t, back, forth));
    const basis = zeros(voxels, count);
    for (let c = 0; c < count; c++) {
      for (let v = 0; v < voxels; v++) {
        beta.data[c * voxels + v] /= values[c] ** SCALE;
        basis.data[v * count + c] = toComponent.data[c * voxels + v] / values[c] * (weights ? weights[v] : 1);
      }
    }
    const sum = values.slice(0, count).reduce((sum, value) => sum + value, 0);
    return { targets, basis, beta, center, held: sum / trace };
  } finally {
    releaseMatrix(gpu, y, weighted, gram);
  }
}

function voxelWeights(voxels: number, noiseCeiling?: ArrayLike<number>): Float32Array | null {
  if (!noiseCeiling) return null;
  const at = Array.from(noiseCeiling).findIndex((value) => !(value >= 0 && value < Infinity));
  if (noiseCeiling.length !== voxels || at >= 0) {
    throw new RangeError(
      at >= 0
        ? `The noise ceiling of voxel ${at} is ${
          noiseCeiling[at]
        }: give a share of variance, and leave voxels without one out.`
        : `There are noise ceilings of ${noiseCeiling.length} voxels, and ${voxels} voxels: they must be equal.`,
    );
  }
  return Float32Array.from(noiseCeiling, Math.sqrt);
}

/** The largest eigenpairs of a Gram matrix, the largest entry of every column positive, and its trace. */
async function leadingPairs(gpu: Gpu, gram: GpuMatrix, count: number) {
  const n = gram.rows;
  let vectors: Float64Array, values: number[], trace = 0;
  if (n <= DENSE) {
    const { data } = await downloadMatrix(gpu, gram);
    for (let i = 0; i < n; i++) trace += data[i * n + i];
    const found = denseEigen(new Float64Array(data), n, count);
    vectors = found.vectors;
    values = [...found.values.subarray(0, count)];
  } else {
    const row = await downloadMatrix(gpu, gram); // its diagonal
    for (let i = 0; i < n; i++) trace += row.data[i * n + i];
    const operator = {
      size: n,
      apply: (x: GpuMatrix, out: GpuMatrix) => void multiply(gpu, gram, x, { out }),
    };
    const found = await subspaceIteration(gpu, operator, { components: count, tolerance: 1e-4 * trace });
    vectors = new Float64Array((await downloadMatrix(gpu, found.eigenvectors)).data);
    releaseMatrix(gpu, found.eigenvectors);
    if (!found.converged) {
      throw new Error(
        `The ${count} leading components of the responses did not converge (residual ${
          Math.max(...found.residuals)
        }): ask for fewer.`,
      );
    }
    values = found.eigenvalues;
  }
  for (let c = 0; c < count; c++) {
    // Not by their sums, as elsewhere: these are 0, for the responses are centred.
    let most = 0;
    for (let i = 0; i < n; i++) {
      if (Math.abs(vectors[i * count + c]) > Math.abs(most)) most = vectors[i * count + c];
    }
    if (most < 0) { for (let i = 0; i < n; i++) vectors[i * count + c] *= -1; }
  }
  return { vectors, values: values.map((value) => Math.max(value, 0)), trace };
}

/** T of responses by a basis that was made before. */
export async function componentsOf(
  gpu: Gpu,
  responses: Matrix,
  basis: Matrix,
  center: Float32Array,
): Promise<Matrix> {
  const y = uploadMatrix(
    gpu,
    { ...responses, data: responses.data.map((value, at) => value - center[at % responses.cols]) },
    "centred responses",
  );
  const b = uploadMatrix(gpu, basis, "basis"), t = multiply(gpu, y, b);
  return await downloadMatrix(gpu, t).finally(() => releaseMatrix(gpu, y, b, t));
}

/** Exponent of the components' singular values: 1 lets the first one drown the rest, 0 takes all for equal. */
export const SCALE = 0.5;

/** Images up to which the components are solved densely, on the host. */
const DENSE = 2048;
