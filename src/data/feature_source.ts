/** Feature files as the nodes of one graph, read panel by panel. */
import type { NodeSource } from "../graph/node_source.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { openFeatures } from "./feature_shards.ts";
import type { FeatureFile } from "./feature_store.ts";

/** A feature file's place among the nodes: one layer of one model. */
export interface FeatureSlot {
  /** The file. */
  path: string;
  /** Name of the model. */
  model: string;
  /** Number of the layer. */
  layer: number;
  /** Number of the slot's first node. */
  first: number;
  /** Nodes of the slot: images × tokens. */
  rows: number;
  /** Nodes of an image. */
  tokens: number;
}

/** Open feature files as one source of nodes. */
export interface FeatureSource extends NodeSource {
  /** The files in order. */
  slots: FeatureSlot[];
  /** Closes the files. */
  close(): Promise<void>;
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
  if (paths.length === 0) throw new Error("There are no feature files: give at least one.");
  const files: FeatureFile[] = [];
  const close = async () => {
    for (const file of files) await file.close();
  };
  try {
    for (const path of paths) files.push(await openFeatures(path));
    const { cols } = files[0];
    const slots: FeatureSlot[] = [];
    let rows = 0;
    for (const [i, file] of files.entries()) {
      if (file.cols !== cols) {
        throw new Error(
          `${paths[i]} has ${file.cols} channels, but ${
            paths[0]
          } has ${cols}: align the features first, or take ` +
            "layers of one width.",
        );
      }
      slots.push({ path: paths[i], ...slotOf(file), first: rows, rows: file.rows });
      rows += file.rows;
    }
    return {
      rows,
      cols,
      slots,
      close,
      strata: strataOf(slots),
      read: (first, count) => read(files, slots, first, count),
    };
  } catch (error) {
    await close();
    throw error;
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
function slotAt(slots: FeatureSlot[], row: number): number {
  let low = 0, high = slots.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (slots[middle].first <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function read(
  files: FeatureFile[],
  slots: FeatureSlot[],
  first: number,
  count: number,
): Promise<Matrix> {
  const { cols } = files[0];
  const data = new Float32Array(count * cols);
  for (let row = first, at = slotAt(slots, first); row < first + count; at++) {
    const slot = slots[at];
    const end = Math.min(first + count, slot.first + slot.rows);
    data.set(await files[at].readRows(row - slot.first, end - slot.first), (row - first) * cols);
    row = end;
  }
  return { data, rows: count, cols };
}
