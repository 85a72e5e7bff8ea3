/** Values of all nodes on disk: Arrow files by model and layer that pandas, Polars, pyarrow and DuckDB open as one table. */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import {
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Int16,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Uint8,
} from "apache-arrow";
import { writeFileAtomic } from "../files/atomic_write.ts";
import type { FileHashes } from "../files/file_hashes.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { type ImageRange, SHARD_IMAGES, shardName, shardRanges } from "./feature_shards.ts";
import type { FeatureSlot } from "./feature_source.ts";

/** Files of a folder, at most: file systems become slow beyond. */
export const MAX_FILES = 4096;
/** Batches of files that a dataset is made in, at most; each leaves a note. */
const MAX_BATCHES = 2048;

/** What of a slot places its nodes. */
export type DatasetSlot = Pick<FeatureSlot, "model" | "layer" | "first" | "rows" | "tokens">;

/** The nodes of one file: a range of images in one slot. */
export interface DatasetFile extends ImageRange {
  /** Its path in the dataset's folder. */
  path: string;
  slot: DatasetSlot;
  firstNode: number;
  /** Number of its nodes. */
  rows: number;
}

/** What files hold beside `image` and `token`: `vector` (rows × C float32), or whole numbers. */
export type DatasetColumns = Record<
  string,
  { vectors: Float32Array; cols: number } | Int32Array | Uint8Array
>;

/**
 * Folder of a slot, partitioned as Hive does it.
 *
 * @param model its name, escaped as in an address
 */
export function slotFolder({ model, layer }: Pick<DatasetSlot, "model" | "layer">): string {
  return `model=${encodeURIComponent(model)}/layer=${layer}`;
}

/** Images of a file: 64, doubled until a folder has no more than 4,096 files. */
export function imagesPerFile(images: number): number {
  let size = SHARD_IMAGES;
  while (Math.ceil(images / size) > MAX_FILES) size *= 2;
  return size;
}

/** The files that hold all nodes, in the nodes' order: a function of slots and images alone, whoever writes them. */
export function datasetFiles(slots: readonly DatasetSlot[]): DatasetFile[] {
  return slots.flatMap((slot) => {
    const images = slot.rows / slot.tokens, ranges = shardRanges(images, imagesPerFile(images));
    return ranges.map((range) => ({
      ...range,
      slot,
      path: `${slotFolder(slot)}/${shardName(range)}`,
      firstNode: slot.first + range.first * slot.tokens,
      rows: range.count * slot.tokens,
    }));
  });
}

/** Files that are made one behind the other by whoever makes the first of them. */
export function fileBatches(files: readonly DatasetFile[]): DatasetFile[][] {
  const size = Math.ceil(files.length / MAX_BATCHES);
  return Array.from(
    { length: Math.ceil(files.length / size) },
    (_, at) => files.slice(at * size, (at + 1) * size),
  );
}

/**
 * Writes a file of a dataset, whole or not at all.
 *
 * @param folder of the dataset
 * @param columns one row for every node, images one behind the other
 * @returns its size and SHA-256
 */
export async function writeDatasetFile(
  folder: string,
  { path, slot, first, rows }: DatasetFile,
  columns: DatasetColumns,
): Promise<FileHashes> {
  const { tokens, model, layer } = slot;
  const image = Int32Array.from({ length: rows }, (_, at) => first + Math.floor(at / tokens));
  const token = Int16Array.from({ length: rows }, (_, at) => at % tokens);
  const children = [
    { name: "image", data: makeData({ type: new Int32(), data: image }) },
    { name: "token", data: makeData({ type: new Int16(), data: token }) },
    ...Object.entries(columns).map(([name, values]) => ({ name, data: columnData(values, rows) })),
  ];
  const fields = children.map(({ name, data }) => new Field(name, data.type as DataType, false));
  const meta = new Map([["model", model], ["layer", String(layer)], ["tokens", String(tokens)]]);
  const schema = new Schema(fields, meta);
  const struct = makeData({
    type: new Struct(fields),
    length: rows,
    nullCount: 0,
    children: children.map(({ data }) => data),
  });
  const bytes = tableToIPC(new Table(new RecordBatch(schema, struct)), "file");
  await Deno.mkdir(dirname(`${folder}/${path}`), { recursive: true });
  await writeFileAtomic(`${folder}/${path}`, bytes);
  return { [path]: { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") } };
}

function columnData(values: DatasetColumns[string], length: number) {
  if (values instanceof Int32Array) return makeData({ type: new Int32(), data: values });
  if (values instanceof Uint8Array) return makeData({ type: new Uint8(), data: values });
  const type = new FixedSizeList(values.cols, new Field("item", new Float32(), false));
  const child = makeData({ type: new Float32(), data: values.vectors });
  return makeData({ type, length, nullCount: 0, child });
}

/**
 * The whole numbers of one column in a file of a dataset.
 *
 * @throws Error "Cannot read a/b.arrow: it has no column nearest."
 */
export async function readDatasetColumn(path: string, name: string): Promise<Int32Array | Uint8Array> {
  const column = tableFromIPC(await readPlainFile(path)).getChild(name);
  if (!column) throw new Error(`Cannot read ${path}: it has no column ${name}.`);
  return column.toArray();
}
