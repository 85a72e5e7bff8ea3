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
  const [aRow, aStep] = transposeA ? [1, m] : [k, 1], [bStep, bCol] = transposeB ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += a[aRow * i + aStep * l] * b[bStep * l + bCol * j];
      c[i * n + j] = sum;
    }
  }
  return c;
}

/** The largest entry of |op(A)| |op(B)|: what the rounding of op(A) op(B) is a share of (Higham 2002, section 3.5). */
export function productScale(a: ArrayLike<number>, b: ArrayLike<number>, ...shape: ProductShape): number {
  return matmul(Float64Array.from(a, Math.abs), Float64Array.from(b, Math.abs), ...shape)
    .reduce((largest, v) => Math.max(largest, v), 0);
}
