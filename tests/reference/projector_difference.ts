/**
 * F ∘ F ∘ (X_a X_aᵀ − X_b X_bᵀ) and ‖F ∘ (…)‖² in float64, F = 1 or exp(−A_b); METHOD (5) and (8). `terms` is the largest
 * sum of absolute products behind an entry, which errors of float32 are measured by: the two sums may cancel.
 */
export function projectorDifference(
  after: ArrayLike<number>,
  before: ArrayLike<number>,
  affinity: ArrayLike<number>,
  n: number,
  focal: boolean,
): { difference: Float64Array; square: number; terms: number } {
  const ca = after.length / n, cb = before.length / n;
  const difference = new Float64Array(n * n);
  let square = 0, terms = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let value = 0, size = 0;
      for (let k = 0; k < ca; k++) {
        value += after[i * ca + k] * after[j * ca + k];
        size += Math.abs(after[i * ca + k] * after[j * ca + k]);
      }
      for (let k = 0; k < cb; k++) {
        value -= before[i * cb + k] * before[j * cb + k];
        size += Math.abs(before[i * cb + k] * before[j * cb + k]);
      }
      const weight = focal ? Math.exp(-affinity[i * n + j]) : 1;
      terms = Math.max(terms, weight * weight * size);
      square += (weight * value) ** 2;
      difference[i * n + j] = weight * weight * value;
    }
  }
  return { difference, square, terms };
}
