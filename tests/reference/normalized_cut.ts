import { affinity, affinityLessOne } from "./affinity.ts";
import { rowSum } from "./row_sum.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** M = D^−½ A D^−½ of n nodes with d channels, A_ij = exp(cos(x_i, x_j) − 1), in float64. */
export function normalizedAffinity(x: ArrayLike<number>, n: number, d: number) {
  const a = affinity(x, n, x, n, d);
  const degrees = rowSum(a, n, n);
  const m = a.map((value, at) => value / Math.sqrt(degrees[Math.floor(at / n)] * degrees[at % n]));
  return { m, degrees };
}

/**
 * M − q qᵀ, q = D^½ 1 / ‖D^½ 1‖ the first eigenvector, q, and |e_i| / d_i with e = E 1, in float64 with nothing that cancels where A is nearly 1:
 * D^−½ E D^−½ + ½ (u vᵀ + v uᵀ) with E = A − 1, u = D^−½ 1 − q and v = D^−½ 1 + q.
 */
export function deflatedAffinity(x: ArrayLike<number>, n: number, d: number) {
  const e = affinityLessOne(x, n, x, n, d), sums = rowSum(e, n, n);
  const total = sums.reduce((sum, value) => sum + value, 0), length = Math.sqrt(n * n + total);
  const s = sums.map((value) => 1 / Math.sqrt(n + value)), q = s.map((root) => 1 / (root * length));
  const u = s.map((root, i) => {
    const difference = total - 2 * n * sums[i] - sums[i] ** 2; // vol − d²
    return root * difference / (length * (length + n + sums[i]));
  });
  const m = e.map((value, at) => {
    const i = Math.floor(at / n), j = at % n;
    return s[i] * s[j] * value + (u[i] * (s[j] + q[j]) + u[j] * (s[i] + q[i])) / 2;
  });
  return { m, q, shares: sums.map((value) => -value / (n + value)) };
}

/** All eigenvalues (descending) and eigenvectors (columns of a row-major n × n matrix) of M, in float64. */
export function normalizedCut(x: ArrayLike<number>, n: number, d: number) {
  const { m, degrees } = normalizedAffinity(x, n, d);
  return { ...symmetricEigen(m, n), m, degrees };
}
