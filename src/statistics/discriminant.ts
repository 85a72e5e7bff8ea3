/** How well one linear direction separates figure from ground in images that it has not seen. */
import { inverseCholesky } from "../linalg/symmetric_eigen.ts";

/**
 * Area under the receiver operating characteristic: how often a figure patch scores higher than a ground patch, ties half
 * (Mann & Whitney 1947).
 *
 * @param scores one a patch
 * @param labels 1 figure, 0 ground
 * @returns in [0, 1]; null when either kind is missing
 */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number | null {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
  let figures = 0, ranks = 0;
  for (let at = 0; at < order.length;) {
    let end = at;
    while (end < order.length && scores[order[end]] === scores[order[at]]) end++;
    for (let i = at; i < end; i++) {
      if (!labels[order[i]]) continue;
      figures++;
      ranks += (at + end + 1) / 2;
    }
    at = end;
  }
  const grounds = scores.length - figures;
  if (figures === 0 || grounds === 0) return null;
  return (ranks - figures * (figures + 1) / 2) / (figures * grounds);
}

/** Sums over patches of one kind, from which mean and covariance follow. */
interface Sums {
  count: number;
  first: Float64Array;
  /** dims × dims. */
  second: Float64Array;
}

/** A coordinate is left out when the others explain all but this share of its variance. */
const SINGULAR = 1e-6;

/**
 * Separation of figure and ground, image by image: a linear discriminant (Fisher 1936), w = S⁻¹(m₁ − m₀) with S the
 * covariance within figure and within ground together, found on all other images, scores the image's patches.
 *
 * @param points patches × dims of every image
 * @param labels 1 figure, 0 ground of every image's patches
 * @param dims coordinates of a point
 * @returns the area under the curve of every image; null where figure or ground is missing, in it or in all others
 */
export function separationByImage(
  points: ArrayLike<number>[],
  labels: ArrayLike<number>[],
  dims: number,
): (number | null)[] {
  const perImage = points.map((own, image) => [0, 1].map((kind) => sumsOf(own, labels[image], dims, kind)));
  const total = [0, 1].map((kind) => {
    const all = emptySums(dims);
    for (const sums of perImage) addSums(all, sums[kind], 1);
    return all;
  });
  return points.map((own, image) => {
    const others = total.map((all, kind) => {
      const rest = { count: all.count, first: all.first.slice(), second: all.second.slice() };
      addSums(rest, perImage[image][kind], -1);
      return rest;
    });
    if (others.some(({ count }) => count === 0)) return null;
    const w = discriminant(others[0], others[1], dims);
    const scores = Float64Array.from(labels[image], (_, p) => {
      let score = 0;
      for (let c = 0; c < dims; c++) score += w[c] * own[p * dims + c];
      return score;
    });
    return areaUnderCurve(scores, labels[image]);
  });
}

function emptySums(dims: number): Sums {
  return { count: 0, first: new Float64Array(dims), second: new Float64Array(dims * dims) };
}

function sumsOf(points: ArrayLike<number>, labels: ArrayLike<number>, dims: number, kind: number): Sums {
  const sums = emptySums(dims);
  for (let p = 0; p < labels.length; p++) {
    if (labels[p] !== kind) continue;
    sums.count++;
    for (let a = 0; a < dims; a++) {
      const value = points[p * dims + a];
      sums.first[a] += value;
      for (let b = 0; b <= a; b++) sums.second[a * dims + b] += value * points[p * dims + b];
    }
  }
  return sums;
}

function addSums(to: Sums, from: Sums, sign: number): void {
  to.count += sign * from.count;
  from.first.forEach((value, a) => to.first[a] += sign * value);
  from.second.forEach((value, at) => to.second[at] += sign * value);
}

function discriminant(ground: Sums, figure: Sums, dims: number): Float64Array {
  const within = new Float64Array(dims * dims), count = ground.count + figure.count;
  for (let a = 0; a < dims; a++) {
    for (let b = 0; b <= a; b++) {
      const at = a * dims + b;
      const value = [ground, figure].reduce(
        (sum, { count, first, second }) => sum + second[at] - first[a] * first[b] / count,
        0,
      );
      within[at] = within[b * dims + a] = value / count;
    }
  }
  const difference = figure.first.map((sum, a) => sum / figure.count - ground.first[a] / ground.count);
  const { transform } = inverseCholesky(within, dims, SINGULAR);
  const whitened = new Float64Array(dims), w = new Float64Array(dims);
  for (let a = 0; a < dims; a++) {
    for (let b = 0; b < dims; b++) whitened[b] += transform[a * dims + b] * difference[a];
  }
  for (let a = 0; a < dims; a++) {
    for (let b = 0; b < dims; b++) w[a] += transform[a * dims + b] * whitened[b];
  }
  return w;
}
