/** What is known of images beside their pixels: the classes under patches, and the class of a whole image. */
import type { RunImage } from "../../pipeline/images.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { rgbPositionFeatures, type TokenLabels, tokenLabels } from "./oracle_segmentation.ts";

/** Patches along each side. */
interface Grid {
  rows: number;
  cols: number;
}

/** Pixel counts of every token of some images, one image behind the other; none where an image has no such mask. */
async function labelsOf(
  images: readonly RunImage[],
  mask: "mask" | "classMask",
  grid: Grid,
  classes: number,
): Promise<TokenLabels> {
  const each = (1 + grid.rows * grid.cols) * classes, counts = new Uint32Array(images.length * each);
  for (const [i, image] of images.entries()) {
    const known = await image[mask]?.();
    if (known) counts.set(tokenLabels(known, grid, classes), i * each);
  }
  return { counts, classes };
}

/** Figure (1) and ground (0) under every token. */
export function figureLabels(images: readonly RunImage[], grid: Grid): Promise<TokenLabels> {
  return labelsOf(images, "mask", grid, 2);
}

/**
 * Classes under every token.
 *
 * @param classes names by index, the background first
 */
export function classLabels(
  images: readonly RunImage[],
  grid: Grid,
  classes: readonly string[],
): Promise<TokenLabels> {
  return labelsOf(images, "classMask", grid, Math.max(2, classes.length));
}

/** Color and place of every token, as of `rgbPositionFeatures`. */
export async function plainFeatures(images: readonly RunImage[], grid: Grid): Promise<Matrix> {
  const each = 5 * (1 + grid.rows * grid.cols), data = new Float32Array(images.length * each);
  for (const [i, { load }] of images.entries()) {
    data.set(rgbPositionFeatures(await load(), grid).data, i * each);
  }
  return { data, rows: data.length / 5, cols: 5 };
}

/** The class with the most pixels under each token, the smallest of equal ones; 0 where there are none. */
export function majorityClasses({ counts, classes }: TokenLabels): Uint8Array {
  return Uint8Array.from({ length: counts.length / classes }, (_, token) => {
    const own = counts.subarray(token * classes, (token + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

/**
 * The class of each image: the one with the most pixels beside the background (0 where there is none). Images whose
 * classes are not known get a number of their own below 0.
 *
 * @param classes names by index, the background first
 */
export async function imageCategories(
  images: readonly RunImage[],
  classes: readonly string[],
): Promise<number[]> {
  const categories: number[] = [];
  for (const [i, { classMask }] of images.entries()) {
    if (!classMask) {
      categories.push(-1 - i);
      continue;
    }
    const pixels = new Float64Array(classes.length);
    for (const label of (await classMask()).data) if (label > 0 && label < classes.length) pixels[label]++;
    categories.push(Math.max(0, pixels.indexOf(Math.max(...pixels.subarray(1), 1))));
  }
  return categories;
}

/** The name of a class for people. */
export function className(classes: readonly string[], category: number): string {
  return category > 0 ? classes[category] : category === 0 ? "no class" : "unknown class";
}
