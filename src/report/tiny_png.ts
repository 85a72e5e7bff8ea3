import { encode } from "fast-png";

/**
 * Encodes a small RGB image as a PNG data URI, for color maps inside a page.
 * @param width Pixels in a row.
 * @param height Rows.
 * @param rgb width × height × 3 bytes, row-major.
 * @returns `data:image/png;base64,…`; about 0.9 kB for a 14 × 14 map.
 * @throws RangeError `A 14 × 14 RGB image needs 588 bytes, found 587.`
 */
export function pngDataUri(width: number, height: number, rgb: Uint8Array): string {
  const wanted = width * height * 3;
  if (rgb.length !== wanted) {
    throw new RangeError(`A ${width} × ${height} RGB image needs ${wanted} bytes, found ${rgb.length}.`);
  }
  return `data:image/png;base64,${encode({ width, height, data: rgb, channels: 3, depth: 8 }).toBase64()}`;
}
