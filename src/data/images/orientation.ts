/** Pictures that EXIF turns or mirrors; masks that are drawn on the pixels as they are stored are turned with them. */
import type { Mask, RgbImage } from "./picture.ts";

/** Where the pixel at the top left comes from, and whether rows become columns, for EXIF's 1 to 8. */
const TURNS: readonly { right: boolean; bottom: boolean; transposed: boolean }[] = [
  { right: false, bottom: false, transposed: false },
  { right: true, bottom: false, transposed: false },
  { right: true, bottom: true, transposed: false },
  { right: false, bottom: true, transposed: false },
  { right: false, bottom: false, transposed: true },
  { right: false, bottom: true, transposed: true },
  { right: true, bottom: true, transposed: true },
  { right: true, bottom: false, transposed: true },
];

/**
 * Turns a picture as a viewer turns a photograph with EXIF's `orientation`.
 *
 * @param picture h × w × channels bytes, as stored
 * @param orientation 1 to 8; others leave it as it is
 */
export function turned<T extends Mask>(picture: T, orientation: number): T {
  const turn = TURNS[orientation - 1];
  if (!turn || orientation === 1) return picture;
  const { right, bottom, transposed } = turn, channels = picture.data.length / picture.width / picture.height;
  const width = transposed ? picture.height : picture.width,
    height = transposed ? picture.width : picture.height;
  const data = new Uint8Array(picture.data.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const across = transposed ? y : x, down = transposed ? x : y;
      const column = right ? picture.width - 1 - across : across,
        row = bottom ? picture.height - 1 - down : down;
      const from = (row * picture.width + column) * channels;
      for (let c = 0; c < channels; c++, to++) data[to] = picture.data[from + c];
    }
  }
  return { ...picture, width, height, data };
}

/**
 * A mask in the frame of its photograph, which stands upright: turned with it, unless its size says that it already is, or
 * its own EXIF has turned it.
 *
 * @param mask of an image file, its own `orientation` set where it was turned
 * @param image its photograph; only size and orientation are looked at
 */
export function maskInFrame(
  mask: Mask & Pick<RgbImage, "orientation">,
  { width, height, orientation = 1 }: Pick<RgbImage, "width" | "height" | "orientation">,
): Mask {
  const { orientation: own = 1, ...bare } = mask;
  if (orientation === 1 || own > 1) return bare;
  const [storedWidth, storedHeight] = orientation > 4 ? [height, width] : [width, height];
  return mask.width === storedWidth && mask.height === storedHeight ? turned(bare, orientation) : bare;
}
