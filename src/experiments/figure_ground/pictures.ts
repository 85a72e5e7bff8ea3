/** Similarity maps of one pixel, of the experiment `figure-ground`. */
import { colorGrid } from "../../report/color_grid.ts";
import type { Html } from "../../report/html.ts";
import { eigenDirections } from "./compute.ts";
import { cosineLikeness, type Query } from "./pixel_search.ts";
import { className } from "../shared/image_truth.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import { jpegDataUri, SIMILARITY_BAR, similarityPicture } from "../shared/small_pictures.ts";
import type { FigureGround } from "./results.ts";

/** Images that a pixel is shown on. */
const SHOWN = 6;

/** Similarity of one pixel to the patches of images of other categories: one row a model, below the photographs. */
export async function similarityMaps(
  pipeline: Pipeline,
  { models, queries, categories, images }: FigureGround,
  kind: "figure" | "ground",
): Promise<Html> {
  const query = queries[kind][0], { grid } = pipeline;
  const seen = new Set([categories[query.image]]), shown: number[] = [];
  for (const image of images) {
    if (shown.length < SHOWN && !seen.has(categories[image])) shown.push(image);
    seen.add(categories[image]);
  }
  const marked = await jpegDataUri(markPatch(await pipeline.images[query.image].load(), query, grid));
  const photos = await Promise.all(
    shown.map(async (image) => await jpegDataUri(await pipeline.images[image].load())),
  );
  return colorGrid({
    bar: SIMILARITY_BAR,
    label: `Similarity of one ${kind} pixel to images of other categories, by model`,
    columns: shown.map((image) => className(pipeline.classes, categories[image])),
    rows: [
      { label: "the pixel", photo: marked, cells: photos },
      ...models.map(({ model, slot }) => {
        const likeness = cosineLikeness(eigenDirections(pipeline, slot));
        const maps = shown.map((image) => likeness(query, image));
        return {
          label: model,
          photo: similarityPicture(likeness(query, query.image), grid),
          cells: maps.map((map) => similarityPicture(map, grid)),
        };
      }),
    ],
  });
}

/** Pixels of the frame, the outermost black. */
const FRAME = 4;

function patchEdges(index: number, size: number): [first: number, end: number] {
  return [Math.floor(index * size), Math.floor((index + 1) * size)];
}

/** The photograph with a white frame around one patch. */
function markPatch(
  { data, width, height }: RgbImage,
  { patch }: Query,
  grid: { rows: number; cols: number },
): RgbImage {
  const marked = data.slice();
  const [left, right] = patchEdges(patch % grid.cols, width / grid.cols);
  const [top, bottom] = patchEdges(Math.floor(patch / grid.cols), height / grid.rows);
  for (let y = Math.max(0, top - FRAME); y < Math.min(height, bottom + FRAME); y++) {
    for (let x = Math.max(0, left - FRAME); x < Math.min(width, right + FRAME); x++) {
      if (x >= left && x < right && y >= top && y < bottom) continue;
      const outermost = x === left - FRAME || x === right + FRAME - 1 || y === top - FRAME ||
        y === bottom + FRAME - 1;
      marked.fill(outermost ? 0 : 255, 3 * (y * width + x), 3 * (y * width + x) + 3);
    }
  }
  return { data: marked, width, height };
}
