/**
 * The experiment `showcase`: photographs through one model by shift-and-stitch, two shifts along each side, and maps whose
 * cells of half a patch are means of the four patches that cover them; colors, segments and eigenvectors of every layer.
 */
import { takeColumns } from "../../linalg/host_matrix.ts";
import { resizeImage } from "../../data/images/resize.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { discretize } from "../../graph/discretize.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { type SolvedLayer, solveLayers, type SolveSettings } from "../shared/solved_layers.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";
import { lengthOf } from "../../linalg/portable_math.ts";

/** Rows and columns of a map. */
export interface MapSize {
  rows: number;
  cols: number;
}

/** A layer of the showcase; every list follows photograph by photograph, row by row of its map. */
export interface ShowcaseLayer extends SolvedLayer {
  /** n bytes, base64: each below `segmentCount`. */
  segments: string;
  segmentCount: number;
  /** n × C signed bytes, base64: rows of the eigenvectors, scaled to length 127. */
  directions: string;
  components: number;
}

/** 512 MB: an affinity of at most this size is stored, which halves the work of recomputing it at every application. */
const MAX_STORED = 2 ** 29;
/** Shifts along each side, as of `extractFeatures`. */
export const SHIFTS = 2;

/**
 * Cuts a square out of a photograph.
 *
 * @param focus where its middle lies along the longer side, from 0 to 1; default ½
 * @param side of the square, resized bicubically as Pillow does
 */
export function squarePhoto(image: RgbImage, side: number, focus = 0.5): RgbImage {
  const cut = Math.min(image.width, image.height);
  const at = (length: number) => Math.round(Math.min(length - cut, Math.max(0, focus * length - cut / 2)));
  return resizeImage(cutOut(image, at(image.width), at(image.height), cut), side, side, "bicubic");
}

/**
 * The middle of a square, without a share of its side along each edge: what the maps are of.
 *
 * @param covered share of the side that patches cover, from the left and from above; default all
 */
export function withoutEdges(photo: RgbImage, share: number, covered = 1): RgbImage {
  const edge = Math.round(share * photo.width);
  return cutOut(photo, edge, edge, Math.round(covered * photo.width) - 2 * edge);
}

function cutOut({ width, data }: RgbImage, x: number, y: number, side: number): RgbImage {
  const out = new Uint8Array(3 * side * side);
  for (let row = 0; row < side; row++) {
    const from = 3 * ((y + row) * width + x);
    out.set(data.subarray(from, from + 3 * side), 3 * row * side);
  }
  return { width: side, height: side, data: out };
}

/** The cells between the patches of the stitched grid, of all four shifts. */
export function mapSize({ grid }: Pick<FeatureManifest, "grid">): MapSize {
  return { rows: grid.rows - 1, cols: grid.cols - 1 };
}

/**
 * Which patches of the stitched grid cover each cell of the maps: one of each shift, so that no cell differs from its
 * neighbors by its place in a patch.
 *
 * @param manifest with `SHIFTS`; tokens of an image are the class token, then the stitched grid row by row
 * @returns photographs × rows × cols × 4 indices
 */
export function cellTokens(
  photos: number,
  { grid, tokens }: Pick<FeatureManifest, "grid" | "tokens">,
): Uint32Array {
  const { rows, cols } = mapSize({ grid }), cells = new Uint32Array(4 * photos * rows * cols);
  const corners = [0, 1, grid.cols, grid.cols + 1];
  for (let i = 0; i < cells.length; i++) {
    const cell = Math.floor(i / 4) % (rows * cols), photo = Math.floor(i / (4 * rows * cols));
    const patch = Math.floor(cell / cols) * grid.cols + cell % cols + corners[i % 4];
    cells[i] = photo * tokens + 1 + patch;
  }
  return cells;
}

/**
 * Colors, segments and eigenvectors of every layer, one joint graph of all photographs' cells a layer. The colors' axes,
 * which t-SNE leaves open, are exchanged and turned round so that each layer's colors are near those of the next one.
 *
 * @param manifest what `extractFeatures` wrote with `SHIFTS`
 * @param photos how many
 * @param segments of each layer, at most its components
 * @returns one result a layer, in order, as of `solveLayers`
 */
export async function showcaseLayers(
  gpu: Gpu | null,
  manifest: FeatureManifest,
  photos: number,
  segments: number,
  settings: SolveSettings,
): Promise<ShowcaseLayer[]> {
  const cells = cellTokens(photos, manifest), { components, seed } = settings;
  const layers: ShowcaseLayer[] = await solveLayers(gpu, manifest, settings, {
    name: "showcase",
    code: ["src/experiments/showcase/compute.ts"],
    inputs: { segments, photos },
    nodesOf: (tokens) => meansOf(tokens, cells),
    storageOf: (nodes) => 4 * nodes ** 2 <= MAX_STORED ? "stored" : undefined,
    add: (eigenvectors) => ({
      components,
      segmentCount: segments,
      segments: Uint8Array.from(discretize(takeColumns(eigenvectors, 0, segments), { seed }).labels)
        .toBase64(),
      directions: directions(eigenvectors).toBase64(),
    }),
  });
  for (let i = layers.length - 2; i >= 0; i--) {
    const next = Uint8Array.fromBase64(layers[i + 1].colors), own = Uint8Array.fromBase64(layers[i].colors);
    layers[i] = { ...layers[i], colors: likeColors(own, next).toBase64() };
  }
  return layers;
}

/** Cells' features, each the mean of its four tokens. */
function meansOf({ data: all, cols }: Matrix, cells: Uint32Array): Matrix {
  const rows = cells.length / 4, data = new Float32Array(rows * cols);
  cells.forEach((token, i) => {
    const to = Math.floor(i / 4) * cols;
    for (let c = 0; c < cols; c++) data[to + c] += all[token * cols + c] / 4;
  });
  return { data, rows, cols };
}

/** Rows scaled to length 127, as signed bytes: their cosines are within about 0.01. */
export function directions({ data, rows, cols }: Matrix): Uint8Array {
  const out = new Int8Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * cols, (i + 1) * cols), length = lengthOf(row) || 1;
    for (let c = 0; c < cols; c++) out[i * cols + c] = Math.round(127 * row[c] / length);
  }
  return new Uint8Array(out.buffer);
}

const ORDERS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/**
 * Exchanges red, green and blue and turns them round, so that colors are near others of the same patches.
 *
 * @param colors n × 3 bytes
 * @param others n × 3 bytes
 * @returns n × 3 bytes: of the 48 ways the one with the smallest sum of squared differences
 */
export function likeColors(colors: Uint8Array, others: Uint8Array): Uint8Array {
  // The channel c of the others is best matched by one channel of ours or its reverse: sums of products tell which.
  const sums = Array.from({ length: 3 }, () => new Float64Array(3));
  for (let i = 0; i < colors.length; i += 3) {
    for (let c = 0; c < 3; c++) {
      for (let own = 0; own < 3; own++) sums[c][own] += (others[i + c] - 127.5) * (colors[i + own] - 127.5);
    }
  }
  const match = (order: number[]) => order.reduce((sum, own, c) => sum + Math.abs(sums[c][own]), 0);
  const best = ORDERS.reduce((best, order) => match(order) > match(best) ? order : best);
  return colors.map((_, i) => {
    const c = i % 3, value = colors[i - c + best[c]];
    return sums[c][best[c]] < 0 ? 255 - value : value;
  });
}
