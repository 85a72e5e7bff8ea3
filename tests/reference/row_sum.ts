/** d_i = Σ_j A_ij for every row, in float64. */
export function rowSum(a: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const sums = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) sums[i] += a[i * cols + j];
  }
  return sums;
}
