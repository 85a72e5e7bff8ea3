/** The orthogonal matrix nearest to a small square one. */
import { symmetricEigen } from "./symmetric_eigen.ts";
import { lengthOf } from "./portable_math.ts";

/** A singular value below this share of the largest says nothing of its direction. */
const LOST = 1e-7;

/**
 * R = U Vᵀ of A = U Σ Vᵀ: the orthogonal factor of the polar decomposition, which of all orthogonal matrices has the
 * largest trace(Rᵀ A) (Golub & Van Loan, Matrix Computations, 6.4). Where A is singular, any completion is as near.
 *
 * @param a row-major n × n, finite
 * @returns `factor`, row-major n × n orthogonal; `trace`, the sum of the singular values of A
 *
 * Cost: one eigenproblem of AᵀA, n ≤ 128.
 */
export function orthogonalFactor(a: Float64Array, n: number): { factor: Float64Array; trace: number } {
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) gram[r * n + c] += a[i * n + r] * a[i * n + c];
  }
  const { values, vectors } = symmetricEigen(gram, n);
  const singular = values.map((value) => Math.sqrt(Math.max(0, value)));
  const left: Float64Array[] = [];
  for (let e = 0; e < n; e++) {
    const u = new Float64Array(n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) u[i] += a[i * n + j] * vectors[j * n + e];
    const known = singular[e] > LOST * singular[0];
    left.push(known && normalizeAgainst(u, left) ? u : completion(left, n));
  }
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let e = 0; e < n; e++) factor[i * n + j] += left[e][i] * vectors[j * n + e];
    }
  }
  return { factor, trace: singular.reduce((sum, value) => sum + value, 0) };
}

/** Makes u orthonormal to `basis`, in place; false when nothing is left of it. */
function normalizeAgainst(u: Float64Array, basis: Float64Array[]): boolean {
  const length = lengthOf(u);
  for (let pass = 0; pass < 2; pass++) {
    for (const q of basis) {
      const dot = q.reduce((sum, value, i) => sum + value * u[i], 0);
      for (let i = 0; i < u.length; i++) u[i] -= dot * q[i];
    }
  }
  const rest = lengthOf(u);
  if (!(rest > LOST * length)) return false;
  for (let i = 0; i < u.length; i++) u[i] /= rest;
  return true;
}

/** A unit vector orthogonal to `basis`, from the axis that it holds least of. */
function completion(basis: Float64Array[], n: number): Float64Array {
  const held = Float64Array.from({ length: n }, (_, i) => basis.reduce((sum, q) => sum + q[i] ** 2, 0));
  const u = new Float64Array(n);
  u[held.indexOf(Math.min(...held))] = 1;
  normalizeAgainst(u, basis);
  return u;
}
