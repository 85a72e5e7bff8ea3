/** Classes of tokens as a linear classifier predicts them that has seen the masks of other images. */
import { crossValidationFolds } from "../../align/folds.ts";
import { inverseCholesky } from "../../linalg/symmetric_eigen.ts";
import type { Matrix } from "../../linalg/matrix.ts";

/** Parts of the images, or as many as there are images where these are fewer; each is predicted from the others. */
const FOLDS = 5;
/** Penalty on standardised channels, per token: near the best of 0.001 to 1 on DINOv2 and on the built-in models. */
const PENALTY = 0.01;
/** Below it a channel is a combination of others. */
const SINGULAR = 1e-9;

/** Sums of products of channels, with a channel of ones behind them, and of channels with classes. */
interface Sums {
  gram: Float64Array;
  withClass: Float64Array;
}

/**
 * Predicts every token's class by ridge regression of indicators of the classes on standardised features, which for two
 * classes is Fisher's linear discriminant with a penalty; images are predicted from those of other folds.
 *
 * @param features tokens × channels
 * @param image index of each token's image
 * @param category class of each token, 255 where it is not known: those do not count
 * @param images how many there are, at least 2
 * @returns the class with the largest prediction, the first of equal ones
 */
export function predictedClasses(
  features: Matrix,
  image: ArrayLike<number>,
  category: ArrayLike<number>,
  images: number,
): Uint8Array {
  const { rows, cols } = features, size = cols + 1;
  const classes = [...new Set(Array.from(category))].filter((c) => c !== 255).sort((a, b) => a - b);
  const folds = crossValidationFolds(images, Math.min(FOLDS, images), 0), foldOf = new Uint8Array(images);
  folds.forEach(({ held }, f) => held.forEach((i) => foldOf[i] = f));
  const perFold = folds.map(() => ({
    gram: new Float64Array(size * size),
    withClass: new Float64Array(size * classes.length),
  }));
  const row = new Float64Array(size);
  for (let i = 0; i < rows; i++) {
    if (category[i] === 255) continue;
    readRow(features, i, row);
    addRow(perFold[foldOf[image[i]]], row, classes.indexOf(category[i]), classes.length);
  }
  const predicted = new Uint8Array(rows);
  for (const f of folds.keys()) {
    const weights = solve(
      summed(perFold.filter((_, g) => g !== f), size, classes.length),
      size,
      classes.length,
    );
    for (let i = 0; i < rows; i++) {
      if (foldOf[image[i]] !== f) continue;
      readRow(features, i, row);
      let best = -Infinity;
      classes.forEach((category, k) => {
        let score = 0;
        for (let a = 0; a < size; a++) score += row[a] * weights[a * classes.length + k];
        if (score > best) [best, predicted[i]] = [score, category];
      });
    }
  }
  return predicted;
}

/** Channels of a token, then 1. */
function readRow({ data, cols }: Matrix, i: number, into: Float64Array): void {
  for (let a = 0; a < cols; a++) into[a] = data[i * cols + a];
  into[cols] = 1;
}

function addRow({ gram, withClass }: Sums, row: Float64Array, own: number, classes: number): void {
  for (let a = 0, size = row.length; a < size; a++) {
    const value = row[a];
    for (let b = 0; b <= a; b++) gram[a * size + b] += value * row[b];
    withClass[a * classes + own] += value;
  }
}

function summed(parts: Sums[], size: number, classes: number): Sums {
  const all = { gram: new Float64Array(size * size), withClass: new Float64Array(size * classes) };
  for (const { gram, withClass } of parts) {
    gram.forEach((value, at) => all.gram[at] += value);
    withClass.forEach((value, at) => all.withClass[at] += value);
  }
  return all;
}

/** Weights of the channels as they are, and of the 1 behind them: size × classes. */
function solve({ gram, withClass }: Sums, size: number, classes: number): Float64Array {
  const cols = size - 1, last = cols * size, count = gram[last + cols];
  const mean = Float64Array.from({ length: cols }, (_, a) => gram[last + a] / count);
  const spread = mean.map((m, a) => Math.sqrt(Math.max(gram[a * size + a] / count - m * m, 0)) || 1);
  const system = new Float64Array(cols * cols);
  for (let a = 0; a < cols; a++) {
    for (let b = 0; b <= a; b++) {
      const value = (gram[a * size + b] / count - mean[a] * mean[b]) / spread[a] / spread[b];
      system[a * cols + b] = system[b * cols + a] = value + (a === b ? PENALTY : 0);
    }
  }
  const { transform } = inverseCholesky(system, cols, SINGULAR);
  const weights = new Float64Array(size * classes), whitened = new Float64Array(cols);
  for (let k = 0; k < classes; k++) {
    const share = withClass[cols * classes + k] / count;
    whitened.fill(0);
    for (let a = 0; a < cols; a++) {
      const right = (withClass[a * classes + k] / count - mean[a] * share) / spread[a];
      for (let b = a; b < cols; b++) whitened[b] += transform[a * cols + b] * right;
    }
    let constant = share;
    for (let a = 0; a < cols; a++) {
      let weight = 0;
      for (let b = a; b < cols; b++) weight += transform[a * cols + b] * whitened[b];
      weights[a * classes + k] = weight / spread[a];
      constant -= weight / spread[a] * mean[a];
    }
    weights[cols * classes + k] = constant;
  }
  return weights;
}
