/**
 * Rosetta neurons (Dravid et al. 2023): channels of different networks matched one to one by the correlation of their
 * activation maps, beside channels that channel align has given one number in all networks.
 *
 * Matches are found on every second image and measured on the others.
 */
import { applyAlign } from "../align/model.ts";
import { openFeatures } from "../data/feature_store.ts";
import type { Gpu } from "../gpu/mod.ts";
import { matmul } from "../linalg/matmul.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { quantileOf } from "./bootstrap.ts";
import type { Pipeline } from "./pipeline.ts";
import { signFlipTest } from "./sign_flips.ts";

/** A unit of one model and a unit of another. */
export interface UnitPair {
  /** Index of the unit of the first model. */
  a: number;
  /** Index of the unit of the second. */
  b: number;
  /** Their correlation where they were matched. */
  found: number;
}

/** Pairs of units of two models, and how they correlate on images they were not matched on. */
export interface MatchedPairs {
  pairs: UnitPair[];
  /** Held-out correlation of every pair. */
  r: Float64Array;
  /** The same with every image's map of the first model beside another image's map of the second. */
  shuffled: Float64Array;
  /** Mean product of z-scored maps over pairs and patches, one a held-out image: their mean is the mean of `r`. */
  byImage: Float64Array;
  /** The same for shuffled images. */
  byShuffledImage: Float64Array;
}

/** What was found between two models. */
export interface RosettaPair {
  models: [string, string];
  /** Mutual best matches of the models' own channels. */
  rosetta: MatchedPairs;
  /** The strongest of them where they were matched, as many as there are aligned channels, or all if there are fewer. */
  strongest: MatchedPairs;
  /** Aligned channels of one number; of the layers of both models the two that fit best where they were matched. */
  aligned: MatchedPairs;
  /** The same for channels of different numbers, each beside the one half way round: what the choice of layers does alone. */
  control: MatchedPairs;
  /** Aligned channels of one number in one layer: nothing is chosen. */
  unchosen: MatchedPairs;
  /** Mutual best matches of all layers' aligned channels. */
  alignedMutual: MatchedPairs;
  /** Share of those whose two channels have one number; chance is one in the number of channels. */
  sameNumber: number;
  /** Share of aligned channels that correlate at least as the median Rosetta pair does, both held out. */
  asStrong: number;
  /** One-sided sign-flip p over held-out images, of the mean products. */
  p: {
    /** Rosetta pairs above shuffled images. */
    rosetta: number;
    /** Aligned channels of one number above those of different numbers. */
    aligned: number;
    /** Aligned channels of one number above Rosetta pairs. */
    alignedOverRosetta: number;
  };
}

/** The experiment's result. */
export interface Rosetta {
  pairs: RosettaPair[];
  /** Channels of a model: layers × width, by model. */
  units: Record<string, number>;
  /** Channels after align. */
  alignedChannels: number;
  /** Images that matches are found on, and measured on. */
  images: { found: number; measured: number };
  /** Units that are mutual best matches in every pair of models, and their mean held-out correlation; 0 of them has none. */
  everywhere: { count: number; r?: number };
  /** Maps of some held-out images, for the report. */
  examples: RosettaExample[];
}

/** The maps of a strongest pair. */
export interface RosettaExample {
  models: [string, string];
  /** Index into the pipeline's images, one an image shown. */
  images: number[];
  columns: {
    /** Model, layer and channel. */
    label: string;
    /** One list an image shown, z-scored, patches row by row. */
    maps: Float32Array[];
  }[];
}

/** Images of an example. */
const SHOWN = 4;

/** Maps of one model's channels over the patches of some images. */
interface UnitMaps {
  /** images · patches × layers · channels, every column z-scored. */
  maps: Matrix;
  /** Channels of a layer. */
  channels: number;
}

/** Both halves of the images. */
type Halves = [found: UnitMaps, measured: UnitMaps];

/**
 * Finds and measures Rosetta pairs and aligned channels for every two models.
 *
 * @param onProgress told how many of how many steps are done
 * @throws RangeError "Rosetta neurons need 4 images, half of them to match on, and two models: found 3 images, …"
 *
 * Memory: the z-scored maps of two models, images · patches × layers · channels values each, and one units × units matrix.
 */
export async function rosetta(
  gpu: Gpu,
  pipeline: Pipeline,
  seed: number,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Rosetta> {
  const { models, manifests, images, align, tokens } = pipeline, count = images.length;
  if (count < 4 || models.length < 2) {
    throw new RangeError(
      `Rosetta neurons need 4 images, half of them to match on, and two models: found ${count} images, ${models.length} models.`,
    );
  }
  const halves = [0, 1].map((half) => images.flatMap((_, i) => i % 2 === half ? [i] : []));
  const patches = tokens - 1, steps = models.length + models.length * (models.length - 1) / 2;
  const measuredImages = halves[1].length;
  const own: Halves[] = [], aligned: Halves[] = [];
  for (const m of models.keys()) {
    own.push(await mapsOfHalves(gpu, pipeline, m, halves, false));
    aligned.push(await mapsOfHalves(gpu, pipeline, m, halves, true));
    onProgress(m + 1, steps);
  }
  const pairs: RosettaPair[] = [], examples: RosettaExample[] = [];
  for (const [first, a] of models.entries()) {
    for (const [second, b] of models.entries()) {
      if (second <= first) continue;
      const measure = (set: Halves[], found: UnitPair[]) =>
        measurePairs(set[first][1].maps, set[second][1].maps, found, measuredImages, patches);
      const correlation = await correlate(gpu, own[first][0].maps, own[second][0].maps);
      const rosettaPairs = measure(own, mutualBest(correlation));
      const alignedCorrelation = await correlate(gpu, aligned[first][0].maps, aligned[second][0].maps);
      const { channels } = aligned[first][0];
      const byNumber = measure(aligned, bestLayers(alignedCorrelation, channels));
      const control = measure(aligned, bestLayers(alignedCorrelation, channels, Math.floor(channels / 2)));
      const mutual = measure(aligned, mutualBest(alignedCorrelation));
      const strongest = rosettaPairs.pairs.toSorted((x, y) => y.found - x.found).slice(0, channels);
      const median = medianOf(rosettaPairs.r);
      const gain = (x: Float64Array, y: Float64Array) =>
        signFlipTest(x.map((value, i) => value - y[i]), seed);
      pairs.push({
        models: [a, b],
        rosetta: rosettaPairs,
        strongest: measure(own, strongest),
        aligned: byNumber,
        control,
        unchosen: measure(aligned, sameLayer(alignedCorrelation, channels)),
        alignedMutual: mutual,
        sameNumber: shareOf(mutual.pairs, (pair) => pair.a % channels === pair.b % channels),
        asStrong: shareOf([...byNumber.r], (r) => r >= median),
        p: {
          rosetta: gain(rosettaPairs.byImage, rosettaPairs.byShuffledImage),
          aligned: gain(byNumber.byImage, control.byImage),
          alignedOverRosetta: gain(byNumber.byImage, rosettaPairs.byImage),
        },
      });
      const [own1, own2] = [own[first][1], own[second][1]],
        [al1, al2] = [aligned[first][1], aligned[second][1]];
      const best = strongest[0], alignedBest = byNumber.pairs.toSorted((x, y) => y.found - x.found)[0];
      const shown = Array.from({ length: Math.min(SHOWN, measuredImages) }, (_, i) => i);
      const column = ({ maps, channels }: UnitMaps, unit: number, m: number, kind: string) => ({
        label: `${kind}${models[m]} L${manifests[m].layers[Math.floor(unit / channels)].layer} channel ${
          unit % channels
        }`,
        maps: shown.map((i) => mapOf(maps, unit, i, patches)),
      });
      examples.push({
        models: [a, b],
        images: shown.map((i) => halves[1][i]),
        columns: [
          ...(best ? [column(own1, best.a, first, ""), column(own2, best.b, second, "")] : []),
          column(al1, alignedBest.a, first, "aligned, "),
          column(al2, alignedBest.b, second, "aligned, "),
        ],
      });
      onProgress(models.length + pairs.length, steps);
    }
  }
  return {
    pairs,
    units: Object.fromEntries(models.map((model, m) => [model, own[m][0].maps.cols])),
    alignedChannels: align.transforms.cols,
    images: { found: halves[0].length, measured: measuredImages },
    everywhere: matchedEverywhere(pairs, models),
    examples,
  };
}

/** z-scored maps of all channels of one model, its own or aligned ones, of both halves of the images. */
async function mapsOfHalves(
  gpu: Gpu,
  { manifests, models, tokens, align }: Pipeline,
  m: number,
  halves: number[][],
  isAligned: boolean,
): Promise<Halves> {
  const { layers, width } = manifests[m], channels = isAligned ? align.transforms.cols : width;
  const patches = tokens - 1, cols = layers.length * channels;
  const parts = halves.map((images): UnitMaps => {
    const rows = images.length * patches;
    return { maps: { data: new Float32Array(rows * cols), rows, cols }, channels };
  });
  for (const [l, { layer, path }] of layers.entries()) {
    const file = await openFeatures(path);
    try {
      const raw = { data: await file.readRows(0, file.rows), rows: file.rows, cols: width };
      const slot = align.slots.findIndex(({ name }) => name === `${models[m]} L${layer}`);
      const { data } = isAligned ? await applyAlign(gpu, align, slot, raw) : raw;
      for (const [half, images] of halves.entries()) {
        const { maps } = parts[half];
        for (const [i, image] of images.entries()) {
          for (let patch = 0; patch < patches; patch++) {
            const from = (image * tokens + 1 + patch) * channels; // the class token is left out
            maps.data.set(data.subarray(from, from + channels), (i * patches + patch) * cols + l * channels);
          }
        }
      }
    } finally {
      await file.close();
    }
  }
  for (const { maps } of parts) standardizeUnits(maps);
  return parts as Halves;
}

/**
 * Gives every column mean 0 and variance 1, in place; a column that does not vary becomes 0 and correlates with nothing.
 *
 * @param maps places × units
 */
export function standardizeUnits({ data, rows, cols }: Matrix): void {
  const mean = new Float64Array(cols), squares = new Float64Array(cols);
  for (let i = 0, at = 0; i < rows; i++) for (let c = 0; c < cols; c++, at++) mean[c] += data[at] / rows;
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++, at++) squares[c] += (data[at] - mean[c]) ** 2;
  }
  const inverse = squares.map((sum, c) =>
    sum > 1e-12 * rows * mean[c] ** 2 && sum > 0 ? Math.sqrt(rows / sum) : 0
  );
  for (let i = 0, at = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++, at++) data[at] = (data[at] - mean[c]) * inverse[c];
  }
}

/**
 * Pearson correlation of every unit with every other: Zₐᵀ Z_b / n of z-scored maps.
 *
 * @param a places × units, z-scored
 * @param b the same places × other units
 * @returns units of a × units of b
 */
export async function correlate(gpu: Gpu, a: Matrix, b: Matrix): Promise<Matrix> {
  const product = await matmul(gpu, a, b, { transposeA: true });
  return { ...product, data: product.data.map((value) => value / a.rows) };
}

/**
 * Pairs in which each is the other's best match (Dravid et al. 2023); of equal ones the first counts.
 *
 * @param correlation units of a × units of b
 * @returns by the index of a
 */
export function mutualBest({ data, rows, cols }: Matrix): UnitPair[] {
  const bestOfRow = new Int32Array(rows), bestOfCol = new Int32Array(cols);
  for (let a = 0; a < rows; a++) {
    for (let b = 0; b < cols; b++) {
      const value = data[a * cols + b];
      if (value > data[a * cols + bestOfRow[a]]) bestOfRow[a] = b;
      if (value > data[bestOfCol[b] * cols + b]) bestOfCol[b] = a;
    }
  }
  return Array.from(bestOfRow, (b, a) => ({ a, b, found: data[a * cols + b] }))
    .filter(({ a, b, found }) => bestOfCol[b] === a && found > 0);
}

/**
 * For every aligned channel the layers of both models in which it correlates most.
 *
 * @param correlation layers · channels × layers · channels
 * @param channels of a layer
 * @param shift what is added to a channel's number in the second model, round the circle; default 0, the same channel
 */
export function bestLayers({ data, rows, cols }: Matrix, channels: number, shift = 0): UnitPair[] {
  return Array.from({ length: channels }, (_, channel) => {
    let best: UnitPair = { a: channel, b: channel, found: -Infinity };
    for (let a = channel; a < rows; a += channels) {
      for (let b = (channel + shift) % channels; b < cols; b += channels) {
        if (data[a * cols + b] > best.found) best = { a, b, found: data[a * cols + b] };
      }
    }
    return best;
  });
}

/** Aligned channels of one number in one layer, of the layers that both models have. */
function sameLayer({ data, rows, cols }: Matrix, channels: number): UnitPair[] {
  const units = Math.floor(Math.min(rows, cols) / channels) * channels;
  return Array.from({ length: units }, (_, unit) => ({ a: unit, b: unit, found: data[unit * cols + unit] }));
}

/**
 * How pairs correlate on images: over all of their patches, and image by image, as they are and with the maps of the
 * second model taken from the image half way round the set.
 *
 * @param a images · patches × units, z-scored over these images
 * @param b the same of the other model
 */
export function measurePairs(
  a: Matrix,
  b: Matrix,
  pairs: UnitPair[],
  images: number,
  patches: number,
): MatchedPairs {
  const r = new Float64Array(pairs.length), shuffled = new Float64Array(pairs.length);
  const byImage = new Float64Array(images), byShuffledImage = new Float64Array(images);
  const half = Math.floor(images / 2);
  for (const [k, pair] of pairs.entries()) {
    for (let i = 0; i < images; i++) {
      const other = (i + half) % images;
      let same = 0, apart = 0;
      for (let patch = 0; patch < patches; patch++) {
        const value = a.data[(i * patches + patch) * a.cols + pair.a];
        same += value * b.data[(i * patches + patch) * b.cols + pair.b];
        apart += value * b.data[(other * patches + patch) * b.cols + pair.b];
      }
      r[k] += same / patches / images;
      shuffled[k] += apart / patches / images;
      byImage[i] += same / patches / pairs.length;
      byShuffledImage[i] += apart / patches / pairs.length;
    }
  }
  return { pairs, r, shuffled, byImage, byShuffledImage };
}

/** Units of the first model whose matches in all others are matches of each other too. */
export function matchedEverywhere(
  pairs: Pick<RosettaPair, "models" | "rosetta">[],
  models: string[],
): Rosetta["everywhere"] {
  const matches = pairs.map(({ models, rosetta: { pairs, r } }) => ({
    models,
    partner: new Map(pairs.map(({ a, b }, k) => [a, { unit: b, r: r[k] }])),
  }));
  const ofFirst = new Set(
    matches.flatMap(({ models: [a], partner }) => a === models[0] ? [...partner.keys()] : []),
  );
  const found: number[] = [];
  let count = 0;
  for (const unit of ofFirst) {
    const units = new Map([[models[0], unit]]), values: number[] = [];
    for (const { models: [a, b], partner } of matches) {
      const match = partner.get(units.get(a) ?? -1);
      if (!match || (units.get(b) ?? match.unit) !== match.unit) break;
      units.set(b, match.unit);
      values.push(match.r);
    }
    if (values.length < matches.length) continue;
    count++;
    found.push(...values);
  }
  return { count, ...(count > 0 ? { r: found.reduce((sum, value) => sum + value, 0) / found.length } : {}) };
}

function mapOf({ data, cols }: Matrix, unit: number, image: number, patches: number): Float32Array {
  return Float32Array.from({ length: patches }, (_, patch) => data[(image * patches + patch) * cols + unit]);
}

function shareOf<T>(values: T[], holds: (value: T) => boolean): number {
  return values.length === 0 ? 0 : values.filter(holds).length / values.length;
}

/** The middle value, 0 of none. */
function medianOf(values: Float64Array): number {
  return values.length === 0 ? 0 : quantileOf(values.toSorted(), 0.5);
}
