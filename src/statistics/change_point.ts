/** The layer from which on a measure stands higher: one upward step, its test and its stability. */
import { fork, seededRandom, shuffle } from "../linalg/random.ts";
import { bootstrapDraws, percentileInterval } from "./bootstrap.ts";
import { mean } from "./summary.ts";

/** Two levels fitted to an ordered series. */
export interface StepFit {
  /** Index of the first value of the upper level; 0 when no step leads upwards. */
  at: number;
  /** Mean from `at` on less the mean before. */
  jump: number;
  /** Sum of squares that the step leaves, and that a straight line leaves. */
  error: number;
  lineError: number;
}

/**
 * The upward step that leaves the least squares: mean before, mean from there on.
 *
 * @param values at least two, in order
 */
export function fitStep(values: ArrayLike<number>): StepFit {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i] / n;
  let total = 0, slope = 0, spread = 0;
  for (let i = 0; i < n; i++) {
    total += (values[i] - mean) ** 2;
    slope += (i - (n - 1) / 2) * (values[i] - mean);
    spread += (i - (n - 1) / 2) ** 2;
  }
  let best = { at: 0, jump: 0, gain: 0 }, before = 0;
  for (let at = 1; at < n; at++) {
    before += values[at - 1];
    const jump = (n * mean - before) / (n - at) - before / at;
    const gain = jump > 0 ? at * (n - at) / n * jump ** 2 : 0;
    if (gain > best.gain) best = { at, jump, gain };
  }
  return {
    at: best.at,
    jump: best.jump,
    error: Math.max(0, total - best.gain),
    lineError: Math.max(0, total - slope ** 2 / spread),
  };
}

/** A step of the mean over independent units. */
export interface StepTest extends StepFit {
  /** How often units whose values are shuffled among the steps have a step that fits as well, anywhere. */
  p: number;
  /** Share of bootstrapped units that put the step at the same place. */
  stability: number;
  /** Share that put it further away than the next place, one resample more counted so. */
  movedP: number;
  /** Share that a straight line fits as well, counted likewise. */
  lineP: number;
  /** 95 % interval of the jump at `at` over bootstrapped units. */
  interval: [low: number, high: number];
}

/**
 * Finds the step of a mean and tests it: the permutation shuffles each unit's values, so that p accounts for having
 * looked at every place (a maximum statistic).
 *
 * @param units one series a unit, all of the same length
 * @param seed of permutations and resamples
 * @param repeats of either, default 999
 */
export function testStep(units: readonly ArrayLike<number>[], seed: number, repeats = 999): StepTest {
  const length = units[0].length, random = seededRandom(seed);
  const meanOf = (rows: Iterable<ArrayLike<number>>) => {
    const mean = new Float64Array(length);
    for (const row of rows) for (let i = 0; i < length; i++) mean[i] += row[i] / units.length;
    return mean;
  };
  const fit = fitStep(meanOf(units)), gain = gainOf(fit, length);
  let reached = 1;
  for (let run = 0; run < repeats; run++) {
    const shuffled = units.map((row) => shuffle(Float64Array.from(row), random));
    if (gainOf(fitStep(meanOf(shuffled)), length) >= gain - 1e-15) reached++;
  }
  const jumps: number[] = [];
  let same = 0, moved = 1, straight = 1;
  for (const draw of bootstrapDraws(units.length, repeats, fork(seed, "bootstrap"))) {
    const mean = meanOf(Array.from(draw, (unit) => units[unit]));
    const own = fitStep(mean);
    if (own.at === fit.at) same++;
    if (own.at === 0 || Math.abs(own.at - fit.at) > 1) moved++;
    if (own.error >= own.lineError) straight++;
    jumps.push(jumpAt(mean, fit.at));
  }
  return {
    ...fit,
    p: reached / (repeats + 1),
    stability: same / repeats,
    movedP: moved / (repeats + 1),
    lineP: straight / (repeats + 1),
    interval: percentileInterval(jumps),
  };
}

function gainOf({ at, jump }: StepFit, length: number): number {
  return at * (length - at) / length * jump ** 2;
}

function jumpAt(values: Float64Array, at: number): number {
  if (at === 0) return 0;
  return mean(values.subarray(at)) - mean(values.subarray(0, at));
}
