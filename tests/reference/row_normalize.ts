/** x̂_i = x_i / ‖x_i‖ for every row, in float64. */
export function rowNormalize(x: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    let squares = 0;
    for (let k = 0; k < cols; k++) squares += x[i * cols + k] ** 2;
    for (let k = 0; k < cols; k++) out[i * cols + k] = x[i * cols + k] / Math.sqrt(squares);
  }
  return out;
}
