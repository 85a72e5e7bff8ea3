/** What finer maps bring: segmentations by eigenvectors, at several strides, held against masks pixel by pixel. */
import { openKnownModel } from "../../data/models/known_models.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { normalizedCut } from "../../graph/normalized_cut.ts";
import { twoWayCut } from "../../graph/two_way_cut.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { type RunImage, viewed } from "../../pipeline/images.ts";
import {
  intersectionOverUnion,
  oracleSegmentation,
  type TokenLabels,
  tokenLabels,
} from "./oracle_segmentation.ts";
import { signFlipTest } from "../../statistics/sign_flip_test.ts";
import { mean } from "../../statistics/summary.ts";
import { streamFeatures } from "../../data/features/stream_features.ts";
import { viewOf } from "../../data/images/preprocessor.ts";
import { readOnnx } from "../../data/onnx/graph.ts";
import type { Hook } from "../../data/onnx/head_roles.ts";
import { patchSize } from "../../data/onnx/patch_order.ts";

/** One way to a map; mIoU of figure and ground over the image's pixels, mean over the images. */
export interface MapScore {
  /** Shifted images along each side. */
  shifts: number;
  /** Whether the map was only interpolated from that of the model's own patches. */
  interpolated: boolean;
  grid: { rows: number; cols: number };
  /** By an oracle that knows both classes' centres in each image. */
  oracle: number;
  /** By the two-way cut, which knows nothing. */
  twoWay: number | null;
  /** Of the map that gives every patch the class of most of its pixels: about the best of that number of patches. */
  ceiling: number;
  /** One-sided p that `oracle` is above that of the model's own patches, signs flipped image by image; null for itself. */
  p: number | null;
  /** Seconds an image for features, and for the eigenvectors. */
  seconds: { features: number; cut: number };
}

/** Eigenvectors that the oracle sees. */
const COMPONENTS = 10;

/**
 * Scores the maps of one layer, each image a graph of its own.
 *
 * @param images with masks
 * @param shifts along each side, 1 first
 * @returns the model's own patches first; behind each finer map the coarse one interpolated to as many patches
 * @throws Error when an image has no mask, or as `streamFeatures`
 */
export async function finerMaps(
  gpu: Gpu,
  model: string,
  images: readonly RunImage[],
  { layer, hook = "attention", shifts, seed = 0, onProgress }: {
    layer: number;
    hook?: Hook;
    shifts: readonly number[];
    seed?: number;
    /** Called with how many of `shifts` are done. */
    onProgress?: (done: number, total: number, note: string) => void;
  },
): Promise<MapScore[]> {
  const { path, preprocessor, registers } = await openKnownModel(model);
  const patch = patchSize(await readOnnx(path));
  const masks = await Promise.all(
    viewed(images, viewOf(preprocessor), patch && { height: patch[0], width: patch[1] }).map(
      async ({ name, mask }) => {
        if (!mask) throw new Error(`The image ${name} has no mask: give one for every image.`);
        return await mask();
      },
    ),
  );
  const scores: MapScore[] = [], own: { eigenvectors: Matrix; oracle: number }[] = [];
  let coarse = { rows: 0, cols: 0 };
  for (const [s, each] of shifts.entries()) {
    const started = performance.now(), features: Matrix[] = [];
    const { grid } = await streamFeatures({
      model: path,
      preprocessor,
      registers,
      hook,
      shifts: each,
      outDir: "",
      dtype: "float32",
      images: [...images],
      onProgress: (done, total) =>
        onProgress?.(s + done / total / 2, shifts.length, `${each} × ${each} shifts`),
    }, {
      begin({ layers }) {
        if (layers.length < layer) {
          throw new RangeError(`${path} has layers 1 to ${layers.length}, not ${layer}.`);
        }
      },
      rows(l, { image, token, vectors }) {
        if (l !== layer - 1) return;
        const cols = vectors.length / image.length, tokens = token.indexOf(0, 1);
        const length = tokens > 0 ? tokens : token.length;
        for (let first = 0; first < image.length; first += length) {
          const data = vectors.slice((first + 1) * cols, (first + length) * cols);
          features[image[first]] = { data, rows: length - 1, cols };
        }
      },
    });
    const extracted = performance.now();
    if (s === 0) coarse = grid;
    const found: Record<"oracle" | "twoWay" | "ceiling" | "interpolated", number[]> = {
      oracle: [],
      twoWay: [],
      ceiling: [],
      interpolated: [],
    };
    let cutting = 0;
    for (const [i, matrix] of features.entries()) {
      const labels = { counts: tokenLabels(masks[i], grid, 2).subarray(2), classes: 2 };
      const from = performance.now();
      const cut = await normalizedCut(gpu, matrix, { components: COMPONENTS, seed, name: images[i].name });
      cutting += performance.now() - from;
      const { miou } = oracleSegmentation(cut.eigenvectors, labels);
      if (s === 0) own.push({ eigenvectors: cut.eigenvectors, oracle: miou });
      found.oracle.push(miou);
      const { foreground } = await twoWayCut(gpu, matrix, { grid, cut, seed, name: images[i].name });
      found.twoWay.push(intersectionOverUnion(foreground, labels).miou);
      found.ceiling.push(intersectionOverUnion(majority(labels), labels).miou);
      if (s > 0) {
        const between = interpolate(own[i].eigenvectors, coarse, each);
        found.interpolated.push(oracleSegmentation(between, labels).miou);
      }
      onProgress?.(s + 0.5 + (i + 1) / images.length / 2, shifts.length, `${each} × ${each} shifts`);
    }
    const better = (values: number[]) =>
      s === 0 ? null : signFlipTest(Float64Array.from(values, (value, i) => value - own[i].oracle), seed);
    const seconds = {
      features: (extracted - started) / 1000 / images.length,
      cut: cutting / 1000 / images.length,
    };
    const common = { shifts: each, grid, ceiling: mean(found.ceiling) };
    scores.push({
      ...common,
      interpolated: false,
      oracle: mean(found.oracle),
      twoWay: mean(found.twoWay),
      p: better(found.oracle),
      seconds,
    });
    if (s > 0) {
      scores.push({
        ...common,
        interpolated: true,
        oracle: mean(found.interpolated),
        twoWay: null,
        p: better(found.interpolated),
        seconds: scores[0].seconds,
      });
    }
  }
  return scores;
}

/** The class with the most pixels under each patch. */
function majority({ counts, classes }: TokenLabels): Uint8Array {
  return Uint8Array.from(
    { length: counts.length / classes },
    (_, i) => counts[2 * i + 1] > counts[2 * i] ? 1 : 0,
  );
}

/** A map of values with `times` as many rows and columns, linear between the centres of patches. */
export function interpolate(
  { data, cols }: Matrix,
  grid: { rows: number; cols: number },
  times: number,
): Matrix {
  const rows = grid.rows * times, columns = grid.cols * times, out = new Float32Array(rows * columns * cols);
  const between = (place: number, size: number) => {
    const at = Math.min(Math.max((place + 0.5) / times - 0.5, 0), size - 1), low = Math.floor(at);
    return { low, high: Math.min(low + 1, size - 1), share: at - low };
  };
  for (let r = 0, to = 0; r < rows; r++) {
    const y = between(r, grid.rows);
    for (let c = 0; c < columns; c++) {
      const x = between(c, grid.cols);
      const value = (row: number, col: number, k: number) => data[(row * grid.cols + col) * cols + k];
      for (let k = 0; k < cols; k++, to++) {
        const above = value(y.low, x.low, k) * (1 - x.share) + value(y.low, x.high, k) * x.share;
        const below = value(y.high, x.low, k) * (1 - x.share) + value(y.high, x.high, k) * x.share;
        out[to] = above * (1 - y.share) + below * y.share;
      }
    }
  }
  return { data: out, rows: rows * columns, cols };
}
