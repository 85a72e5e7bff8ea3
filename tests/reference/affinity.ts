/** A_ij = exp(cos(x_i, y_j) − 1) for n rows x_i and m rows y_j of d channels, in float64. */
export function affinity(
  x: ArrayLike<number>,
  n: number,
  y: ArrayLike<number>,
  m: number,
  d: number,
): Float64Array {
  const length = (z: ArrayLike<number>, i: number) => {
    let squares = 0;
    for (let k = 0; k < d; k++) squares += z[i * d + k] ** 2;
    return Math.sqrt(squares);
  };
  const a = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < m; j++) {
      let dot = 0;
      for (let k = 0; k < d; k++) dot += x[i * d + k] * y[j * d + k];
      a[i * m + j] = Math.exp(dot / (length(x, i) * length(y, j)) - 1);
    }
  }
  return a;
}
