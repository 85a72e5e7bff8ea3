/** Ridge regression from features to voxels, its penalty chosen for every voxel by cross-validation. */
import { transposed } from "../linalg/host_matrix.ts";
import type { Gpu } from "../gpu/mod.ts";
import { addRow } from "../linalg/affine_rows.ts";
import { assertChoice, assertKnown, assertSeed, currentNames } from "../linalg/check_options.ts";
import { cholesky, releaseFactor, solveCholesky } from "../linalg/cholesky.ts";
import { columnErrors } from "../linalg/column_errors.ts";
import { combine } from "../linalg/combine.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  assertMatrix,
  downloadMatrices,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { crossValidationFolds, type Fold } from "./folds.ts";
import {
  assertImages,
  centered,
  columnsTimes,
  meansOf,
  squarableFactors,
  standardised,
  standardOf,
} from "./standard_columns.ts";

/** Settings of `ridge`. */
export interface RidgeOptions {
  /** Penalties to choose from, in units of the standardised Gram matrix; default `defaultAlphas`. */
  alphas?: readonly number[];
  /** Choose a penalty for each voxel (default), or one for all if there are too few images to choose by voxel. */
  alphaFor?: "voxel" | "all";
  /** Folds of the cross-validation that chooses; default 5. */
  folds?: number;
  /** Of the folds; default 0. */
  seed?: number;
  /** Called after each fold, and at the end. */
  onProgress?: (done: number, total: number) => void;
  /** Stops the work before the next fold; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** A fitted ridge regression. */
export interface Ridge {
  /** Features × voxels, in the features' own units. */
  weights: Matrix;
  /** One per voxel: its response to features of zero. */
  intercept: Float32Array;
  /** The chosen penalty of every voxel. */
  alpha: Float32Array;
  /** Predicted responses, images × voxels, to features images × features. */
  predict(x: Matrix): Promise<Matrix>;
}

/** Bytes of the factors of several penalties, and of the right sides of one chunk of voxels. */
const FACTOR_BYTES = 2 ** 28, CHUNK_BYTES = 2 ** 26;

/**
 * Penalties from 10⁻³ to 10⁴ times the number of images, 15 in equal steps of the logarithm. The standardised Gram matrix
 * has the number of images on its diagonal, so these range from almost no shrinkage to almost complete shrinkage; with many features the smallest
 * ones are raised to what float32 can still solve: λ_i = images · 10^(a + (4 − a) i / 14), with
 * a = max(−3, log₁₀(4 · 10⁻⁶ min(images, features))).
 *
 * @param images that are fitted on
 * @param features columns of x
 * @returns 15 penalties, ascending, in the unit of the standardised Gram matrix
 */
export function defaultAlphas(images: number, features: number): number[] {
  const least = Math.max(-3, Math.log10(Math.min(images, features) * 4e-6)), most = 4, count = 15;
  return Array.from({ length: count }, (_, i) => images * 10 ** (least + (most - least) * i / (count - 1)));
}

/**
 * Fits y ≈ b + Σ_c w_c (x_c − μ_c) / σ_c with the least ‖y − ŷ‖² + λ ‖w‖² for every voxel (Hoerl & Kennard 1970), in
 * closed form: w = (ZᵀZ + λI)⁻¹ Zᵀy with the standardised features Z, or, where features outnumber images, the equal
 * Zᵀ(ZZᵀ + λI)⁻¹ y. The intercept is not penalised; μ, σ and b come from the images that are fitted on only.
 * λ is for every voxel the one of least squared error over the held-out images of all folds, the larger of two equal; with
 * `alphaFor: "all"` the one of least mean share of the voxels' variances.
 *
 * @param x images × features, any unit; a constant feature gets no weight
 * @param y images × voxels
 * @returns weights and intercepts in the units of x and y, the chosen λ of every voxel, and `predict`
 * @throws RangeError "x has 12 images, y 11: they must be equal."; "x holds NaN in image 3, feature 5: …"
 * @throws Error "The Gram matrix of the features + 0 · I (…) is not positive definite in float32: …" for a λ too small
 *
 * Cost: with p = min(images, features), per fold and penalty p³ / 3 + 2 p² · min(voxels, held-out images) multiplications and
 * a product of held-out images × p × voxels; memory of p · voxels
 * values, and of p² for every penalty up to 256 MiB at a time. The same bits on every run.
 */
export async function ridge(gpu: Gpu, x: Matrix, y: Matrix, given: RidgeOptions = {}): Promise<Ridge> {
  const options = currentNames("ridge", given, { lambdas: "alphas", lambdaFor: "alphaFor" });
  assertKnown("ridge", options, NAMES);
  assertImages(x, y);
  assertChoice("alphaFor", options.alphaFor ?? "voxel", ["voxel", "all"]);
  const factors = squarableFactors(y),
    fitted = await ridgeInRange(gpu, x, columnsTimes(y, factors, 1), options);
  if (factors.every((factor) => factor === 1)) return fitted;
  return {
    ...fitted,
    weights: columnsTimes(fitted.weights, factors, -1),
    intercept: fitted.intercept.map((value, voxel) => value / factors[voxel]),
    predict: async (features) => columnsTimes(await fitted.predict(features), factors, -1),
  };
}

const NAMES = {
  alphas: true,
  alphaFor: true,
  folds: true,
  seed: true,
  onProgress: true,
  signal: true,
} as const;

async function ridgeInRange(gpu: Gpu, x: Matrix, y: Matrix, options: RidgeOptions): Promise<Ridge> {
  const { alphas = defaultAlphas(x.rows, x.cols), alphaFor = "voxel", folds = 5, seed = 0 } = options;
  assertSeed(seed);
  if (alphas.length === 0 || !alphas.every((value) => value >= 0 && value < Infinity)) {
    throw new RangeError(`alphas are [${alphas.join(", ")}]: give at least one, all finite and from 0 on.`);
  }
  const ordered = [...new Set(alphas)].sort((a, b) => b - a);
  const all = Uint32Array.from({ length: x.rows }, (_, i) => i);
  const { mean, inverse } = standardOf(x, all), center = meansOf(y, all);
  let chosen: Uint32Array = new Uint32Array(y.cols);
  if (ordered.length > 1) {
    const parts = crossValidationFolds(x.rows, folds, seed);
    const errors = await heldOutErrors(gpu, x, y, ordered, parts, options);
    chosen = alphaFor === "voxel"
      ? leastOf(errors, y.cols)
      : chosen.fill(leastOf(meanShares(errors, standardOf(y, all).inverse), 1)[0]);
  }
  options.signal?.throwIfAborted();
  const weights = await fit(gpu, standardised(x, all, mean, inverse), y, center, ordered, chosen);
  options.onProgress?.(folds + 1, folds + 1);
  for (let at = 0; at < weights.data.length; at++) weights.data[at] *= inverse[Math.floor(at / y.cols)];
  const intercept = Float64Array.from(center);
  for (let at = 0; at < weights.data.length; at++) {
    intercept[at % y.cols] -= weights.data[at] * mean[Math.floor(at / y.cols)];
  }
  return {
    weights,
    intercept: Float32Array.from(intercept),
    alpha: Float32Array.from(chosen, (index) => ordered[index]),
    predict: (features) => predict(gpu, features, mean, weights, center),
  };
}

/**
 * `ridge` with each of some penalties for all voxels: the same bits as one call a penalty, whose products of features with
 * features and with responses are all the same.
 *
 * @param x images × features
 * @param y images × voxels
 * @returns for every penalty, in the order given, what predicts responses to features images × features
 * @throws as `ridge`
 */
export async function ridgePath(
  gpu: Gpu,
  x: Matrix,
  y: Matrix,
  alphas: readonly number[],
): Promise<Ridge["predict"][]> {
  assertImages(x, y);
  const all = Uint32Array.from({ length: x.rows }, (_, i) => i);
  const { mean, inverse } = standardOf(x, all), center = meansOf(y, all), used: GpuMatrix[] = [];
  const keep = (matrix: GpuMatrix) => (used.push(matrix), matrix);
  try {
    const z = keep(uploadMatrix(gpu, standardised(x, all, mean, inverse), "features"));
    const { system, isDual } = gram(gpu, z);
    keep(system);
    const voxels = Uint32Array.from({ length: y.cols }, (_, v) => v);
    const chunks = chunksOf(voxels, Math.max(x.rows, x.cols)).map((some) => {
      const trainY = uploadMatrix(gpu, centered(y, all, some, center), "responses");
      if (isDual) return { some, right: keep(trainY) };
      const right = keep(multiply(gpu, z, trainY, { transposeA: true }));
      releaseMatrix(gpu, trainY);
      return { some, right };
    });
    const predictors: Ridge["predict"][] = [];
    for (const alpha of alphas) {
      const weights = { data: new Float32Array(x.cols * y.cols), rows: x.cols, cols: y.cols };
      const [factor] = await cholesky(gpu, system, [alpha]);
      try {
        for (const { some, right } of chunks) {
          const b = allocateMatrix(gpu, right.rows, right.cols, right.label);
          combine(gpu, b, [1, right]);
          const solution = solveCholesky(gpu, factor, b);
          const own = isDual ? multiply(gpu, z, solution, { transposeA: true }) : solution;
          const { data } = await downloadMatrix(gpu, own)
            .finally(() => releaseMatrix(gpu, ...new Set([b, solution, own])));
          for (let c = 0; c < x.cols; c++) {
            const part = data.subarray(c * some.length, (c + 1) * some.length);
            weights.data.set(part.map((value) => value * inverse[c]), c * y.cols + some[0]);
          }
        }
      } finally {
        releaseFactor(gpu, factor);
      }
      predictors.push((features) => predict(gpu, features, mean, weights, center));
    }
    return predictors;
  } finally {
    releaseMatrix(gpu, ...used);
  }
}

/** (ZᵀZ + λI) or (ZZᵀ + λI), whichever is smaller. */
function gram(gpu: Gpu, z: GpuMatrix): { system: GpuMatrix; isDual: boolean } {
  const isDual = z.cols > z.rows;
  const product = multiply(gpu, z, z, isDual ? { transposeB: true } : { transposeA: true });
  return { system: { ...product, label: "The Gram matrix of the features" }, isDual };
}

/** Penalties whose factors are held at the same time. */
function* groupsOf(alphas: readonly number[], size: number): Generator<number[]> {
  const count = Math.max(1, Math.floor(FACTOR_BYTES / (4 * size * size)));
  for (let from = 0; from < alphas.length; from += count) yield alphas.slice(from, from + count);
}

/** Parts of a list of voxels whose right sides fit a chunk. */
function chunksOf(voxels: Uint32Array, rows: number): Uint32Array[] {
  const count = Math.max(4, Math.floor(CHUNK_BYTES / (4 * rows)));
  return Array.from(
    { length: Math.ceil(voxels.length / count) },
    (_, i) => voxels.subarray(i * count, (i + 1) * count),
  );
}

/**
 * Squared errors over all held-out images: one row a penalty, one column a voxel. Predictions are L S⁻¹ R, S the system, R what
 * it is solved for and L what held-out images make of solutions: S⁻¹ is applied to R or to Lᵀ, whichever has fewer columns.
 */
async function heldOutErrors(
  gpu: Gpu,
  x: Matrix,
  y: Matrix,
  alphas: readonly number[],
  folds: Fold[],
  { onProgress, signal }: Pick<RidgeOptions, "onProgress" | "signal">,
): Promise<Float64Array> {
  const errors = new Float64Array(alphas.length * y.cols);
  const voxels = Uint32Array.from({ length: y.cols }, (_, v) => v);
  for (const [fold, { train, held }] of folds.entries()) {
    signal?.throwIfAborted();
    const used: GpuMatrix[] = [];
    const keep = (matrix: GpuMatrix) => (used.push(matrix), matrix);
    try {
      const { mean, inverse } = standardOf(x, train), center = meansOf(y, train);
      const z = keep(uploadMatrix(gpu, standardised(x, train, mean, inverse), "features"));
      const own = standardised(x, held, mean, inverse),
        heldZ = keep(uploadMatrix(gpu, own, "held-out features"));
      const { system, isDual } = gram(gpu, z);
      keep(system);
      const isLeft = held.length < y.cols;
      const left = isLeft
        ? keep(
          isDual
            ? multiply(gpu, z, heldZ, { transposeB: true })
            : uploadMatrix(gpu, transposed(own), "held out"),
        )
        : isDual
        ? keep(multiply(gpu, heldZ, z, { transposeB: true }))
        : heldZ;
      const chunks = chunksOf(voxels, Math.max(x.rows, system.rows)).map((some) => {
        const trainY = uploadMatrix(gpu, centered(y, train, some, center), "responses");
        const right = keep(isDual ? trainY : multiply(gpu, z, trainY, { transposeA: true }));
        if (!isDual) releaseMatrix(gpu, trainY);
        return {
          right,
          truth: keep(uploadMatrix(gpu, centered(y, held, some, center), "held-out responses")),
        };
      });
      let row = 0;
      for (const group of groupsOf(alphas, system.rows)) {
        const sums: GpuMatrix[] = [];
        for (const factor of await cholesky(gpu, system, group)) {
          const solve = (right: GpuMatrix) => {
            const b = allocateMatrix(gpu, right.rows, right.cols, right.label);
            combine(gpu, b, [1, right]);
            const solution = solveCholesky(gpu, factor, b);
            releaseMatrix(gpu, b);
            return solution;
          };
          const ofLeft = isLeft ? solve(left) : null;
          for (const { right, truth } of chunks) {
            const solution = ofLeft ?? solve(right);
            const prediction = ofLeft
              ? multiply(gpu, ofLeft, right, { transposeA: true })
              : multiply(gpu, left, solution);
            sums.push(columnErrors(gpu, prediction, truth));
            releaseMatrix(gpu, prediction);
            if (!ofLeft) releaseMatrix(gpu, solution);
          }
          if (ofLeft) releaseMatrix(gpu, ofLeft);
          releaseFactor(gpu, factor);
        }
        used.push(...sums);
        for (const { data } of await downloadMatrices(gpu, ...sums)) {
          for (const error of data) errors[row++] += error;
        }
      }
    } finally {
      releaseMatrix(gpu, ...used);
    }
    onProgress?.(fold + 1, folds.length + 1);
  }
  return errors;
}

/** For every column the row of least error, the first of equal ones. */
function leastOf(errors: Float64Array, cols: number): Uint32Array {
  return Uint32Array.from({ length: cols }, (_, v) => {
    let best = 0;
    for (let row = 1; row * cols < errors.length; row++) {
      if (errors[row * cols + v] < errors[best * cols + v]) best = row;
    }
    return best;
  });
}

/** Errors as shares of the voxels' variances, added up over voxels: one a penalty. */
function meanShares(errors: Float64Array, inverseSpread: Float64Array): Float64Array {
  const voxels = inverseSpread.length, shares = new Float64Array(errors.length / voxels);
  errors.forEach((error, at) => shares[Math.floor(at / voxels)] += error * inverseSpread[at % voxels] ** 2);
  return shares;
}

/** Weights of the standardised features, every voxel with its own penalty. */
async function fit(
  gpu: Gpu,
  standardisedX: Matrix,
  y: Matrix,
  center: Float64Array,
  alphas: readonly number[],
  chosen: Uint32Array,
): Promise<Matrix> {
  const { rows, cols } = standardisedX;
  const images = Uint32Array.from({ length: rows }, (_, i) => i);
  const weights = { data: new Float32Array(cols * y.cols), rows: cols, cols: y.cols };
  const used: GpuMatrix[] = [];
  try {
    const z = uploadMatrix(gpu, standardisedX, "features");
    used.push(z);
    const { system, isDual } = gram(gpu, z);
    used.push(system);
    for (const group of groupsOf(alphas.filter((_, row) => chosen.includes(row)), system.rows)) {
      const factors = await cholesky(gpu, system, group);
      try {
        for (const factor of factors) {
          const voxels = Uint32Array.from(chosen.keys()).filter((v) => alphas[chosen[v]] === factor.shift);
          for (const some of chunksOf(voxels, Math.max(rows, cols))) {
            const trainY = uploadMatrix(gpu, centered(y, images, some, center), "responses");
            const right = isDual ? trainY : multiply(gpu, z, trainY, { transposeA: true });
            const solution = solveCholesky(gpu, factor, right);
            const own = isDual ? multiply(gpu, z, solution, { transposeA: true }) : solution;
            const { data } = await downloadMatrix(gpu, own)
              .finally(() => releaseMatrix(gpu, ...new Set([trainY, right, solution, own])));
            for (let feature = 0; feature < cols; feature++) {
              some.forEach((voxel, i) =>
                weights.data[feature * y.cols + voxel] = data[feature * some.length + i]
              );
            }
          }
        }
      } finally {
        for (const factor of factors) releaseFactor(gpu, factor);
      }
    }
    return weights;
  } finally {
    releaseMatrix(gpu, ...used);
  }
}

async function predict(
  gpu: Gpu,
  x: Matrix,
  mean: Float64Array,
  weights: Matrix,
  center: Float64Array,
): Promise<Matrix> {
  assertMatrix(x, "x");
  if (x.cols !== weights.rows) {
    throw new RangeError(
      `x has ${x.cols} features, this ridge was fitted on ${weights.rows}: give the same.`,
    );
  }
  const shifted = x.data.map((value, at) => value - mean[at % x.cols]);
  const z = uploadMatrix(gpu, { ...x, data: shifted }, "features");
  const w = uploadMatrix(gpu, weights, "weights");
  const row = { data: Float32Array.from(center), rows: 1, cols: center.length };
  const b = uploadMatrix(gpu, row, "mean responses");
  const product = multiply(gpu, z, w), sum = addRow(gpu, product, b, 1);
  return await downloadMatrix(gpu, sum).finally(() => releaseMatrix(gpu, z, w, b, product, sum));
}
