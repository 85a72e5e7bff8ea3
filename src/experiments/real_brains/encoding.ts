/** Real voxels: encoders of features of objects, scored on objects that they were not fitted on. */
import { takeRows } from "../../linalg/host_matrix.ts";
import { brainScore, type RoiScore, roiScores } from "../../align/brain_score.ts";
import { crossValidationFolds } from "../../align/folds.ts";
import { meansOf } from "../../align/standard_columns.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { fork } from "../../linalg/random.ts";
import { deviation } from "../../statistics/summary.ts";

/** Fits an encoder to features and responses of the same images, and returns what predicts others. */
export type Encode = (train: { x: Matrix; y: Matrix }) => Promise<(x: Matrix) => Promise<Matrix>>;

/** Settings of `scoreHeldOut`. */
export interface HeldOutOptions {
  /** The encoder to score: ridge, or one trained by gradient descent. */
  encode: Encode;
  /** Voxel indices by region. */
  rois: ReadonlyMap<string, Uint32Array>;
  /** Folds of the cross-validation; default 9. */
  folds?: number;
  /** Cross-validations with folds of their own, whose scores are averaged; default 5. */
  repeats?: number;
  /** Of the folds; default 0. */
  seed?: number;
  /** Called after every fold. */
  onProgress?: (done: number, total: number) => void;
}

/** What an encoder reaches on held-out images. */
export interface HeldOutScore {
  /** Pearson r of every voxel, mean over the repeats. */
  r: Float64Array;
  /** By region: mean of r over voxels and its standard error. */
  rois: Map<string, RoiScore>;
  /**
   * Largest standard deviation of a region's mean r over the repeats: what the choice of folds alone changes; absent with
   * one repeat, which does not tell it.
   */
  foldSpread?: number;
}

/** A prediction this near to the mean, as a share of it, is the mean as far as float32 can tell. */
const ROUNDING = 2 ** -20;

/**
 * Predicts every image by an encoder fitted without its fold and correlates predicted with measured responses over all
 * images, both less the mean response of the images fitted on. (That mean is the lower, the higher the held-out responses
 * are: left in, it pulls r of voxels that nothing predicts far below 0.)
 *
 * @param x images × features
 * @param y images × voxels
 */
export async function scoreHeldOut(x: Matrix, y: Matrix, options: HeldOutOptions): Promise<HeldOutScore> {
  const { encode, rois, folds = 9, repeats = 5, seed = 0, onProgress } = options;
  const r = new Float64Array(y.cols), means: number[][] = [];
  for (let repeat = 0, done = 0; repeat < repeats; repeat++) {
    const predicted = { ...y, data: new Float32Array(y.data.length) };
    const measured = { ...y, data: new Float32Array(y.data.length) };
    for (const { train, held } of crossValidationFolds(y.rows, folds, fork(seed, "folds", repeat))) {
      const predict = await encode({ x: takeRows(x, train), y: takeRows(y, train) });
      const { data } = await predict(takeRows(x, held));
      const mean = meansOf(y, train);
      held.forEach((image, row) => {
        for (let v = 0; v < y.cols; v++) {
          const difference = data[row * y.cols + v] - mean[v];
          predicted.data[image * y.cols + v] = Math.abs(difference) > ROUNDING * Math.abs(mean[v])
            ? difference
            : 0;
          measured.data[image * y.cols + v] = y.data[image * y.cols + v] - mean[v];
        }
      });
      onProgress?.(++done, folds * repeats);
    }
    const score = brainScore(predicted, measured, { rois });
    score.r.forEach((value, v) => r[v] += value / repeats);
    means.push([...score.rois.values()].map(({ mean }) => mean));
  }
  const spreads = (means[0] ?? []).map((_, roi) => deviation(means.map((row) => row[roi])));
  const foldSpread = repeats > 1 ? Math.max(0, ...spreads) : undefined;
  return { r, rois: roiScores(r, rois), ...(foldSpread !== undefined && { foldSpread }) };
}
