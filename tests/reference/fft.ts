/** Σ_p a_p exp(∓2πi p q / n) for every q, by the definition, in float64; values are (re, im). */
export function fourier(a: ArrayLike<number>, inverse = false): Float64Array {
  const n = a.length / 2, out = new Float64Array(2 * n);
  for (let q = 0; q < n; q++) {
    for (let p = 0; p < n; p++) {
      const angle = (inverse ? 2 : -2) * Math.PI * ((p * q) % n) / n;
      out[2 * q] += a[2 * p] * Math.cos(angle) - a[2 * p + 1] * Math.sin(angle);
      out[2 * q + 1] += a[2 * p] * Math.sin(angle) + a[2 * p + 1] * Math.cos(angle);
    }
  }
  return out;
}
