/** s_i x_ic in float64. */
export function scaleRows(x: ArrayLike<number>, s: ArrayLike<number>, cols: number): Float64Array {
  return Float64Array.from(x, (value, at) => value * s[Math.floor(at / cols)]);
}
