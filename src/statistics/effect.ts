/** Effects as claims report them: a size, an interval, and the chance p of one as large without any effect. */
import { bootstrapDraws, percentileInterval } from "./bootstrap.ts";
import { signFlipTest } from "./sign_flip_test.ts";
import { mean } from "./summary.ts";

/** How large an effect is and how sure; above 0 it is in the claimed direction. */
export interface Effect {
  /** Its size. */
  effect: number;
  /** Low end of its 95 % interval. */
  low: number;
  /** High end. */
  high: number;
  /** One-sided. */
  p: number;
  /** Independent units. */
  n: number;
  /** Whether p is the exact share of all 2ⁿ patterns of signs, whose least value is 2⁻ⁿ. */
  exact?: true;
}

/** With fewer units the interval is their range: bootstrapped means of so few are too narrow. */
const MIN_BOOTSTRAP = 10;
const RESAMPLES = 999;

/**
 * A mean of differences, tested by flipping their signs.
 *
 * @param differences one an independent unit; NaN stands for units that nothing was asked of
 * @param seed of signs and resamples
 * @returns with the percentile interval of the mean over bootstrapped units; of fewer than ten, their range
 */
export function signFlipEffect(differences: ArrayLike<number>, seed: number): Effect {
  const known = Float64Array.from(differences).filter((value) => !Number.isNaN(value)), n = known.length;
  if (n === 0) return { effect: 0, low: 0, high: 0, p: 1, n };
  const [low, high] = n < MIN_BOOTSTRAP ? [Math.min(...known), Math.max(...known)] : percentileInterval(
    bootstrapDraws(n, RESAMPLES, seed).map((draw) => {
      let sum = 0;
      for (const i of draw) sum += known[i];
      return sum / n;
    }),
  );
  return { effect: mean(known), low, high, p: signFlipTest(known, seed), n, ...(n < 7 && { exact: true }) };
}

/**
 * An effect with its values in bootstrapped samples of the units: p is the share of those that are not above 0, with one
 * more that is not (Davison & Hinkley 1997, 4.2).
 *
 * @param effect of all units
 * @param resampled of every sample
 * @param n units
 */
export function bootstrapEffect(effect: number, resampled: ArrayLike<number>, n: number): Effect {
  const values = Float64Array.from(resampled), [low, high] = percentileInterval(values);
  const missed = values.filter((value) => !(value > 0)).length;
  return { effect, low, high, p: (1 + missed) / (values.length + 1), n };
}

/**
 * A statistic less what it is by chance.
 *
 * @param observed the statistic
 * @param permuted the same of permuted data
 * @param n units that were permuted
 * @returns observed − mean of the permuted; the interval subtracts their middle 95 %; p counts the observed as one of them
 */
export function permutationEffect(observed: number, permuted: ArrayLike<number>, n: number): Effect {
  const values = Float64Array.from(permuted), [low, high] = percentileInterval(values);
  const least = observed - 1e-12 * Math.max(1, Math.abs(observed));
  const reached = values.filter((value) => value >= least).length;
  return {
    effect: observed - mean(values),
    low: observed - high,
    high: observed - low,
    p: (1 + reached) / (values.length + 1),
    n,
  };
}

/**
 * Of effects that all have to be there, the one with the largest p: when it is shown, all are, with no correction
 * (Berger 1982, intersection-union test).
 *
 * @param effects at least one
 */
export function weakest<T extends Effect>(effects: readonly T[]): T {
  return effects.reduce((worst, own) =>
    own.p > worst.p || (own.p === worst.p && own.effect < worst.effect) ? own : worst
  );
}
