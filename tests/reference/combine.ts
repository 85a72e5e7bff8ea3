/** α w + β y + γ z, value by value, in float64. */
export function combine(
  [alpha, w]: [number, ArrayLike<number>],
  [beta, y]: [number, ArrayLike<number>],
  [gamma, z]: [number, ArrayLike<number>],
): Float64Array {
  return Float64Array.from({ length: w.length }, (_, i) => alpha * w[i] + beta * y[i] + gamma * z[i]);
}
