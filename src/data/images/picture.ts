/** Pictures and masks in memory. */

/** An image in sRGB bytes. */
export interface RgbImage {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** height × width × 3 bytes, row by row from the top. */
  data: Uint8Array;
  /** EXIF's 2 to 8 where the file's pixels were turned or mirrored to stand upright. */
  orientation?: number;
  /** Where white was laid under transparent pixels. */
  isTransparent?: true;
}

/** One class index per pixel. */
export interface Mask {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** height × width bytes. */
  data: Uint8Array;
}

/** 100 megapixels, 300 MB of RGB: a larger image or mask is a mistake or a trap. */
export const MAX_PIXELS = 1e8;

/** @throws RangeError "The image a.png is 30000 × 30000 pixels: …" */
export function assertPixels({ width, height }: Omit<Mask, "data">, what: string): void {
  if (width * height <= MAX_PIXELS) return;
  throw new RangeError(
    `${what} is ${width} × ${height} pixels: at most ${
      MAX_PIXELS / 1e6
    } million are read, so make it smaller.`,
  );
}
