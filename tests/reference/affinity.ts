/** E_ij = A_ij − 1 = exp(−|x̂_i − ŷ_j|² / 2) − 1 for n rows x_i and m rows y_j of d channels, in float64; nothing cancels. */
export function affinityLessOne(
  x: ArrayLike<number>,
  n: number,
  y: ArrayLike<number>,
  m: number,
  d: number,
): Float64Array {
  const unit = (z: ArrayLike<number>, rows: number) => {
    const out = new Float64Array(rows * d);
    for (let i = 0; i < rows; i++) {
      let squares = 0;
      for (let k = 0; k < d; k++) squares += z[i * d + k] ** 2;
      for (let k = 0; k < d; k++) out[i * d + k] = z[i * d + k] / Math.sqrt(squares);
    }
    return out;
  };
  const u = unit(x, n), v = unit(y, m), e = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let squares = 0;
      for (let k = 0; k < d; k++) squares += (u[i * d + k] - v[j * d + k]) ** 2;
      e[i * m + j] = Math.expm1(-squares / 2);
    }
  }
  return e;
}

/** A_ij = exp(cos(x_i, y_j) − 1) for n rows x_i and m rows y_j of d channels, in float64. */
export function affinity(
  x: ArrayLike<number>,
  n: number,
  y: ArrayLike<number>,
  m: number,
  d: number,
): Float64Array {
  return affinityLessOne(x, n, y, m, d).map((e) => 1 + e);
}
