/**
 * (Σ_j w t (y_i − y_j), Σ_j w) with t = 1 / (1 + ‖y_i − y_j‖² / ν), w = t^((ν+1)/2), j ≠ i, in float64; y is n × 4.
 */
export function tsneRepulsion(y: ArrayLike<number>, n: number, freedom = 1): Float64Array {
  const out = new Float64Array(n * 4);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const d = [0, 1, 2].map((c) => y[4 * i + c] - y[4 * j + c]);
      const t = 1 / (1 + (d[0] ** 2 + d[1] ** 2 + d[2] ** 2) / freedom), w = t ** ((freedom + 1) / 2);
      for (let c = 0; c < 3; c++) out[4 * i + c] += w * t * d[c];
      out[4 * i + 3] += w;
    }
  }
  return out;
}
