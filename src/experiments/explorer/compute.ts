/** What the explorer shows of a pipeline: some of its images, at every layer of every model. */
import { takeRows } from "../../linalg/host_matrix.ts";
import { leadingChannels } from "../../align/model.ts";
import { gatherRows, type NodeSource } from "../../graph/node_source.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { assertRows } from "../../linalg/row_normalize.ts";
import { activationLimits, sampleClicks } from "../../report/explorer/sample_clicks.ts";
import { segmentTree } from "../../report/explorer/segment_tree.ts";
import { spread } from "../../report/explorer/spread.ts";
import { fromHalf, toHalf } from "../../report/explorer/half.ts";
import type { ExplorerContent, SheetSide } from "../../report/explorer/content.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { HEMISPHERES } from "../../data/datasets/subject.ts";
import { labelPlace } from "../shared/cortex_picture.ts";
import { packSurface } from "../../report/cortex/packed_surface.ts";
import type { SheetPlace, VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";
import { openingView } from "./opening_view.ts";

/** Largest page, bytes. */
export const LARGEST_PAGE = 25e6;
/** Bytes of the front page, and images that its explorer has whatever they take. */
const FRONT_PAGE = 6e6, FRONT_IMAGES = 3;
/** Room for a photograph, and for the rest of the page. */
const PHOTO_BYTES = 60_000, REST_BYTES = 900_000;

/** The parts of a pipeline that the explorer reads. */
export type ExplorerPipeline = Pick<
  Pipeline,
  "models" | "slots" | "images" | "tokens" | "grid" | "eigenvectors" | "colors"
>;

/** What the page holds, and how far it is from the pipeline. */
export interface Exploration {
  content: ExplorerContent;
  /** Largest difference over a sample of clicks that rounding to float16 makes. */
  errors: { similarity: number; activation: number };
}

/**
 * How many images fit the page, as base64 of their colors, segments, eigenvectors and aligned features.
 *
 * @param pipeline its eigenvectors are n × C
 * @param beta D′ × voxels
 * @throws Error when not even one does
 */
export function imagesThatFit(
  { slots, tokens, images, eigenvectors }: ExplorerPipeline,
  beta: Matrix,
): number {
  const { image, fit } = room(LARGEST_PAGE, slots.length * tokens, eigenvectors.cols, beta);
  if (fit >= 1) return Math.min(fit, images.length);
  throw new UnsuitableData(
    `One image of ${slots.length} layers takes ${
      (image / 1e6).toFixed(1)
    } MB: too much for the explorer's page of ${LARGEST_PAGE / 1e6} MB; use fewer layers.`,
  );
}

/** Bytes that an image of some nodes takes, and how many images fit a page. */
function room(page: number, nodes: number, components: number, beta: { rows: number; cols: number }) {
  const image = 4 / 3 * nodes * (4 + 2 * (components + beta.rows)) + PHOTO_BYTES;
  return { image, fit: Math.floor((page - REST_BYTES - 4 / 3 * 2 * beta.rows * beta.cols) / image) };
}

/** Images of the explorer that is on the front page, which loads at once: that of the opening view, and others evenly spread. */
export function frontImages(
  { slots, tokens, images, eigenvectors, beta, opening }: ExplorerContent,
): number[] {
  const { fit } = room(FRONT_PAGE, slots.length * tokens, eigenvectors.cols, beta);
  const others = [...images.keys()].filter((image) => image !== opening.image);
  const chosen = spread(Math.max(FRONT_IMAGES, fit) - 1, others.length).map((i) => others[i]);
  return [opening.image, ...chosen].sort((a, b) => a - b);
}

/**
 * Gathers the explorer's content. Segments come from the embedded images alone: Ward's tree of evenly spread nodes' unit rows
 * of the eigenvectors, every other node with the most similar of those.
 *
 * @param aligned features of all the pipeline's nodes
 * @param beta channels × voxels, of the leading channels of the features
 * @param sheet where the voxels lie, in the order of β's columns: left hemisphere first
 * @param images indices of the images to embed, ascending
 */
export async function explore(
  pipeline: ExplorerPipeline,
  aligned: NodeSource,
  beta: Matrix,
  { places, surface }: VoxelSheet,
  images: number[],
): Promise<Exploration> {
  const { models, slots, tokens, grid } = pipeline;
  const nodes = Uint32Array.from(
    slots.flatMap(({ first }) =>
      images.flatMap((image) => Array.from({ length: tokens }, (_, token) => first + image * tokens + token))
    ),
  );
  const eigenvectors = takeRows(pipeline.eigenvectors, nodes),
    features = leadingChannels(await gatherRows(aligned, nodes), beta.rows);
  const colors = new Uint8Array(3 * nodes.length);
  nodes.forEach((node, i) => colors.set(pipeline.colors.subarray(3 * node, 3 * node + 3), 3 * i));
  const halves = { eigenvectors: toHalf(eigenvectors), aligned: toHalf(features), beta: toHalf(beta) };
  const rounded = fromHalf(halves.eigenvectors);
  assertRows(rounded, "eigenvectors in float16");
  const layout = { slots: slots.length, images: images.length, tokens };
  const exact = await sampleClicks({ eigenvectors, beta, features }, layout);
  const found = await sampleClicks({
    eigenvectors: rounded,
    beta: fromHalf(halves.beta),
    features: fromHalf(halves.aligned),
  }, layout);
  const photos = await Promise.all(images.map((i) => pipeline.images[i].load()));
  return {
    content: {
      models,
      tokens,
      grid,
      colors,
      ...halves,
      slots: slots.map(({ model, layer }) => ({ model, layer })),
      images: images.map((image, i) => ({
        name: pipeline.images[image].name,
        photo: pngDataUri(photos[i].width, photos[i].height, photos[i].data),
      })),
      ...segmentTree(eigenvectors),
      opening: await openingView(
        eigenvectors,
        colors,
        { ...layout, grid },
        images.map((image) => pipeline.images[image]),
      ),
      ...cortexContent({ places, surface }),
      activationLimits: activationLimits(exact),
    },
    errors: {
      similarity: largestDifference(exact.similarity, found.similarity),
      activation: Math.max(
        largestDifference(exact.sum, found.sum),
        largestDifference(exact.layer, found.layer),
      ),
    },
  };
}

/** Where the voxels lie, as the explorer draws them; left hemisphere first. */
export function cortexContent(
  { places, surface }: Pick<VoxelSheet, "places" | "surface">,
): Pick<ExplorerContent, "rois" | "voxelRois" | "sheet" | "surface"> {
  const rois = [...new Set(places.map(({ roi }) => roi))];
  return {
    rois,
    voxelRois: Uint8Array.from(places, ({ roi }) => rois.indexOf(roi)),
    sheet: sheetSides(places),
    ...(surface && {
      surface: packSurface(
        HEMISPHERES.map((hemisphere) => surface.meshes[hemisphere]),
        HEMISPHERES.map((hemisphere) =>
          Array.from(surface.vertices).filter((_, voxel) => surface.hemispheres[voxel] === hemisphere)
        ),
      ),
    }),
  };
}

function sheetSides(places: SheetPlace[]): SheetSide[] {
  return HEMISPHERES.map((hemisphere) => {
    const side = places.filter((place) => place.hemisphere === hemisphere);
    return {
      name: hemisphere === "lh" ? "left hemisphere" : "right hemisphere",
      places: side.map(({ x, y }) => ({ x, y })),
      labels: [...new Set(side.map(({ roi }) => roi))].map((roi) => ({
        text: roi,
        ...labelPlace(side, roi),
      })),
    };
  }).filter(({ places }) => places.length > 0);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}
