/**
 * All eigenpairs of a symmetric n × n matrix in float64: Householder reduction to tridiagonal form, then implicit QR
 * steps with Wilkinson's shift (Golub & Van Loan, Matrix Computations, 8.3).
 *
 * @returns eigenvalues descending; eigenvectors as columns of a row-major n × n matrix
 */
export function symmetricEigen(
  matrix: ArrayLike<number>,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  const { diagonal, below, basis } = tridiagonalize(matrix, n);
  diagonalize(diagonal, below, basis);
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => diagonal[j] - diagonal[i]);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => basis[from].forEach((value, row) => vectors[row * n + to] = value));
  return { values: Float64Array.from(order, (i) => diagonal[i]), vectors };
}

/** A = Q T Qᵀ with T tridiagonal; `basis` holds the columns of Q. */
function tridiagonalize(matrix: ArrayLike<number>, n: number) {
  const a = Array.from(
    { length: n },
    (_, i) => Float64Array.from({ length: n }, (_, j) => matrix[i * n + j]),
  );
  const basis = Array.from(
    { length: n },
    (_, i) => Float64Array.from({ length: n }, (_, j) => Number(i === j)),
  );
  for (let k = 0; k < n - 2; k++) {
    // The reflection I − 2 v vᵀ that zeroes column k below its first subdiagonal entry.
    const v = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = a[i][k];
    v[k + 1] += (v[k + 1] < 0 ? -1 : 1) * Math.hypot(...v);
    const length = Math.hypot(...v);
    if (length === 0) continue;
    for (let i = k + 1; i < n; i++) v[i] /= length;
    const p = a.map((row) => dot(row, v));
    const along = dot(p, v);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        a[i][j] -= 2 * (v[i] * (p[j] - along * v[j]) + (p[i] - along * v[i]) * v[j]);
      }
    }
    const image = new Float64Array(n); // Q v
    for (let i = k + 1; i < n; i++) for (let r = 0; r < n; r++) image[r] += basis[i][r] * v[i];
    for (let i = k + 1; i < n; i++) for (let r = 0; r < n; r++) basis[i][r] -= 2 * image[r] * v[i];
  }
  return {
    diagonal: Float64Array.from(a, (row, i) => row[i]),
    below: Float64Array.from({ length: Math.max(0, n - 1) }, (_, i) => a[i + 1][i]),
    basis,
  };
}

/** Rotates a tridiagonal matrix until nothing is left below its diagonal, and the basis with it. */
function diagonalize(d: Float64Array, e: Float64Array, basis: Float64Array[]): void {
  const largest = Math.max(...d.map(Math.abs), ...e.map(Math.abs));
  const negligible = (i: number) => Math.abs(e[i]) <= 2 ** -53 * largest;
  for (let last = d.length - 1; last > 0;) {
    if (negligible(last - 1)) {
      last--;
      continue;
    }
    let first = last - 1;
    while (first > 0 && !negligible(first - 1)) first--;
    const half = (d[last - 1] - d[last]) / 2;
    const shift = d[last] - e[last - 1] ** 2 / (half + (half < 0 ? -1 : 1) * Math.hypot(half, e[last - 1]));
    let x = d[first] - shift, bulge = e[first];
    for (let k = first; k < last; k++) {
      const r = Math.hypot(x, bulge);
      const c = r === 0 ? 1 : x / r, s = r === 0 ? 0 : bulge / r;
      if (k > first) e[k - 1] = r;
      const [upper, side, lower] = [d[k], e[k], d[k + 1]];
      d[k] = c * c * upper + 2 * c * s * side + s * s * lower;
      d[k + 1] = s * s * upper - 2 * c * s * side + c * c * lower;
      e[k] = c * s * (lower - upper) + (c * c - s * s) * side;
      if (k < last - 1) {
        x = e[k];
        bulge = s * e[k + 1];
        e[k + 1] *= c;
      }
      const p = basis[k], q = basis[k + 1];
      for (let i = 0; i < p.length; i++) [p[i], q[i]] = [c * p[i] + s * q[i], c * q[i] - s * p[i]];
    }
  }
}

function dot(x: Float64Array | number[], y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += x[i] * y[i];
  return sum;
}
