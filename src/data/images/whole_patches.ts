/** The part of a picture that a model's patches cover: a convolution leaves out what is no whole patch at the right and below. */
import type { Mask } from "./picture.ts";
import type { Size } from "./resized_size.ts";

/** Pixels of whole patches, as 378 of 384 for patches of 14. */
export function coveredSize({ width, height }: Size, patch: Size): Size {
  return { width: width - width % patch.width, height: height - height % patch.height };
}

/**
 * Cuts a picture to whole patches; itself where they fill it, or the patch is not known.
 *
 * @param picture h × w × channels bytes
 * @param patch in pixels of the picture
 */
export function wholePatches<T extends Mask>(picture: T, patch: Size | null): T {
  const { width, height } = patch ? coveredSize(picture, patch) : picture;
  if (width === picture.width && height === picture.height || width === 0 || height === 0) return picture;
  const channels = picture.data.length / picture.width / picture.height, row = channels * picture.width;
  const data = new Uint8Array(channels * width * height);
  for (let y = 0; y < height; y++) {
    data.set(picture.data.subarray(y * row, y * row + channels * width), y * channels * width);
  }
  return { ...picture, width, height, data };
}
