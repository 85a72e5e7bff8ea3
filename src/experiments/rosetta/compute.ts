/**
 * Rosetta neurons (Dravid et al. 2023): channels of different networks matched one to one by the correlation of their
 * activation maps, beside channels that channel alignment has given one number in all networks.
 *
 * Matches are found on every second image and measured on the others.
 */
import { applyAlign, leadingChannels, sharedBeta } from "../../align/model.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { matmul } from "../../linalg/matmul.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { quantileOf } from "../../statistics/bootstrap.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { type Effect, signFlipEffect } from "../../statistics/effect.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";
import { type ModelMaps, openMaps, type Scaled, slices } from "./maps.ts";
import {
  bestLayers,
  correlate,
  type MatchedPairs,
  mutualBest,
  openMeasure,
  sameLayer,
  strongestFirst,
  type UnitPair,
  voxelSample,
} from "./matching.ts";
import { mean } from "../../statistics/summary.ts";

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
  /** Voxels in the brain's space, V W β: one voxel, in the two layers that fit best where they were matched. */
  voxels: MatchedPairs;
  /** The same for different voxels. */
  voxelControl: MatchedPairs;
  /** Mutual best matches of all layers' aligned channels. */
  alignedMutual: MatchedPairs;
  /** Share of those whose two channels have one number; chance is one in the number of channels. */
  sameNumber: number;
  /** Share of aligned channels that correlate at least as the median Rosetta pair does, both held out. */
  asStrong: number;
  /** Differences of the mean products over held-out images, whose signs were flipped. */
  gains: RosettaGains;
}

/** What is compared between two models. */
export interface RosettaGains {
  /** Rosetta pairs above shuffled images. */
  rosetta: Effect;
  /** Aligned channels of one number above those of different numbers. */
  aligned: Effect;
  /** Aligned channels of one number above Rosetta pairs. */
  alignedOverRosetta: Effect;
  /** One voxel above different voxels. */
  voxels: Effect;
}

/** The experiment's result. */
export interface Rosetta {
  pairs: RosettaPair[];
  /** Channels of a model: layers × width, by model. */
  units: Record<string, number>;
  /** Channels after alignment. */
  alignedChannels: number;
  /** Voxels drawn from the alignment's. */
  voxels: number;
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

/**
 * Finds and measures Rosetta pairs, aligned channels and voxels for every two models.
 *
 * @param onProgress called with how many of how many steps are done
 * @throws RangeError "Rosetta neurons need 4 images, half of them to match on, and two models: found 3 images, …"
 *
 * Memory: maps of a few images, whatever their number, and two units × units matrices.
 */
export async function rosetta(
  gpu: Gpu,
  pipeline: Pipeline,
  seed: number,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Rosetta> {
  const { models, images, align } = pipeline, channels = sharedBeta(align).rows;
  if (images.length < 4 || models.length < 2) {
    throw new UnsuitableData(
      `Rosetta neurons need 4 images, half of them to match on, and two models: found ${images.length} images, ${models.length} models.`,
    );
  }
  const halves = [0, 1].map((half) => images.flatMap((_, i) => i % 2 === half ? [i] : []));
  const shift = Math.floor(channels / 2), beta = voxelSample(sharedBeta(align), channels, seed);
  const own = await compareModels(gpu, pipeline, halves, (_, raw) => Promise.resolve(raw), {
    rosetta: mutualBest,
    strongest: (correlation) => strongestFirst(mutualBest(correlation)).slice(0, channels),
  });
  onProgress(1, 3);
  const aligned = await compareModels(
    gpu,
    pipeline,
    halves,
    async (slot, raw) => leadingChannels(await applyAlign(gpu, align, slot, raw), channels),
    {
      aligned: (correlation) => bestLayers(correlation, channels),
      control: (correlation) => bestLayers(correlation, channels, shift),
      unchosen: (correlation) => sameLayer(correlation, channels),
      alignedMutual: mutualBest,
    },
  );
  onProgress(2, 3);
  const inBrain = async (slot: number, raw: Matrix) =>
    await matmul(gpu, leadingChannels(await applyAlign(gpu, align, slot, raw), beta.rows), beta);
  const voxels = await compareModels(gpu, pipeline, halves, inBrain, {
    voxels: (correlation) => bestLayers(correlation, beta.cols),
    voxelControl: (correlation) => bestLayers(correlation, beta.cols, Math.floor(beta.cols / 2)),
  });
  onProgress(3, 3);
  const pairs = own.map(({ models, matched }, k): RosettaPair => {
    const all = { ...matched, ...aligned[k].matched, ...voxels[k].matched }, { rosetta, alignedMutual } = all;
    const median = medianOf(rosetta.r);
    return {
      models,
      ...all,
      sameNumber: shareOf(alignedMutual.pairs, (pair) => pair.a % channels === pair.b % channels),
      asStrong: shareOf([...all.aligned.r], (r) => r >= median),
      gains: gainsOf(all, seed),
    };
  });
  return {
    pairs,
    units: Object.fromEntries(models.map((model, m) => [model, own.units[m]])),
    alignedChannels: channels,
    voxels: beta.cols,
    images: { found: halves[0].length, measured: halves[1].length },
    everywhere: matchedEverywhere(pairs, models),
    examples: own.map(({ models, columns }, k) => ({
      models,
      images: halves[1].slice(0, SHOWN),
      columns: [
        ...columns,
        ...aligned[k].columns.map(({ label, maps }) => ({ label: `aligned, ${label}`, maps })),
      ],
    })),
  };
}

/**
 * What the claims compare, image by image.
 *
 * @param seed of the signs
 */
export function gainsOf(
  { rosetta, aligned, control, voxels, voxelControl }: Pick<
    RosettaPair,
    "rosetta" | "aligned" | "control" | "voxels" | "voxelControl"
  >,
  seed: number,
): RosettaGains {
  const gain = (x: MatchedPairs, y: Float64Array) =>
    signFlipEffect(x.byImage.map((value, i) => value - y[i]), seed);
  return {
    rosetta: gain(rosetta, rosetta.byShuffledImage),
    aligned: gain(aligned, control.byImage),
    alignedOverRosetta: gain(aligned, rosetta.byImage),
    voxels: gain(voxels, voxelControl.byImage),
  };
}

/** What one kind of feature gives for one pair of models. */
interface Compared<Key extends string> {
  models: [string, string];
  matched: Record<Key, MatchedPairs>;
  /** The two maps of the pair that fitted best where the first kind was matched; none when there is no pair. */
  columns: RosettaExample["columns"];
}

/**
 * Matches the units of every two models on the first half of the images and measures them on the second.
 *
 * @param features of one slot of the alignment, tokens × channels, from its raw ones
 * @param matchers one a kind of pair: from the correlation of all units on the first half
 * @returns one a pair of models, and every model's number of units
 */
async function compareModels<Key extends string>(
  gpu: Gpu,
  pipeline: Pipeline,
  halves: number[][],
  features: (slot: number, raw: Matrix) => Promise<Matrix>,
  matchers: Record<Key, (correlation: Matrix) => UnitPair[]>,
): Promise<Compared<Key>[] & { units: number[] }> {
  const { models, manifests, tokens } = pipeline, patches = tokens - 1, [found, measured] = halves;
  const half = Math.floor(measured.length / 2),
    turned = [...measured.slice(half), ...measured.slice(0, half)];
  await using held = new AsyncDisposableStack();
  const sets: ModelMaps[] = [], compared: Compared<Key>[] = [];
  for (const m of models.keys()) sets.push(held.use(await openMaps(pipeline, m, features)));
  const most = Math.min(...sets.map(({ most }) => most));
  const mapsOf: [found: Scaled, measured: Scaled][] = [];
  for (const set of sets) mapsOf.push([await set.scaled(found), await set.scaled(measured)]);
  for (const [first, a] of models.entries()) {
    for (const [second, b] of models.entries()) {
      if (second <= first) continue;
      const [foundA, ownA] = mapsOf[first], [foundB, ownB] = mapsOf[second];
      const correlation = await correlate(gpu, inPanels(slices(found, most), foundA, foundB));
      const measures = Object.entries<(correlation: Matrix) => UnitPair[]>(matchers).map(([key, match]) =>
        [key, openMeasure(match(correlation), measured.length, patches)] as const
      );
      const others = slices(turned, most);
      for (const [at, images] of slices(measured, most).entries()) {
        const a = await ownA(images), b = await ownB(images), apart = await ownB(others[at]);
        for (const [, { add }] of measures) add(a, b, apart);
      }
      const [best] = strongestFirst(measures[0][1].found.pairs), shown = measured.slice(0, SHOWN);
      const column = async (maps: Scaled, m: number, unit: number) => {
        const { channels } = sets[m], own = await maps(shown);
        const { layer } = manifests[m].layers[Math.floor(unit / channels)];
        return {
          label: `${models[m]} L${layer} channel ${unit % channels}`,
          maps: shown.map((_, i) => mapOf(own, unit, i, patches)),
        };
      };
      compared.push({
        models: [a, b],
        matched: Object.fromEntries(measures.map(([key, { found }]) => [key, found])) as Record<
          Key,
          MatchedPairs
        >,
        columns: best ? [await column(ownA, first, best.a), await column(ownB, second, best.b)] : [],
      });
    }
  }
  return Object.assign(compared, { units: sets.map(({ units }) => units) });
}

/** Maps of two models, panel by panel. */
async function* inPanels(panels: number[][], a: Scaled, b: Scaled): AsyncGenerator<[a: Matrix, b: Matrix]> {
  for (const images of panels) yield [await a(images), await b(images)];
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
  return { count, ...(count > 0 ? { r: mean(found) } : {}) };
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
