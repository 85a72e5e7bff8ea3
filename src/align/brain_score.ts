/** How well predicted responses follow measured ones. */
import { assertKnown } from "../linalg/check_options.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { mean } from "../statistics/summary.ts";

/** What belongs to the voxels. */
export interface BrainScoreOptions {
  /** Voxel indices by region. */
  rois?: ReadonlyMap<string, Uint32Array>;
  /** Share of each voxel's variance over images that is signal (r²). */
  noiseCeiling?: Float32Array;
}

/** Scores of one region. */
export interface RoiScore {
  /** How many voxels. */
  voxels: number;
  /** Mean r. */
  mean: number;
  /** Standard error of the mean over voxels; 0 for a single one. */
  standardError: number;
  /** Mean of r / √ceiling over the voxels whose ceiling is above 0; absent without ceilings or such voxels. */
  normalized?: number;
}

/** Scores of one prediction. */
export interface BrainScore {
  /** Pearson r of every voxel. */
  r: Float64Array;
  /** r / √ceiling of every voxel, NaN where the ceiling is 0; absent without ceilings. */
  normalized?: Float64Array;
  /** Mean r over all voxels. */
  mean: number;
  /** By region, in the order given. */
  rois: Map<string, RoiScore>;
  /** Voxels whose prediction or measurement is constant: their r counts as 0. */
  constant: number;
}

/** A column whose squared deviations are below this share of its squares is constant as far as float32 can tell. */
const CONSTANT = 1e-13;

/**
 * Pearson correlation over images of predicted and measured responses, METHOD "Brain score":
 * r_v = Σ_i (ŷ_iv − mean ŷ_v)(y_iv − mean y_v) / (‖ŷ_v − mean‖ ‖y_v − mean‖), in float64. A voxel whose prediction is
 * constant says nothing: its r is 0, and it is counted in every mean.
 *
 * The normalised score of a voxel is r_v / √c_v with its noise ceiling c_v, the highest r² that any prediction can be
 * expected to reach; it may exceed 1 by chance.
 *
 * @param predicted images × voxels, any unit
 * @param measured images × voxels, of held-out images
 * @returns by voxel and region; a region without voxels is left out
 * @throws RangeError "predicted is 12 × 5, measured 12 × 6: they must be equal."; "There is one image: …"
 */
export function brainScore(
  predicted: Matrix,
  measured: Matrix,
  options: BrainScoreOptions = {},
): BrainScore {
  assertKnown("brainScore", options, { rois: true, noiseCeiling: true });
  const { rois = new Map(), noiseCeiling } = options;
  assertMatrix(predicted, "predicted");
  assertMatrix(measured, "measured");
  const { rows, cols } = measured;
  if (predicted.rows !== rows || predicted.cols !== cols) {
    throw new RangeError(
      `predicted is ${predicted.rows} × ${predicted.cols}, measured ${rows} × ${cols}: they must be equal.`,
    );
  }
  if (rows < 2) throw new RangeError("There is one image: a correlation over images needs at least 2.");
  assertVoxels(cols, rois);
  checkCeiling(cols, noiseCeiling);
  const [a, b] = [moments(predicted, "predicted"), moments(measured, "measured")];
  const products = new Float64Array(cols);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let v = 0; v < cols; v++, at++) {
      products[v] += (predicted.data[at] - a.mean[v]) * (measured.data[at] - b.mean[v]);
    }
  }
  let constant = 0;
  const r = products.map((product, v) => {
    const isConstant = [a, b].some(({ squares, mean }) => squares[v] <= CONSTANT * rows * mean[v] ** 2);
    constant += Number(isConstant);
    return isConstant ? 0 : product / Math.sqrt(a.squares[v] * b.squares[v]);
  });
  const normalized = noiseCeiling &&
    r.map((value, v) => noiseCeiling[v] > 0 ? value / Math.sqrt(noiseCeiling[v]) : NaN);
  return {
    r,
    ...(normalized && { normalized }),
    mean: mean(r),
    rois: roiScores(r, rois, normalized),
    constant,
  };
}

/**
 * Summarises voxels' scores by region.
 *
 * @param r of every voxel
 * @param rois voxel indices by region; one without voxels is left out
 * @param normalized r / √ceiling of every voxel, NaN where there is none
 * @returns by region: voxels, mean r, its standard error (standard deviation over voxels / √voxels) and mean normalised r
 * @throws RangeError "The region V1 has voxel 9, the responses 5 voxels, counted from 0."
 */
export function roiScores(
  r: Float64Array,
  rois: ReadonlyMap<string, Uint32Array>,
  normalized?: Float64Array,
): Map<string, RoiScore> {
  assertVoxels(r.length, rois);
  const filled = [...rois].filter(([, voxels]) => voxels.length > 0);
  return new Map(filled.map(([name, voxels]) => [name, scoreOf(voxels, r, normalized)]));
}

function scoreOf(voxels: Uint32Array, r: Float64Array, normalized?: Float64Array): RoiScore {
  const values = Array.from(voxels, (v) => r[v]), middle = mean(values), n = values.length;
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const standardError = n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0;
  const score: RoiScore = { voxels: n, mean: middle, standardError };
  const shares = normalized
    ? Array.from(voxels, (v) => normalized[v]).filter((value) => !Number.isNaN(value))
    : [];
  if (shares.length > 0) score.normalized = mean(shares);
  return score;
}

function assertVoxels(count: number, rois: ReadonlyMap<string, Uint32Array>): void {
  for (const [name, voxels] of rois) {
    const wrong = voxels.find((voxel) => !(voxel >= 0 && voxel < count));
    if (wrong !== undefined) {
      throw new RangeError(
        `The region ${name} has voxel ${wrong}, the responses ${count} voxels, counted from 0.`,
      );
    }
  }
}

function checkCeiling(count: number, noiseCeiling?: Float32Array): void {
  if (!noiseCeiling) return;
  if (noiseCeiling.length !== count) {
    throw new RangeError(
      `noiseCeiling has ${noiseCeiling.length} voxels, the responses ${count}: they must be equal.`,
    );
  }
  const wrong = noiseCeiling.findIndex((value) => !(value >= 0 && value <= 1));
  if (wrong >= 0) {
    throw new RangeError(
      `The noise ceiling of voxel ${wrong} is ${
        noiseCeiling[wrong]
      }: give r², a share of the variance from 0 to 1.`,
    );
  }
}

/** Mean of every column and the sum of its squared deviations. */
function moments({ data, rows, cols }: Matrix, name: string): { mean: Float64Array; squares: Float64Array } {
  const mean = new Float64Array(cols), squares = new Float64Array(cols);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let v = 0; v < cols; v++, at++) {
      if (!Number.isFinite(data[at])) {
        throw new RangeError(
          `${name} holds ${data[at]} in image ${i}, voxel ${v}: every value must be finite.`,
        );
      }
      mean[v] += data[at] / rows;
    }
  }
  for (let i = 0, at = 0; i < rows; i++) {
    for (let v = 0; v < cols; v++, at++) squares[v] += (data[at] - mean[v]) ** 2;
  }
  return { mean, squares };
}
