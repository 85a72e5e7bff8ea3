/** Figure and ground of one image by clicks that change its graph. */
import { denseEigen } from "../linalg/dense_eigen.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { smallestCut } from "./smallest_cut.ts";
import { lengthOf } from "../linalg/portable_math.ts";

/** Clicked tokens and their weights. */
export interface CutClicks {
  /** Tokens of the figure. */
  figure: readonly number[];
  /** Tokens of the ground. */
  ground: readonly number[];
  /** w, 0 … 1: share of the clicks in the graph; default 0.9. */
  clickWeight?: number;
  /** ω ≥ 0: weight of the ground's clicks beside the figure's; default 1. */
  groundWeight?: number;
}

/** The two parts. */
export interface ClickCut {
  /** n values of length 1 in all, larger in the figure: the second eigenvector over the first. */
  values: Float64Array;
  /** 1 figure, 0 ground. */
  figure: Uint8Array;
  /** Value that parts them. */
  threshold: number;
  /** λ₁ ≥ λ₂ of the graph with its clicks. */
  eigenvalues: [number, number];
  /** Clicks that lie on the side they were given for. */
  met: number;
}

/** Tokens up to which the eigenvectors take seconds at most. */
const MAX_TOKENS = 1600;

/**
 * The two-way cut of one image's tokens whose graph holds the clicks, after ncut-pytorch's click prompting:
 * W = (1 − w) M + w M_c, with M = D^−½ A D^−½, A_ij = exp(cos(v_i, v_j) − 1); c_i = n (mean over figure clicks f of M_if −
 * ω · mean over ground clicks g of M_ig); A_c,ij = exp(−(c_i − c_j)² / 2σ²), σ the standard deviation of c, and M_c from A_c
 * as M from A. Tokens are parted by x = z₂ / z₁, z the leading eigenvectors of W, where Ncut of W is smallest. Without
 * clicks w is 0, and it is the normalised cut (Shi & Malik 2000). There w is 0.5,
 * ω 0.1 and σ 0.5, by which clicks weigh less.
 *
 * Clicks are drawn together, not bound: `met` counts those that lie on their side.
 *
 * @param features n × d, the tokens of one image, 2 to 1600
 * @throws RangeError `Token 4 is clicked as figure and as ground: it can only be one.`
 * @throws RangeError naming a token that is a zero vector, is no token, or a weight out of its range
 *
 * Cost: n² d + 4/3 n³ operations and about 6 n² values, in float64 on the host.
 */
export function clickCut(
  features: Matrix,
  { figure, ground, clickWeight = 0.9, groundWeight = 1 }: CutClicks,
): ClickCut {
  assertMatrix(features, "features");
  const n = features.rows;
  if (!(n >= 2 && n <= MAX_TOKENS)) {
    throw new RangeError(`features has ${n} tokens: a cut by clicks takes one image's, 2 to ${MAX_TOKENS}.`);
  }
  if (!(clickWeight >= 0 && clickWeight <= 1 && groundWeight >= 0)) {
    throw new RangeError(
      `The weights are ${clickWeight} of clicks, ${groundWeight} of ground: expected 0 to 1, and 0 or more.`,
    );
  }
  for (const token of [...figure, ...ground]) {
    if (!(Number.isInteger(token) && token >= 0 && token < n)) {
      throw new RangeError(`Click ${token} is not a token: there are ${n}, numbered from 0.`);
    }
    if (figure.includes(token) && ground.includes(token)) {
      throw new RangeError(`Token ${token} is clicked as figure and as ground: it can only be one.`);
    }
  }
  const plain = normalized(cosineAffinity(features), n);
  const weights = figure.length + ground.length > 0
    ? mixed(plain, clicked(plain, n, figure, ground, groundWeight), clickWeight)
    : plain;
  const { values: [first, second], vectors } = denseEigen(weights, n, 2);
  const x = Float64Array.from({ length: n }, (_, i) => vectors[2 * i + 1] / vectors[2 * i]);
  const length = lengthOf(x) || 1, sign = figureSign(x, figure, ground);
  for (let i = 0; i < n; i++) x[i] *= sign / length;
  const excess = weights.map((weight) => n * weight - 1), sums = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sums[i] += excess[i * n + j];
  const { above, threshold } = smallestCut(excess, sums, x);
  const met = figure.filter((token) => above[token] === 1).length +
    ground.filter((token) => above[token] === 0).length;
  return { values: x, figure: above, threshold, eigenvalues: [first, second], met };
}

/** A_ij = exp(cos(v_i, v_j) − 1). */
function cosineAffinity({ data, rows: n, cols }: Matrix): Float64Array {
  const unit = Float64Array.from(data), a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = unit.subarray(i * cols, (i + 1) * cols), length = lengthOf(row);
    if (!(length > 0 && Number.isFinite(length))) {
      throw new RangeError(`Token ${i} is a zero vector or not finite: it has no cosine.`);
    }
    for (let c = 0; c < cols; c++) row[c] /= length;
    for (let j = 0; j <= i; j++) {
      let cosine = 0;
      for (let c = 0; c < cols; c++) cosine += row[c] * unit[j * cols + c];
      a[i * n + j] = a[j * n + i] = Math.exp(cosine - 1);
    }
  }
  return a;
}

/** D^−½ A D^−½, in place. */
function normalized(a: Float64Array, n: number): Float64Array {
  const roots = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) roots[i] += a[i * n + j];
    roots[i] = Math.sqrt(roots[i]);
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) a[i * n + j] /= roots[i] * roots[j];
  return a;
}

/** M_c, the graph of the clicks alone. */
function clicked(
  plain: Float64Array,
  n: number,
  figure: readonly number[],
  ground: readonly number[],
  groundWeight: number,
): Float64Array {
  const c = new Float64Array(n), a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (const token of figure) c[i] += n * plain[token * n + i] / figure.length;
    for (const token of ground) c[i] -= groundWeight * n * plain[token * n + i] / ground.length;
  }
  const mean = c.reduce((sum, value) => sum + value, 0) / n;
  const variance = c.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n || 1;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) a[i * n + j] = Math.exp(-((c[i] - c[j]) ** 2) / (2 * variance));
  }
  return normalized(a, n);
}

function mixed(a: Float64Array, b: Float64Array, share: number): Float64Array {
  return a.map((value, i) => (1 - share) * value + share * b[i]);
}

/** The sign that makes the figure's clicks larger than the ground's; without clicks, the largest magnitude positive. */
function figureSign(x: Float64Array, figure: readonly number[], ground: readonly number[]): number {
  const mean = (tokens: readonly number[]) =>
    tokens.reduce((sum, token) => sum + x[token] / tokens.length, 0);
  const side = figure.length + ground.length > 0
    ? mean(figure) - mean(ground)
    : x.reduce((largest, value) => Math.abs(value) > Math.abs(largest) ? value : largest, 0);
  return side < 0 ? -1 : 1;
}
