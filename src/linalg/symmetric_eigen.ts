/** Eigenvectors of small symmetric matrices, in float64 on the host: "jacobi" of `eigh`. */
import { combineRows } from "./combine_rows.ts";

/** Eigenvalues in descending order, and the eigenvectors as columns of a row-major n × n matrix. */
export interface SymmetricEigen {
  values: Float64Array;
  vectors: Float64Array;
}

const MAX_SWEEPS = 40;

/**
 * All eigenpairs of a symmetric n × n matrix by cyclic Jacobi rotations (Golub & Van Loan, Matrix Computations, 8.5).
 *
 * @param matrix row-major n × n, only assumed symmetric up to rounding
 * @returns eigenvalues descending, orthonormal eigenvectors as columns
 * @throws Error when the matrix is not finite
 *
 * Cost: about 8 sweeps of 4 n³ operations; meant for n ≤ 128.
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const a = new Float64Array(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    v[i * n + i] = 1;
    for (let j = 0; j < i; j++) a[i * n + j] = a[j * n + i] = (a[i * n + j] + a[j * n + i]) / 2;
  }
  if (!a.every(Number.isFinite)) throw new Error("A small symmetric matrix holds NaN or infinite values.");
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let off = 0, diagonal = 0;
    for (let i = 0; i < n; i++) {
      diagonal += a[i * n + i] ** 2;
      for (let j = 0; j < i; j++) off += a[i * n + j] ** 2;
    }
    if (off <= 1e-32 * diagonal || off === 0) break;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = a[p * n + q];
        if (apq === 0) continue;
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1), s = t * c;
        for (let k = 0; k < n; k++) {
          const x = a[k * n + p], y = a[k * n + q];
          a[k * n + p] = c * x - s * y;
          a[k * n + q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const x = a[p * n + k], y = a[q * n + k];
          a[p * n + k] = c * x - s * y;
          a[q * n + k] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const x = v[k * n + p], y = v[k * n + q];
          v[k * n + p] = c * x - s * y;
          v[k * n + q] = s * x + c * y;
        }
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i]);
  const values = Float64Array.from(order, (i) => a[i * n + i]);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    for (let k = 0; k < n; k++) vectors[k * n + to] = v[k * n + from];
  });
  return { values, vectors };
}

/**
 * T with Tᵀ G T = I on the columns that G can support: the inverse of G's Cholesky factor after scaling G to a unit
 * diagonal.
 *
 * @param gram row-major n × n Gram matrix of n columns
 * @param floor columns whose remaining squared length falls to `floor` of their own are given up
 * @returns `transform`, row-major n × n upper triangular, a given-up column being all zeros; `deficient`, their indices
 */
export function inverseCholesky(
  gram: Float64Array,
  n: number,
  floor: number,
): { transform: Float64Array; deficient: number[] } {
  const deficient: number[] = [];
  const lengths = Float64Array.from({ length: n }, (_, j) => Math.sqrt(gram[j * (n + 1)]));
  const factor = new Float64Array(n * n),
    inverse = new Float64Array(n * n),
    transform = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    // Row j of the Cholesky factor L of G with a unit diagonal, then that of its inverse.
    let rest = 1;
    for (let i = 0, row = j * n; i < j; i++) {
      const pivot = factor[i * n + i];
      if (pivot === 0) continue;
      let sum = gram[row + i] / (lengths[j] * lengths[i]);
      for (let k = 0, at = i * n; k < i; k++) sum -= factor[row + k] * factor[at + k];
      factor[row + i] = sum / pivot;
      rest -= factor[row + i] ** 2;
    }
    if (!(gram[j * (n + 1)] > 0 && rest > floor)) {
      factor.fill(0, j * n, (j + 1) * n);
      deficient.push(j);
      continue;
    }
    const pivot = factor[j * n + j] = Math.sqrt(rest);
    inverse[j * n + j] = 1;
    for (let i = 0; i < j; i++) {
      const value = factor[j * n + i];
      if (value !== 0) { for (let k = 0; k <= i; k++) inverse[j * n + k] -= value * inverse[i * n + k]; }
    }
    for (let k = 0; k <= j; k++) {
      inverse[j * n + k] /= pivot;
      if (inverse[j * n + k] !== 0) transform[k * n + j] = inverse[j * n + k] / lengths[k];
    }
  }
  return { transform, deficient };
}

/** Row-major product of n × n float64 matrices, AᵀB with `transposeA`. */
export function smallProduct(a: Float64Array, b: Float64Array, n: number, transposeA = false): Float64Array {
  const c = new Float64Array(n * n), rows = Array.from({ length: n }, (_, i) => i * n);
  const left = transposeA ? Float64Array.from(a, (_, at) => a[at % n * n + Math.floor(at / n)]) : a;
  combineRows(left, { data: b, rows, length: n }, { data: c, stride: n, first: 0 });
  return c;
}
