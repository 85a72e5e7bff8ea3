/** ĉ ĝ value by value and Σ |ĉ|² k̂, in float64; ĉ and ĝ are (re, im). */
export function tsneConvolve(
  charges: ArrayLike<number>,
  forces: ArrayLike<number>,
  kernel: ArrayLike<number>,
): { product: Float64Array; sum: number } {
  const product = new Float64Array(charges.length);
  let sum = 0;
  for (let at = 0; at < kernel.length; at++) {
    const [a, b, c, d] = [charges[2 * at], charges[2 * at + 1], forces[2 * at], forces[2 * at + 1]];
    product[2 * at] = a * c - b * d;
    product[2 * at + 1] = a * d + b * c;
    sum += (a * a + b * b) * kernel[at];
  }
  return { product, sum };
}
