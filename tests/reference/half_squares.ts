/** h_i = ½ |x_i|² for n rows of d channels, in float64. */
export function halfSquares(x: ArrayLike<number>, n: number, d: number): Float64Array {
  const halves = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) halves[i] += x[i * d + k] ** 2 / 2;
  return halves;
}
