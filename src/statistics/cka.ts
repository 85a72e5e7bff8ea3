/** Centred kernel alignment: how alike two representations of the same stimuli are (Kornblith et al. 2019). */
import { assertKnown } from "../linalg/check_options.ts";
import { dot } from "../linalg/host_matrix.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { largestMagnitude } from "../linalg/squarable.ts";

/** Settings of `cka`. */
export interface CkaOptions {
  /**
   * Use the unbiased estimate of the Hilbert–Schmidt independence criterion (Song et al. 2012): without it, representations
   * of few stimuli by many units look alike even when they are independent. Default false. Needs 4 stimuli.
   */
  debiased?: boolean;
}

/**
 * Linear centred kernel alignment, in float64: CKA = ⟨K, L⟩ / (‖K‖ ‖L‖) of the Gram matrices K = X Xᵀ and L = Y Yᵀ after
 * centring rows and columns (Kornblith et al. 2019, equation (4)); equals ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) of centred X and Y.
 * With `debiased`, diagonals are left out and K, L are U-centred (Székely & Rizzo 2014), so that independent
 * representations are 0 on average, and negative values occur.
 *
 * @param x stimuli × units, any unit
 * @param y the same stimuli × units; the number of units may differ
 * @returns from 0 to 1; with `debiased` up to 1
 * @throws RangeError "x has 12 stimuli, y 11: they must be equal."; "x is the same for all stimuli: …"; with `debiased` also
 *   "The stimuli of x are all equally alike: …"
 *
 * Cost: O(n² · (units of x + units of y)), n² values of memory each.
 *
 * @example
 * ```ts
 * import { cka } from "../../mod.ts";
 * const x = { data: Float32Array.of(1, 0, 0, 1, 2, 2, 5, 3), rows: 4, cols: 2 };
 * const turned = { data: Float32Array.of(0, 3, 3, 0, 6, 6, 9, 15), rows: 4, cols: 2 };
 * if (Math.abs(cka(x, turned) - 1) > 1e-12) throw new Error("rotations and scale do not count");
 * ```
 */
export function cka(x: Matrix, y: Matrix, options: CkaOptions = {}): number {
  assertKnown("cka", options, { debiased: true });
  const { debiased = false } = options;
  assertMatrix(x, "x");
  assertMatrix(y, "y");
  const n = x.rows, least = debiased ? 4 : 2;
  if (y.rows !== n) throw new RangeError(`x has ${n} stimuli, y ${y.rows}: they must be equal.`);
  if (n < least) throw new RangeError(`There are ${n} stimuli: this needs at least ${least}.`);
  const [k, l] = [centredGram(x, "x", debiased), centredGram(y, "y", debiased)];
  return dot(k, l) / Math.sqrt(dot(k, k) * dot(l, l));
}

/** X Xᵀ, centred: double-centred, or U-centred with a diagonal of 0. */
function centredGram({ data, rows: n, cols }: Matrix, name: string, debiased: boolean): Float64Array {
  // Columns are centred first: K changes by what centring takes away, and float64 keeps more of it.
  const largest = largestMagnitude(data), exponent = largest > 0 ? Math.floor(Math.log2(largest)) : 0;
  const factor = Number.isFinite(exponent) ? 2 ** -exponent : 1; // of which fourth powers neither vanish nor overflow
  const mean = new Float64Array(cols), centred = new Float64Array(n * cols), gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let c = 0; c < cols; c++) mean[c] += data[i * cols + c] * factor / n;
  let squares = 0, scale = 0;
  for (let i = 0, at = 0; i < n; i++) {
    for (let c = 0; c < cols; c++, at++) {
      centred[at] = data[at] * factor - mean[c];
      squares += centred[at] ** 2;
      scale += (data[at] * factor) ** 2;
    }
  }
  if (!(scale < Infinity)) throw new RangeError(`${name} holds values that are not finite.`);
  if (!(squares > 1e-28 * scale)) {
    throw new RangeError(`${name} is the same for all stimuli: it has no similarity with anything.`);
  }
  for (let i = 0; i < n; i++) {
    for (let j = debiased ? i + 1 : i; j < n; j++) {
      let product = 0;
      for (let c = 0; c < cols; c++) product += centred[i * cols + c] * centred[j * cols + c];
      gram[i * n + j] = gram[j * n + i] = product;
    }
  }
  if (!debiased) return gram; // rows of centred X sum to 0, and so do those of X Xᵀ
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sums[i] += gram[i * n + j];
  const total = sums.reduce((sum, value) => sum + value, 0) / ((n - 1) * (n - 2));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i !== j) gram[i * n + j] += total - (sums[i] + sums[j]) / (n - 2);
    }
  }
  if (!(dot(gram, gram) > 1e-24 * (squares / n) ** 2)) {
    throw new RangeError(
      `The stimuli of ${name} are all equally similar: after debiasing, nothing is left to compare.`,
    );
  }
  return gram;
}
