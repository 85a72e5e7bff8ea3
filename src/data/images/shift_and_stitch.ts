/**
 * Finer maps from a model of fixed patches: shift-and-stitch (Long, Shelhamer & Darrell, "Fully Convolutional Networks for
 * Semantic Segmentation", CVPR 2015, section 3.2). The image is shifted by parts of a patch, the model runs on every one of
 * the shifted images, and their patches are laid between one another.
 */
import type { ModelInput } from "./preprocess.ts";

/** Most shifts along each side: 64 runs of the model an image. */
export const MAX_SHIFTS = 8;

/**
 * Where the shifted images begin, in pixels of the image, along one side.
 *
 * @param patch pixels of a patch
 * @param shifts along the side
 * @returns ascending, a stride of patch / shifts apart but for rounding, around 0, so that the centres of all patches lie
 *   evenly in the image
 */
export function shiftStarts(patch: number, shifts: number): number[] {
  return Array.from({ length: shifts }, (_, i) => Math.round(((2 * i + 1) / shifts - 1) * patch / 2));
}

/**
 * The shifted images, row by row of shifts. What lies outside the image is its reflection at the border.
 *
 * @param image channels × height × width
 * @param patch pixels of a patch
 * @param shifts along each side; 1 gives the image itself
 * @returns shifts² images, equally large
 */
export function shiftedImages(
  image: ModelInput,
  [patchRows, patchCols]: readonly [number, number],
  shifts: number,
): ModelInput[] {
  if (shifts === 1) return [image];
  const { width, height, data } = image, channels = data.length / width / height;
  const reflected = (at: number, size: number) => at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
  return shiftStarts(patchRows, shifts).flatMap((top) =>
    shiftStarts(patchCols, shifts).map((left) => {
      const shifted = new Float32Array(data.length);
      const columns = Array.from({ length: width }, (_, x) => reflected(x + left, width));
      for (let c = 0, to = 0; c < channels; c++) {
        for (let y = 0; y < height; y++) {
          const row = (c * height + reflected(y + top, height)) * width;
          for (let x = 0; x < width; x++) shifted[to++] = data[row + columns[x]];
        }
      }
      return { width, height, data: shifted };
    })
  );
}

/**
 * Where a patch of the finer map comes from.
 *
 * @param patch its number, row by row of the finer map
 * @param cols of the finer map
 * @returns the shifted image, and the number of the patch in it
 */
export function stitched(patch: number, cols: number, shifts: number): { shift: number; patch: number } {
  const row = Math.floor(patch / cols), col = patch % cols;
  return {
    shift: row % shifts * shifts + col % shifts,
    patch: Math.floor(row / shifts) * (cols / shifts) + Math.floor(col / shifts),
  };
}
