/** The losses that keep aligned channels centred and uncorrelated, METHOD (6) and (7). */
import code from "../../shaders/covariance_loss.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release } from "../gpu/mod.ts";
import { addRow, sumOfRows } from "../linalg/affine_rows.ts";
import { multiply } from "../linalg/matmul.ts";
import { downloadMatrix, type GpuMatrix, releaseMatrix, rowWindows } from "../linalg/matrix.ts";
import { total } from "./partial_loss.ts";

const COVARIANCE_LOSS: Kernel = { label: "covariance_loss", code };
const WORKGROUP = 16;
const RUN = 64; // vec4 per invocation

/** Weights of the two losses. */
export interface ChannelWeights {
  zero: number;
  covariance: number;
}

/** The two losses of sampled nodes, unweighted, and the weighted gradient. */
export interface ChannelLosses {
  /** (1/D) Σ_c mean_c². */
  zero: number;
  /** Mean of the squared off-diagonal entries of the covariance. */
  covariance: number;
  /** ∂(w_zero L_zero + w_cov L_cov)/∂V′, n × D; to be released. */
  gradient: GpuMatrix;
}

/**
 * L_zero = mean over channels of (mean over nodes of V′)², L_cov = mean of C_ij² over i ≠ j, C the covariance of V′
 * (divided by n), and their gradient.
 *
 * @param aligned V′, n nodes × D channels
 */
export async function channelLosses(
  gpu: Gpu,
  aligned: GpuMatrix,
  weights: ChannelWeights,
): Promise<ChannelLosses> {
  const n = aligned.rows, d = aligned.cols, pairs = Math.max(1, d * (d - 1));
  const mean = sumOfRows(gpu, aligned, 1 / n);
  const centred = addRow(gpu, aligned, mean, -1);
  const gram = multiply(gpu, centred, centred, { transposeA: true });
  const runs = Math.ceil(gram.stride / 4 / RUN), squares = allocate(gpu, d * runs * 4, "squared covariances");
  for (const { buffer, rows, first } of rowWindows(gram)) {
    dispatch(gpu, COVARIANCE_LOSS, {
      buffers: [buffer, squares],
      params: {
        rows,
        stride: gram.stride / 4,
        firstRow: first,
        perNode: 1 / n,
        scale: 4 * weights.covariance / (n * n * pairs),
      },
      workgroups: [Math.ceil(rows / WORKGROUP), runs],
      sizes: `${d} channels`,
    });
  }
  const pulled = multiply(gpu, centred, gram);
  const gradient = addRow(gpu, pulled, mean, 2 * weights.zero / (n * d));
  const means = await downloadMatrix(gpu, mean);
  const covariances = await total(gpu, { buffer: squares, count: d * runs });
  releaseMatrix(gpu, mean, centred, gram, pulled);
  release(gpu, squares);
  return {
    zero: means.data.reduce((sum, value) => sum + value * value, 0) / d,
    covariance: covariances / pairs,
    gradient,
  };
}
