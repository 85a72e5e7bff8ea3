/** The view that an explorer opens on: computed, so that it shows something. */
import { rowRange } from "../../linalg/host_matrix.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { RunImage } from "../../pipeline/images.ts";
import type { OpeningView } from "../../report/explorer/content.ts";
import { similarities, unitRows } from "../../report/explorer/click_response.ts";
import { balancedAccuracy } from "../../statistics/balanced_accuracy.ts";
import { contentVariance } from "../../statistics/content_variance.ts";
import { figureLabels } from "../shared/image_truth.ts";
import { mean } from "../../statistics/summary.ts";

/** Layers with less than this share of the widest spread of colors are flat. */
const FLAT = 0.5;

/** Nodes follow slot by slot, image by image, token by token. */
interface Layout {
  slots: number;
  images: number;
  tokens: number;
  grid: { rows: number; cols: number };
}

/**
 * Chooses a view among layers whose images are not flat (the spread of the colors of an image's patches is half of the
 * widest or more): where all images have masks, the layer that parts figure and ground best by `balancedAccuracy`, else the
 * one with the largest `contentVariance`; there the image with the widest spread, and the patch whose similarities to its image vary
 * most, one of the figure where it is known.
 *
 * @param eigenvectors n × C
 * @param colors n × 3
 */
export async function openingView(
  eigenvectors: Matrix,
  colors: Uint8Array,
  layout: Layout,
  images: readonly RunImage[],
): Promise<OpeningView> {
  const { slots, tokens, grid } = layout, patches = tokens - 1;
  const spreads = Array.from(
    { length: slots },
    (_, slot) => images.map((_, image) => colorSpread(colors, firstPatch(layout, slot, image), patches)),
  );
  const means = spreads.map(mean);
  const widest = Math.max(...means), lively = [...means.keys()].filter((i) => means[i] >= FLAT * widest);
  const figure = images.every(({ mask }) => mask) ? await figureOf(images, grid) : null;
  const accuracies = lively.map((slot) => figure ? accuracyOf(eigenvectors, layout, slot, figure) : NaN);
  const isKnown = accuracies.every(Number.isFinite);
  const content = lively.map((slot) =>
    contentVariance(patchColors(colors, layout, slot), layout.images, grid)
  );
  const best = largest(isKnown ? accuracies : content.map(({ variance }) => variance));
  const slot = lively[best], image = largest(spreads[slot]);
  return {
    slot,
    image,
    token: 1 +
      telling(
        eigenvectors,
        firstPatch(layout, slot, image),
        patches,
        (patch) => figure?.[image * tokens + 1 + patch] === 1,
      ),
    reason: isKnown
      ? `figure and ground are furthest apart here (balanced accuracy ${
        accuracies[best].toFixed(2)
      }), among the layers whose maps are not flat`
      : `of all layers, its colors show most of what is in the images (${
        Math.round(100 * content[best].share)
      } % of their variance is in areas that neither the place nor the image explains)`,
  };
}

function firstPatch({ images, tokens }: Layout, slot: number, image: number): number {
  return (slot * images + image) * tokens + 1;
}

/** Colors of the patches of one layer, without class tokens. */
function patchColors(colors: Uint8Array, layout: Layout, slot: number): Uint8Array {
  const { images, tokens } = layout, own = new Uint8Array(3 * images * (tokens - 1));
  for (let image = 0; image < images; image++) {
    const from = 3 * firstPatch(layout, slot, image);
    own.set(colors.subarray(from, from + 3 * (tokens - 1)), 3 * image * (tokens - 1));
  }
  return own;
}

/** Root mean square distance of colors to their mean. */
function colorSpread(colors: Uint8Array, first: number, count: number): number {
  let variance = 0;
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0, squares = 0;
    for (let i = first; i < first + count; i++) {
      sum += colors[3 * i + channel];
      squares += colors[3 * i + channel] ** 2;
    }
    variance += squares / count - (sum / count) ** 2;
  }
  return Math.sqrt(Math.max(0, variance));
}

/** Figure (1) or ground (0) of every token of every image by its majority, 255 where nothing is known. */
async function figureOf(images: readonly RunImage[], grid: Layout["grid"]): Promise<number[]> {
  const { counts } = await figureLabels(images, grid);
  return Array.from({ length: counts.length / 2 }, (_, i) => {
    const ground = counts[2 * i], figure = counts[2 * i + 1];
    return ground + figure === 0 ? 255 : Number(figure > ground);
  });
}

function accuracyOf(vectors: Matrix, layout: Layout, slot: number, figure: number[]): number {
  const count = layout.images * layout.tokens;
  return balancedAccuracy(rowRange(vectors, slot * count, count), [...figure.keys()], figure);
}

/** The patch whose similarities vary most, among those wanted if there are any. */
function telling(
  vectors: Matrix,
  first: number,
  count: number,
  wanted: (patch: number) => boolean,
): number {
  const unit = unitRows(rowRange(vectors, first, count));
  const variances = Array.from({ length: count }, (_, patch) => {
    const values = similarities(unit, patch, 0, count);
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  });
  const chosen = variances.map((variance, patch) => wanted(patch) ? variance : -1);
  return largest(chosen.some((variance) => variance >= 0) ? chosen : variances);
}

function largest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
