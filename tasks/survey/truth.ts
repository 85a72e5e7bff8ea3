/** What a cut should be, in float64 on the host. */
import type { NormalizedCut } from "../../src/graph/normalized_cut.ts";
import { combineRows } from "../../src/linalg/combine_rows.ts";
import { denseEigen } from "../../src/linalg/dense_eigen.ts";
import type { Matrix } from "../../src/linalg/matrix.ts";

/** Most nodes of which the eigenpairs themselves are made in float64; of more, residuals alone. */
const MAX_SOLVED = 1100;
/** A subspace is compared where the bound on its angle says something. */
const TELLING = 0.3;
/** Rows of M that are made at a time. */
const ROWS = 256;

/** How a cut compares with float64. */
export interface Judgement {
  /** Largest ‖M y − λ y‖ in float64. */
  residual: number;
  /** Largest of float64's residual over the reported one, or the other way round, where either is above rounding. */
  ratio: number;
  /** Largest error of an eigenvalue; null where there are too many nodes. */
  valueError: number | null;
  /** Largest sin of an angle over what residuals and gap allow; null where there is nothing to compare. */
  angleShare: number | null;
}

/** M = D^−½ A D^−½ of rows in float64, A = exp(−|û − v̂|² / 2), in runs of rows. */
function* rowsOfM({ data, rows: n, cols: d }: Matrix): Generator<{ first: number; m: Float64Array }> {
  const unit = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    let squares = 0;
    for (let c = 0; c < d; c++) squares += data[i * d + c] ** 2;
    const scale = 1 / Math.sqrt(squares);
    for (let c = 0; c < d; c++) unit[i * d + c] = data[i * d + c] * scale;
  }
  // The mean taken out, differences of nearly parallel rows keep their digits in |u|² + |v|² − 2 u · v.
  const squares = new Float64Array(n), turned = new Float64Array(d * n);
  for (let c = 0; c < d; c++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += unit[i * d + c];
    mean /= n;
    for (let i = 0; i < n; i++) {
      const value = unit[i * d + c] -= mean;
      squares[i] += value * value;
      turned[c * n + i] = value;
    }
  }
  const channels = Array.from({ length: d }, (_, c) => c * n);
  const affinity = (first: number) => {
    const count = Math.min(ROWS, n - first), out = new Float64Array(count * n);
    const source = { data: turned, rows: channels, length: n };
    combineRows(unit.subarray(first * d, (first + count) * d), source, { data: out, stride: n, first: 0 });
    for (let r = 0; r < count; r++) {
      for (let j = 0; j < n; j++) {
        const at = r * n + j, half = (squares[first + r] + squares[j]) / 2 - out[at];
        out[at] = Math.exp(-Math.max(0, half));
      }
    }
    return out;
  };
  const degrees = new Float64Array(n), kept: Float64Array[] = [];
  for (let first = 0; first < n; first += ROWS) {
    const a = affinity(first);
    for (let at = 0; at < a.length; at++) degrees[first + Math.floor(at / n)] += a[at];
    if (n <= MAX_SOLVED) kept.push(a);
  }
  const roots = degrees.map((degree) => 1 / Math.sqrt(degree));
  for (let first = 0; first < n; first += ROWS) {
    const m = kept.shift() ?? affinity(first);
    for (let at = 0; at < m.length; at++) m[at] *= roots[first + Math.floor(at / n)] * roots[at % n];
    yield { first, m };
  }
}

/** Judges a cut of these features. */
export function judge(x: Matrix, cut: NormalizedCut): Judgement {
  const { data, rows: n, cols } = cut.eigenvectors, count = Math.min(cols, cut.resolved);
  const turned = new Float64Array(n * cols);
  for (let i = 0; i < n; i++) for (let c = 0; c < cols; c++) turned[i * cols + c] = data[i * cols + c];
  const columns = { data: turned, rows: Array.from({ length: n }, (_, i) => i * cols), length: cols };
  const squares = new Float64Array(cols), whole = n <= MAX_SOLVED ? new Float64Array(n * n) : null;
  for (const { first, m } of rowsOfM(x)) {
    whole?.set(m, first * n);
    const image = new Float64Array(m.length / n * cols);
    combineRows(m, columns, { data: image, stride: cols, first: 0 });
    image.forEach((value, at) => {
      const c = at % cols;
      squares[c] += (value - cut.eigenvalues[c] * turned[first * cols + at]) ** 2;
    });
  }
  const residuals = squares.map(Math.sqrt);
  let ratio = 1;
  residuals.forEach((residual, c) => {
    const [low, high] = [residual, cut.residuals[c]].toSorted((a, b) => a - b);
    ratio = Math.max(ratio, high / Math.max(low, 1e-6));
  });
  const judgement = { residual: Math.max(...residuals), ratio, valueError: null, angleShare: null };
  if (!whole) return judgement;
  const { values, vectors } = denseEigen(whole, n, cols);
  const valueError = Math.max(...cut.eigenvalues.map((value, c) => Math.abs(value - values[c])));
  let angleShare: number | null = null;
  // The widest gap, and the last one: sin θ ≤ ‖R‖ / δ (Davis & Kahan), twice that for good measure.
  const gapAfter = (c: number) => c < n ? values[c - 1] - values[c] : 0;
  const candidates = Array.from({ length: Math.max(0, Math.min(count, 60) - 1) }, (_, i) => i + 2);
  const widest = candidates.toSorted((a, b) => gapAfter(b) / values[b - 1] - gapAfter(a) / values[a - 1])[0];
  for (const c of new Set([widest, Math.min(count, 60)])) {
    if (!(c >= 1 && c < n)) continue;
    const norm = Math.sqrt(cut.residuals.subarray(0, c).reduce((sum, r) => sum + r * r, 0));
    const allowed = 2 * (norm + 3e-7) / gapAfter(c);
    if (!(allowed < TELLING)) continue;
    const share = sine(vectors, turned, n, cols, c) / allowed;
    angleShare = Math.max(angleShare ?? 0, share);
  }
  return { ...judgement, valueError, angleShare };
}

/** sin of the largest principal angle between the spans of the first c columns of two orthonormal matrices, n × cols. */
function sine(a: Float64Array, b: Float64Array, n: number, cols: number, c: number): number {
  const product = (x: Float64Array, y: Float64Array) => {
    const out = new Float64Array(c * c);
    for (let i = 0; i < n; i++) {
      for (let r = 0; r < c; r++) {
        const factor = x[i * cols + r];
        for (let k = 0; k < c; k++) out[r * c + k] += factor * y[i * cols + k];
      }
    }
    return out;
  };
  const overlap = product(a, b), rest = b.slice();
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < c; r++) {
      for (let k = 0; k < c; k++) rest[i * cols + k] -= a[i * cols + r] * overlap[r * c + k];
    }
  }
  return Math.sqrt(Math.max(0, denseEigen(product(rest, rest), c, 1).values[0]));
}
