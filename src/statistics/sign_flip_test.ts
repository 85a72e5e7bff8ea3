/** The paired permutation test. */
import { seededRandom } from "../linalg/random.ts";

/**
 * One-sided p of a mean difference above 0: the share of random sign changes (the observed signs counted as one) whose mean
 * reaches the observed one (Fisher 1935; Phipson & Smyth 2010 for the + 1).
 *
 * @param differences one an independent unit
 * @param seed of the signs
 * @param permutations default 9,999
 */
export function signFlipTest(differences: Float64Array, seed: number, permutations = 9_999): number {
  const random = seededRandom(seed);
  const observed = differences.reduce((sum, value) => sum + value, 0);
  let reached = 1;
  for (let i = 0; i < permutations; i++) {
    let sum = 0;
    for (const value of differences) sum += random() < 0.5 ? value : -value;
    if (sum >= observed - 1e-12) reached++;
  }
  return reached / (permutations + 1);
}
