/** Representational similarity: whether two systems find the same pairs of stimuli alike (Kriegeskorte et al. 2008). */
import { assertChoice, assertKnown, assertWhole } from "../linalg/check_options.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { seededRandom } from "../linalg/random.ts";
import { largestMagnitude } from "../linalg/squarable.ts";
import { percentileInterval } from "./bootstrap.ts";
import { kendallTauA, midranksOf, type Ranking, rankingOf, spearman } from "./rank_correlation.ts";

/** n (n − 1) / 2 numbers, one a pair of stimuli, as `rdm` orders them. */
export type Dissimilarities = Float64Array | Float32Array | readonly number[];

/** A number with its 95 % interval. */
export interface Interval {
  /** Measured on all stimuli. */
  value: number;
  /** 2.5th percentile of the bootstrap. */
  low: number;
  /** 97.5th percentile. */
  high: number;
}

/** How well two orders of all pairs of stimuli agree. */
export interface Agreement {
  /** Spearman's ρ. */
  spearman: Interval;
  /** Kendall's τ_a. */
  kendall: Interval;
}

/** Settings of `rsa` and `noiseCeiling`. */
export interface RsaOptions {
  /** Bootstrap samples of the stimuli; default 1000. With 0 both ends of the intervals are the value. */
  resamples?: number;
  /** Of the samples: equal seeds draw the same stimuli for every comparison; default 0. */
  seed?: number;
}

/** What any model can be expected to reach on several subjects' dissimilarities. */
export interface NoiseCeiling {
  /** Mean over subjects of the agreement with the mean of the other subjects. */
  lower: Agreement;
  /** Mean over subjects of the agreement with the mean of all subjects, their own included. */
  upper: Agreement;
}

/**
 * Representational dissimilarity matrix: 1 − r of every pair of rows, r being Pearson's correlation over columns, in float64.
 *
 * @param patterns stimuli × units, any unit
 * @returns n (n − 1) / 2 values from 0 to 2, the upper triangle row by row: pairs (0, 1), (0, 2) … (1, 2) …
 * @throws RangeError "Pattern 3 is constant or not finite: it has no correlation with others."; when rows × cols are not the values'
 *
 * Cost: O(n² · units).
 *
 * @example
 * ```ts
 * import { rdm } from "../../mod.ts";
 * const found = rdm({ data: Float32Array.of(1, 2, 3, 10, 20, 30, 3, 2, 1), rows: 3, cols: 3 });
 * if (found.length !== 3 || Math.abs(found[1] - 2) > 1e-12) throw new Error("rows 0 and 2 are opposite");
 * ```
 */
export function rdm(patterns: Matrix): Float64Array {
  assertMatrix(patterns, "patterns");
  const { data, rows, cols } = patterns;
  const units = Array.from({ length: rows }, (_, i) => {
    const row = Float64Array.from(data.subarray(i * cols, (i + 1) * cols));
    const mean = row.reduce((sum, value) => sum + value, 0) / cols;
    const centered = row.map((value) => value - mean);
    const norm = Math.sqrt(centered.reduce((sum, value) => sum + value * value, 0));
    if (!(norm > 0 && norm < Infinity)) {
      throw new RangeError(`Pattern ${i} is constant or not finite: it has no correlation with others.`);
    }
    return centered.map((value) => value / norm);
  });
  const out = new Float64Array(rows * (rows - 1) / 2);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = i + 1; j < rows; j++, at++) {
      const a = units[i], b = units[j];
      let r = 0;
      for (let c = 0; c < cols; c++) r += a[c] * b[c];
      out[at] = 1 - r;
    }
  }
  return out;
}

/**
 * Rank correlations of dissimilarities, with percentile intervals from a bootstrap over stimuli: stimuli are drawn with
 * replacement, a pair of stimuli drawn p and q times counts p · q times, and pairs of a stimulus with itself, whose
 * dissimilarity is 0 by construction, are left out (as rsatoolbox does).
 *
 * @param model n (n − 1) / 2 dissimilarities, as `rdm` orders them
 * @param brain of the same stimuli; of several subjects: the mean over subjects of the correlations
 * @throws RangeError "5 dissimilarities are not those of all pairs: …"; "These 36 values are a whole matrix of 6 × 6: …"; "Value 3 is NaN: …"; when lengths differ
 *
 * Cost: O(n² log n) for every resample and subject.
 */
export function rsa(
  model: ArrayLike<number>,
  brain: Dissimilarities | readonly Dissimilarities[],
  options: RsaOptions = {},
): Agreement {
  assertKnown("rsa", options, { resamples: true, seed: true });
  const subjects = subjectsOf(brain), own = orderOf(model);
  return meanAgreement(subjects.map((subject) => [own, orderOf(subject)]), options);
}

/** One subject's dissimilarities, or those of several. */
function subjectsOf(brain: Dissimilarities | readonly Dissimilarities[]): readonly Dissimilarities[] {
  const isOne = ArrayBuffer.isView(brain) || typeof brain[0] === "number";
  const subjects = isOne ? [brain as Dissimilarities] : brain as readonly Dissimilarities[];
  if (subjects.length === 0) {
    throw new RangeError("There is not a subject: give the dissimilarities of one or more.");
  }
  return subjects;
}

/**
 * Noise ceiling of Nili et al. 2014 from the subjects' own dissimilarities: no model can be expected to agree better with
 * the subjects than their mean does (upper bound), and a true model at least as well as the other subjects' mean (lower).
 * It bounds the mean over subjects, `rsa(model, subjects)`, not the agreement with one averaged RDM.
 *
 * @param subjects at least two, each n (n − 1) / 2 dissimilarities of the same stimuli
 * @param given `average`: what is averaged over subjects, the dissimilarities ("values", default) or their ranks ("ranks",
 *   as rsatoolbox does for rank correlations); intervals are of a bootstrap over stimuli as in `rsa`
 * @throws RangeError "There is 1 subject: a noise ceiling needs at least 2."; those of `rsa`
 */
export function noiseCeiling(
  subjects: readonly Dissimilarities[],
  given: RsaOptions & { average?: "values" | "ranks" } = {},
): NoiseCeiling {
  assertKnown("noiseCeiling", given, { average: true, resamples: true, seed: true });
  const { average = "values", ...options } = given;
  assertChoice("average", average, ["values", "ranks"]);
  if (subjects.length < 2) {
    throw new RangeError(`There is ${subjects.length} subject: a noise ceiling needs at least 2.`);
  }
  const rankings = subjects.map(orderOf);
  const values = average === "ranks"
    ? rankings.map(midranksOf)
    : subjects.map((own) => Float64Array.from(own));
  const meanWithout = (left?: number) => rankingOf(meanOf(values.filter((_, subject) => subject !== left)));
  const all = meanWithout();
  return {
    lower: meanAgreement(rankings.map((own, subject) => [meanWithout(subject), own]), options),
    upper: meanAgreement(rankings.map((own) => [all, own]), options),
  };
}

/** Mean over pairs of rankings of both correlations, with the bootstrap of `rsa`. */
function meanAgreement(
  pairs: readonly [Ranking, Ranking][],
  { resamples = 1000, seed = 0 }: RsaOptions,
): Agreement {
  assertWhole("resamples", resamples, 0);
  const count = pairs[0]?.[0].level.length ?? 0, n = stimuliOf(count), random = seededRandom(seed);
  const mean = (of: typeof spearman, weights?: Float64Array) =>
    pairs.reduce((sum, [a, b]) => sum + of(a, b, weights), 0) / pairs.length;
  const rho: number[] = [], tau: number[] = [];
  const drawn = new Uint32Array(n), weights = new Float64Array(count);
  while (rho.length < resamples) {
    drawn.fill(0);
    for (let i = 0; i < n; i++) drawn[Math.floor(random() * n)]++;
    for (let i = 0, at = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++, at++) weights[at] = drawn[i] * drawn[j];
    }
    rho.push(mean(spearman, weights));
    tau.push(mean(kendallTauA, weights));
  }
  return {
    spearman: intervalOf(mean(spearman), rho),
    kendall: intervalOf(mean(kendallTauA), tau),
  };
}

/** A value with the 2.5th and 97.5th percentile of its bootstrap samples. */
function intervalOf(value: number, samples: number[]): Interval {
  const [low, high] = samples.length > 0 ? percentileInterval(samples) : [value, value];
  return { value, low, high };
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  return rows[0].map((_, at) => rows.reduce((sum, row) => sum + row[at], 0) / rows.length);
}

/** Differences of a whole matrix's two halves, relative to its largest value, that count as rounding. */
const ASYMMETRY = 1e-6;

/**
 * Orders one subject's or one model's dissimilarities.
 *
 * @throws RangeError "These 36 values are a whole matrix of 6 × 6, …": as many as the pairs of 9 stimuli, and of none of them
 */
function orderOf(values: Dissimilarities | ArrayLike<number>): Ranking {
  const n = Math.sqrt(values.length);
  if (Number.isInteger(n) && isWholeMatrix(values, n)) {
    throw new RangeError(
      `These ${values.length} values are a whole matrix of ${n} × ${n}: give the ${n * (n - 1) / 2} of ` +
        "its upper triangle alone, row by row.",
    );
  }
  return rankingOf(values);
}

/** Whether values are n rows of n, the same above the diagonal and below, with zeros on it and others beside it. */
function isWholeMatrix(values: ArrayLike<number>, n: number): boolean {
  const rounding = ASYMMETRY * largestMagnitude(values);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const difference = i === j ? values[i * n + i] : values[i * n + j] - values[j * n + i];
      if (!(Math.abs(difference) <= rounding)) return false;
    }
  }
  return n > 1 && rounding > 0 && rounding < Infinity;
}

function stimuliOf(pairs: number): number {
  const n = (1 + Math.sqrt(1 + 8 * pairs)) / 2;
  if (pairs > 0 && Number.isInteger(n)) return n;
  throw new RangeError(`${pairs} dissimilarities are not those of all pairs: n stimuli have n (n − 1) / 2.`);
}
