/** The largest eigenpairs of symmetric matrices of up to a few thousand rows, in float64 on the host: "lanczos" of `eigh`. */
import { combineRows } from "./combine_rows.ts";
import { denseEigen } from "./dense_eigen.ts";
import { fillRandom, type Random, seededRandom } from "./random.ts";
import type { SymmetricEigen } from "./symmetric_eigen.ts";

/** Squared length, relative to its own, below which a direction is rounding of those before it. */
const SPENT = 1e-20;
/** Growth of the basis after which its pairs are looked at again: a look costs the cube of its size. */
const GROWTH = 1.12;
/** Vectors a pair before the first look, and the last pairs that are measured until these are good. */
const FIRST_LOOK = 1.5, LAST = 3;
/** Vectors of a fresh sequence before it is asked what it has found, unless it ends: fewer do not show one eigenvalue of many. */
const FEWEST = 12;
/** Vectors after which it is asked again. */
const CHECKED_EVERY = 4;
/** Residual of a fresh sequence's largest pair, relative to the smallest eigenvalue wanted, that settles where it lies. */
const SETTLED = 0.01;

/** Whether pair number `at`, with an eigenvalue and a measured ‖M x − λ x‖, is good enough. */
type IsGood = (at: number, value: number, residual: number) => boolean;

/**
 * What a sequence of its own leads to: an eigenvalue that is less than the least one wanted, one "found" beside those that were
 * known, or it is still open.
 */
type Finding = "less" | "found" | "open";

/** Orthonormal vectors V as rows, their images M V, and VᵀMV in rows of `most` values. */
interface Basis {
  matrix: Float64Array;
  n: number;
  vectors: Float64Array;
  images: Float64Array;
  projected: Float64Array;
  size: number;
  most: number;
}

/**
 * The largest eigenpairs of a positive semi-definite n × n matrix by Lanczos' method without a restart, every vector made
 * orthogonal to all before it, twice (Golub & Van Loan, Matrix Computations, 10.1 and 10.3).
 *
 * A sequence finds one vector of every eigenvalue. When its pairs are good, a fresh one begins at a random vector orthogonal to
 * them, in which further vectors of an eigenvalue that has several come first. The end is where the largest eigenvalue of a
 * fresh sequence is settled to be none of those wanted.
 *
 * @param matrix row-major n × n, symmetric; only the lower triangle is read
 * @param count eigenpairs wanted, far fewer than n
 * @param isGood whether the pair number `at`, with an eigenvalue and a measured ‖M x − λ x‖, is good enough
 * @returns `count` eigenvalues, descending, and their orthonormal eigenvectors as columns; null where the basis would have
 *   to be larger than n / 2, so that a dense solve costs no more
 *
 * Cost: n² multiplications a vector, of which there are two or three a pair. Fixed seed and order: equal input, equal bits.
 */
export function leadingEigen(
  matrix: Float64Array,
  n: number,
  count: number,
  isGood: IsGood,
): SymmetricEigen | null {
  const most = Math.floor(n / 2), random = seededRandom(0);
  const basis: Basis = {
    matrix,
    n,
    vectors: new Float64Array(most * n),
    images: new Float64Array(most * n),
    projected: new Float64Array(most * most),
    size: 0,
    most,
  };
  let row = randomRow(n, random), first = 0, look = Math.ceil(FIRST_LOOK * count), isFresh = false;
  while (basis.size < most) {
    const hasEnded = !extend(basis, row), { size } = basis;
    if (!hasEnded) row = basis.images.slice((size - 1) * n, size * n);
    if (size < count || !hasEnded && size < look && size < most) {
      if (hasEnded) row = randomRow(n, random);
      continue;
    }
    const pairs = denseEigen(projectedFrom(basis, 0), size, count);
    const least = pairs.values[count - 1];
    const finding = isFresh ? whatFollows(basis, first, least, hasEnded, isGood) : "found";
    if (!(isFresh && hasEnded && finding === "found")) { // else more is to come, which need not be measured yet
      const { vectors, residual } = measured(basis, pairs, count, isGood);
      if (residual) {
        look = first > 0 ? size + CHECKED_EVERY : Math.ceil(GROWTH * size);
        if (hasEnded) row = randomRow(n, random);
        else if (first > 0) row = residual; // of a sequence that was left, perhaps
        isFresh = false;
        continue;
      }
      if (finding === "less") return { values: pairs.values.slice(0, count), vectors };
    }
    look = size + CHECKED_EVERY;
    if (finding === "found") {
      row = randomRow(n, random);
      first = size;
      look = size + FEWEST;
      isFresh = true;
    }
  }
  return null;
}

function randomRow(n: number, random: Random): Float64Array {
  return Float64Array.from(fillRandom(new Float32Array(n), random));
}

/** Makes a row orthonormal to the basis and adds it; false where nothing but rounding is left of it. */
function extend(basis: Basis, row: Float64Array): boolean {
  const { matrix, n, vectors, images, projected, size, most } = basis;
  const before = squares(row);
  for (let pass = 0; pass < 2; pass++) removeParts(vectors, size, row);
  const left = squares(row);
  if (!(left > SPENT * before && left > 0)) return false;
  const scale = 1 / Math.sqrt(left), image = images.subarray(size * n, (size + 1) * n);
  for (let i = 0; i < n; i++) row[i] *= scale;
  vectors.set(row, size * n);
  symmetricProduct(matrix, n, row, image);
  const column = new Float64Array(size + 1);
  products(vectors, size + 1, image, column);
  column.forEach((value, i) => projected[i * most + size] = projected[size * most + i] = value);
  basis.size++;
  return true;
}

/** The part of VᵀMV of the vectors from `first` on. */
function projectedFrom({ projected, size, most }: Basis, first: number): Float64Array {
  const count = size - first, out = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const begin = (first + i) * most + first;
    out.set(projected.subarray(begin, begin + count), i * count);
  }
  return out;
}

/** Vectors as columns, or M x − λ x of one that is not good. */
type Measured = { vectors: Float64Array; residual?: undefined } | {
  vectors?: undefined;
  residual: Float64Array;
};

/** The vectors of the leading pairs where all are good; the last ones, which are so last, are measured first. */
function measured(basis: Basis, pairs: SymmetricEigen, count: number, isGood: IsGood): Measured {
  const last = measuredFrom(basis, pairs, Math.max(0, count - LAST), count, isGood);
  return last.residual ? last : measuredFrom(basis, pairs, 0, count, isGood);
}

/** The vectors of pairs [from, count) where all of these are good. */
function measuredFrom(
  { n, vectors, images, size }: Basis,
  pairs: SymmetricEigen,
  from: number,
  count: number,
  isGood: IsGood,
): Measured {
  const made = count - from, cols = pairs.vectors.length / size;
  const coefficients = new Float64Array(made * size),
    x = new Float64Array(made * n),
    mx = new Float64Array(made * n);
  for (let c = 0; c < made; c++) {
    for (let i = 0; i < size; i++) coefficients[c * size + i] = pairs.vectors[i * cols + from + c];
  }
  const rows = Array.from({ length: size }, (_, i) => i * n);
  combineRows(coefficients, { data: vectors, rows, length: n }, { data: x, stride: n, first: 0 });
  combineRows(coefficients, { data: images, rows, length: n }, { data: mx, stride: n, first: 0 });
  const columns = new Float64Array(n * made);
  for (let c = 0; c < made; c++) {
    const value = pairs.values[from + c];
    let sum = 0;
    for (let i = 0, at = c * n; i < n; i++, at++) {
      columns[i * made + c] = x[at];
      mx[at] -= value * x[at];
      sum += mx[at] ** 2;
    }
    if (!isGood(from + c, value, Math.sqrt(sum))) return { residual: mx.slice(c * n, (c + 1) * n) };
  }
  return { vectors: columns };
}

/** What the largest eigenvalue is that the vectors from `first` on lead to. */
function whatFollows(basis: Basis, first: number, least: number, hasEnded: boolean, isGood: IsGood): Finding {
  const { n, vectors, images, size } = basis, count = size - first;
  const { values: [value], vectors: s } = denseEigen(projectedFrom(basis, first), count, 1);
  const rest = new Float64Array(n);
  addRows(images.subarray(first * n), s, rest);
  removeParts(vectors, size, rest);
  const residual = Math.sqrt(squares(rest));
  const isLittle = (difference: number) => difference <= 0 || isGood(0, least, difference);
  if (!isLittle(value - least)) return "found";
  return hasEnded || isLittle(value + residual - least) || isLittle(residual) || residual <= SETTLED * least
    ? "less"
    : "open";
}

/** x ← x − V Vᵀ x for the first `size` rows V. */
function removeParts(vectors: Float64Array, size: number, x: Float64Array): void {
  const parts = new Float64Array(size);
  products(vectors, size, x, parts);
  addRows(vectors, parts.map((part) => -part), x);
}

/** out_i = row i · x for the first `count` rows, each as long as x; four at once. */
function products(rows: Float64Array, count: number, x: Float64Array, out: Float64Array): void {
  const n = x.length;
  let i = 0;
  for (; i + 3 < count; i += 4) {
    const a = i * n, b = a + n, c = b + n, d = c + n;
    let p = 0, q = 0, r = 0, s = 0;
    for (let j = 0; j < n; j++) {
      const value = x[j];
      p += rows[a + j] * value;
      q += rows[b + j] * value;
      r += rows[c + j] * value;
      s += rows[d + j] * value;
    }
    out[i] = p;
    out[i + 1] = q;
    out[i + 2] = r;
    out[i + 3] = s;
  }
  for (; i < count; i++) {
    let p = 0;
    for (let j = 0, at = i * n; j < n; j++) p += rows[at + j] * x[j];
    out[i] = p;
  }
}

/** out ← M x of a symmetric n × n matrix, of which the lower triangle is read; four rows at once. */
export function symmetricProduct(matrix: Float64Array, n: number, x: Float64Array, out: Float64Array): void {
  out.fill(0);
  const whole = n - n % 4;
  for (let i = 0; i < whole; i += 4) {
    const a = i * n, b = a + n, c = b + n, d = c + n, x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
    let p = 0, q = 0, r = 0, s = 0;
    for (let j = 0; j < i; j++) {
      const value = x[j], e = matrix[a + j], f = matrix[b + j], g = matrix[c + j], h = matrix[d + j];
      p += e * value;
      q += f * value;
      r += g * value;
      s += h * value;
      out[j] += e * x0 + f * x1 + (g * x2 + h * x3);
    }
    out[i] += p;
    out[i + 1] += q;
    out[i + 2] += r;
    out[i + 3] += s;
  }
  for (let i = 0; i < n; i++) { // the squares on the diagonal, and the rows behind the last four
    const begin = i < whole ? i - i % 4 : 0, value = x[i];
    let sum = matrix[i * n + i] * value;
    for (let j = begin, at = i * n + begin; j < i; j++, at++) {
      sum += matrix[at] * x[j];
      out[j] += matrix[at] * value;
    }
    out[i] += sum;
  }
}

/** out ← out + Σ factors_i · row i. */
function addRows(rows: Float64Array, factors: Float64Array, out: Float64Array): void {
  const n = out.length;
  combineRows(
    factors,
    { data: rows, rows: Array.from(factors, (_, i) => i * n), length: n },
    { data: out, stride: n, first: 0 },
  );
}

function squares(x: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * x[i];
  return sum;
}
