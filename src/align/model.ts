/** A trained channel alignment: transforms into one space, and the encoder from there to the voxels. */
import { rowRange, takeColumns } from "../linalg/host_matrix.ts";
import type { Gpu } from "../gpu/mod.ts";
import { addRow } from "../linalg/affine_rows.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  assertMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";

/** One layer of one model. */
export interface AlignSlot {
  /** As "mae_tiny L3". */
  name: string;
  /** Channels D_l. */
  width: number;
}

/** What `trainAlign` learns, METHOD (1) and (2). */
export interface AlignModel {
  /** In the order of the stacked transforms. */
  slots: AlignSlot[];
  /** Subtracted from the features before the transforms, Σ D_l in the same order; absent if features are not centred. */
  means?: Float32Array;
  /** W_l of all slots one below the other, Σ D_l × D′. */
  transforms: Matrix;
  /**
   * Added after the transforms, slots × D′: where a slot was fitted on other images than the others, what their mean is in the
   * space. Absent where all were fitted on the same.
   */
  offsets?: Matrix;
  /** Leading channels that are meaningful for each slot alone; the others only correct the sum over slots. Default all. */
  shared?: number;
  /** β, D′ × voxels. */
  beta: Matrix;
  /** ε, one per voxel. */
  epsilon: Float32Array;
}

/** What takes features into the space. */
type Transforms = Omit<AlignModel, "beta" | "epsilon">;

/** First row of a slot in the stacked transforms. */
export function slotOffset(slots: AlignSlot[], slot: number): number {
  return slots.slice(0, slot).reduce((sum, { width }) => sum + width, 0);
}

/**
 * W_l, METHOD (1): the transform of one slot into the shared space.
 *
 * @param model as `trainAlign` returns it
 * @param slot index into `model.slots`
 * @returns D_l × D′, a view into `model.transforms`
 * @throws RangeError "There is no slot 36: this alignment has 36 slots, counted from 0."
 */
export function slotTransform(model: Pick<AlignModel, "slots" | "transforms">, slot: number): Matrix {
  const { slots, transforms } = model;
  if (!(slot in slots)) {
    throw new RangeError(
      `There is no slot ${slot}: this alignment has ${slots.length} slots, counted from 0.`,
    );
  }
  return rowRange(transforms, slotOffset(slots, slot), slots[slot].width);
}

/** β of the channels that say something of a slot by itself, a view: channels × voxels. */
export function sharedBeta({ beta, shared = beta.rows }: AlignModel): Matrix {
  return rowRange(beta, 0, shared);
}

/** The leading columns of a matrix; itself where it has no others. */
export function leadingChannels(x: Matrix, count: number): Matrix {
  return count === x.cols ? x : takeColumns(x, 0, count);
}

/** The means of one slot's channels, a view; nothing where there are none. */
function slotMeans({ slots, means }: Transforms, slot: number): Float32Array | undefined {
  const first = slotOffset(slots, slot);
  return means?.subarray(first, first + slots[slot].width);
}

/** What is added to one slot's transformed features, a view; nothing where there is none. */
function slotRow({ offsets }: Transforms, slot: number): Float32Array | undefined {
  return offsets?.data.subarray(slot * offsets.cols, (slot + 1) * offsets.cols);
}

/** A matrix' values, less the means of its columns. */
function less({ data, rows, cols }: Matrix, means: Float32Array): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0, at = 0; i < rows; i++) {
    for (let k = 0; k < cols; k++, at++) out[at] = data[at] - means[k];
  }
  return out;
}

/** The product of a host matrix, less some means, with others in turn, and a row added to it. */
async function chain(
  gpu: Gpu,
  x: Matrix,
  means: Float32Array | undefined,
  factors: Matrix[],
  row?: Float32Array,
): Promise<Matrix> {
  const centred = means ? { ...x, data: less(x, means) } : x;
  let product: GpuMatrix = uploadMatrix(gpu, centred, "features");
  for (const factor of factors) {
    const right = uploadMatrix(gpu, factor, "factor");
    const next = multiply(gpu, product, right);
    releaseMatrix(gpu, product, right);
    product = next;
  }
  if (row) {
    const added = uploadMatrix(gpu, { data: row, rows: 1, cols: row.length }, "added row");
    const next = addRow(gpu, product, added, 1);
    releaseMatrix(gpu, product, added);
    product = next;
  }
  try {
    return await downloadMatrix(gpu, product);
  } finally {
    releaseMatrix(gpu, product);
  }
}

function assertWidth(x: Matrix, width: number, name: string): void {
  assertMatrix(x, "features");
  if (x.cols !== width) {
    throw new RangeError(
      `The features have ${x.cols} channels, ${name} was trained on ${width}: they must be equal.`,
    );
  }
}

/** A row through β: what it adds to every voxel. */
function throughBeta(row: Float32Array, beta: Matrix): Float32Array {
  const sums = new Float64Array(beta.cols);
  for (let k = 0; k < beta.rows; k++) {
    for (let v = 0; v < beta.cols; v++) sums[v] += row[k] * beta.data[k * beta.cols + v];
  }
  return Float32Array.from(sums);
}

/**
 * V′_l = V_l W_l, METHOD (1), with V_l centred by the slot's means, and its offset added, if the alignment has them: features of one slot in the shared space.
 *
 * @param slot index into `model.slots`
 * @param features n × D_l, one token a row
 * @returns n × D′
 * @throws RangeError when the slot does not exist or the features have another width
 */
export async function applyAlign(
  gpu: Gpu,
  model: Omit<AlignModel, "beta" | "epsilon">,
  slot: number,
  features: Matrix,
): Promise<Matrix> {
  const transform = slotTransform(model, slot);
  assertWidth(features, transform.rows, model.slots[slot].name);
  return await chain(gpu, features, slotMeans(model, slot), [transform], slotRow(model, slot));
}

/**
 * B_l = V_l W_l β: each token's activation of the voxels (METHOD, "Channel align"), from the channels that all slots share.
 *
 * @param features n × D_l, tokens or their means over a concept
 * @returns n × voxels, in the unit of the responses
 * @throws RangeError when the slot does not exist or the features have another width
 *
 * Memory: n × voxels values; average tokens first if only means are needed.
 */
export async function brainSpace(
  gpu: Gpu,
  model: AlignModel,
  slot: number,
  features: Matrix,
): Promise<Matrix> {
  const transform = slotTransform(model, slot);
  assertWidth(features, transform.rows, model.slots[slot].name);
  const beta = sharedBeta(model), offset = slotRow(model, slot);
  return await chain(
    gpu,
    features,
    slotMeans(model, slot),
    [leadingChannels(transform, beta.rows), beta],
    offset && throughBeta(offset, beta),
  );
}

/**
 * Ŷ = AvgPool(Σ_l V_l W_l) β + ε, METHOD (2).
 *
 * @param pooled images × Σ D_l, every slot's mean over tokens, side by side in the order of `model.slots`
 * @returns images × voxels, in the unit of the responses
 * @throws RangeError when the width is not Σ D_l
 */
export async function predictResponses(gpu: Gpu, model: AlignModel, pooled: Matrix): Promise<Matrix> {
  assertWidth(pooled, model.transforms.rows, "this alignment");
  const { transforms, beta, epsilon, slots } = model, row = epsilon.slice();
  for (const l of slots.keys()) {
    const offset = slotRow(model, l);
    if (offset) throughBeta(offset, beta).forEach((value, v) => row[v] += value);
  }
  return await chain(gpu, pooled, model.means, [transforms, beta], row);
}
