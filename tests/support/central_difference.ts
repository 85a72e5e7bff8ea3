/** Gradients by central differences, the check of every hand-written one. */

/** (f(x + h e) − f(x − h e)) / 2h for every entry of x, in float64. */
export function centralDifference(
  f: (x: Float64Array) => number,
  x: ArrayLike<number>,
  step = 1e-5,
): Float64Array {
  const at = Float64Array.from(x);
  return at.map((value, i) => {
    at[i] = value + step;
    const above = f(at);
    at[i] = value - step;
    const below = f(at);
    at[i] = value;
    return (above - below) / (2 * step);
  });
}
