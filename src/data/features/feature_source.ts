/** Feature files as the nodes of one graph, read panel by panel. */
import type { NodeSource } from "../../graph/node_source.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { openFeatures } from "./feature_shards.ts";
import type { FeatureFile } from "./feature_store.ts";

/** A feature file's place among the nodes: one layer of one model. */
export interface FeatureSlot {
  /** The file. */
  path: string;
  /** Name of the model. */
  model: string;
  layer: number;
  /** Number of the slot's first node. */
  first: number;
  /** Nodes of the slot: images × tokens. */
  rows: number;
  /** Nodes of an image. */
  tokens: number;
  /** Channels of the slot. */
  cols: number;
}

/** Open feature files, one slot each, whose widths may differ. */
export interface FeatureSlots {
  /** Nodes of all. */
  rows: number;
  /** The files in order. */
  slots: FeatureSlot[];
  /** A node's model, layer and image, numbered. */
  strata(row: number): number;
  /**
   * Reads nodes of one slot.
   *
   * @param slot index into `slots`
   * @param first counted from the slot's first node
   * @returns count × the slot's channels
   */
  readSlot(slot: number, first: number, count: number): Promise<Matrix>;
  /** Closes the files. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Open feature files as one source of nodes. */
export interface FeatureSource extends NodeSource {
  /** The files in order. */
  slots: FeatureSlot[];
  /** Closes the files. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens feature files, one a layer of a model, whatever their widths.
 *
 * @param paths feature files as `extractFeatures` writes them
 * @returns the slots; `close` them in the end
 * @throws Error when there is no file, or one cannot be read
 */
export async function openFeatureSlots(paths: string[]): Promise<FeatureSlots> {
  if (paths.length === 0) throw new Error("There are no feature files: give at least one.");
  const files: FeatureFile[] = [];
  const close = async () => {
    for (const file of files) await file.close();
  };
  try {
    for (const path of paths) files.push(await openFeatures(path));
    const slots: FeatureSlot[] = [];
    let total = 0;
    for (const [i, file] of files.entries()) {
      slots.push({ path: paths[i], ...slotOf(file), first: total, rows: file.rows, cols: file.cols });
      total += file.rows;
    }
    return {
      rows: total,
      slots,
      close,
      [Symbol.asyncDispose]: close,
      strata: strataOf(slots),
      async readSlot(slot, first, count) {
        return {
          data: await files[slot].readRows(first, first + count),
          rows: count,
          cols: files[slot].cols,
        };
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Opens feature files, one a layer of a model, as one graph: the nodes of the first file, then those of the second, and
 * so on. A node's stratum is its model, layer and image.
 *
 * @param paths feature files as `extractFeatures` writes them
 * @returns the source; `close` it in the end
 * @throws Error when there is no file, one cannot be read, or "b.arrow has 64 channels, but a.arrow has 48 …"
 */
export async function openFeatureSource(paths: string[]): Promise<FeatureSource> {
  const opened = await openFeatureSlots(paths), { rows, slots, strata, close } = opened, [{ cols }] = slots;
  const other = slots.find((slot) => slot.cols !== cols);
  if (other) {
    await close();
    throw new Error(
      `${other.path} has ${other.cols} channels, but ${
        paths[0]
      } has ${cols}: align the features first, or take layers of one width.`,
    );
  }
  return {
    rows,
    cols,
    slots,
    strata,
    close,
    [Symbol.asyncDispose]: close,
    async read(first, count) {
      const data = new Float32Array(count * cols);
      for (const { slot, from, to } of partsOf(slots, first, count)) {
        const part = await opened.readSlot(slot, from - slots[slot].first, to - from);
        data.set(part.data, (from - first) * cols);
      }
      return { data, rows: count, cols };
    },
  };
}

/** The slots that some nodes are of, with their nodes [from, to) among all. */
export function* partsOf(
  slots: readonly FeatureSlot[],
  first: number,
  count: number,
): Generator<{ slot: number; from: number; to: number }> {
  for (let from = first, slot = slotAt(slots, first); from < first + count; slot++) {
    const to = Math.min(first + count, slots[slot].first + slots[slot].rows);
    yield { slot, from, to };
    from = to;
  }
}

/** What a file notes about itself; a file without a number of tokens counts as one image. */
function slotOf({ meta, rows }: FeatureFile): Pick<FeatureSlot, "model" | "layer" | "tokens"> {
  const tokens = Number(meta.get("tokens") ?? rows);
  return {
    model: meta.get("model") ?? "",
    layer: Number(meta.get("layer") ?? 0),
    tokens: tokens > 0 ? tokens : rows,
  };
}

/** Numbers the images of every slot, one slot behind the other. */
function strataOf(slots: FeatureSlot[]): (row: number) => number {
  const firsts: number[] = [];
  let next = 0;
  for (const { rows, tokens } of slots) {
    firsts.push(next);
    next += Math.ceil(rows / tokens);
  }
  return (row) => {
    const at = slotAt(slots, row);
    return firsts[at] + Math.floor((row - slots[at].first) / slots[at].tokens);
  };
}

/** Index of the slot that a row belongs to. */
function slotAt(slots: readonly FeatureSlot[], row: number): number {
  let low = 0, high = slots.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (slots[middle].first <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
