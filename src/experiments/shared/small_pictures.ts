/** Classes, similarities and photographs as small pictures in a page. */
import sharp from "sharp";
import { vocPalette } from "../../data/images/palette_png.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import type { ColorBar } from "../../report/color_grid.ts";
import { pngDataUri } from "../../report/tiny_png.ts";

/** Background, then the categories; readable on light and dark paper. */
const COLORS: readonly (readonly [number, number, number])[] = [
  [138, 143, 153],
  [214, 94, 0],
  [0, 114, 178],
  [0, 158, 115],
  [204, 121, 167],
  [230, 190, 40],
  [86, 180, 233],
  [140, 60, 160],
  [180, 40, 50],
  [120, 110, 40],
  [60, 70, 200],
] as [number, number, number][];

/** Of classes beyond those, and of what is not scored: as PASCAL VOC has them. */
const OTHERS = vocPalette();

/** The color of a class. */
export function colorOf(k: number): readonly number[] {
  return COLORS[k] ?? OTHERS[k];
}

/** Classes of pixels as a picture. */
export function classPicture(classes: Uint8Array, width: number, height: number): string {
  const rgb = new Uint8Array(3 * classes.length);
  classes.forEach((k, i) => rgb.set(colorOf(k), 3 * i));
  return pngDataUri(width, height, rgb);
}

/** A photograph as it is shown on pages; with `side` no larger than that many pixels. */
export async function jpegDataUri(
  { data, width, height }: RgbImage,
  side?: number,
  quality = 88,
): Promise<string> {
  const photo = sharp(data, { raw: { width, height, channels: 3 } });
  if (side) photo.resize({ width: side, height: side, fit: "inside", withoutEnlargement: true });
  const bytes = await photo.jpeg({ quality }).toBuffer();
  return `data:image/jpeg;base64,${new Uint8Array(bytes).toBase64()}`;
}

/** Cosines as a picture: −1 and 0 dark, 1 bright. */
export function similarityPicture(cosines: ArrayLike<number>, grid: { rows: number; cols: number }): string {
  const rgb = new Uint8Array(3 * cosines.length);
  for (let i = 0; i < cosines.length; i++) rgb.set(heat(Math.max(0, cosines[i])), 3 * i);
  return pngDataUri(grid.cols, grid.rows, rgb);
}

const HEAT = [[18, 26, 48], [194, 80, 10], [255, 236, 178]];

/** The key to `similarityPicture`. */
export const SIMILARITY_BAR: ColorBar = {
  title: "cosine",
  ends: ["0 or less", "1"],
  colors: HEAT.map((color) => `rgb(${color.join(" ")})`),
};

/** From dark blue over orange to light yellow. */
function heat(value: number): number[] {
  const [from, to, share] = value < 0.5 ? [HEAT[0], HEAT[1], 2 * value] : [HEAT[1], HEAT[2], 2 * value - 1];
  return from.map((channel, c) => Math.round(channel + (to[c] - channel) * Math.min(1, share)));
}
