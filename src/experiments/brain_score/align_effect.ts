/** What channel alignment does to the graph: clusterings before and after it, and models mixed in one space. */
import { takeRows } from "../../linalg/host_matrix.ts";
import { basename } from "node:path";
import { type AlignModel, applyAlign } from "../../align/model.ts";
import { findSlot, slotLayers } from "../../align/slots.ts";
import { type Gpu, trim } from "../../gpu/mod.ts";
import { normalizedCut } from "../../graph/normalized_cut.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { sampleIndices, seededRandom } from "../../linalg/random.ts";
import { mapConcurrently } from "../../data/files/map_concurrently.ts";
import { forModels, type RunImage } from "../../pipeline/images.ts";
import { classLabels, figureLabels, majorityClasses } from "../shared/image_truth.ts";
import { oracleSegmentation } from "../shared/oracle_segmentation.ts";
import { layerLike, layersLike } from "../shared/relative_layers.ts";
import type { RunModel } from "../../pipeline/models.ts";
import { type Effect, signFlipEffect } from "../../statistics/effect.ts";
import { streamFeatures } from "../../data/features/stream_features.ts";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";
import { lengthOf } from "../../linalg/portable_math.ts";

/** Eigenvectors compared and segmented with, as in METHOD's oracle segmentation. */
const COMPONENTS = 10;
/** Clusterings solved side by side. */
const LANES = 3;
/** Layers of twelve whose clusterings are compared. */
const LAYERS = [3, 6, 9, 12];
/** The layers of twelve whose nodes are mixed, and the nodes taken of an image in each. */
const MIXED_LAYERS = [6, 9, 12], NODES_AN_IMAGE = 8;

/** Tokens of one layer with what lies under them. */
interface LayerTokens {
  model: string;
  layer: number;
  /** Which of the layers of twelve that were asked for this one is for a model of its depth. */
  ofTwelve: number;
  /** Index of the slot in the alignment. */
  slot: number;
  features: Matrix;
}

/** One clustering compared with the one before alignment. */
export interface ClusteringEffect {
  model: string;
  layer: number;
  /** Oracle figure-ground mIoU of raw features, and after each alignment by its name. */
  before: number;
  after: Record<string, { miou: number; overlap: number }>;
}

/**
 * What the alignment of one training is called among those whose clusters are compared.
 *
 * @param isHeld with the eigen-constraint
 * @param seed of the training
 */
export function alignName(isHeld: boolean, seed: number): string {
  const name = isHeld ? "aligned" : "aligned_no_constraint";
  return seed === 0 ? name : `${name}.seed_${seed}`;
}

/** Agreement of nearest neighbours across models on their category. */
export interface MixedNeighbors {
  /**
   * Share of nodes whose nearest node of another model, in another image, has the same category; before alignment absent where
   * models have different widths, so that their features cannot be compared.
   */
  before?: number;
  after: number;
  /** What chance gives: the share of pairs of equal category. */
  chance: number;
  /** After less before, or less chance where that is higher or there is no before; signs flipped image by image. */
  gain: Effect;
  images: number;
  nodes: number;
}

/** Runs the models over images and keeps the tokens of the layers that lie as deep as some of twelve. */
async function tokensOf(
  models: readonly RunModel[],
  slots: AlignModel["slots"],
  wanted: readonly number[],
  images: RunImage[],
): Promise<{ tokens: LayerTokens[]; manifest: FeatureManifest }> {
  const tokens: LayerTokens[] = [], count = images.length;
  let last: FeatureManifest | undefined;
  for (const { path, ...as } of models) {
    const model = basename(path).replace(/\.onnx$/, "");
    const known = slotLayers(slots, model), own: Float32Array[] = [];
    const layers = layersLike(wanted, known.length).filter((layer) => known.includes(layer));
    const manifest = await streamFeatures({
      model: path,
      ...as,
      images: forModels(images),
      outDir: "",
      dtype: "float32",
    }, {
      begin: ({ tokens: each, width }) => {
        layers.forEach(() => own.push(new Float32Array(count * each * width)));
        last = undefined;
      },
      rows: (l, { image, vectors }) => {
        const at = layers.indexOf(l + 1);
        if (at < 0) return;
        const perImage = own[at].length / count;
        own[at].set(vectors, image[0] * perImage);
      },
    });
    last = manifest;
    layers.forEach((layer, at) => {
      const rows = count * manifest.tokens;
      tokens.push({
        model,
        layer,
        slot: findSlot(slots, model, layer),
        ofTwelve: wanted.find((one) => layerLike(one, known.length) === layer)!,
        features: { data: own[at], rows, cols: manifest.width },
      });
    });
  }
  return { tokens, manifest: last! };
}

/**
 * Clusters each layer's tokens of some images before and after every align.
 *
 * @param alignments by name
 * @param images with masks
 * @returns mIoU of figure and ground by the oracle, and ‖X_bᵀ X_a‖² / C, which is 1 for equal subspaces
 */
export async function clusteringEffects(
  gpu: Gpu,
  models: readonly RunModel[],
  alignments: Record<string, AlignModel>,
  images: RunImage[],
  onProgress?: (done: number, total: number) => void,
): Promise<ClusteringEffect[]> {
  const { slots } = Object.values(alignments)[0];
  const { tokens, manifest } = await tokensOf(models, slots, LAYERS, images);
  const labels = await figureLabels(images, manifest.grid);
  let done = 0;
  return await mapConcurrently(tokens.length, LANES, async (at) => {
    const { model, layer, slot, features } = tokens[at];
    const cut = async (x: Matrix) => {
      const { eigenvectors } = await normalizedCut(gpu, x, { components: COMPONENTS, tolerance: 1e-4 });
      return { eigenvectors, miou: oracleSegmentation(eigenvectors, labels).miou };
    };
    const raw = await cut(features);
    const after: ClusteringEffect["after"] = {};
    for (const [name, align] of Object.entries(alignments)) {
      const { eigenvectors, miou } = await cut(await applyAlign(gpu, align, slot, features));
      after[name] = { miou, overlap: subspaceOverlap(raw.eigenvectors, eigenvectors) };
    }
    onProgress?.(++done, tokens.length);
    return { model, layer, before: raw.miou, after };
  }).finally(() => trim(gpu));
}

/** ‖Xᵀ Y‖² / C of two orthonormal bases: the mean squared cosine of their principal angles. */
export function subspaceOverlap(x: Matrix, y: Matrix): number {
  let square = 0;
  for (let a = 0; a < x.cols; a++) {
    for (let b = 0; b < y.cols; b++) {
      let product = 0;
      for (let i = 0; i < x.rows; i++) product += x.data[i * x.cols + a] * y.data[i * y.cols + b];
      square += product * product;
    }
  }
  return square / Math.min(x.cols, y.cols);
}

/**
 * Mixes figure tokens of late layers of all models, raw and aligned, and asks of every node whether its nearest node of
 * another model, in the same layer and another image, shows the same category.
 *
 * @param alignments by name
 * @param images with class masks
 * @param classes names by index, the background first
 * @returns by the same names; undefined where fewer than two images show a class
 */
export async function mixedNeighbors(
  gpu: Gpu,
  models: readonly RunModel[],
  alignments: Record<string, AlignModel>,
  { images, classes }: { images: RunImage[]; classes: readonly string[] },
  seed: number,
): Promise<Record<string, MixedNeighbors> | undefined> {
  const count = images.length;
  const { slots } = Object.values(alignments)[0];
  const { tokens, manifest } = await tokensOf(models, slots, MIXED_LAYERS, images);
  const labels = await classLabels(images, manifest.grid, classes);
  const { imageOf, category, rows } = figureNodes(manifest, majorityClasses(labels), count, seed);
  const used = [...new Set(imageOf)];
  if (used.length < 2) return undefined;
  const nodes = tokens.map((own) => ({ ...own, features: takeRows(own.features, rows) }));
  // Layers that models of different depths have in common; a shallow model's layer may stand for several.
  const layers = MIXED_LAYERS.filter((layer) =>
    nodes.filter(({ ofTwelve }) => ofTwelve === layer).length > 1
  );
  let equal = 0, pairs = 0;
  for (let i = 0; i < imageOf.length; i++) {
    for (let j = 0; j < imageOf.length; j++) {
      if (imageOf[i] === imageOf[j]) continue;
      pairs++;
      equal += Number(category[i] === category[j]);
    }
  }
  const mean = (values: Float64Array) => used.reduce((sum, i) => sum + values[i], 0) / used.length;
  const over = (features: Matrix[]) => {
    const all = new Float64Array(count);
    for (const layer of layers) {
      const own = features.filter((_, i) => nodes[i].ofTwelve === layer).map(unitRows);
      nearestAgreement(own, imageOf, category, count).forEach((value, i) => all[i] += value / layers.length);
    }
    return all;
  };
  const isOneWidth = new Set(nodes.map(({ features }) => features.cols)).size === 1;
  const before = isOneWidth ? over(nodes.map(({ features }) => features)) : undefined;
  const chance = equal / pairs, isAboveChance = before !== undefined && mean(before) >= chance;
  const found: Record<string, MixedNeighbors> = {};
  for (const [name, align] of Object.entries(alignments)) {
    const aligned: Matrix[] = [];
    for (const { slot, features } of nodes) aligned.push(await applyAlign(gpu, align, slot, features));
    const after = over(aligned);
    found[name] = {
      ...(before && { before: mean(before) }),
      after: mean(after),
      chance,
      gain: signFlipEffect(used.map((i) => after[i] - (isAboveChance ? before[i] : chance)), seed),
      images: used.length,
      nodes: rows.length * tokens.length,
    };
  }
  return found;
}

/** Some figure tokens of every image. */
function figureNodes({ tokens }: FeatureManifest, classes: Uint8Array, count: number, seed: number) {
  const random = seededRandom(seed);
  const imageOf: number[] = [], category: number[] = [], rows: number[] = [];
  for (let i = 0; i < count; i++) {
    const under = classes.subarray(i * tokens, (i + 1) * tokens);
    const figure: number[] = [];
    for (let token = 1; token < tokens; token++) if (under[token] > 0) figure.push(token);
    for (const at of sampleIndices(figure.length, Math.min(NODES_AN_IMAGE, figure.length), random)) {
      imageOf.push(i);
      category.push(under[figure[at]]);
      rows.push(i * tokens + figure[at]);
    }
  }
  return { imageOf, category, rows };
}

function unitRows({ data, rows, cols }: Matrix): Float64Array[] {
  return Array.from({ length: rows }, (_, row) => {
    const own = Float64Array.from(data.subarray(row * cols, (row + 1) * cols));
    const norm = lengthOf(own);
    return own.map((value) => value / norm);
  });
}

/** Per image the share of its nodes that agree with their nearest node of each other model in another image. */
export function nearestAgreement(
  models: Float64Array[][],
  imageOf: number[],
  category: number[],
  images: number,
): Float64Array {
  const right = new Float64Array(images), asked = new Float64Array(images);
  for (const [a, own] of models.entries()) {
    for (const [b, others] of models.entries()) {
      if (a === b) continue;
      own.forEach((vector, i) => {
        let best = -Infinity, nearest = -1;
        others.forEach((other, j) => {
          if (imageOf[j] === imageOf[i]) return;
          let cosine = 0;
          for (let k = 0; k < vector.length; k++) cosine += vector[k] * other[k];
          if (cosine > best) [best, nearest] = [cosine, j];
        });
        asked[imageOf[i]]++;
        right[imageOf[i]] += Number(category[nearest] === category[i]);
      });
    }
  }
  return right.map((value, i) => asked[i] ? value / asked[i] : 0);
}
