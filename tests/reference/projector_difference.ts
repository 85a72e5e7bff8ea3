/** F ∘ F ∘ (X_a X_aᵀ − X_b X_bᵀ) and ‖F ∘ (…)‖² in float64, F = 1 or exp(−A_b); METHOD (5) and (8). */
export function projectorDifference(
  after: ArrayLike<number>,
  before: ArrayLike<number>,
  affinity: ArrayLike<number>,
  n: number,
  focal: boolean,
): { difference: Float64Array; square: number } {
  const ca = after.length / n, cb = before.length / n;
  const difference = new Float64Array(n * n);
  let square = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let value = 0;
      for (let k = 0; k < ca; k++) value += after[i * ca + k] * after[j * ca + k];
      for (let k = 0; k < cb; k++) value -= before[i * cb + k] * before[j * cb + k];
      const weight = focal ? Math.exp(-affinity[i * n + j]) : 1;
      square += (weight * value) ** 2;
      difference[i * n + j] = weight * weight * value;
    }
  }
  return { difference, square };
}
