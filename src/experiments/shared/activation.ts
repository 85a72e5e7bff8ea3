/** What figure and ground do in brain space, image by image. */
import { rowRange } from "../../linalg/host_matrix.ts";
import { brainSpace } from "../../align/model.ts";
import { findSlot } from "../../align/slots.ts";
import { readFeatures } from "../../data/features/feature_shards.ts";
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";

/** Figure or ground, as labels of patches. */
export const GROUND = 0, FIGURE = 1;

/** Activation of one slot's figure and ground tokens. */
export interface SlotActivation {
  /** images × regions: mean activation of the region's voxels, in standard deviations of a voxel. */
  figure: Matrix;
  /** The same of ground tokens. */
  ground: Matrix;
  /** Mean over the images, one a voxel. */
  voxels: { figure: Float32Array; ground: Float32Array };
}

/**
 * B_l = V_l W_l β of one slot, averaged over figure tokens and over ground tokens of every image (METHOD, "Channel
 * align"); tokens are averaged first, which is exact, as B_l is linear.
 *
 * @param labels 1 figure, 0 ground of every patch of every image, both in each of `images`
 * @param images indices of images
 * @param rois voxels of every region
 */
export async function slotActivation(
  gpu: Gpu,
  pipeline: Pipeline,
  slot: number,
  labels: Uint8Array[],
  images: number[],
  rois: Map<string, Uint32Array>,
): Promise<SlotActivation> {
  const { model, layer } = pipeline.slots[slot];
  const at = findSlot(pipeline.align.slots, model, layer);
  const means = meansByKind(await slotFeatures(pipeline, slot), pipeline.tokens, labels, images);
  const space = await brainSpace(gpu, pipeline.align, at, means), count = images.length;
  const rows = (kind: number) => rowRange(space, kind * count, count);
  return {
    figure: regionMeans(rows(FIGURE), rois),
    ground: regionMeans(rows(GROUND), rois),
    voxels: { figure: columnMeans(rows(FIGURE)), ground: columnMeans(rows(GROUND)) },
  };
}

/** All tokens of one slot as its model gives them. */
export async function slotFeatures(
  { manifests, slots }: Pick<Pipeline, "manifests" | "slots">,
  slot: number,
): Promise<Matrix> {
  const { model, layer } = slots[slot];
  const { path } = manifests.find((own) => own.model === model)!.layers.find((own) => own.layer === layer)!;
  return await readFeatures(path);
}

/**
 * Mean features of ground and of figure patches of some images.
 *
 * @param features (images × tokens) × D, class tokens first
 * @param labels 1 figure, 0 ground of every image's patches
 * @param images indices of images that hold both
 * @returns 2 · images rows: ground of all images, then figure
 */
export function meansByKind(
  features: Matrix,
  tokens: number,
  labels: Uint8Array[],
  images: number[],
): Matrix {
  const { data, cols } = features, rows = 2 * images.length, means = new Float32Array(rows * cols);
  images.forEach((image, i) => {
    const sums = [new Float64Array(cols), new Float64Array(cols)], counts = [0, 0];
    labels[image].forEach((kind, p) => {
      const from = (image * tokens + 1 + p) * cols;
      counts[kind]++;
      for (let c = 0; c < cols; c++) sums[kind][c] += data[from + c];
    });
    for (const kind of [GROUND, FIGURE]) {
      means.set(sums[kind].map((sum) => sum / counts[kind]), (kind * images.length + i) * cols);
    }
  });
  return { data: means, rows, cols };
}

/** Mean over the voxels of every region: rows × regions, in the order of the map. */
export function regionMeans({ data, rows, cols }: Matrix, rois: Map<string, Uint32Array>): Matrix {
  const regions = [...rois.values()], means = new Float32Array(rows * regions.length);
  for (let i = 0; i < rows; i++) {
    regions.forEach((voxels, r) => {
      let sum = 0;
      for (const voxel of voxels) sum += data[i * cols + voxel];
      means[i * regions.length + r] = sum / voxels.length;
    });
  }
  return { data: means, rows, cols: regions.length };
}

function columnMeans({ data, rows, cols }: Matrix): Float32Array {
  const sums = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let c = 0; c < cols; c++) sums[c] += data[i * cols + c];
  return Float32Array.from(sums, (sum) => sum / rows);
}
