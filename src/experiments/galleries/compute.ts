/** The page `galleries`: more images of each experiment. */
import { takeColumns, takeRows } from "../../linalg/host_matrix.ts";
import { discretize } from "../../graph/discretize.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { text } from "../../report/blocks.ts";
import { colorGrid } from "../../report/color_grid.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { type Html, html, rawHtml } from "../../report/html.ts";
import type { Concepts } from "../concepts/compute.ts";
import { conceptGrid } from "../concepts/pictures.ts";
import { nameOf } from "../concepts/report.ts";
import { eigenDirections, testedLayer } from "../figure_ground/compute.ts";
import { cosineLikeness, type Query } from "../figure_ground/pixel_search.ts";
import { className } from "../shared/image_truth.ts";
import { nodeOf, type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";
import { classPicture, jpegDataUri, SIMILARITY_BAR, similarityPicture } from "../shared/small_pictures.ts";

/** Images in each grid. */
const IMAGES = 20;
/** Rows of a grid that are seen at once; those of few maps are lower. */
const OPEN = 2, OPEN_LOW = 3;
/** Eigenvectors that segments are made of, as many segments. */
const SEGMENTS = 10;
/** Pixels of a photograph, which every grid repeats. */
const SIDE = 192;
/** Photographs of a concept, and the most concepts. */
const PHOTOS = 6, CONCEPTS = 24;

const EQUATION = rawHtml(
  `<math display="block"><msub><mi>color</mi><mi>i</mi></msub><mo>=</mo><mi>RGB</mi><mo>(</mo><mi>tSNE</mi><mo>(</mo><msub><mi>x</mi><mi>i</mi></msub><mo>)</mo><mo>)</mo><mo>,</mo><mspace width="1em"/><msub><mi>s</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mi>cos</mi><mo>(</mo><msub><mi>x</mi><mi>i</mi></msub><mo>,</mo><msub><mi>x</mi><mi>j</mi></msub><mo>)</mo></math>`,
);

/** Images spread over the categories: the first of each, then the second of each, and so on. */
export function galleryImages(categories: readonly number[], count: number): number[] {
  const seen = new Map<number, number>();
  const turn = categories.map((category) => {
    const before = seen.get(category) ?? 0;
    seen.set(category, before + 1);
    return before;
  });
  return [...categories.keys()]
    .sort((a, b) => turn[a] - turn[b] || categories[a] - categories[b] || a - b)
    .slice(0, count);
}

/**
 * Writes `galleries.html`: colors of every model and layer, segments, the similarity of one pixel, and all concepts.
 *
 * @param categories of the images
 * @param query the pixel that is pointed at
 * @returns the path of the page
 */
export async function writeGalleries(
  run: ExperimentRun,
  categories: readonly number[],
  query: Query,
  concepts: Concepts,
): Promise<string> {
  const { pipeline } = run, shown = galleryImages(categories, IMAGES);
  const names = shown.map((image) =>
    `${className(pipeline.classes, categories[image])}, ${pipeline.images[image].name}`
  );
  const photos = await Promise.all(
    shown.map(async (image) => await jpegDataUri(await pipeline.images[image].load(), SIDE)),
  );
  const sections = [
    ...pipeline.models.map((model) => ({
      heading: `Colors of ${model}`,
      body: [colorsGrid(pipeline, model, shown, names, photos)],
    })),
    { heading: "Segments", body: [...segmentsGrids(pipeline, shown, names, photos, run.seed)] },
    {
      heading: "One pixel in all images",
      body: [await similarityGrid(pipeline, query, shown, names, photos)],
    },
    {
      heading: `Concepts of ${concepts.model}, layer ${concepts.layer}`,
      body: [await conceptsGrid(pipeline, concepts)],
    },
  ];
  return await writeExperiment(run, "galleries", { metrics: { images: shown.length }, claims: [] }, {
    title: "Galleries",
    question: "What do the colors, segments, similarities and concepts of more images look like?",
    method:
      `${shown.length} of ${pipeline.images.length} images, as many of each category as there are; every small picture is one layer of one model. Equal colors are near each other on one map of all images, layers and models. Segments are the ${SEGMENTS} leading eigenvectors of a layer's patches, rotated until every patch belongs to one of ${SEGMENTS}. What these pictures are taken to show is tested on the pages of the experiments.`,
    equation: EQUATION,
    sections: [{ heading: "Tested on", body: [testedOn()] }, ...sections],
    settings: { images: shown.length, segments: SEGMENTS },
  });
}

function testedOn(): Html {
  const links = [
    ["colors.html", "colors"],
    ["segmentation.html", "segmentation"],
    ["figure-ground.html", "figure and ground"],
    ["concepts.html", "concepts"],
  ];
  return html`
    <p>${links.map(([href, name], i) => html`${i > 0 ? ", " : ""}<a href="${href}">${name}</a>`)}.</p>
  `;
}

function colorsGrid(
  pipeline: Pipeline,
  model: string,
  shown: number[],
  names: string[],
  photos: string[],
): Html {
  const slots = slotsOf(pipeline, model), { rows, cols } = pipeline.grid;
  return colorGrid({
    label: `AlignedCut colors of ${model} by image and layer`,
    open: OPEN,
    key:
      "Color is the place of a patch on the t-SNE map of all images, layers and models: red, green and blue are its three coordinates",
    columns: slots.map((slot) => `L${pipeline.slots[slot].layer}`),
    rows: shown.map((image, i) => ({
      label: names[i],
      photo: photos[i],
      cells: slots.map((slot) => {
        const first = 3 * nodeOf(pipeline, slot, image, 1);
        return pngDataUri(cols, rows, pipeline.colors.slice(first, first + 3 * rows * cols));
      }),
    })),
  });
}

/** One grid a model, of a few layers; segments are of one layer's patches of all images shown. */
function* segmentsGrids(
  pipeline: Pipeline,
  shown: number[],
  names: string[],
  photos: string[],
  seed: number,
) {
  const { rows, cols } = pipeline.grid, patches = rows * cols;
  for (const model of pipeline.models) {
    const all = slotsOf(pipeline, model), every = Math.max(1, Math.floor(all.length / 4));
    const slots = all.filter((_, i) => (i + 1) % every === 0);
    const labels = slots.map((slot) => discretize(patchVectors(pipeline, slot, shown), { seed }).labels);
    yield text(`${model}, ${SEGMENTS} segments of each layer:`);
    yield colorGrid({
      label: `Segments of ${model} by image and layer`,
      open: OPEN_LOW,
      key:
        `Colors tell the ${SEGMENTS} segments of a layer apart; from one layer to another they mean nothing`,
      columns: slots.map((slot) => `L${pipeline.slots[slot].layer}`),
      rows: shown.map((_, i) => ({
        label: names[i],
        photo: photos[i],
        cells: labels.map((own) =>
          classPicture(Uint8Array.from(own.subarray(i * patches, (i + 1) * patches)), cols, rows)
        ),
      })),
    });
  }
}

/** Leading eigenvectors of the patches of some images in one slot, without the first, which is nearly constant. */
function patchVectors(pipeline: Pipeline, slot: number, images: number[]): Matrix {
  const { eigenvectors, tokens } = pipeline;
  const patches = images.flatMap((image) =>
    Array.from({ length: tokens - 1 }, (_, p) => nodeOf(pipeline, slot, image, 1 + p))
  );
  return takeColumns(takeRows(eigenvectors, patches), 0, Math.min(SEGMENTS, eigenvectors.cols));
}

async function similarityGrid(
  pipeline: Pipeline,
  query: Query,
  shown: number[],
  names: string[],
  photos: string[],
) {
  const slots = pipeline.models.map((model) => {
    const own = slotsOf(pipeline, model);
    const layer = testedLayer(model, own.map((slot) => pipeline.slots[slot].layer));
    return own.find((slot) => pipeline.slots[slot].layer === layer)!;
  });
  const likeness = slots.map((slot) => cosineLikeness(eigenDirections(pipeline, slot)));
  const pictures = (image: number) =>
    likeness.map((like) => similarityPicture(like(query, image), pipeline.grid));
  const asked = await jpegDataUri(await pipeline.images[query.image].load(), SIDE);
  return colorGrid({
    bar: SIMILARITY_BAR,
    label: "Similarity to one figure pixel by image and model",
    open: OPEN_LOW,
    columns: slots.map((slot) => `${pipeline.slots[slot].model} L${pipeline.slots[slot].layer}`),
    rows: [
      { label: "the pixel's own image", photo: asked, cells: pictures(query.image) },
      ...shown.map((image, i) => ({ label: names[i], photo: photos[i], cells: pictures(image) })),
    ],
  });
}

async function conceptsGrid(pipeline: Pipeline, { concepts }: Concepts): Promise<Html> {
  const shown = concepts.slice(0, CONCEPTS);
  if (shown.length === 0) return text("No sphere held enough patches.");
  const names = shown.map((concept, i) => nameOf(concept, i, pipeline.classes));
  return await conceptGrid(pipeline, shown, names, PHOTOS - 1, "Photographs of all concepts", OPEN_LOW);
}
