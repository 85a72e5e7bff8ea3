/** One space for all slots in closed form: every slot by ridge regression to the same components of the responses. */
import type { Gpu } from "../gpu/mod.ts";
import { assertKnown, assertSeed } from "../linalg/check_options.ts";
import { assertMatrix, type Matrix, releaseMatrix, uploadMatrix } from "../linalg/matrix.ts";
import { largestMagnitude } from "../linalg/squarable.ts";
import { type AlignModel, type AlignSlot, slotOffset } from "./model.ts";
import { assertImages, meansOf } from "./standard_columns.ts";
import { componentsOf, responseComponents } from "./space_components.ts";
import {
  all,
  centredSlot,
  fitPenalty,
  FOLDS,
  less,
  norm,
  shrinkage,
  type SlotFit,
  solveSlot,
  writeSlot,
  zeros,
} from "./slot_ridge.ts";

/** Settings of `fitSpace`. */
export interface SpaceOptions {
  /** Components of the responses that all slots are regressed on, at most images − 1 and voxels; default 64. */
  components?: number;
  /**
   * Noise ceiling of every voxel, its explainable share of variance, 0 to 1: voxels are weighted by it when the components are computed.
   * Default: equal weights.
   */
  noiseCeiling?: ArrayLike<number>;
  /** Seed of the folds that choose penalties of the encoder; default 0. */
  seed?: number;
  /** Called after each slot with the number of slots fitted, and the total over all passes. */
  onProgress?: (done: number, total: number) => void;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** A space that slots are mapped into, with what is needed to add further slots. */
export interface AlignedSpace {
  /** W_l, their means, β and ε; D′ is twice the components: what slots share, then what the encoder adds. */
  model: AlignModel;
  /** One per slot. */
  fits: SlotFit[];
  /** From centred responses to the components: voxels × components. */
  basis: Matrix;
  /** Mean response of every voxel. */
  center: Float32Array;
  /** Share of the (weighted) variance of the responses that the components explain. */
  held: number;
}

/** Length of the encoder's channels beside the shared ones: a hundredth of the squares that a cosine is made of. */
const BESIDE = 0.1;
/**
 * Brings all slots into one space in closed form (METHOD, "An alignment that meets"), and fits the brain encoder on it.
 *
 * With the centred responses (weighted by √ceiling where it is known) Y = U S Vᵀ, each slot is regressed separately on the
 * same T = U S^½ of the leading components: W_l = (P_lᵀP_l + α_l I)⁻¹ P_lᵀ T with its centred pooled features P_l, α_l by
 * the error of leaving one image out. A channel of the space thus means the same for all slots.
 *
 * The mean of the slots' predictions, H T with H = (1/L) Σ_l P_l (P_lᵀP_l + α_l I)⁻¹ P_lᵀ, is shrunk. The encoder
 * corrects this with the same number of further channels: each slot is regressed in the same way on R = (H + γ I)⁻¹ T − T, so that the sum over
 * slots is kernel ridge regression with the mean of the slots' kernels (γ by cross-validation, for every component).
 * These channels are scaled to a tenth of the others, so that the shared ones dominate the graph's cosines.
 *
 * @param slots in the order of the pooled columns
 * @param pooled images × Σ D_l, each slot's mean over tokens
 * @param responses images × voxels
 * @returns the space; `applyAlign` takes tokens into it as V′_l = (V_l − mean_l) W_l, `predictResponses` is METHOD (2)
 * @throws RangeError when sizes differ, a value is not finite, there are fewer than 10 images, a slot's pooled features are
 *   the same in all images, or no voxel varies
 *
 * Cost: for every slot and penalty D_l³ / 3 + 2 D_l² images; images² · Σ D_l, and 25 factors of images × images.
 * Memory: two matrices of images × images. The same bits on every run.
 */
export async function fitSpace(
  gpu: Gpu,
  slots: AlignSlot[],
  pooled: Matrix,
  responses: Matrix,
  options: SpaceOptions = {},
): Promise<AlignedSpace> {
  assertKnown("fitSpace", options, {
    components: true,
    noiseCeiling: true,
    seed: true,
    onProgress: true,
    signal: true,
  });
  const { noiseCeiling, seed = 0, onProgress, signal } = options;
  assertSeed(seed);
  assertSlots(slots, pooled, responses);
  const images = pooled.rows;
  if (images < 2 * FOLDS) {
    throw new RangeError(`There are ${images} images: a space is fitted on at least ${2 * FOLDS}.`);
  }
  const asked = Math.min(options.components ?? 64, images - 1, responses.cols);
  const { targets, basis, beta, center, held } = await responseComponents(
    gpu,
    responses,
    asked,
    noiseCeiling,
  );
  const components = targets.cols; // fewer where the responses have no more
  const means = Float32Array.from(meansOf(pooled, all(images)));
  const kernel = uploadMatrix(gpu, zeros(images, images), "mean kernel of the slots");
  const right = uploadMatrix(gpu, targets, "components of the responses");
  try {
    const shared: Matrix[] = [], fits: SlotFit[] = [], total = 2 * slots.length;
    for (const [l, slot] of slots.entries()) {
      const features = centredSlot(slots, l, pooled, means);
      const { fit, transform } = await fitPenalty(gpu, slot, features, right, targets, kernel);
      fits.push(fit);
      shared.push(transform);
      onProgress?.(l + 1, total);
      signal?.throwIfAborted();
    }
    const rest = await shrinkage(gpu, kernel, slots.length, targets, seed);
    const beside = BESIDE * norm(targets) / (norm(rest) || 1);
    const scaled = uploadMatrix(gpu, { ...rest, data: rest.data.map((v) => v * beside) }, "shrinkage");
    const further: Matrix[] = [];
    try {
      for (const [l, slot] of slots.entries()) {
        further.push(
          await solveSlot(gpu, slot, centredSlot(slots, l, pooled, means), scaled, fits[l].alpha),
        );
        onProgress?.(slots.length + l + 1, total);
      }
    } finally {
      releaseMatrix(gpu, scaled);
    }
    const transforms = zeros(pooled.cols, 2 * components);
    slots.forEach((_, l) => writeSlot(transforms, slotOffset(slots, l), shared[l], further[l]));
    const encoder = zeros(2 * components, responses.cols);
    beta.data.forEach((value, at) => {
      encoder.data[at] = value / slots.length;
      encoder.data[beta.data.length + at] = value / slots.length / beside;
    });
    const model = { slots, means, shared: components, transforms, beta: encoder, epsilon: center };
    return { model, fits, basis, center, held };
  } finally {
    releaseMatrix(gpu, kernel, right);
  }
}

/**
 * Adds a slot to a space, for example a layer of a further model: ridge regression from its pooled features to the components
 * of the responses, which `fitSpace` made, with an intercept, T = (P − mean) W + offset: other images than the space's have
 * another mean response, of which a component is taken as far as the slot predicts it. The other slots stay the same, except for their share in the encoder's mean.
 *
 * @param space as `fitSpace` returns it, or this function
 * @param slot its name and channels
 * @param pooled images × D_l: its pooled features of some images, not necessarily those that the space was fitted on
 * @param responses images × voxels: of the same voxels as the space's, to these images
 * @returns the space with the slot behind the others; the given one stays as it is
 * @throws RangeError when sizes differ, a value is not finite, the space has a slot of that name, or the pooled features are
 *   the same in all images
 */
export async function fitSlot(
  gpu: Gpu,
  space: AlignedSpace,
  slot: AlignSlot,
  pooled: Matrix,
  responses: Matrix,
): Promise<AlignedSpace> {
  const { model, basis, center } = space;
  assertSlots([slot], pooled, responses);
  if (responses.cols !== basis.rows) {
    throw new RangeError(
      `There are responses of ${responses.cols} voxels, the space was fitted on ${basis.rows}: give the same ones.`,
    );
  }
  if (model.slots.some(({ name }) => name === slot.name)) {
    throw new RangeError(`The space has a slot ${slot.name} already: name the new one differently.`);
  }
  // Centred, as the features are: a mean of other images is no error of the penalties that are compared. It is the offset.
  const found = await componentsOf(gpu, responses, basis, center);
  const mean = meansOf(found, all(found.rows)), targets = less(found, all(found.rows), mean);
  const means = Float32Array.from(meansOf(pooled, all(pooled.rows)));
  const right = uploadMatrix(gpu, targets, "components of the responses");
  try {
    const features = centredSlot([slot], 0, pooled, means);
    const { fit, transform } = await fitPenalty(gpu, slot, features, right, targets);
    const count = model.slots.length, { rows, cols } = model.transforms;
    const transforms = zeros(rows + slot.width, cols);
    transforms.data.set(model.transforms.data);
    writeSlot(transforms, rows, transform);
    const offsets = zeros(count + 1, cols);
    offsets.data.set(model.offsets?.data ?? []);
    offsets.data.set(shrunk(mean, features, transform, targets), count * cols);
    // The shared channels' mean is over one slot more; what the encoder adds is the other slots'.
    const half = model.beta.data.length / 2;
    const beta = {
      ...model.beta,
      data: model.beta.data.map((v, at) => at < half ? v * count / (count + 1) : v),
    };
    return {
      ...space,
      fits: [...space.fits, fit],
      model: {
        slots: [...model.slots, slot],
        means: Float32Array.from([...model.means!, ...means]),
        shared: model.shared,
        transforms,
        offsets,
        beta,
        epsilon: model.epsilon,
      },
    };
  } finally {
    releaseMatrix(gpu, right);
  }
}

/** A mean of the components, each shrunk by the slope of its predictions on its values, as other slots' predictions of it are. */
function shrunk(mean: Float64Array, features: Matrix, transform: Matrix, targets: Matrix): Float64Array {
  const { rows, cols } = targets, products = new Float64Array(cols), squares = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < cols; c++) {
      let predicted = 0;
      for (let d = 0; d < features.cols; d++) {
        predicted += features.data[i * features.cols + d] * transform.data[d * cols + c];
      }
      const value = targets.data[i * cols + c];
      products[c] += predicted * value;
      squares[c] += value * value;
    }
  }
  return mean.map((value, c) => squares[c] > 0 ? value * products[c] / squares[c] : 0);
}

/** Values whose squares, in sums, float32 holds with room for smaller ones. */
const LEAST = 2 ** -55, MOST = 2 ** 55;

function assertSlots(slots: AlignSlot[], pooled: Matrix, responses: Matrix): void {
  assertMatrix(pooled, "pooled");
  assertMatrix(responses, "responses");
  assertImages(pooled, responses);
  for (const [name, { data }] of [["pooled", pooled], ["responses", responses]] as const) {
    const largest = largestMagnitude(data);
    if (largest === 0 || largest >= LEAST && largest <= MOST) continue;
    throw new RangeError(
      `${name} has values up to ${
        largest.toExponential(1)
      }, whose squares float32 cannot add up: take a unit in which they are near 1.`,
    );
  }
  const width = slots.reduce((sum, slot) => sum + slot.width, 0);
  if (slots.length === 0 || pooled.cols !== width) {
    throw new RangeError(
      `pooled has ${pooled.cols} columns, the ${slots.length} slots ${width} channels together: they must be equal.`,
    );
  }
}
