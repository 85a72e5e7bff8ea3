/** Eigenvectors of symmetric matrices in float64: one function, which names the methods. */
import { assertChoice, assertKnown, assertNumber } from "./check_options.ts";
import { denseEigen } from "./dense_eigen.ts";
import { fixSigns } from "./fix_signs.ts";
import { leadingEigen, symmetricProduct } from "./leading_eigen.ts";
import { largestMagnitude } from "./squarable.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** How eigenvectors are computed, see `eigh`. */
export type EighMethod = "divide-and-conquer" | "jacobi" | "lanczos";

/** What `eigh` can be asked for. */
export interface EighOptions {
  /** Eigenvectors wanted, those of the largest eigenvalues; default all n. */
  count?: number;
  /** Default "divide-and-conquer". */
  method?: EighMethod;
  /** With "lanczos": ‖A x − λ x‖ allowed, relative to the largest eigenvalue's magnitude. Default 1e-10. */
  tolerance?: number;
}

/** Eigenvalues and eigenvectors of a symmetric matrix. */
export interface Eigh {
  /** λ of the eigenvectors, descending: `count` values. */
  eigenvalues: Float64Array;
  /** n × count: orthonormal eigenvectors as columns, the sum of each ≥ 0. */
  eigenvectors: { data: Float64Array; rows: number; cols: number };
  /** ‖A x − λ x‖ of every eigenvector, measured, relative to the largest eigenvalue's magnitude. */
  residuals: Float64Array;
  /** The method used: "divide-and-conquer" where "lanczos" would have cost more. */
  method: EighMethod;
}

/** Differences of A_ij and A_ji, relative to the largest entry, that count as rounding: float32's, in long sums. */
const ASYMMETRY = 1e-5;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, A x = λ x, in float64 on the host. The largest eigenvalues come first, other
 * than in numpy.linalg.eigh.
 *
 * - "divide-and-conquer": Householder reduction to tridiagonal form, and Cuppen's method on that; for all or many eigenvectors of
 *   up to a few thousand rows.
 * - "jacobi": cyclic Jacobi rotations; the slowest, and of positive definite matrices with a wide range of scales the one that
 *   keeps the digits of small eigenvalues. Up to about 128 rows.
 * - "lanczos": Lanczos' method with full orthogonalization; for a few eigenvectors of positive semi-definite matrices, as
 *   affinities and covariances are.
 *
 * The leading eigenvectors of a graph need no matrix: `normalizedCut` applies its affinity on the GPU.
 *
 * @param a A, n × n; (A + Aᵀ) / 2 is used, which may differ from A by rounding alone
 * @returns eigenvalues and residuals, unit of A and relative; eigenvectors unitless
 * @throws RangeError "eigh: …" where A is not square, not finite or not symmetric, naming the entry; where `count` is not 1 to n;
 *   with "lanczos" where the diagonal shows that A is not positive semi-definite
 *
 * Cost: 4/3 n³ + 2 n² · count operations, and 4/3 n³ at most for the tridiagonal matrix; "jacobi" about 32 n³; "lanczos" 2 n²
 * operations a vector, of which there are two or three an eigenvector; 4 n² values.
 *
 * @example
 * ```ts
 * import { eigh } from "../../mod.ts";
 * const { eigenvalues } = eigh({ data: new Float64Array([2, 1, 1, 2]), rows: 2, cols: 2 });
 * if (eigenvalues.map(Math.round).join() !== "3,1") throw new Error(`eigenvalues ${eigenvalues}`);
 * ```
 */
export function eigh(
  a: { data: Float32Array | Float64Array; rows: number; cols: number },
  options: EighOptions = {},
): Eigh {
  assertKnown("eigh", options, { count: true, method: true, tolerance: true });
  const { count = a.rows, method = "divide-and-conquer", tolerance = 1e-10 } = options;
  assertChoice("eigh: method", method, ["divide-and-conquer", "jacobi", "lanczos"]);
  assertNumber("eigh: tolerance", tolerance, "a number above 0", (value) => value > 0);
  const n = a.rows, matrix = symmetricPart(a), factor = inRange(matrix);
  if (!(Number.isInteger(count) && count >= 1 && count <= n)) {
    throw new RangeError(`eigh: ${count} eigenvectors of ${n} × ${n}: ask for 1 to ${n}.`);
  }
  const lanczos = method === "lanczos" ? lanczosPairs(matrix, n, count, tolerance) : null;
  const used = method === "lanczos" && !lanczos ? "divide-and-conquer" : method;
  const found = lanczos ?? (used === "jacobi" ? symmetricEigen(matrix, n) : denseEigen(matrix, n, count));
  const stored = found.vectors.length / n, vectors = new Float64Array(n * count);
  for (let i = 0; i < n; i++) {
    vectors.set(found.vectors.subarray(i * stored, i * stored + count), i * count);
  }
  const eigenvectors = { data: vectors, rows: n, cols: count }, eigenvalues = found.values.slice(0, count);
  fixSigns(eigenvectors);
  const scale = Math.max(Math.abs(found.values[0]), Math.abs(found.values.at(-1)!)) || 1;
  return {
    eigenvalues: factor === 1 ? eigenvalues : eigenvalues.map((value) => value / factor),
    eigenvectors,
    residuals: residualsOf(matrix, eigenvectors, eigenvalues, scale),
    method: used,
  };
}

/** Entries whose fourth powers float64 holds; larger and smaller ones are scaled. */
const LEAST = 2 ** -200, MOST = 2 ** 200;

/** Multiplies a matrix by a power of two where its entries are far from 1, in place. @returns the power */
function inRange(matrix: Float64Array): number {
  const largest = largestMagnitude(matrix);
  if (largest === 0 || largest >= LEAST && largest <= MOST) return 1;
  const factor = 2 ** Math.min(1000, -Math.floor(Math.log2(largest)));
  matrix.forEach((value, at) => matrix[at] = value * factor);
  return factor;
}

/** Null where a dense solve costs no more. */
function lanczosPairs(matrix: Float64Array, n: number, count: number, tolerance: number) {
  let scale = 0; // the longest column; the largest eigenvalue is no less
  for (let i = 0; i < n; i++) {
    const row = matrix.subarray(i * n, (i + 1) * n);
    if (row[i] < 0) {
      throw new RangeError(
        `eigh: "lanczos" takes positive semi-definite matrices, and entry (${i}, ${i}) is ${
          row[i]
        }: use "divide-and-conquer".`,
      );
    }
    scale = Math.max(scale, Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)));
  }
  return leadingEigen(matrix, n, count, (_, __, residual) => residual <= tolerance * scale);
}

/** (A + Aᵀ) / 2 of a matrix that is symmetric up to rounding. */
function symmetricPart({ data, rows: n, cols }: Parameters<typeof eigh>[0]): Float64Array {
  if (n !== cols || n < 1 || data.length !== n * n) {
    throw new RangeError(`eigh: a matrix of ${n} × ${cols} with ${data.length} values is not square.`);
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  const entry = (at: number) => `(${Math.floor(at / n)}, ${at % n})`;
  if (bad >= 0) {
    throw new RangeError(`eigh: entry ${entry(bad)} is ${data[bad]}; every value must be finite.`);
  }
  const matrix = Float64Array.from(data);
  const allowed = ASYMMETRY * matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const lower = data[i * n + j], upper = data[j * n + i];
      if (Math.abs(lower - upper) > allowed) {
        throw new RangeError(
          `eigh: entry ${entry(i * n + j)} is ${lower}, entry ${
            entry(j * n + i)
          } ${upper}: the matrix must be symmetric.`,
        );
      }
      matrix[i * n + j] = matrix[j * n + i] = lower / 2 + upper / 2;
    }
  }
  return matrix;
}

/** ‖A x − λ x‖ / scale of every column x. */
function residualsOf(
  matrix: Float64Array,
  { data, rows, cols }: Eigh["eigenvectors"],
  values: Float64Array,
  scale: number,
): Float64Array {
  const image = new Float64Array(rows);
  return values.map((value, c) => {
    const x = Float64Array.from({ length: rows }, (_, i) => data[i * cols + c]);
    symmetricProduct(matrix, rows, x, image);
    return Math.sqrt(image.reduce((sum, y, i) => sum + (y - value * x[i]) ** 2, 0)) / scale;
  });
}
