/** Resampling of independent units with replacement (Efron 1979). */
import { seededRandom } from "../linalg/random.ts";

/** A statistic with its 95 % interval over bootstrapped units. */
export interface Estimate {
  /** On all units. */
  value: number;
  /** Low and high end. */
  interval: [low: number, high: number];
}

/**
 * Units drawn with replacement, the same for every statistic that is given them.
 *
 * @param units how many there are
 * @param resamples how many times all of them are drawn anew
 * @param seed of the draws
 * @returns one list of `units` indices a resample
 */
export function bootstrapDraws(units: number, resamples: number, seed: number): Uint32Array[] {
  const random = seededRandom(seed);
  return Array.from(
    { length: resamples },
    () => Uint32Array.from({ length: units }, () => Math.floor(random() * units)),
  );
}

/**
 * The interval between the quantiles that leave out as much at either end.
 *
 * @param values a statistic of every resample, at least one
 * @param level share of the values inside, default 0.95
 * @returns low and high end, interpolated between neighbouring values
 */
export function percentileInterval(values: Iterable<number>, level = 0.95): [low: number, high: number] {
  const sorted = Float64Array.from(values).sort();
  return [quantileOf(sorted, (1 - level) / 2), quantileOf(sorted, (1 + level) / 2)];
}

/**
 * A quantile of sorted values, interpolated between neighbours.
 *
 * @param sorted ascending, at least one
 * @param share in [0, 1]; 0.5 is the median
 * @throws RangeError when there is no value
 */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new RangeError("A quantile needs at least one value, found none.");
  const place = share * (sorted.length - 1), below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
