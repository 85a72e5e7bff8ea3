/** Eigenpairs of symmetric matrices of up to a few thousand rows, in float64 on the host: "divide-and-conquer" of `eigh`. */
import { combineRows } from "./combine_rows.ts";
import type { SymmetricEigen } from "./symmetric_eigen.ts";

/** QL steps for one eigenvalue after which to give up; two or three are usual. */
const MAX_STEPS = 60;
/** Rows up to which a tridiagonal matrix is solved by QL steps; larger ones are cut in two. */
const SMALL = 32;
/** Steps for one root between two poles after which to give up; three to six are usual. */
const MAX_ROOT_STEPS = 200;

/**
 * The largest eigenpairs of a symmetric n × n matrix: Householder reduction to tridiagonal form (Golub & Van Loan, Matrix
 * Computations, 8.3), which is solved by divide and conquer (Cuppen 1981; Gu & Eisenstat 1995).
 *
 * @param matrix row-major n × n; only the lower triangle is read
 * @param count eigenvectors wanted; default all n
 * @returns all n eigenvalues, descending; the leading `count` eigenvectors, orthonormal, as columns: n × count
 * @throws Error when the matrix is not finite
 *
 * Cost: 4/3 n³ + 2 n² · count operations, and 4/3 n³ at most to solve the tridiagonal matrix; 3 n² values.
 */
export function denseEigen(matrix: Float64Array, n: number, count = n): SymmetricEigen {
  if (!matrix.every(Number.isFinite)) throw new Error("A symmetric matrix holds NaN or infinite values.");
  const { diagonal, below, reflections } = tridiagonalize(matrix, n);
  const basis = new Float64Array(n * n);
  divide({ diagonal, below, basis, n }, 0, n, count);
  // Ascending so far; the rows that are wanted, the largest first, are turned back.
  const leading = new Float64Array(count * n);
  for (let i = 0; i < count; i++) leading.set(basis.subarray((n - 1 - i) * n, (n - i) * n), i * n);
  reflect(leading, count, reflections, n);
  const vectors = new Float64Array(n * count);
  for (let i = 0; i < count; i++) for (let r = 0; r < n; r++) vectors[r * count + i] = leading[i * n + r];
  return { values: diagonal.toReversed(), vectors };
}

/**
 * T = H₍₁₎ … H₍ₙ₋₁₎ A H₍ₙ₋₁₎ … H₍₁₎, tridiagonal, H₍ₖ₎ = 1 − 2 v vᵀ; v is row k of `reflections` up to the diagonal.
 *
 * @returns T's diagonal, and below[i] = T[i, i − 1]
 */
function tridiagonalize(matrix: Float64Array, n: number) {
  const a = new Float64Array(matrix);
  const diagonal = new Float64Array(n), below = new Float64Array(n);
  // The last reflection, A ← A − v wᵀ − w vᵀ, is applied while the next product A u is made.
  const v = new Float64Array(n), w = new Float64Array(n), u = new Float64Array(n), p = new Float64Array(n);
  for (let k = n - 1; k > 0; k--) {
    const row = k * n, vk = v[k], wk = w[k];
    let squares = 0;
    for (let j = 0; j < k; j++) {
      const value = a[row + j] - vk * w[j] - wk * v[j];
      u[j] = value;
      squares += value * value;
    }
    diagonal[k] = a[row + k] - 2 * vk * wk;
    const length = Math.sqrt(squares), pivot = u[k - 1];
    below[k] = pivot > 0 ? -length : length;
    u[k - 1] -= below[k];
    const own = norm(u, k), scale = own > 0 ? 1 / own : 0;
    for (let j = 0; j < k; j++) a[row + j] = u[j] *= scale;
    updateAndMultiply(a, n, k, v, w, u, p);
    let along = 0;
    for (let j = 0; j < k; j++) along += p[j] * u[j];
    for (let j = 0; j < k; j++) {
      v[j] = u[j];
      w[j] = 2 * (p[j] - along * u[j]);
    }
  }
  if (n > 0) diagonal[0] = a[0] - 2 * v[0] * w[0];
  return { diagonal, below, reflections: a };
}

/** A ← A − v wᵀ − w vᵀ and p ← A u for the leading k × k block, of which the lower triangle is kept; two rows at once. */
function updateAndMultiply(
  a: Float64Array,
  n: number,
  k: number,
  v: Float64Array,
  w: Float64Array,
  u: Float64Array,
  p: Float64Array,
): void {
  let i = 0;
  for (; i + 1 < k; i += 2) {
    const v0 = v[i], w0 = w[i], u0 = u[i], v1 = v[i + 1], w1 = w[i + 1], u1 = u[i + 1];
    let sum0 = 0, sum1 = 0, x = i * n, y = x + n;
    for (let j = 0; j < i; j++, x++, y++) {
      const vj = v[j], wj = w[j], uj = u[j];
      const upper = a[x] - v0 * wj - w0 * vj, lower = a[y] - v1 * wj - w1 * vj;
      a[x] = upper;
      a[y] = lower;
      sum0 += upper * uj;
      sum1 += lower * uj;
      p[j] += upper * u0 + lower * u1;
    }
    const corner = a[x] -= 2 * v0 * w0, side = a[y] -= v1 * w0 + w1 * v0, last = a[y + 1] -= 2 * v1 * w1;
    p[i] = sum0 + corner * u0 + side * u1;
    p[i + 1] = sum1 + side * u0 + last * u1;
  }
  if (i < k) {
    const vi = v[i], wi = w[i], ui = u[i];
    let sum = 0, x = i * n;
    for (let j = 0; j < i; j++, x++) {
      const value = a[x] - vi * w[j] - wi * v[j];
      a[x] = value;
      sum += value * u[j];
      p[j] += value * ui;
    }
    p[i] = sum + (a[x] -= 2 * vi * wi) * ui;
  }
}

/** H₍ₙ₋₁₎ … H₍₁₎ x for `count` rows x, four at once. */
function reflect(x: Float64Array, count: number, reflections: Float64Array, n: number): void {
  for (let i = 0; i < count; i += 4) {
    // Rows beyond the last stand for it: only the first of equal ones counts.
    const [a, b, c, d] = [0, 1, 2, 3].map((r) => Math.min(i + r, count - 1) * n);
    for (let k = 1; k < n; k++) {
      const at = k * n;
      let s = 0, t = 0, q = 0, r = 0;
      for (let j = 0; j < k; j++) {
        const v = reflections[at + j];
        s += v * x[a + j];
        t += v * x[b + j];
        q += v * x[c + j];
        r += v * x[d + j];
      }
      s *= 2;
      t = b === a ? 0 : 2 * t;
      q = c === b ? 0 : 2 * q;
      r = d === c ? 0 : 2 * r;
      for (let j = 0; j < k; j++) {
        const v = reflections[at + j];
        x[a + j] -= s * v;
        x[b + j] -= t * v;
        x[c + j] -= q * v;
        x[d + j] -= r * v;
      }
    }
  }
}

/** A tridiagonal matrix on its way to eigenvalues (in `diagonal`) and eigenvectors (the rows of `basis`). */
interface Tridiagonal {
  diagonal: Float64Array;
  below: Float64Array;
  basis: Float64Array;
  n: number;
}

/**
 * Solves rows and columns [from, to): eigenvalues ascending, eigenvectors as rows within these columns; of the eigenvectors only
 * the last `wanted` need be made.
 */
function divide(t: Tridiagonal, from: number, to: number, wanted: number): void {
  const { diagonal, below, basis, n } = t, size = to - from;
  if (size <= SMALL) {
    implicitQl(t, from, to);
    const order = Array.from({ length: size }, (_, i) => from + i).sort((i, j) => diagonal[i] - diagonal[j]);
    const values = order.map((i) => diagonal[i]);
    const rows = order.map((i) => basis.slice(i * n + from, i * n + to));
    diagonal.set(values, from);
    rows.forEach((row, i) => basis.set(row, (from + i) * n + from));
    return;
  }
  const middle = from + (size >> 1), coupling = below[middle], weight = Math.abs(coupling);
  diagonal[middle - 1] -= weight;
  diagonal[middle] -= weight;
  below[middle] = 0;
  divide(t, from, middle, middle - from);
  divide(t, middle, to, to - middle);
  merge(t, from, middle, to, coupling, wanted);
}

/** Joins two solved parts: the eigenpairs of D + |ρ| z zᵀ, D their eigenvalues, z what couples their eigenvectors. */
function merge(
  { diagonal, basis, n }: Tridiagonal,
  from: number,
  middle: number,
  to: number,
  coupling: number,
  wanted: number,
): void {
  const size = to - from, weight = 2 * Math.abs(coupling), sign = coupling < 0 ? -1 : 1;
  // In ascending order, with z of length 1.
  const order = Array.from({ length: size }, (_, i) => from + i).sort((i, j) => diagonal[i] - diagonal[j]);
  const values = Float64Array.from(order, (i) => diagonal[i]);
  const z = Float64Array.from(
    order,
    (i) => Math.SQRT1_2 * (i < middle ? basis[i * n + middle - 1] : sign * basis[i * n + middle]),
  );
  const isLower = order.map((i) => i < middle), isUpper = order.map((i) => i >= middle);
  // What hardly couples is an eigenpair already; of two that are alike, a rotation uncouples one.
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), weight);
  const small = 8 * Number.EPSILON * largest;
  const coupled: number[] = [], apart: number[] = [];
  for (let i = 0; i < size; i++) {
    if (!(weight * Math.abs(z[i]) > small)) {
      apart.push(i);
      continue;
    }
    const last = coupled.at(-1);
    if (last !== undefined) {
      const length = Math.hypot(z[i], z[last]), c = z[i] / length, s = -z[last] / length;
      const gap = values[i] - values[last];
      if (Math.abs(gap * c * s) <= small) {
        rotate(basis, order[last] * n, order[i] * n, from, to, c, s);
        z[i] = length;
        const [low, high] = [values[last], values[i]];
        values[last] = low * c * c + high * s * s;
        values[i] = low * s * s + high * c * c;
        isLower[i] = isLower[last] ||= isLower[i];
        isUpper[i] = isUpper[last] ||= isUpper[i];
        apart.push(coupled.pop()!);
      }
    }
    coupled.push(i);
  }
  const roots = secularRoots(coupled.map((i) => values[i]), coupled.map((i) => z[i]), weight);
  const all = [
    ...apart.map((i) => ({ value: values[i], row: order[i], root: -1 })),
    ...roots.values.map((value, root) => ({ value, row: -1, root })),
  ].sort((a, b) => a.value - b.value);
  const kept = all.slice(Math.max(0, size - wanted)), made = kept.filter(({ root }) => root >= 0);
  const products = new Float64Array(made.length * size);
  for (const [begin, end, takesPart] of [[from, middle, isLower], [middle, to, isUpper]] as const) {
    const rows = coupled.flatMap((i, at) => takesPart[i] ? [{ row: order[i] * n, at }] : []);
    const factors = new Float64Array(made.length * rows.length);
    made.forEach(({ root }, r) =>
      rows.forEach(({ at }, c) => factors[r * rows.length + c] = roots.vectors[root * coupled.length + at])
    );
    const source = { data: basis, rows: rows.map(({ row }) => row + begin), length: end - begin };
    combineRows(factors, source, { data: products, stride: size, first: begin - from });
  }
  const rows = new Map(
    kept.filter(({ row }) => row >= 0).map(({ row }) => [row, basis.slice(row * n + from, row * n + to)]),
  );
  let next = 0;
  all.forEach(({ value }, i) => diagonal[from + i] = value);
  kept.forEach(({ row }, i) => {
    const to = (from + size - kept.length + i) * n + from;
    basis.set(row >= 0 ? rows.get(row)! : products.subarray(next * size, ++next * size), to);
  });
}

/** Rows x and y of the basis become c x + s y and c y − s x. */
function rotate(basis: Float64Array, x: number, y: number, from: number, to: number, c: number, s: number) {
  for (let j = from; j < to; j++) {
    const low = basis[x + j], high = basis[y + j];
    basis[x + j] = c * low + s * high;
    basis[y + j] = c * high - s * low;
  }
}

/**
 * Eigenpairs of diag(d) + ρ z zᵀ: the roots of 1 + ρ Σ z_i² / (d_i − λ), one behind every pole (Li 1993, "the middle way"), and
 * the vectors of the z that has exactly these roots (Gu & Eisenstat 1994), which are orthogonal to the last digits.
 *
 * @param poles d, strictly ascending
 * @returns values ascending; row j of `vectors` is the vector of root j
 */
function secularRoots(
  poles: number[],
  z: number[],
  weight: number,
): { values: number[]; vectors: Float64Array } {
  const k = poles.length, d = Float64Array.from(poles);
  const squares = Float64Array.from(z, (value) => value * value);
  const vectors = new Float64Array(k * k); // row j: d_i − λ_j, then the vector
  const values = new Array<number>(k);
  const delta = new Float64Array(k);
  for (let j = 0; j < k; j++) {
    const { origin, offset } = root(d, squares, weight, j, delta);
    values[j] = d[origin] + offset;
    for (let i = 0; i < k; i++) vectors[j * k + i] = (d[i] - d[origin]) - offset;
  }
  const fitted = new Float64Array(k);
  for (let i = 0; i < k; i++) {
    let product = -vectors[i * k + i];
    for (let j = 0; j < k; j++) if (j !== i) product *= vectors[j * k + i] / (d[i] - d[j]);
    fitted[i] = Math.sign(z[i]) * Math.sqrt(Math.abs(product));
  }
  for (let j = 0; j < k; j++) {
    let length = 0;
    for (let i = 0; i < k; i++) {
      const value = fitted[i] / vectors[j * k + i];
      vectors[j * k + i] = value;
      length += value * value;
    }
    length = 1 / Math.sqrt(length);
    for (let i = 0; i < k; i++) vectors[j * k + i] *= length;
  }
  return { values, vectors };
}

/** Root j as the offset from the nearer of the poles that it lies between; the last one lies behind the last pole. */
function root(
  d: Float64Array,
  squares: Float64Array,
  weight: number,
  j: number,
  delta: Float64Array,
): { origin: number; offset: number } {
  const k = d.length, isLast = j === k - 1;
  let total = 0;
  for (let i = 0; i < k; i++) total += squares[i];
  const right = isLast ? d[j] + weight * total : d[j + 1], width = right - d[j];
  let value = 1 / weight;
  for (let i = 0; i < k; i++) value += squares[i] / ((d[i] - d[j]) - width / 2);
  const origin = isLast || value >= 0 ? j : j + 1;
  for (let i = 0; i < k; i++) delta[i] = d[i] - d[origin];
  let low = origin === j ? 0 : -width / 2, high = origin === j ? (value >= 0 ? width / 2 : width) : 0;
  if (isLast && value < 0) low = width / 2;
  let offset = (low + high) / 2;
  for (let step = 0; step < MAX_ROOT_STEPS; step++) {
    let psi = 0, psiSlope = 0, phi = 0, phiSlope = 0;
    for (let i = 0; i <= j; i++) {
      const t = 1 / (delta[i] - offset), s = squares[i] * t;
      psi += s;
      psiSlope += s * t;
    }
    for (let i = j + 1; i < k; i++) {
      const t = 1 / (delta[i] - offset), s = squares[i] * t;
      phi += s;
      phiSlope += s * t;
    }
    const f = 1 / weight + psi + phi;
    if (Math.abs(f) <= k * Number.EPSILON * (1 / weight + Math.abs(psi) + Math.abs(phi))) break;
    if (f < 0) low = offset;
    else high = offset;
    const slope = psiSlope + phiSlope, near = delta[j] - offset;
    let change: number;
    if (isLast) {
      change = near + psiSlope * near * near / (f - psiSlope * near);
    } else {
      const far = delta[j + 1] - offset;
      const a = (near + far) * f - near * far * slope, b = near * far * f;
      const c = f - near * psiSlope - far * phiSlope;
      const inside = Math.sqrt(Math.abs(a * a - 4 * b * c));
      change = a <= 0 ? (a - inside) / (2 * c) : 2 * b / (a + inside);
    }
    if (!(f * change < 0)) change = -f / slope;
    let moved = offset + change;
    if (!(moved > low && moved < high)) moved = (low + high) / 2;
    if (moved === offset || !(moved > low && moved < high)) break;
    offset = moved;
  }
  return { origin, offset };
}

/** Turns the part [from, to) of a tridiagonal matrix into eigenvalues and eigenvectors by QL steps with implicit shifts. */
function implicitQl({ diagonal, below, basis, n }: Tridiagonal, from: number, to: number): void {
  const size = to - from, d = diagonal.subarray(from, to), e = new Float64Array(size);
  e.set(below.subarray(from + 1, to));
  for (let i = from; i < to; i++) basis[i * n + i] = 1;
  for (let l = 0; l < size; l++) {
    for (let step = 0;; step++) {
      let m = l;
      while (m < size - 1 && Math.abs(e[m]) > Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      if (step === MAX_STEPS) throw new Error(`The eigenvalues of a ${n} × ${n} matrix did not converge.`);
      const half = (d[l + 1] - d[l]) / (2 * e[l]), root = Math.hypot(half, 1);
      let g = d[m] - d[l] + e[l] / (half + (half >= 0 ? root : -root));
      let s = 1, c = 1, shift = 0, i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i], b = c * e[i], length = Math.hypot(f, g);
        e[i + 1] = length;
        if (length === 0) {
          d[i + 1] -= shift;
          e[m] = 0;
          break;
        }
        s = f / length;
        c = g / length;
        g = d[i + 1] - shift;
        const turned = (d[i] - g) * s + 2 * c * b;
        shift = s * turned;
        d[i + 1] = g + shift;
        g = c * turned - b;
        rotate(basis, (from + i) * n, (from + i + 1) * n, from, to, c, -s);
      }
      if (i >= l) continue;
      d[l] -= shift;
      e[l] = g;
      e[m] = 0;
    }
  }
}

function norm(v: Float64Array, length: number): number {
  let squares = 0;
  for (let i = 0; i < length; i++) squares += v[i] * v[i];
  return Math.sqrt(squares);
}
