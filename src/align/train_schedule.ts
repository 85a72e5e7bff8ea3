/** The course of a training: the start, the split into training and validation, the learning rate, and when it is over. */
import type { Gpu } from "../gpu/mod.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { fillRandom, fork, seededRandom, shuffle } from "../linalg/random.ts";
import { createParameter, type Parameter } from "./adamw.ts";
import type { AlignData } from "./data.ts";
import type { AlignModel } from "./model.ts";
import type { Standardization } from "./standardize.ts";
import { startingTransforms } from "./starting_transforms.ts";
import type { AlignEpoch, AlignOptions } from "./train_options.ts";

/** Share of the steps in which the learning rate rises. */
export const WARM_UP = 0.05;

/** The parameters, in the order in which they are kept. */
export const NAMES = ["W", "β", "ε"];

/** Parameters W, β, ε before the first step. */
export function start(
  gpu: Gpu,
  data: AlignData,
  scale: Standardization,
  width: number,
  decay: number,
  { start, seed = 0 }: AlignOptions,
): Parameter[] {
  if (start) {
    return startOf(data, scale, start).map((value, i) =>
      createParameter(gpu, value, i < 2 ? decay : 0, NAMES[i])
    );
  }
  const transforms = startingTransforms(data.slots, width, seededRandom(fork(seed, "W")));
  const random = seededRandom(fork(seed, "beta"));
  const beta = fillRandom(new Float32Array(width * data.voxels), random).map((v) =>
    0.01 * v / Math.sqrt(width)
  );
  return [
    createParameter(gpu, transforms, decay, NAMES[0]),
    createParameter(gpu, { data: beta, rows: width, cols: data.voxels }, decay, NAMES[1]),
    createParameter(gpu, { data: scale.response.slice(), rows: 1, cols: data.voxels }, 0, NAMES[2]),
  ];
}

/** W, β and ε of a model for standardised features: what `fold` makes the model of. */
export function startOf(
  data: AlignData,
  scale: Standardization,
  { transforms, beta, epsilon, means }: AlignModel,
) {
  const { cols } = transforms, w = { ...transforms, data: transforms.data.slice() };
  const shift = new Float64Array(cols);
  let row = 0;
  data.slots.forEach((slot, l) => {
    for (let k = 0; k < slot.width; k++, row++) {
      const less = scale.mean[row] - (means?.[row] ?? 0);
      for (let c = 0; c < cols; c++) {
        shift[c] += less * w.data[row * cols + c];
        w.data[row * cols + c] *= scale.slots[l];
      }
    }
  });
  const moved = shifted(epsilon, shift, beta, 1);
  return [w, beta, { data: moved, rows: 1, cols: moved.length }];
}

/** ε ± shift · β. */
export function shifted(epsilon: Float32Array, shift: Float64Array, { data, cols }: Matrix, sign: 1 | -1) {
  return epsilon.map((value, voxel) => {
    let sum = 0;
    for (let c = 0; c < shift.length; c++) sum += shift[c] * data[c * cols + voxel];
    return value + sign * sum;
  });
}

/** Training and validation images, drawn by seed; both ascending. */
export function split(images: number, share: number, seed: number) {
  const held = Math.max(1, Math.round(images * share));
  if (!(images - held >= 1)) {
    throw new RangeError(
      `There are ${images} images, of which ${held} are held out for validation: add more.`,
    );
  }
  const order = shuffle(
    Uint32Array.from({ length: images }, (_, i) => i),
    seededRandom(fork(seed, "validation")),
  );
  return { validation: order.subarray(0, held).sort(), training: order.subarray(held).sort() };
}

/** The learning rate after a share of the steps, over the largest: a warm-up, then a cosine. */
export function schedule(share: number): number {
  if (share < WARM_UP) return share / WARM_UP;
  return 0.5 * (1 + Math.cos(Math.PI * (share - WARM_UP) / (1 - WARM_UP)));
}

/** The epoch of least validation loss. */
export function bestOf(history: AlignEpoch[]): number {
  return history.reduce((best, epoch) => epoch.validation < best.validation ? epoch : best).epoch;
}

/** Whether the best epoch lies `patience` epochs back, or more. */
export function isOver(history: AlignEpoch[], patience: number): boolean {
  return history.length > 0 && history.length - bestOf(history) >= patience;
}

/** Whether a step takes the constraints: one of them has a weight, and it is an n-th step. */
export function isConstrained(
  { eigenWeight = 1, zeroWeight = 0.01, covarianceWeight = 0.01, constrainEvery = 8 }: AlignOptions,
  step: number,
) {
  return eigenWeight + zeroWeight + covarianceWeight > 0 && step % constrainEvery === 0;
}
