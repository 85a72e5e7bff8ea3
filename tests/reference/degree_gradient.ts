/** h_i = −(1 / d_i) Σ_j g_ij M_ij, g = Z Xᵀ + X Zᵀ, in float64; `product` is Z Xᵀ. */
export function degreeGradient(
  affinity: ArrayLike<number>,
  product: ArrayLike<number>,
  degrees: ArrayLike<number>,
): Float64Array {
  const n = degrees.length;
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < n; j++) {
      const g = product[i * n + j] + product[j * n + i];
      sum += g * affinity[i * n + j] / Math.sqrt(degrees[i] * degrees[j]);
    }
    return -sum / degrees[i];
  });
}
