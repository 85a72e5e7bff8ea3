/** −‖x_i − y_j‖² for all pairs, in float64. */
export function squaredDistance(
  x: ArrayLike<number>,
  n: number,
  y: ArrayLike<number>,
  m: number,
  d: number,
): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      for (let k = 0; k < d; k++) out[i * m + j] -= (x[i * d + k] - y[j * d + k]) ** 2;
    }
  }
  return out;
}
