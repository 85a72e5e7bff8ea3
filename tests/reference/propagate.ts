/** x̃_i = Σ_k w_ik x_k / Σ_k w_ik (METHOD (4)), in float64. */
export function propagate(
  weights: ArrayLike<number>,
  neighbors: ArrayLike<number>,
  k: number,
  x: ArrayLike<number>,
  c: number,
): Float64Array {
  const n = weights.length / k;
  const out = new Float64Array(n * c);
  for (let i = 0; i < n; i++) {
    let total = 0;
    for (let at = i * k; at < (i + 1) * k; at++) total += weights[at];
    for (let at = i * k; at < (i + 1) * k; at++) {
      for (let q = 0; q < c; q++) out[i * c + q] += weights[at] / total * x[neighbors[at] * c + q];
    }
  }
  return out;
}
