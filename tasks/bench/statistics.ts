/** What is said of a few repeated measurements. */

/** Median and quartiles of repeated measurements. */
export interface Spread {
  median: number;
  /** A quarter lies below. */
  lower: number;
  /** A quarter lies above. */
  upper: number;
  /** How many measurements. */
  count: number;
}

/**
 * Median and quartiles (linear between the nearest two).
 *
 * @param values one or more finite numbers
 * @throws RangeError "There is no median of no measurements."
 */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("There is no median of no measurements.");
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw new RangeError(`A measurement is ${bad}: it must be a finite number.`);
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1), below = Math.floor(place);
    return sorted[below] + (place - below) * (sorted[Math.ceil(place)] - sorted[below]);
  };
  return { median: at(0.5), lower: at(0.25), upper: at(0.75), count: sorted.length };
}

/**
 * The median over rounds of a / b: what both ran into in a round cancels.
 *
 * @param a, b one measurement a round, in the same order
 * @throws RangeError "3 rounds against 2: …"
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) {
    throw new RangeError(`${a.length} rounds against ${b.length}: a ratio needs both in every round.`);
  }
  return spreadOf(a.map((value, round) => value / b[round])).median;
}
