/** What the explorer shows of a pipeline: some of its images, at every layer of every model. */
import { leadingChannels } from "../../align/model.ts";
import { gatherRows, type NodeSource } from "../../graph/node_source.ts";
import { clusterTree } from "../../graph/ward.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { assertRows } from "../../linalg/row_normalize.ts";
import { respondOnHost, sumOverSlots, unitRows } from "../../report/explorer/click_response.ts";
import { fromHalf, toHalf } from "../../report/explorer/half.ts";
import type { ExplorerContent, SheetSide } from "../../report/explorer/content.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { HEMISPHERES } from "../../data/datasets/subject.ts";
import { labelPlace } from "../shared/cortex_picture.ts";
import { packSurface } from "../../report/cortex/packed_surface.ts";
import type { SheetPlace, VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { UnsuitableData } from "../shared/unsuitable_data.ts";
import { openingView } from "./opening_view.ts";

/** Largest page, bytes. */
export const LARGEST_PAGE = 25e6;
/** Bytes of the front page, and images that its explorer has whatever they take. */
const FRONT_PAGE = 6e6, FRONT_IMAGES = 3;
/** Room for a photograph, and for the rest of the page. */
const PHOTO_BYTES = 60_000, REST_BYTES = 900_000;
/** Nodes whose answers are compared with those of the values before rounding. */
const CHECKED = 40;
/** Segments at most, and nodes whose tree they are cut from. */
const MAX_SEGMENTS = 64, TREE_NODES = 512;

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

/** `count` of n indices, evenly spread, ascending. */
export function spread(count: number, n: number): number[] {
  return Array.from({ length: Math.min(count, n) }, (_, i) => Math.floor(i * n / Math.min(count, n)));
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
  const eigenvectors = rowsOf(pipeline.eigenvectors, nodes),
    features = leadingChannels(await gatherRows(aligned, nodes), beta.rows);
  const colors = new Uint8Array(3 * nodes.length);
  nodes.forEach((node, i) => colors.set(pipeline.colors.subarray(3 * node, 3 * node + 3), 3 * i));
  const halves = { eigenvectors: toHalf(eigenvectors), aligned: toHalf(features), beta: toHalf(beta) };
  const rois = [...new Set(places.map(({ roi }) => roi))];
  const rounded = fromHalf(halves.eigenvectors);
  assertRows(rounded, "eigenvectors in float16");
  const layout = { slots: slots.length, images: images.length, tokens };
  const exact = await clicks(eigenvectors, features, beta, layout);
  const found = await clicks(rounded, fromHalf(halves.aligned), fromHalf(halves.beta), layout);
  const photos = await Promise.all(images.map((i) => pipeline.images[i].load()));
  return {
    content: {
      models,
      tokens,
      grid,
      colors,
      ...halves,
      rois,
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
      activationLimits: {
        sum: quantile(exact.sum.map(Math.abs), 0.995),
        layer: quantile(exact.layer.map(Math.abs), 0.995),
      },
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

/** Answers to clicks on a sample of nodes, one behind the other; activations by the sum over layers and by one alone. */
async function clicks(
  eigenvectors: Matrix,
  features: Matrix,
  beta: Matrix,
  layout: { slots: number; images: number; tokens: number },
) {
  const sample = spread(CHECKED, eigenvectors.rows), { rows } = eigenvectors;
  const responder = respondOnHost({ eigenvectors, beta });
  const feature = (node: number) => features.data.subarray(node * features.cols, (node + 1) * features.cols);
  const similarity = new Float32Array(sample.length * rows);
  const layer = new Float32Array(sample.length * beta.cols), sum = new Float32Array(layer.length);
  for (const [i, node] of sample.entries()) {
    const own = await responder.respond(node, feature(node));
    const summed = await responder.respond(node, sumOverSlots(feature, node, layout));
    similarity.set(own.similarity, i * rows);
    layer.set(own.activation, i * beta.cols);
    sum.set(summed.activation, i * beta.cols);
  }
  return { similarity, layer, sum };
}

/** Segments of all nodes where there are most, and how they join to fewer. */
function segmentTree(eigenvectors: Matrix): Pick<ExplorerContent, "segments" | "segmentParents"> {
  const unit = unitRows(eigenvectors), { rows, cols } = unit;
  const nodes = Uint32Array.from(spread(TREE_NODES, rows)), landmarks = rowsOf(unit, nodes);
  const { labels, parents } = clusterTree(landmarks, MAX_SEGMENTS), segments = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    let most = -Infinity;
    for (let k = 0; k < nodes.length; k++) {
      let cosine = 0;
      for (let c = 0; c < cols; c++) cosine += unit.data[i * cols + c] * landmarks.data[k * cols + c];
      if (cosine > most) [most, segments[i]] = [cosine, labels[k]];
    }
  }
  return { segments, segmentParents: parents };
}

function rowsOf({ data, cols }: Matrix, rows: Uint32Array): Matrix {
  const chosen = new Float32Array(rows.length * cols);
  rows.forEach((row, i) => chosen.set(data.subarray(row * cols, (row + 1) * cols), i * cols));
  return { data: chosen, rows: rows.length, cols };
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

function quantile(values: Float32Array, share: number): number {
  const sorted = values.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] || 1;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}
