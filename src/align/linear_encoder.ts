/** A linear brain encoder by gradient descent, without channel alignment. */
import { type Gpu, release, sync } from "../gpu/mod.ts";
import { addRow } from "../linalg/affine_rows.ts";
import { assertKnown, assertNumber, assertWhole } from "../linalg/check_options.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  assertMatrix,
  downloadMatrices,
  downloadMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { adamwStep, createParameter, releaseParameter } from "./adamw.ts";
import { brainLoss } from "./brain_loss.ts";
import { assertImages, standardised, standardOf } from "./standard_columns.ts";

/** Settings of `linearEncoder`. */
export interface LinearEncoderOptions {
  /** Steps of AdamW over all images; default 300. */
  steps?: number;
  /** First learning rate, which falls to 0 along a cosine; default 0.02. */
  rate?: number;
  /** Decoupled weight decay of β; default 1. */
  decay?: number;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Steps between two waits, where a signal may stop them: without one they are recorded in one go. */
const WAIT_EVERY = 10;

/**
 * Fits Ŷ = Z β + ε by the L1 loss, METHOD (9): mean |Y − Ŷ| over standardised features Z and standardised voxels, full
 * batches of AdamW, starting from zero.
 *
 * @param x images × features, any unit
 * @param y images × voxels
 * @returns predictions, images × voxels in y's units, for features in x's units
 * @throws RangeError "x has 12 images, y 11: they must be equal."; "x holds NaN in image 3, feature 5: …"; "steps is 0: …"; its
 *   predictions "x has 4 features, this encoder was fitted on 3: …"
 */
export async function linearEncoder(
  gpu: Gpu,
  x: Matrix,
  y: Matrix,
  options: LinearEncoderOptions = {},
): Promise<(x: Matrix) => Promise<Matrix>> {
  assertKnown("linearEncoder", options, { steps: true, rate: true, decay: true, signal: true });
  const { steps = 300, rate = 0.02, decay = 1, signal } = options;
  assertImages(x, y);
  assertWhole("steps", steps, 1);
  assertNumber("rate", rate, "a number above 0", (value) => value > 0);
  assertNumber("decay", decay, "a number, 0 or more", (value) => value >= 0);
  const all = Uint32Array.from({ length: x.rows }, (_, i) => i);
  const unit = standardOf(x, all), response = standardOf(y, all);
  const z = uploadMatrix(gpu, standardised(x, all, unit.mean, unit.inverse), "features");
  const target = uploadMatrix(gpu, standardised(y, all, response.mean, response.inverse), "responses");
  const ones = uploadMatrix(gpu, { data: new Float32Array(x.rows).fill(1), rows: x.rows, cols: 1 }, "ones");
  const zeros = (rows: number) => ({ data: new Float32Array(rows * y.cols), rows, cols: y.cols });
  const beta = createParameter(gpu, zeros(x.cols), decay, "β"),
    epsilon = createParameter(gpu, zeros(1), 0, "ε");
  try {
    for (let step = 1; step <= steps; step++) {
      if (signal && step % WAIT_EVERY === 1) await sync(gpu);
      signal?.throwIfAborted();
      const prediction = multiply(gpu, z, beta.value);
      release(gpu, brainLoss(gpu, prediction, epsilon.value, target).buffer);
      multiply(gpu, z, prediction, { transposeA: true, out: beta.gradient });
      multiply(gpu, ones, prediction, { transposeA: true, out: epsilon.gradient });
      releaseMatrix(gpu, prediction);
      const now = rate * (1 + Math.cos(Math.PI * (step - 1) / steps)) / 2;
      for (const parameter of [beta, epsilon]) adamwStep(gpu, parameter, now, step);
    }
    const [weights, bias] = await downloadMatrices(gpu, beta.value, epsilon.value);
    const spread = response.inverse.map((value) => value > 0 ? 1 / value : 0);
    const inUnits = (data: Float32Array) => data.map((value, at) => value * spread[at % y.cols]);
    const scaled = { ...weights, data: inUnits(weights.data) };
    const row = { ...bias, data: inUnits(bias.data).map((value, v) => value + response.mean[v]) };
    return (features) => predict(gpu, features, unit, scaled, row);
  } finally {
    releaseMatrix(gpu, z, target, ones);
    for (const parameter of [beta, epsilon]) releaseParameter(gpu, parameter);
  }
}

async function predict(
  gpu: Gpu,
  x: Matrix,
  { mean, inverse }: { mean: Float64Array; inverse: Float64Array },
  weights: Matrix,
  row: Matrix,
): Promise<Matrix> {
  assertMatrix(x, "x");
  if (x.cols !== weights.rows) {
    throw new RangeError(
      `x has ${x.cols} features, this encoder was fitted on ${weights.rows}: give the same.`,
    );
  }
  const all = Uint32Array.from({ length: x.rows }, (_, i) => i);
  const used = [standardised(x, all, mean, inverse), weights, row].map((part) =>
    uploadMatrix(gpu, part, "encoder")
  );
  used.push(multiply(gpu, used[0], used[1]));
  used.push(addRow(gpu, used[3], used[2], 1));
  return await downloadMatrix(gpu, used[4]).finally(() => releaseMatrix(gpu, ...used));
}
