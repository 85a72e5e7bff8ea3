/** The largest eigenpairs of symmetric matrices of a few hundred rows, in float64 on the host. */
import { combineRows } from "./combine_rows.ts";
import { denseEigen } from "./dense_eigen.ts";
import { fillRandom, seededRandom } from "./random.ts";
import type { SymmetricEigen } from "./symmetric_eigen.ts";

/** Squared length, relative to its own, below which a direction is rounding of those before it. */
const SPENT = 1e-20;

/**
 * The largest eigenpairs of a positive semi-definite n × n matrix by block Krylov subspaces with Rayleigh–Ritz (Golub & Underwood
 * 1977), without a restart: the residuals of the best vectors join the basis, made orthonormal to all of it.
 *
 * @param matrix row-major n × n, symmetric
 * @param count eigenpairs wanted, far fewer than n
 * @param isGood whether the pair number `at`, with an eigenvalue and a measured ‖M x − λ x‖, is good enough
 * @returns `count` eigenvalues, descending, and their orthonormal eigenvectors as columns; null where the basis would have
 *   to be larger than n / 2, so that a dense solve costs no more
 *
 * Cost: 2 n² a column of the basis. Fixed seed and order: equal input, equal bits.
 */
export function leadingEigen(
  matrix: Float64Array,
  n: number,
  count: number,
  isGood: (at: number, value: number, residual: number) => boolean,
): SymmetricEigen | null {
  const width = count + Math.max(3, Math.ceil(count / 4)), most = Math.floor(n / 2);
  const whole = { data: matrix, rows: Array.from({ length: n }, (_, i) => i * n), length: n };
  const basis = new Float64Array(most * n), images = new Float64Array(most * n);
  const rowsOf = (data: Float64Array, rows: number) => ({
    data,
    length: n,
    rows: Array.from({ length: rows }, (_, i) => i * n),
  });
  let projected = new Float64Array(0), size = 0;
  let block = Float64Array.from(fillRandom(new Float32Array(width * n), seededRandom(0)));
  while (true) {
    const before = size;
    for (let at = 0; at < block.length && size < most; at += n) {
      if (joins(basis, size, block.subarray(at, at + n), n)) size++;
    }
    const added = size - before;
    if (added === 0 || size < count) return null;
    combineRows(basis.slice(before * n, size * n), whole, { data: images, stride: n, first: before * n });
    const grown = new Float64Array(size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        const value = i < before ? projected[i * before + j] : dot(images, i * n, basis, j * n, n);
        grown[i * size + j] = grown[j * size + i] = value;
      }
    }
    projected = grown;
    const kept = Math.min(width, size), { values, vectors } = denseEigen(projected, size, kept);
    const coefficients = new Float64Array(kept * size);
    for (let c = 0; c < kept; c++) {
      for (let i = 0; i < size; i++) coefficients[c * size + i] = vectors[i * kept + c];
    }
    const x = new Float64Array(kept * n), residuals = new Float64Array(kept * n);
    combineRows(coefficients, rowsOf(basis, size), { data: x, stride: n, first: 0 });
    combineRows(coefficients, rowsOf(images, size), { data: residuals, stride: n, first: 0 });
    let good = 0;
    for (let c = 0; c < kept; c++) {
      let squares = 0;
      for (let i = c * n; i < (c + 1) * n; i++) {
        residuals[i] -= values[c] * x[i];
        squares += residuals[i] ** 2;
      }
      if (c === good && isGood(c, values[c], Math.sqrt(squares))) good++;
    }
    if (good >= count) {
      const columns = new Float64Array(n * count);
      for (let c = 0; c < count; c++) for (let i = 0; i < n; i++) columns[i * count + c] = x[c * n + i];
      return { values: values.slice(0, count), vectors: columns };
    }
    if (size === most) return null;
    block = residuals;
  }
}

/** Makes a row orthonormal to the basis and puts it behind; false where nothing but rounding is left of it. */
function joins(basis: Float64Array, size: number, row: Float64Array, n: number): boolean {
  const before = dot(row, 0, row, 0, n);
  for (let pass = 0; pass < 2; pass++) {
    for (let k = 0; k < size; k++) {
      const along = dot(basis, k * n, row, 0, n);
      for (let i = 0; i < n; i++) row[i] -= along * basis[k * n + i];
    }
  }
  const left = dot(row, 0, row, 0, n);
  if (!(left > SPENT * before) || !(left > 0)) return false;
  const scale = 1 / Math.sqrt(left);
  for (let i = 0; i < n; i++) basis[size * n + i] = row[i] * scale;
  return true;
}

function dot(a: Float64Array, from: number, b: Float64Array, begin: number, length: number): number {
  let p = 0, q = 0, r = 0, s = 0, i = 0;
  for (; i + 3 < length; i += 4) {
    p += a[from + i] * b[begin + i];
    q += a[from + i + 1] * b[begin + i + 1];
    r += a[from + i + 2] * b[begin + i + 2];
    s += a[from + i + 3] * b[begin + i + 3];
  }
  for (; i < length; i++) p += a[from + i] * b[begin + i];
  return p + q + (r + s);
}
