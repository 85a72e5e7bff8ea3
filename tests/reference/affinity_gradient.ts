import { degreeGradient } from "./degree_gradient.ts";

/** T = S + Sᵀ, S_ij = A_ij (g_ij / √(d_i d_j) + h_i), g = Z Xᵀ + X Zᵀ, in float64; `product` is Z Xᵀ. */
export function affinityGradient(
  affinity: ArrayLike<number>,
  product: ArrayLike<number>,
  degrees: ArrayLike<number>,
): Float64Array {
  const n = degrees.length, h = degreeGradient(affinity, product, degrees);
  const s = (i: number, j: number) => {
    const g = product[i * n + j] + product[j * n + i];
    return affinity[i * n + j] * (g / Math.sqrt(degrees[i] * degrees[j]) + h[i]);
  };
  return Float64Array.from({ length: n * n }, (_, at) => {
    const i = Math.floor(at / n), j = at % n;
    return s(i, j) + s(j, i);
  });
}
