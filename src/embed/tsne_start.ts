/** Where the points of t-SNE begin. */
import type { Matrix } from "../linalg/matrix.ts";
import { fillRandom, seededRandom } from "../linalg/random.ts";
import { symmetricEigen } from "../linalg/symmetric_eigen.ts";

/** Standard deviation of the start along its widest direction; a hundredth of it as noise parts equal points. */
const WIDTH = 1e-4, NOISE = 1e-6;

/**
 * Points along the leading directions of x, 1e-4 wide, with seeded noise of a hundredth of that.
 *
 * @param x n × d
 * @param start as of `tsne`
 * @returns n × 4, coordinates behind those asked for 0
 */
export function startPoints(
  x: Matrix,
  dimensions: number,
  seed: number,
  start: "principal" | "columns" = "principal",
): Float32Array {
  const n = x.rows, noise = fillRandom(new Float32Array(n * 4), seededRandom(seed));
  const y = noise.map((value, at) => at % 4 < dimensions ? NOISE * value : 0);
  const directions = start === "columns" ? columnsOf(x, dimensions) : principalComponents(x, dimensions);
  const variances = directions.map((values) => values.reduce((sum, value) => sum + value * value, 0) / n);
  const widest = Math.max(...variances, 0);
  for (const [c, values] of directions.entries()) {
    if (!(variances[c] > 1e-12 * Math.max(widest, 1e-30))) continue;
    for (let i = 0; i < n; i++) y[4 * i + c] += WIDTH / Math.sqrt(widest) * values[i];
  }
  return y;
}

/** Columns behind the first, where there are several, centred, turned so that their third moment is not negative. */
function columnsOf({ data, rows, cols }: Matrix, dimensions: number): Float64Array[] {
  const first = cols > 1 ? 1 : 0;
  return Array.from({ length: Math.min(dimensions, cols - first) }, (_, c) => {
    const values = Float64Array.from({ length: rows }, (_, i) => data[i * cols + first + c]);
    const mean = values.reduce((sum, value) => sum + value, 0) / rows;
    const third = values.reduce((sum, value) => sum + (value - mean) ** 3, 0);
    return values.map((value) => (third < 0 ? -1 : 1) * (value - mean));
  });
}

/** Scores on the leading principal components, of which the largest loading is positive. */
function principalComponents({ data, rows: n, cols: d }: Matrix, dimensions: number): Float64Array[] {
  const mean = new Float64Array(d);
  for (let i = 0; i < data.length; i++) mean[i % d] += data[i] / n;
  const covariance = new Float64Array(d * d);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < d; a++) {
      const va = data[i * d + a] - mean[a];
      for (let b = 0; b <= a; b++) covariance[a * d + b] += va * (data[i * d + b] - mean[b]) / n;
    }
  }
  for (let a = 0; a < d; a++) for (let b = 0; b < a; b++) covariance[b * d + a] = covariance[a * d + b];
  const { vectors } = symmetricEigen(covariance, d);
  return Array.from({ length: Math.min(dimensions, d) }, (_, c) => {
    let largest = 0;
    for (let a = 0; a < d; a++) {
      if (Math.abs(vectors[a * d + c]) > Math.abs(largest) + 1e-9) largest = vectors[a * d + c];
    }
    return Float64Array.from({ length: n }, (_, i) => {
      let sum = 0;
      for (let a = 0; a < d; a++) sum += (data[i * d + a] - mean[a]) * vectors[a * d + c];
      return (largest < 0 ? -1 : 1) * sum;
    });
  });
}
