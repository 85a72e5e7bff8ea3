/** Images, responses and features for channel alignment, of one subject. */
import { takeRows } from "../linalg/host_matrix.ts";
import { basename } from "node:path";
import type { AlignSlot } from "../align/model.ts";
import { slotLayers } from "../align/slots.ts";
import {
  joinPooled,
  type PooledFeatures,
  poolFeatures,
  type PoolOptions,
} from "../data/features/pooled_features.ts";
import { previewCrop } from "../data/images/preprocess.ts";
import { VoxelScan } from "../data/datasets/left_out_voxels.ts";
import type { Subject, SubjectSplits } from "../data/datasets/subject.ts";
import { report } from "../data/files/skipped.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { RunModel } from "./models.ts";
import { regionsOf } from "./regions.ts";
import type { Preprocessor } from "../data/images/preprocessor.ts";

/** One part of the images. */
export interface BrainSplit {
  /** The images in the order of the rows, as of `Subject`. */
  images: string[];
  /** images × Σ D_l. */
  pooled: Matrix;
  /** images × voxels. */
  responses: Matrix;
}

/** What channel alignment and its baselines are trained and tested on. */
export interface BrainData extends Pick<Subject, "rois" | "noiseCeiling" | "skipped"> {
  /** One name a model. */
  models: string[];
  slots: AlignSlot[];
  training: BrainSplit & {
    /** Sampled tokens of every slot. */
    tokens: Matrix[];
  };
  test: BrainSplit;
}

/** Settings of `readBrainData`. */
export interface BrainDataOptions
  extends Pick<PoolOptions, "cacheDir" | "imagesKey" | "seed" | "cells" | "explain"> {
  subject: SubjectSplits;
  models: RunModel[];
  /** Resize and crop that all images go through first. */
  view: Preprocessor;
  /** Training images to read; default all. */
  limit?: number;
  /** Called with how many image × model pairs are done, of how many. */
  onProgress?: (done: number, total: number, note: string) => void;
}

/** Tokens of every slot to sample nodes from: four an image, more where there are few images. */
const TOKENS = 1024, MIN_AN_IMAGE = 4, MAX_AN_IMAGE = 64;
/** Of the training images, where the test responses are not public. */
const HELD_OUT = 0.15;
/** Of fewer held-out images, r says little of one voxel. */
const FEW_HELD_OUT = 10;

/**
 * Reads a subject's responses and runs the models over its images. Where it has no test split, as in the public release of
 * Algonauts 2023, the last training images are held out instead.
 *
 * @throws Error one sentence that names the file or model that is not usable
 */
export async function readBrainData(options: BrainDataOptions): Promise<BrainData> {
  const { training, test } = splitsOf(options.subject, options.limit);
  const tokensPerImage = Math.min(
    MAX_AN_IMAGE,
    Math.max(MIN_AN_IMAGE, Math.ceil(TOKENS / training.images.length)),
  );
  const total = options.models.length * (training.images.length + test.images.length);
  let before = 0;
  const pool = async ({ images, readImage }: Subject, split: string, tokensPerImage: number) => {
    const parts: PooledFeatures[] = [];
    for (const { path: model, ...as } of options.models) {
      parts.push(
        await poolFeatures({
          model,
          ...as,
          images: images.map((path, row) => ({
            name: basename(path),
            load: async () => previewCrop(await readImage(row), options.view, path),
          })),
          tokensPerImage,
          cells: options.cells,
          seed: options.seed,
          cacheDir: options.cacheDir,
          imagesKey: `${options.imagesKey} ${split}`, // whose images may have the same names
          explain: options.explain,
          onProgress: (done) => options.onProgress?.(before + done, total, basename(model)),
        }),
      );
      before += images.length;
    }
    return joinPooled(parts);
  };
  const read = async (subject: Subject) => await subject.readResponses(0, subject.images.length);
  const seen = await pool(training, "training", options.cells ? 0 : tokensPerImage);
  return withConstantVoxels({
    models: options.models.map(({ path }) => basename(path).replace(/\.onnx$/, "")),
    slots: seen.slots,
    rois: regionsOf(training),
    noiseCeiling: training.noiseCeiling,
    skipped: training.skipped,
    training: {
      images: training.images,
      pooled: seen.pooled,
      responses: await read(training),
      tokens: seen.tokens,
    },
    test: {
      images: test.images,
      pooled: (await pool(test, "test", 0)).pooled,
      responses: await read(test),
    },
  });
}

/** Both parts of a subject's images, of the first one `limit` at most: those that are held out are the same whatever it is. */
function splitsOf({ training, test }: SubjectSplits, limit = Infinity): Required<SubjectSplits> {
  const { length } = training.images, kept = test ? length : Math.floor(length * (1 - HELD_OUT));
  return {
    training: partOf(training, 0, Math.min(limit, kept)),
    test: test ?? partOf(training, kept, length),
  };
}

/** Some of a subject's images, one after the other. */
function partOf(subject: Subject, from: number, to: number): Subject {
  return {
    ...subject,
    images: subject.images.slice(from, to),
    readImage: (row) => subject.readImage(from + row),
    readResponses: (first, count) => subject.readResponses(from + first, count),
  };
}

/** Says of how many voxels one part of the images has one response, which those that vary over all images may have. */
function withConstantVoxels(data: BrainData): BrainData {
  const { training, test } = data, skipped = [...data.skipped];
  const say = ({ responses: { data, rows, cols } }: BrainSplit, images: string, so: string) => {
    const scan = new VoxelScan(cols);
    scan.add(data);
    const constant = scan.reasons().filter((reason) => reason > 0).length;
    if (constant === 0) return;
    skipped.push(
      `${constant} of ${cols} voxels have the same response to all ${rows} ${images}: ${so}`,
    );
    report(skipped.at(-1)!);
  };
  say(training, "images that are learned from", "nothing is learned of them, and their r counts as 0");
  say(test, "held-out images", "their r counts as 0 in every mean");
  const { rows } = test.responses;
  if (rows > 1 && rows < FEW_HELD_OUT) {
    report(
      rows > 2
        ? `r is over ${rows} held-out images: by chance alone it is ${
          (1 / Math.sqrt(rows - 1)).toFixed(2)
        } off 0 (standard deviation)`
        : `r is over ${rows} held-out images: of two it is 1 or −1, whatever predicts them`,
    );
  }
  return { ...data, skipped };
}

/** Layers of one of the models. */
export function depthOf({ slots }: Pick<BrainData, "slots">, model: string): number {
  return slotLayers(slots, model).length;
}

/** The same data with the first `count` training images only, or all where there are fewer. */
export function firstImages(data: BrainData, count: number): BrainData {
  const { images, pooled, responses, tokens } = data.training;
  const rows = Array.from({ length: Math.min(count, images.length) }, (_, i) => i);
  return {
    ...data,
    training: {
      images: images.slice(0, count),
      pooled: takeRows(pooled, rows),
      responses: takeRows(responses, rows),
      tokens,
    },
  };
}
