/** Rows of op(A), inner size, columns of op(B), and what is stored transposed. */
type ProductShape = [m: number, k: number, n: number, transposeA?: boolean, transposeB?: boolean];

/** C = op(A) op(B), m × n, in float64; A is stored m × k (k × m when transposed), B k × n (n × k). */
export function matmul(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  m: number,
  k: number,
  n: number,
  transposeA = false,
  transposeB = false,
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let l = 0; l < k; l++) {
        c[i * n + j] += (transposeA ? a[l * m + i] : a[i * k + l]) *
          (transposeB ? b[j * k + l] : b[l * n + j]);
      }
    }
  }
  return c;
}

/** The largest entry of |op(A)| |op(B)|: what the rounding of op(A) op(B) is a share of (Higham 2002, section 3.5). */
export function productScale(a: ArrayLike<number>, b: ArrayLike<number>, ...shape: ProductShape): number {
  return matmul(Float64Array.from(a, Math.abs), Float64Array.from(b, Math.abs), ...shape)
    .reduce((largest, v) => Math.max(largest, v), 0);
}
