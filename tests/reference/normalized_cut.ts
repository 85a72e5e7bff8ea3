import { affinity } from "./affinity.ts";
import { rowSum } from "./row_sum.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** M = D^−½ A D^−½ of n nodes with d channels, A_ij = exp(cos(x_i, x_j) − 1), in float64. */
export function normalizedAffinity(x: ArrayLike<number>, n: number, d: number) {
  const a = affinity(x, n, x, n, d);
  const degrees = rowSum(a, n, n);
  const m = a.map((value, at) => value / Math.sqrt(degrees[Math.floor(at / n)] * degrees[at % n]));
  return { m, degrees };
}

/** All eigenvalues (descending) and eigenvectors (columns of a row-major n × n matrix) of M, in float64. */
export function normalizedCut(x: ArrayLike<number>, n: number, d: number) {
  const { m, degrees } = normalizedAffinity(x, n, d);
  return { ...symmetricEigen(m, n), m, degrees };
}
