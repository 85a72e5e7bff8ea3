/** M_ij = s_i s_j A_ij − q_i q_j for a block whose rows are nodes `first`, `first` + 1, …, in float64. */
export function normalizeAffinity(
  a: ArrayLike<number>,
  rows: number,
  cols: number,
  first: number,
  s: ArrayLike<number>,
  q: ArrayLike<number>,
): Float64Array {
  const m = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      m[i * cols + j] = s[first + i] * s[j] * a[i * cols + j] - q[first + i] * q[j];
    }
  }
  return m;
}
