/** Σ_i (v_ic − λ_c x_ic)² for every column c, in float64. */
export function residualSquares(
  v: ArrayLike<number>,
  x: ArrayLike<number>,
  lambda: ArrayLike<number>,
  rows: number,
  cols: number,
): Float64Array {
  const squares = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++) squares[c] += (v[i * cols + c] - lambda[c] * x[i * cols + c]) ** 2;
  }
  return squares;
}
