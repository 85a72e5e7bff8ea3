/** The Nyström extension of eigenvectors from all landmarks to other nodes. */
import { type Gpu, release } from "../gpu/mod.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { normalizeRows } from "../linalg/row_normalize.ts";
import { affinityBlock, uploadScale, uploadUnitRows } from "./affinity.ts";
import type { NormalizedCut } from "./normalized_cut.ts";

/** Bytes of affinity made at a time. */
const BLOCK_BYTES = 2 ** 24;
/** An eigenvalue below this share of the largest is rounding: its vector is carried as it is, not divided by it. */
const LOST = 1e-6;

/** Carries the eigenvectors of landmarks to panels of nodes. */
export interface Extension {
  /** rows × d features → rows × C vectors. */
  extend(features: Matrix): Promise<Matrix>;
  release(): void;
}

/**
 * u_i = d_i^−½ Σ_k A_ik d_k^−½ u_k / λ, d_i = Σ_k A_ik, over all landmarks k (Williams & Seeger 2001; for the normalised
 * cut Fowlkes et al. 2004, without their orthogonalisation): at a landmark this is its own vector.
 *
 * @param landmarks m × d features
 * @param cut their eigenvectors, eigenvalues and degrees
 *
 * Cost: 2 n m (d + C) operations for n nodes; memory of the landmarks and of 16 MiB of affinity.
 */
export function openExtension(
  gpu: Gpu,
  landmarks: Matrix,
  { eigenvectors, eigenvalues, degrees }: Pick<NormalizedCut, "eigenvectors" | "eigenvalues" | "degrees">,
): Extension {
  const m = landmarks.rows, c = eigenvectors.cols;
  const unit = uploadUnitRows(gpu, landmarks, "landmarks");
  const scale = uploadScale(gpu, m, Float64Array.from(degrees, (degree) => 1 / Math.sqrt(degree)));
  // One column more: d_k^½, so that its sum over A_ik d_k^−½ is the degree.
  const factor = new Float32Array(m * (c + 1));
  for (let k = 0; k < m; k++) {
    for (let i = 0; i < c; i++) {
      const lambda = Math.abs(eigenvalues[i]) > LOST * eigenvalues[0] ? eigenvalues[i] : 1;
      factor[k * (c + 1) + i] = eigenvectors.data[k * c + i] / lambda;
    }
    factor[k * (c + 1) + c] = Math.sqrt(degrees[k]);
  }
  const right = uploadMatrix(gpu, { data: factor, rows: m, cols: c + 1 }, "eigenvectors");
  const rowsAtATime = Math.max(8, Math.floor(BLOCK_BYTES / (4 * m) / 8) * 8);
  return {
    async extend(features) {
      const n = features.rows;
      const raw = uploadMatrix(gpu, features, "panel of features");
      const rows = normalizeRows(gpu, raw), plain = uploadScale(gpu, n);
      const block = allocateMatrix(gpu, Math.min(rowsAtATime, n), m, "affinity to landmarks");
      const parts = [];
      try {
        for (let first = 0; first < n; first += rowsAtATime) {
          const count = Math.min(rowsAtATime, n - first);
          const target = { buffer: block.panels[0], stride: block.stride, row: 0 };
          affinityBlock(gpu, rows, plain, first, count, unit, scale, target);
          parts.push(multiply(gpu, { ...block, rows: count }, right));
        }
        const vectors = { data: new Float32Array(n * c), rows: n, cols: c };
        let row = 0;
        for (const { data, rows: count } of await downloadMatrices(gpu, ...parts)) {
          for (let i = 0; i < count; i++, row++) {
            const root = 1 / Math.sqrt(data[i * (c + 1) + c]);
            for (let k = 0; k < c; k++) vectors.data[row * c + k] = root * data[i * (c + 1) + k];
          }
        }
        return vectors;
      } finally {
        release(gpu, plain.buffer);
        releaseMatrix(gpu, raw, rows, block, ...parts);
      }
    },
    release() {
      release(gpu, scale.buffer);
      releaseMatrix(gpu, unit, right);
    },
  };
}
