/** Whether slots of several models meet in one space: what the joint graph's eigenvectors tell apart. */
import { takeColumns } from "../../linalg/host_matrix.ts";
import { basename } from "node:path";
import { type AlignModel, applyAlign } from "../../align/model.ts";
import { slotName } from "../../align/slots.ts";
import { mapConcurrently } from "../../data/files/map_concurrently.ts";
import { type Gpu, trim } from "../../gpu/mod.ts";
import { normalizedCut } from "../../graph/normalized_cut.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { fork, sampleIndices, seededRandom } from "../../linalg/random.ts";
import { forModels, type RunImage } from "../../pipeline/images.ts";
import { classLabels, figureLabels, majorityClasses } from "../shared/image_truth.ts";
import type { RunModel } from "../../pipeline/models.ts";
import { streamFeatures } from "../../data/features/stream_features.ts";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";
import { shareBetween } from "../../statistics/variance_share.ts";
import { balancedAccuracy } from "../../statistics/balanced_accuracy.ts";
import { isMeasurable, nearestAgreement, oracleAgreement, type Tally, timesChance } from "./agreement.ts";
import { predictedClasses } from "./predicted_classes.ts";
import { mean } from "../../statistics/summary.ts";

/** Nodes of the joint graph, and of each slot's own. */
const JOINT_NODES = 10_332, SLOT_NODES = 1500;
/** Eigenvectors of the joint graph, and of a slot's own, the constant first one included. */
const JOINT_COMPONENTS = 20, SLOT_COMPONENTS = 10;
/** Cuts of slots solved side by side. */
const LANES = 3;

/** Sampled tokens of one slot, and what lies under them. */
interface SlotNodes {
  /** As "mae_tiny L3". */
  name: string;
  model: string;
  /** Whether it lies in the deeper half of its model. */
  isDeep: boolean;
  features: Matrix;
  /** Index of each node's image. */
  image: Uint32Array;
  /** 1 figure, 0 ground, 255 where there is no mask, and for class tokens. */
  figure: Uint8Array;
  /** Class where the images have classes, else as `figure`. */
  category: Uint8Array;
}

/** What `universality` measured of one set of features. */
export interface Universality {
  /** Share of the variance of eigenvectors 2 to 20 that lies between slots, mean over eigenvectors. */
  slot: number;
  /** The same between images. */
  image: number;
  /** Of the joint graph. */
  lambda2: number;
  /** Balanced accuracy of figure and ground over the deeper half of all models' slots, told apart by one pair of centres. */
  figureGround: number;
  /** The same within each slot's own graph, with centres of its own; mean over slots. */
  within: number;
  /**
   * Share of figure nodes whose nearest node of another model, in another image, shows the same class, over what chance
   * gives; absent with one model, and with one image.
   */
  neighbors?: number;
  /** What `neighbors` is made of, with its ceilings; absent with one model, and with one image. */
  agreement?: Tallies;
  /** All pairs converged. */
  converged: boolean;
}

/** Of figure nodes, image by image: what they find, and what they could find at most. */
export interface Tallies {
  /** The nearest node of another model, in another image. */
  others: Tally;
  /** The nearest node of the same model, in another image. */
  own: Tally;
  /** What `oracleAgreement` finds, whose classes are learned from the masks. */
  oracle: Tally;
}

/** Nodes sampled for `universality`. */
export interface UniversalitySample {
  slots: SlotNodes[];
  /** Nodes of each slot in the joint graph, the first ones. */
  joint: number;
  images: number;
}

/**
 * Runs the models and keeps random tokens of every slot.
 *
 * @param images with masks of figures
 * @param classes names by index, the background first; none where they are not known
 * @param options nodes of the joint graph (default 10,332) and of each slot's own (1,500), and the callback for progress
 * @throws Error when no image has a mask
 */
export async function sampleUniversality(
  models: readonly RunModel[],
  images: RunImage[],
  classes: readonly string[],
  seed: number,
  { onProgress, jointNodes = JOINT_NODES, slotNodes = SLOT_NODES }: {
    onProgress?: (done: number, total: number) => void;
    jointNodes?: number;
    slotNodes?: number;
  } = {},
): Promise<UniversalitySample> {
  const masked = images.filter(({ mask }) => mask), slots: SlotNodes[] = [];
  if (masked.length === 0) throw new Error("No image has a mask, which says what is figure.");
  for (const [m, { path, preprocessor, registers, hook, shifts, provider }] of models.entries()) {
    const model = basename(path).replace(/\.onnx$/, ""), own: Float32Array[] = [], chosen: Uint32Array[] = [];
    /** By layer, per token of all images its place among the chosen, plus one. */
    const places: Int32Array[] = [];
    const manifest: FeatureManifest = await streamFeatures({
      model: path,
      preprocessor,
      registers,
      hook,
      shifts,
      provider,
      images: forModels(masked),
      outDir: "",
      dtype: "float32",
      onProgress: (done) => onProgress?.(m * masked.length + done, models.length * masked.length),
    }, {
      begin: ({ layers, tokens, width }) => {
        layers.forEach((_, l) => {
          const total = masked.length * tokens;
          const random = seededRandom(fork(seed, `${model} nodes`, l));
          // In random order, as the joint graph takes the first ones.
          const nodes = Uint32Array.from(
            Array.from(
              sampleIndices(total, Math.min(slotNodes, total), random),
              (node) => ({ node, key: random() }),
            )
              .sort((a, b) => a.key - b.key),
            ({ node }) => node,
          );
          const place = new Int32Array(total);
          nodes.forEach((node, at) => place[node] = at + 1);
          places.push(place);
          chosen.push(nodes);
          own.push(new Float32Array(nodes.length * width));
        });
      },
      rows: (layer, { image, token, vectors }) => {
        const cols = vectors.length / image.length, tokens = places[layer].length / masked.length;
        image.forEach((i, row) => {
          const place = places[layer][i * tokens + token[row]] - 1;
          if (place >= 0) own[layer].set(vectors.subarray(row * cols, (row + 1) * cols), place * cols);
        });
      },
    });
    const { layers, tokens, width, grid } = manifest;
    const figures = await figureLabels(masked, grid), figure = majorityClasses(figures);
    const category = classes.length > 0 ? majorityClasses(await classLabels(masked, grid, classes)) : figure;
    // A class token, and a patch that is all void, has no pixels.
    const isBlank = (node: number) => figures.counts[2 * node] + figures.counts[2 * node + 1] === 0;
    layers.forEach(({ layer }, l) => {
      const nodes = chosen[l],
        label = (of: Uint8Array) => Uint8Array.from(nodes, (node) => isBlank(node) ? 255 : of[node]);
      slots.push({
        name: slotName(model, layer),
        model,
        isDeep: 2 * layer > layers.length,
        features: { data: own[l], rows: nodes.length, cols: width },
        image: Uint32Array.from(nodes, (node) => Math.floor(node / tokens)),
        figure: label(figure),
        category: label(category),
      });
    });
  }
  const least = Math.min(...slots.map(({ features }) => features.rows));
  return {
    slots,
    joint: Math.min(Math.floor(jointNodes / slots.length), least),
    images: masked.length,
  };
}

/** The slots of the models that have the commonest width, the first of those; none where no two models share one. */
export function slotsOfOneWidth(sample: UniversalitySample): UniversalitySample | undefined {
  const models = new Map<number, Set<string>>();
  for (const { model, features } of sample.slots) {
    models.set(features.cols, (models.get(features.cols) ?? new Set()).add(model));
  }
  const [width, { size }] = [...models].reduce((most, own) => own[1].size > most[1].size ? own : most);
  if (size < 2) return undefined;
  return { ...sample, slots: sample.slots.filter(({ features }) => features.cols === width) };
}

/**
 * Solves the joint graph of sampled tokens of all slots, and each slot's own, and asks what their eigenvectors tell apart.
 *
 * @param align takes every slot into one space; without it features stay as they are, and need one width
 * @throws RangeError when widths differ and there is no alignment
 */
export async function universality(
  gpu: Gpu,
  { slots, joint, images }: UniversalitySample,
  align?: AlignModel,
): Promise<Universality> {
  const features = await Promise.all(slots.map(async ({ name, features }) => {
    if (!align) return features;
    return await applyAlign(gpu, align, align.slots.findIndex((slot) => slot.name === name), features);
  }));
  const [{ cols }] = features;
  if (features.some((other) => other.cols !== cols)) {
    throw new RangeError(
      "The slots have different numbers of channels, so that they share no graph unaligned.",
    );
  }
  const x = { data: new Float32Array(joint * slots.length * cols), rows: joint * slots.length, cols };
  features.forEach(({ data }, s) => x.data.set(data.subarray(0, joint * cols), s * joint * cols));
  const of = <T>(values: (slot: SlotNodes, s: number) => ArrayLike<T>): T[] =>
    slots.flatMap((slot, s) => Array.from(values(slot, s)).slice(0, joint));
  const image = of(({ image }) => image), figure = of(({ figure }) => figure);
  const slotOf = of((_, s) => new Array<number>(joint).fill(s));
  const cut = await normalizedCut(gpu, x, { components: JOINT_COMPONENTS, tolerance: 1e-4 });
  const vectors = withoutFirst(cut.eigenvectors);
  const deep = [...slotOf.keys()].filter((i) => slots[slotOf[i]].isDeep);
  let converged = cut.converged;
  const within = await mapConcurrently(slots.length, LANES, async (s) => {
    const own = await normalizedCut(gpu, features[s], {
      components: Math.min(SLOT_COMPONENTS, features[s].rows - 1),
      tolerance: 1e-4,
    });
    converged &&= own.converged;
    return balancedAccuracy(
      withoutFirst(own.eigenvectors),
      [...slots[s].figure.keys()],
      Array.from(slots[s].figure),
    );
  });
  trim(gpu);
  const models = new Set(slots.map(({ model }) => model));
  const labels = {
    model: of(({ model }) => new Array<string>(joint).fill(model)),
    image,
    category: of(({ category }) => category),
  };
  const tallies = models.size > 1 && images > 1
    ? {
      ...await nearestAgreement(gpu, x, labels, images),
      oracle: oracleAgreement(
        labels,
        of(({ image, category }, s) => predictedClasses(features[s], image, category, images)),
        images,
      ),
    }
    : undefined;
  const agreement = tallies && Object.values(tallies).every(isMeasurable) ? tallies : undefined;
  return {
    slot: shareBetween(vectors, slotOf),
    image: shareBetween(vectors, image),
    lambda2: cut.eigenvalues[1],
    figureGround: balancedAccuracy(vectors, deep, figure),
    within: mean(within),
    ...(agreement && { neighbors: timesChance(agreement.others), agreement }),
    converged,
  };
}

/** All columns but the first. */
export function withoutFirst(x: Matrix): Matrix {
  return takeColumns(x, 1, x.cols);
}
