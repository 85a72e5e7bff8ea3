/** Example segmentations as small pictures: the image, its truth, and what eigenvectors make of it layer by layer. */
import sharp from "sharp";
import type { RgbImage } from "../data/image.ts";
import { vocPalette } from "../data/palette_png.ts";
import { colorGrid } from "../report/color_grid.ts";
import { type Html, html } from "../report/html.ts";
import { pngDataUri } from "../report/tiny_png.ts";
import { imageCategories } from "./image_truth.ts";
import type { Pipeline } from "./pipeline.ts";
import type { GraphSegmentation, Kind } from "./segmentation.ts";

/** Images of each model, and most columns of layers. */
const IMAGES = 3, COLUMNS = 6;

/** Background, then the categories; readable on light and dark paper. */
const COLORS: readonly (readonly [number, number, number])[] = [
  [138, 143, 153],
  ...[[214, 94, 0], [0, 114, 178], [0, 158, 115], [204, 121, 167], [230, 190, 40]],
  ...[[86, 180, 233], [140, 60, 160], [180, 40, 50], [120, 110, 40], [60, 70, 200]],
] as [number, number, number][];

/** Of classes beyond those, and of what is not scored: as PASCAL VOC has them. */
const OTHERS = vocPalette();

function colorOf(k: number): readonly number[] {
  return COLORS[k] ?? OTHERS[k];
}

const FIGURE_GROUND = ["ground", "figure"];

/** One grid a model, one row an image: the truth, then the oracle's segmentation at some layers. */
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
  const grids = models.map(({ model, scores }) => [
    html`<h3>${`${model}, ${label}`}</h3>`,
    colorGrid({
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
    }),
  ]);
  return [...grids.flat(), legend(kind === "category" ? pipeline.classes : FIGURE_GROUND)];
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

/** Classes of pixels as a picture. */
export function classPicture(classes: Uint8Array, width: number, height: number): string {
  const rgb = new Uint8Array(3 * classes.length);
  classes.forEach((k, i) => rgb.set(colorOf(k), 3 * i));
  return pngDataUri(width, height, rgb);
}

/** A photograph as it is shown on pages; with `side` no larger than that many pixels. */
export async function jpegDataUri({ data, width, height }: RgbImage, side?: number): Promise<string> {
  const photo = sharp(data, { raw: { width, height, channels: 3 } });
  if (side) photo.resize({ width: side, height: side, fit: "inside", withoutEnlargement: true });
  const bytes = await photo.jpeg({ quality: 88 }).toBuffer();
  return `data:image/jpeg;base64,${new Uint8Array(bytes).toBase64()}`;
}

function legend(names: readonly string[]): Html {
  const entries = names.map((name, k) =>
    html`
      <span
        style="white-space: nowrap"><span aria-hidden="true" style="display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; background: rgb(${colorOf(
          k,
        ).join(" ")})"></span> ${name}</span>
    `
  );
  return html`<p>${entries}</p>`;
}
