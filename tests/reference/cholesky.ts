/** Lower triangular L with L Lᵀ = A, row-major n × n, in float64. */
export function cholesky(a: ArrayLike<number>, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = a[i * n + j];
      for (let k = 0; k < j; k++) rest -= l[i * n + k] * l[j * n + k];
      l[i * n + j] = i === j ? Math.sqrt(rest) : rest / l[j * n + j];
    }
  }
  return l;
}

/** X with A X = B by substitution through A's Cholesky factor, n × r, in float64. */
export function solveCholesky(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  n: number,
  r: number,
): Float64Array {
  const l = cholesky(a, n);
  const x = Float64Array.from(b);
  for (let c = 0; c < r; c++) {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < i; k++) x[i * r + c] -= l[i * n + k] * x[k * r + c];
      x[i * r + c] /= l[i * n + i];
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) x[i * r + c] -= l[k * n + i] * x[k * r + c];
      x[i * r + c] /= l[i * n + i];
    }
  }
  return x;
}
