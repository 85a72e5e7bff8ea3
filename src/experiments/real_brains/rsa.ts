/** Representational similarity: whether two systems find the same pairs of pictures alike (Kriegeskorte et al. 2008). */
import { kendallTauA, rankingOf, spearman } from "../../statistics/rank_correlation.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { seededRandom } from "../../linalg/random.ts";

/** A number with its 95 % interval. */
export interface Interval {
  /** Measured on all stimuli. */
  value: number;
  /** 2.5th percentile of the bootstrap. */
  low: number;
  /** 97.5th percentile. */
  high: number;
}

/** How well two orders of all pairs of pictures agree. */
export interface Agreement {
  /** Spearman's ρ. */
  spearman: Interval;
  /** Kendall's τ_a. */
  kendall: Interval;
}

/** Settings of `compareDissimilarities`. */
export interface BootstrapOptions {
  /** Bootstrap samples; default 1000. */
  resamples?: number;
  /** Of the samples: equal seeds draw the same pictures for every comparison; default 0. */
  seed?: number;
}

/**
 * Dissimilarity 1 − r of every pair of rows, r being Pearson's correlation over columns, in float64.
 *
 * @param patterns stimuli × units
 * @returns n (n − 1) / 2 values, pairs (0, 1), (0, 2) … (1, 2) …
 * @throws RangeError "Pattern 3 is constant or not finite: …"
 */
export function dissimilarities({ data, rows, cols }: Matrix): Float64Array {
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
 * Rank correlations of two sets of dissimilarities, with percentile intervals from a bootstrap over stimuli: stimuli are
 * drawn with replacement, a pair of stimuli drawn p and q times counts p · q times, and pairs of a stimulus with itself,
 * whose dissimilarity is 0 by construction, are left out.
 *
 * @param a n (n − 1) / 2 dissimilarities, as `dissimilarities` orders them
 * @param b of the same stimuli
 * @throws RangeError "5 dissimilarities are not those of all pairs: …"
 */
export function compareDissimilarities(
  a: Float64Array,
  b: Float64Array,
  { resamples = 1000, seed = 0 }: BootstrapOptions = {},
): Agreement {
  const n = stimuliOf(a.length), x = rankingOf(a), y = rankingOf(b), random = seededRandom(seed);
  const rho: number[] = [], tau: number[] = [];
  const drawn = new Uint32Array(n), weights = new Float64Array(a.length);
  while (rho.length < resamples) {
    drawn.fill(0);
    for (let i = 0; i < n; i++) drawn[Math.floor(random() * n)]++;
    for (let i = 0, at = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++, at++) weights[at] = drawn[i] * drawn[j];
    }
    rho.push(spearman(x, y, weights));
    tau.push(kendallTauA(x, y, weights));
  }
  return { spearman: intervalOf(spearman(x, y), rho), kendall: intervalOf(kendallTauA(x, y), tau) };
}

/** A value with the 2.5th and 97.5th percentile of its bootstrap samples. */
function intervalOf(value: number, samples: number[]): Interval {
  const sorted = samples.toSorted((a, b) => a - b);
  const quantile = (share: number) => {
    const at = share * (sorted.length - 1), below = Math.floor(at);
    return sorted[below] + (at - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
  };
  return sorted.length
    ? { value, low: quantile(0.025), high: quantile(0.975) }
    : { value, low: value, high: value };
}

function stimuliOf(pairs: number): number {
  const n = (1 + Math.sqrt(1 + 8 * pairs)) / 2;
  if (pairs > 0 && Number.isInteger(n)) return n;
  throw new RangeError(`${pairs} dissimilarities are not those of all pairs: n stimuli have n (n − 1) / 2.`);
}
