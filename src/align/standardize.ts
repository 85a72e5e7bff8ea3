/** Centres and scales pooled features, so that one learning rate suits all slots. */
import type { Matrix } from "../linalg/matrix.ts";
import type { AlignData } from "./data.ts";
import type { AlignSlot } from "./model.ts";

/** Means and scales over the training images. */
export interface Standardization {
  /** Mean of every pooled channel, Σ D_l values. */
  mean: Float64Array;
  /** Per slot the root mean square of its centred channels. */
  slots: Float64Array;
  /** Mean response of every voxel. */
  response: Float32Array;
}

const CHUNK = 256;

/**
 * Reads all training images once.
 *
 * @throws RangeError naming the image and slot of a pooled feature, or the voxel of a response, that is not finite
 */
export async function standardization(data: AlignData, images: Uint32Array): Promise<Standardization> {
  const width = data.slots.reduce((sum, slot) => sum + slot.width, 0);
  const mean = new Float64Array(width), squares = new Float64Array(width);
  const response = new Float64Array(data.voxels);
  for (let at = 0; at < images.length; at += CHUNK) {
    const some = images.subarray(at, at + CHUNK);
    const pooled = await data.pooled(some), measured = await data.responses(some);
    for (const [row, image] of some.entries()) {
      for (let k = 0; k < width; k++) {
        const value = pooled.data[row * width + k];
        if (!Number.isFinite(value)) throw notFinite("channel", k, image, value);
        mean[k] += value / images.length;
        squares[k] += value * value / images.length;
      }
      for (let voxel = 0; voxel < data.voxels; voxel++) {
        const value = measured.data[row * data.voxels + voxel];
        if (!Number.isFinite(value)) throw notFinite("voxel", voxel, image, value);
        response[voxel] += value / images.length;
      }
    }
  }
  let first = 0;
  const slots = Float64Array.from(data.slots, (slot) => {
    let variance = 0;
    for (let k = first; k < first + slot.width; k++) variance += Math.max(0, squares[k] - mean[k] ** 2);
    first += slot.width;
    return Math.sqrt(variance / slot.width) || 1;
  });
  return { mean, slots, response: Float32Array.from(response) };
}

function notFinite(what: string, index: number, image: number, value: number): RangeError {
  return new RangeError(
    `Image ${image} has ${value} in ${what} ${index}; every value must be finite: check how it was made.`,
  );
}

/** (p − mean) / scale of each slot, as a matrix of its own. */
export function standardize(
  pooled: Matrix,
  slots: AlignSlot[],
  { mean, slots: scales }: Standardization,
): Matrix {
  const inverse = new Float64Array(pooled.cols);
  let first = 0;
  slots.forEach(({ width }, slot) => {
    inverse.fill(1 / scales[slot], first, first + width);
    first += width;
  });
  const { cols } = pooled, data = new Float32Array(pooled.data.length);
  for (let row = 0; row < data.length; row += cols) {
    for (let k = 0; k < cols; k++) data[row + k] = (pooled.data[row + k] - mean[k]) * inverse[k];
  }
  return { ...pooled, data };
}
