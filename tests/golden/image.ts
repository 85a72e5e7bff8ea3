import type { RgbImage } from "../../src/data/images/picture.ts";

/** The image that pixels() of resize.py makes: a ramp, saturated edges, and noise, one channel each. */
export function goldenImage(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[at++] = (7 * x + 13 * y) % 256;
      data[at++] = (Math.floor(x / 3) + Math.floor(y / 5)) % 2 === 0 ? 0 : 255;
      data[at++] = (x * 7919 + y * 104729 + (x * y) % 251 * 31) % 65521 % 256;
    }
  }
  return { width, height, data };
}
