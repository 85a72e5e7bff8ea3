/** How well eigenvectors segment, judged by an oracle that knows the class centres. */
import type { Matrix } from "../../linalg/matrix.ts";
import { lengthOf } from "../../linalg/portable_math.ts";

/** Pixels of every class under every token: n × classes; void pixels are in none. */
export interface TokenLabels {
  counts: Uint32Array;
  classes: number;
}

/** The best segmentation over the thresholds. */
export interface OracleSegmentation {
  /** Mean intersection over union over the classes that occur, pixels of all images together. */
  miou: number;
  iou: Float64Array;
  threshold: number;
  /** Class given to every token. */
  assigned: Uint8Array;
}

/** The ten even values in [0, 1] of the paper's grid search. */
export const THRESHOLDS: readonly number[] = Array.from({ length: 10 }, (_, i) => i / 9);

/**
 * Oracle segmentation (METHOD, "Experiments", segmentation by layer): a class's centre is the mean eigenvector under its
 * ground-truth mask; a token takes the class of the most similar centre (cosine), or class 0, the background, when no
 * similarity reaches the threshold; the threshold with the best mIoU is kept.
 *
 * @param eigenvectors n × C, one token a row
 * @param labels n × classes pixel counts, class 0 the background; tokens without pixels (class tokens) are left out
 * @returns the best mIoU, in [0, 1], with its threshold and assignment
 * @throws RangeError when labels and eigenvectors differ in number, or no pixel has a label
 */
export function oracleSegmentation(eigenvectors: Matrix, labels: TokenLabels): OracleSegmentation {
  const match = matchCentres(eigenvectors, labels);
  let best: OracleSegmentation | null = null;
  for (const threshold of THRESHOLDS) {
    const assigned = assignClasses(match, threshold);
    const { miou, iou } = intersectionOverUnion(assigned, labels);
    if (!best || miou > best.miou) best = { miou, iou, threshold, assigned };
  }
  return best!;
}

/** The class centre that is most similar to each token, before any threshold. */
export interface CentreMatch {
  /** Class of every token. */
  nearest: Uint8Array;
  /** Cosine to that class's centre, −1 to 1. */
  similarity: Float64Array;
}

/** Classes of all tokens at a threshold: background where even the most similar centre is less similar than that. */
export function assignClasses({ nearest, similarity }: CentreMatch, threshold: number): Uint8Array {
  return nearest.map((k, i) => similarity[i] < threshold ? 0 : k);
}

/**
 * Compares every token with the classes' centres, the mean eigenvectors under their masks.
 *
 * @param eigenvectors n × C, one token a row
 * @param labels n × classes pixel counts
 * @throws RangeError when labels and eigenvectors differ in number, or no pixel has a label
 */
export function matchCentres(eigenvectors: Matrix, labels: TokenLabels): CentreMatch {
  const { data, rows, cols } = eigenvectors;
  const { counts, classes } = labels;
  if (counts.length !== rows * classes) {
    throw new RangeError(
      `There are ${rows} tokens and labels for ${counts.length / classes}: they must be equal.`,
    );
  }
  const centres = new Float64Array(classes * cols);
  const pixels = new Float64Array(classes);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < classes; k++) {
      const weight = counts[i * classes + k];
      if (!weight) continue;
      pixels[k] += weight;
      for (let c = 0; c < cols; c++) centres[k * cols + c] += weight * data[i * cols + c];
    }
  }
  const present = [...pixels.keys()].filter((k) => pixels[k] > 0);
  if (!present.length) {
    throw new RangeError("No pixel has a label: check that the masks belong to these images.");
  }
  const norms = present.map((k) => lengthOf(centres.subarray(k * cols, (k + 1) * cols)));

  const nearest = new Uint8Array(rows), similarity = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let square = 0;
    for (let c = 0; c < cols; c++) square += data[i * cols + c] ** 2;
    const own = Math.sqrt(square);
    similarity[i] = -Infinity;
    present.forEach((k, at) => {
      let dot = 0;
      for (let c = 0; c < cols; c++) dot += data[i * cols + c] * centres[k * cols + c];
      const cosine = dot / (own * norms[at] || 1);
      if (cosine > similarity[i]) [similarity[i], nearest[i]] = [cosine, k];
    });
  }
  return { nearest, similarity };
}

/** IoU per class over all pixels, and its mean over the classes that occur in the ground truth. */
export function intersectionOverUnion(
  assigned: Uint8Array,
  { counts, classes }: TokenLabels,
): { miou: number; iou: Float64Array } {
  const hit = new Float64Array(classes), truth = new Float64Array(classes), said = new Float64Array(classes);
  assigned.forEach((k, i) => {
    for (let g = 0; g < classes; g++) {
      const pixels = counts[i * classes + g];
      truth[g] += pixels;
      said[k] += pixels;
      if (g === k) hit[g] += pixels;
    }
  });
  const iou = Float64Array.from(hit, (h, k) => truth[k] + said[k] - h > 0 ? h / (truth[k] + said[k] - h) : 0);
  const present = [...truth.keys()].filter((k) => truth[k] > 0);
  return { miou: present.reduce((sum, k) => sum + iou[k], 0) / present.length, iou };
}

/**
 * Pixel counts of every class under every token of one image: the class token first, with none, then the patches row by
 * row.
 *
 * @param mask width × height class indices; values ≥ `classes` are void
 * @param grid patches along each side
 */
export function tokenLabels(
  mask: { data: Uint8Array; width: number; height: number },
  grid: { rows: number; cols: number },
  classes: number,
): Uint32Array {
  const counts = new Uint32Array((1 + grid.rows * grid.cols) * classes);
  for (let y = 0; y < mask.height; y++) {
    const row = Math.floor(y * grid.rows / mask.height);
    for (let x = 0; x < mask.width; x++) {
      const label = mask.data[y * mask.width + x];
      if (label >= classes) continue;
      counts[(1 + row * grid.cols + Math.floor(x * grid.cols / mask.width)) * classes + label]++;
    }
  }
  return counts;
}

/**
 * What a model-free segmentation has to go on: mean color and position of every patch, each in [−1, 1].
 *
 * @returns tokens × 5 (red, green, blue, x, y), a class token of ones first so that the rows match a model's
 */
export function rgbPositionFeatures(
  image: { data: Uint8Array; width: number; height: number },
  grid: { rows: number; cols: number },
): Matrix {
  const rows = 1 + grid.rows * grid.cols;
  const data = new Float32Array(rows * 5).fill(0);
  const seen = new Float64Array(rows);
  data.fill(1, 0, 5);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++) {
      const token = 1 + Math.floor(y * grid.rows / image.height) * grid.cols +
        Math.floor(x * grid.cols / image.width);
      seen[token]++;
      for (let c = 0; c < 3; c++) {
        data[token * 5 + c] += image.data[(y * image.width + x) * 3 + c] / 127.5 - 1;
      }
    }
  }
  for (let token = 1; token < rows; token++) {
    for (let c = 0; c < 3; c++) data[token * 5 + c] /= seen[token] || 1;
    data[token * 5 + 3] = 2 * (((token - 1) % grid.cols) + 0.5) / grid.cols - 1;
    data[token * 5 + 4] = 2 * (Math.floor((token - 1) / grid.cols) + 0.5) / grid.rows - 1;
  }
  return { data, rows, cols: 5 };
}

/** Eigenvectors that the oracle segmentation uses (METHOD, "Experiments"). */
export const ORACLE_COMPONENTS = 10;
