/** Activation maps of a model's units, for a few images at a time: what is held does not grow with the images. */
import { findSlot } from "../../align/slots.ts";
import { openFeatureSlots } from "../../data/features/feature_source.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { addToSums, scaleOf, standardize, type UnitSums } from "./matching.ts";

/** Bytes of the maps of images that are read at a time. */
const PANEL_BYTES = 2 ** 24;

/** Maps of some images: images · patches × units, z-scored over all that the scale was made of. */
export type Scaled = (images: readonly number[]) => Promise<Matrix>;

/** One model's maps; the end of an `await using` block closes them. */
export interface ModelMaps {
  /** Layers × channels. */
  units: number;
  /** Channels of a layer. */
  channels: number;
  /** Images to read at a time. */
  most: number;
  /** Looks at some images for mean and variance of every unit. */
  scaled(images: readonly number[]): Promise<Scaled>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens the maps of one model.
 *
 * @param m its index
 * @param features of one slot of the alignment, tokens × channels, from its raw ones
 */
export async function openMaps(
  { manifests, models, tokens, align }: Pick<Pipeline, "manifests" | "models" | "tokens" | "align">,
  m: number,
  features: (slot: number, raw: Matrix) => Promise<Matrix>,
): Promise<ModelMaps> {
  const { layers } = manifests[m], patches = tokens - 1;
  const raw = await openFeatureSlots(layers.map(({ path }) => path));
  const layerOf = async (l: number, images: readonly number[]) => {
    const { cols } = raw.slots[l], data = new Float32Array(images.length * tokens * cols);
    for (let at = 0, end = 1; at < images.length; at = end++) {
      while (end < images.length && images[end] - images[end - 1] === 2) end++; // half of the images lie between one another
      const read = await raw.readSlot(l, images[at] * tokens, (images[end - 1] - images[at] + 1) * tokens);
      for (let i = at; i < end; i++) {
        const from = (images[i] - images[at]) * tokens * cols;
        data.set(read.data.subarray(from, from + tokens * cols), i * tokens * cols);
      }
    }
    return await features(findSlot(align.slots, models[m], layers[l].layer), {
      data,
      rows: images.length * tokens,
      cols,
    });
  };
  const { cols: channels } = await layerOf(0, [0]), units = layers.length * channels;
  const read = async (images: readonly number[]): Promise<Matrix> => {
    const rows = images.length * patches, data = new Float32Array(rows * units);
    for (const l of layers.keys()) {
      const own = (await layerOf(l, images)).data;
      for (let row = 0; row < rows; row++) {
        const from = (row + Math.floor(row / patches) + 1) * channels; // the class token is left out
        data.set(own.subarray(from, from + channels), row * units + l * channels);
      }
    }
    return { data, rows, cols: units };
  };
  const most = Math.max(1, Math.floor(PANEL_BYTES / (4 * patches * units)));
  return {
    units,
    channels,
    most,
    async scaled(images) {
      let sums: UnitSums | undefined;
      for (const some of slices(images, most)) sums = addToSums(await read(some), sums);
      const scale = scaleOf(sums!);
      return async (some) => {
        const maps = await read(some);
        standardize(maps, scale);
        return maps;
      };
    },
    [Symbol.asyncDispose]: raw.close,
  };
}

/** A list in pieces of `most`. */
export function slices(list: readonly number[], most: number): number[][] {
  return Array.from(
    { length: Math.ceil(list.length / most) },
    (_, at) => list.slice(at * most, (at + 1) * most),
  );
}
