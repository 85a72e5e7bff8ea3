/** L_zero and L_cov of n nodes with d channels and the gradient of their weighted sum, in float64; METHOD (6), (7). */
export function channelLosses(
  v: ArrayLike<number>,
  n: number,
  d: number,
  weights: { zero: number; covariance: number },
): { zero: number; covariance: number; gradient: Float64Array } {
  const mean = new Float64Array(d), c = new Float64Array(d * d), gradient = new Float64Array(n * d);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) mean[k] += v[i * d + k] / n;
  const centred = (i: number, k: number) => v[i * d + k] - mean[k];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      for (let l = 0; l < d; l++) if (k !== l) c[k * d + l] += centred(i, k) * centred(i, l) / n;
    }
  }
  const pairs = Math.max(1, d * (d - 1));
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < d; k++) {
      gradient[i * d + k] = weights.zero * 2 * mean[k] / (n * d);
      for (let l = 0; l < d; l++) {
        gradient[i * d + k] += weights.covariance * 4 * centred(i, l) * c[l * d + k] / (n * pairs);
      }
    }
  }
  return {
    zero: mean.reduce((sum, value) => sum + value ** 2, 0) / d,
    covariance: c.reduce((sum, value) => sum + value ** 2, 0) / pairs,
    gradient,
  };
}
