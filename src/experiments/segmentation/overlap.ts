/** Overlap of an oracle segmentation with the truth, kept image by image, so that images can be resampled. */
import type { Matrix } from "../../linalg/matrix.ts";
import { assignClasses, matchCentres, THRESHOLDS, type TokenLabels } from "../shared/oracle_segmentation.ts";

/** Pixels by image, threshold and class, row-major. */
export interface Overlaps {
  /** How many. */
  images: number;
  /** How many, background included. */
  classes: number;
  /** images × thresholds × classes: pixels that are the class and are called so. */
  hits: Float64Array;
  /** images × thresholds × classes: pixels that are the class or are called so. */
  unions: Float64Array;
  /** images × classes: pixels that are the class. */
  truth: Float64Array;
}

/** The best of the thresholds. */
export interface BestOverlap {
  /** Mean intersection over union over the classes that occur, pixels of all images together. */
  miou: number;
  /** Index into `THRESHOLDS`. */
  threshold: number;
}

/** One oracle segmentation. */
export interface ImageSegmentation extends BestOverlap {
  /** Image by image. */
  overlaps: Overlaps;
  /** Class given to every token at the best threshold. */
  assigned: Uint8Array;
}

/**
 * The oracle segmentation of `oracleSegmentation`, with what each image adds to it.
 *
 * @param eigenvectors n × C, images one after the other
 * @param labels n × classes pixel counts
 * @param images n is a multiple of it
 */
export function segmentImages(eigenvectors: Matrix, labels: TokenLabels, images: number): ImageSegmentation {
  const { counts, classes } = labels, match = matchCentres(eigenvectors, labels);
  const tokens = eigenvectors.rows / images, steps = THRESHOLDS.length;
  const hits = new Float64Array(images * steps * classes), unions = new Float64Array(hits.length);
  const truth = new Float64Array(images * classes);
  const assigned = THRESHOLDS.map((threshold) => assignClasses(match, threshold));
  for (let i = 0; i < eigenvectors.rows; i++) {
    const image = Math.floor(i / tokens);
    for (let g = 0; g < classes; g++) {
      const pixels = counts[i * classes + g];
      if (pixels === 0) continue;
      truth[image * classes + g] += pixels;
      for (let t = 0; t < steps; t++) {
        const at = (image * steps + t) * classes, said = assigned[t][i];
        unions[at + g] += pixels;
        if (said === g) hits[at + g] += pixels;
        else unions[at + said] += pixels;
      }
    }
  }
  const overlaps = { images, classes, hits, unions, truth };
  const best = bestOverlap(overlaps, Uint32Array.from({ length: images }, (_, i) => i));
  return { ...best, overlaps, assigned: assigned[best.threshold] };
}

/**
 * The best mIoU over the thresholds of some images; the classes' centres stay those of all images.
 *
 * @param draw indices of images, each as often as it counts
 */
export function bestOverlap({ classes, hits, unions, truth }: Overlaps, draw: Uint32Array): BestOverlap {
  const steps = THRESHOLDS.length, block = steps * classes;
  const hit = new Float64Array(block), union = new Float64Array(block), there = new Float64Array(classes);
  for (const image of draw) {
    for (let k = 0; k < classes; k++) there[k] += truth[image * classes + k];
    for (let at = 0, from = image * block; at < block; at++, from++) {
      hit[at] += hits[from];
      union[at] += unions[from];
    }
  }
  const best: BestOverlap = { miou: -1, threshold: 0 };
  for (let t = 0; t < steps; t++) {
    let sum = 0, present = 0;
    for (let k = 0; k < classes; k++) {
      if (there[k] === 0) continue;
      present++;
      sum += hit[t * classes + k] / union[t * classes + k];
    }
    if (sum / present > best.miou) [best.miou, best.threshold] = [sum / present, t];
  }
  return best;
}
