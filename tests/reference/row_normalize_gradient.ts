/** (I − v̂ v̂ᵀ) g / ‖v‖ row by row, in float64. */
export function rowNormalizeGradient(
  x: ArrayLike<number>,
  gradient: ArrayLike<number>,
  rows: number,
  cols: number,
): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    let square = 0, product = 0;
    for (let k = i * cols; k < (i + 1) * cols; k++) {
      square += x[k] ** 2;
      product += x[k] * gradient[k];
    }
    for (let k = i * cols; k < (i + 1) * cols; k++) {
      out[k] = (gradient[k] - product / square * x[k]) / Math.sqrt(square);
    }
  }
  return out;
}
