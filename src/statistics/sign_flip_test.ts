/** The paired permutation test. */
import { seededRandom } from "../linalg/random.ts";

/** Up to this many units, all 2ⁿ patterns of signs are looked at. */
const MAX_EXACT = 13;

/**
 * One-sided p of a mean difference above 0: the share of sign patterns whose mean reaches the observed one (Fisher 1935).
 * All 2ⁿ patterns of up to 13 units, so that five units have p ≥ 1/32; of more, random ones, the observed signs counted as
 * one (Phipson & Smyth 2010).
 *
 * @param differences one an independent unit
 * @param seed of the random signs
 * @param permutations random patterns, default 9,999
 */
export function signFlipTest(
  differences: ArrayLike<number>,
  seed: number,
  permutations = 9_999,
): number {
  const n = differences.length;
  let observed = 0, size = 0;
  for (let i = 0; i < n; i++) {
    observed += differences[i];
    size += Math.abs(differences[i]);
  }
  const least = observed - 1e-12 * size;
  if (n <= MAX_EXACT) return exactShare(differences, least);
  const random = seededRandom(seed);
  let reached = 1;
  for (let run = 0; run < permutations; run++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += random() < 0.5 ? differences[i] : -differences[i];
    if (sum >= least) reached++;
  }
  return reached / (permutations + 1);
}

function exactShare(differences: ArrayLike<number>, least: number): number {
  const n = differences.length, patterns = 2 ** n;
  let reached = 0;
  for (let pattern = 0; pattern < patterns; pattern++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (pattern >> i) & 1 ? -differences[i] : differences[i];
    if (sum >= least) reached++;
  }
  return reached / patterns;
}
