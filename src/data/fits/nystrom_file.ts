/** Fitted models on disk: one Arrow IPC file, one row a landmark. */
import * as v from "valibot";
import {
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  Uint32,
} from "apache-arrow";
import type { Gpu } from "../../gpu/mod.ts";
import { type NystromFit, type NystromModel, nystromModel } from "../../graph/nystrom.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { RowNumbers } from "../../linalg/random.ts";
import { checkArrow, inMemory } from "../formats/arrow_check.ts";
import { reasonOf, writeFileAtomic } from "../files/atomic_write.ts";
import { listOf, NUMBER, objectOf, oneOf, parseJson, TOGGLE, wholeNumber } from "../files/checked_json.ts";
import { readPlainFile } from "../files/plain_file.ts";

/** Noted in every file; another format gets another name. */
const FORMAT = "alignedcut nystrom 2";
const MAGIC = "ARROW1";

/** How a file notes what a fit was asked for. */
export const FIT_CHOICES = {
  neighbors: v.union([wholeNumber(1), v.literal("all")], 'a whole number from 1 on or "all"'),
  /** The inverted file, by the name that it has in files. */
  shortlist: v.nullable(objectOf({ share: NUMBER, recall: NUMBER }, "share and recall")),
  sampling: oneOf(["farthest", "uniform", "stratified"]),
  seed: NUMBER,
};
/** How it notes the solve of the landmarks. */
export const CUT_QUALITY = {
  eigenvalues: listOf(NUMBER, "a list of numbers"),
  residuals: listOf(NUMBER, "a list of numbers"),
  eigengap: v.nullable(NUMBER),
  converged: TOGGLE,
  /** Absent in files of earlier versions. */
  resolved: v.optional(wholeNumber()),
};
const NOTES = objectOf({ ...CUT_QUALITY, ...FIT_CHOICES }, "the notes of a fitted model");

/**
 * Writes a fitted model to one file, whole or not at all.
 *
 * @param path its name, by custom ending in .arrow
 * @throws Error "Cannot write a/b.arrow: No such file or directory."
 */
export async function saveNystrom(path: string, fit: NystromFit): Promise<void> {
  const { landmarks, cut, neighbors, ivf, projection, sampling, seed } = fit;
  const { eigenvalues, residuals, eigengap, converged, resolved } = cut;
  const notes: v.InferInput<typeof NOTES> = {
    eigenvalues: [...eigenvalues],
    residuals: [...residuals],
    eigengap,
    converged,
    resolved,
    neighbors,
    shortlist: ivf,
    sampling,
    seed,
  };
  const length = landmarks.indices.length;
  const columns = [
    { name: "index", data: rowData(landmarks.indices) },
    { name: "degree", data: makeData({ type: new Float32(), data: cut.degrees }) },
    { name: "features", data: listData(landmarks.features) },
    { name: "eigenvectors", data: listData(cut.eigenvectors) },
    ...(projection ? [{ name: "projection", data: listData(projection) }] : []),
  ];
  const fields = columns.map(({ name, data }) => new Field(name, data.type as DataType, false));
  const schema = new Schema(fields, new Map([["format", FORMAT], ["notes", JSON.stringify(notes)]]));
  const children = columns.map(({ data }) => data);
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  await writeFileAtomic(path, tableToIPC(new Table(new RecordBatch(schema, rows)), "file"));
}

/** Row numbers: uint32, or float64 where one is beyond. */
function rowData(rows: RowNumbers) {
  return rows instanceof Uint32Array
    ? makeData({ type: new Uint32(), data: rows })
    : makeData({ type: new Float64(), data: rows });
}

/** A matrix as one fixed-size list a row. */
function listData({ data, rows, cols }: Matrix) {
  const type = new FixedSizeList(cols, new Field("item", new Float32(), false));
  const child = makeData({ type: new Float32(), length: rows * cols, data });
  return makeData({ type, length: rows, nullCount: 0, child });
}

/**
 * Reads a fitted model.
 *
 * @returns the model, equal to the saved one in every bit
 * @throws Error "Cannot read the model …" when the file is absent, cut short, or something else
 */
export async function loadNystrom(gpu: Gpu, path: string): Promise<NystromModel> {
  const broken = (why: string) => new Error(`Cannot read the model ${path}: ${why}; fit it again.`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readPlainFile(path);
  } catch (error) {
    throw new Error(`Cannot read the model ${path}: ${reasonOf(error)}.`);
  }
  const isMagic = (at: number) => new TextDecoder().decode(bytes.subarray(at, at + MAGIC.length)) === MAGIC;
  if (!isMagic(0) || !isMagic(bytes.length - MAGIC.length)) {
    throw broken("it is not an Arrow file, or is cut short");
  }
  let table: Table;
  try {
    await checkArrow(inMemory(bytes));
    table = tableFromIPC(bytes);
  } catch {
    throw broken("it is damaged");
  }
  const { metadata } = table.schema;
  if (metadata.get("format") !== FORMAT) {
    throw broken(`its format is "${metadata.get("format") ?? "unknown"}", not "${FORMAT}"`);
  }
  try {
    return nystromModel(gpu, fitOf(table, parseJson(metadata.get("notes") ?? "", NOTES)));
  } catch (error) {
    throw broken(`it is damaged (${reasonOf(error)})`);
  }
}

function fitOf(table: Table, notes: v.InferOutput<typeof NOTES>): NystromFit {
  const { eigenvalues, residuals, eigengap, converged, neighbors, shortlist: ivf, sampling, seed } = notes;
  const { resolved = eigenvalues.length } = notes;
  const eigenvectors = matrixOf(table, "eigenvectors");
  const rows = table.getChild("index")?.type instanceof Float64 ? Float64Array : Uint32Array;
  const indices = valuesOf<RowNumbers>(table, "index", rows),
    degrees = valuesOf(table, "degree", Float32Array);
  const isWhole = indices.length === table.numRows && degrees.length === table.numRows &&
    eigenvalues.length === eigenvectors.cols && residuals.length === eigenvectors.cols;
  if (!isWhole) throw new Error("values are missing");
  return {
    landmarks: { indices, features: matrixOf(table, "features") },
    cut: {
      eigenvectors,
      eigenvalues: Float64Array.from(eigenvalues),
      residuals: Float64Array.from(residuals),
      eigengap,
      converged,
      resolved,
      degrees,
    },
    neighbors,
    ivf,
    sampling,
    seed,
    projection: neighbors === "all" ? matrixOf(table, "projection") : null,
  };
}

/** The values of a column of numbers; the file holds one batch, whose buffers may be padded. */
function valuesOf<T extends RowNumbers | Float32Array>(
  table: Table,
  name: string,
  kind: new (values: ArrayLike<number>) => T,
): T {
  const values: unknown = table.getChild(name)?.data[0]?.values;
  if (!(values instanceof kind)) throw new Error(`the column ${name} is missing`);
  return new kind(values.subarray(0, table.numRows));
}

/** A column of fixed-size lists as a matrix. */
function matrixOf(table: Table, name: string): Matrix {
  const column = table.getChild(name);
  const values: unknown = column?.data[0]?.children[0]?.values;
  const cols = column?.type instanceof FixedSizeList ? column.type.listSize : 0;
  const isWhole = values instanceof Float32Array && cols > 0 && values.length >= table.numRows * cols;
  if (!isWhole) throw new Error(`the column ${name} is missing`);
  return { data: values.slice(0, table.numRows * cols), rows: table.numRows, cols };
}
