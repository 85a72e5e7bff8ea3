/** Pictures of concepts: photographs that are gray where the concept is not. */
import type { Html } from "../../report/html.ts";
import { colorGrid } from "../../report/color_grid.ts";
import type { Concept } from "./compute.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";

/** Pixels of a photograph. */
const SIDE = 320;
/** How much of its color and contrast a photograph keeps outside of the concept. */
const KEPT = 0.22;

/** Images with the most patches of a concept, most first. */
export function imagesOfConcept({ patches }: Concept, perImage: number, count: number): number[] {
  const counts = new Map<number, number>();
  for (const at of patches) {
    const image = Math.floor(at / perImage);
    counts.set(image, (counts.get(image) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, count).map(([image]) => image);
}

/**
 * A row of photographs for each concept.
 *
 * @param names of the concepts
 * @param count photographs a row; where there are fewer the row ends with empty gray squares
 */
export async function conceptGrid(
  pipeline: Pipeline,
  concepts: readonly Concept[],
  names: readonly string[],
  count: number,
  label: string,
): Promise<Html> {
  const perImage = pipeline.tokens - 1, empty = await jpegDataUri(gray(8, 8));
  const rows = await Promise.all(concepts.map(async (concept, i) => {
    const inside = new Set(concept.patches);
    const pictures = await Promise.all(
      imagesOfConcept(concept, perImage, count + 1).map(async (image) => {
        const photo = await pipeline.images[image].load();
        return await jpegDataUri(
          highlighted(photo, pipeline.grid, (patch) => inside.has(image * perImage + patch)),
          SIDE,
        );
      }),
    );
    while (pictures.length < count + 1) pictures.push(empty);
    return { label: names[i], photo: pictures[0], cells: pictures.slice(1) };
  }));
  return colorGrid({
    label,
    corner: "concept",
    rows,
    columns: Array.from({ length: count }, (_, i) => String(i + 2)),
  });
}

function gray(width: number, height: number): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height).fill(128) };
}

/** The photograph, washed out where `isInside` says no. */
export function highlighted(
  { data, width, height }: RgbImage,
  { rows, cols }: { rows: number; cols: number },
  isInside: (patch: number) => boolean,
): RgbImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const patch = Math.min(rows - 1, Math.floor(y * rows / height)) * cols + Math.floor(x * cols / width);
      const at = 3 * (y * width + x), isKept = isInside(patch);
      const level = 0.3 * data[at] + 0.59 * data[at + 1] + 0.11 * data[at + 2];
      for (let c = 0; c < 3; c++) {
        out[at + c] = isKept ? data[at + c] : Math.round(150 + KEPT * (level - 128));
      }
    }
  }
  return { data: out, width, height };
}
