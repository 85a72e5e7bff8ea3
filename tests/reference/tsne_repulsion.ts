/**
 * (Σ_j w t (y_i − y_j), Σ_j w) with t = 1 / (1 + ‖y_i − y_j‖² / ν), w = t^((ν+1)/2), j ≠ i, in float64; y is n × 4.
 */
export function tsneRepulsion(y: ArrayLike<number>, n: number, freedom = 1): Float64Array {
  const out = new Float64Array(n * 4), power = (freedom + 1) / 2;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const d0 = y[4 * i] - y[4 * j], d1 = y[4 * i + 1] - y[4 * j + 1], d2 = y[4 * i + 2] - y[4 * j + 2];
      const t = 1 / (1 + (d0 * d0 + d1 * d1 + d2 * d2) / freedom), w = power === 1 ? t : t ** power;
      out[4 * i] += w * t * d0;
      out[4 * i + 1] += w * t * d1;
      out[4 * i + 2] += w * t * d2;
      out[4 * i + 3] += w;
    }
  }
  return out;
}
