/** Example segmentations as small pictures: the image, its truth, and what eigenvectors make of it layer by layer. */
import { colorLegend } from "../../report/blocks.ts";
import { colorGrid } from "../../report/color_grid.ts";
import { type Html, html } from "../../report/html.ts";
import { imageCategories } from "../shared/image_truth.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import type { GraphSegmentation, Kind } from "./compute.ts";
import { classPicture, colorOf, jpegDataUri } from "../shared/small_pictures.ts";

/** Images of each model, and most columns of layers. */
const IMAGES = 3, COLUMNS = 6;

const FIGURE_GROUND = ["ground", "figure"];

/** One grid a model, all but the first folded, one row an image: the truth, then the oracle's segmentation by layer. */
export async function exampleSegmentations(
  pipeline: Pipeline,
  { models, images }: GraphSegmentation,
  kind: Kind,
): Promise<Html[]> {
  const { tokens, grid } = pipeline, chosen = await ofDifferentCategories(pipeline, images);
  const truths = await Promise.all(chosen.map((image) => truthPicture(pipeline, image, kind)));
  const all = models[0].scores[kind].map(({ layer }) => layer);
  const every = Math.ceil(all.length / COLUMNS), layers = all.filter((_, i) => (i + 1) % every === 0);
  const photos = await Promise.all(
    chosen.map(async (image) => jpegDataUri(await pipeline.images[image].load())),
  );
  const label = kind === "category" ? "categories" : "figure and ground";
  const grids = models.map(({ model, scores }, m) => {
    const heading = `${model}, ${label}`,
      maps = colorGrid({
        label: `Segmentations into ${label} by ${model}, by image and layer`,
        columns: ["truth", ...layers.map((layer) => `L${layer}`)],
        rows: chosen.map((image, i) => ({
          label: pipeline.images[image].name,
          photo: photos[i],
          cells: [
            truths[i],
            ...layers.map((layer) => {
              const { assigned } = scores[kind].find((own) => own.layer === layer)!;
              const first = image * tokens + 1;
              return classPicture(assigned.subarray(first, first + tokens - 1), grid.cols, grid.rows);
            }),
          ],
        })),
      });
    if (m === 0) return html`<h3>${heading}</h3>${maps}`;
    return html`<details class="folded"><summary>${heading}</summary>${maps}</details>\n`;
  });
  return [
    ...grids,
    colorLegend(
      (kind === "category" ? pipeline.classes : FIGURE_GROUND).map((name, k) => ({
        name,
        color: colorOf(k),
      })),
    ),
  ];
}

/** The first images that show categories not shown yet. */
async function ofDifferentCategories({ images, classes }: Pipeline, count: number): Promise<number[]> {
  const categories = await imageCategories(images.slice(0, count), classes);
  const seen = new Set<number>(), chosen: number[] = [];
  for (let image = 0; image < count && chosen.length < IMAGES; image++) {
    if (!seen.has(categories[image])) chosen.push(image);
    seen.add(categories[image]);
  }
  return chosen;
}

async function truthPicture({ images }: Pipeline, image: number, kind: Kind): Promise<string> {
  const { mask, classMask } = images[image], truth = await (kind === "category" ? classMask : mask)?.();
  return truth ? classPicture(truth.data, truth.width, truth.height) : classPicture(Uint8Array.of(0), 1, 1);
}
