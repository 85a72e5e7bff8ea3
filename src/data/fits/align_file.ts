/**
 * A trained channel alignment, or its training, as one Arrow file: a row a matrix, everything else in the metadata, with a
 * hash of it all.
 */
import * as v from "valibot";
import { createHash } from "node:crypto";
import {
  Field,
  Float32,
  Int32,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchReader,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { AlignModel } from "../../align/model.ts";
import type { AlignedSpace } from "../../align/space.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { checkArrow, inMemory } from "../formats/arrow_check.ts";
import { reasonOf, writeFileAtomic } from "../files/atomic_write.ts";
import {
  type JsonSchema,
  listOf,
  NUMBER,
  objectOf,
  parseJson,
  recordOf,
  TEXT,
  wholeNumber,
} from "../files/checked_json.ts";
import { readPlainFile } from "../files/plain_file.ts";
import type { AlignEpoch, AlignState } from "../../align/train_options.ts";

/** With means and a space, which the second format, still read, had not. */
const FORMAT = "alignedcut-align-3", SECOND = "alignedcut-align-2";
const STATE = "alignedcut-align-state-2";

/** Layers by name, with their channels. */
export const SLOTS = listOf(
  objectOf({ name: TEXT, width: wholeNumber(1) }, "name and width"),
  "a list of layers",
);
/** How well each layer was fitted. */
export const FITS = listOf(
  objectOf({ alpha: NUMBER, explained: NUMBER }, "alpha and explained"),
  "a list of fits",
);
const SAMPLE = { slot: wholeNumber() };
const HISTORY = listOf(
  objectOf({
    epoch: wholeNumber(),
    brain: NUMBER,
    validation: NUMBER,
    eigen: NUMBER,
    zero: NUMBER,
    covariance: NUMBER,
    moved: listOf(objectOf({ ...SAMPLE, components: wholeNumber() }, "slot and components")),
    unsolved: listOf(objectOf({ ...SAMPLE, residual: NUMBER }, "slot and residual")),
  }, "an epoch"),
  "a list of epochs",
);
const ALIGN = objectOf({
  slots: SLOTS,
  shared: v.optional(wholeNumber()),
  options: recordOf(v.unknown(), "options by name"),
  history: HISTORY,
  fits: v.optional(FITS),
  held: v.optional(NUMBER),
}, "the notes of an alignment");
const TRAINING = objectOf({ key: TEXT, history: HISTORY }, "the notes of a training");

/** A model with the options it was trained by. */
export interface SavedAlign {
  model: AlignModel;
  /** What further slots are fitted by, where `fitSpace` made the model. */
  space?: Omit<AlignedSpace, "model">;
  /** Plain values, as they were given. */
  options: Record<string, unknown>;
  history: AlignEpoch[];
}

/**
 * Writes an alignment: rows W, β and ε with their shapes, the means and the basis where it has them; slots, options, history and
 * the slots' fits in the metadata.
 *
 * @param path its name; nothing partial is ever left under it
 */
export async function saveAlign(path: string, { model, space, options, history }: SavedAlign): Promise<void> {
  const { slots, transforms, beta, epsilon, means, offsets, shared } = model;
  const row = (data: Float32Array) => ({ data, rows: 1, cols: data.length });
  await writeMatrices(path, FORMAT, {
    W: transforms,
    "β": beta,
    "ε": row(epsilon),
    ...(means && { means: row(means) }),
    ...(offsets && { offsets }),
    ...(space && { basis: space.basis, center: row(space.center) }),
  }, { slots, shared, options, history, ...(space && { fits: space.fits, held: space.held }) });
}

/**
 * Reads what `saveAlign` wrote.
 *
 * @throws Error "Cannot read the alignment …: …" when it is absent, cut short, or something else
 */
export async function loadAlign(path: string): Promise<SavedAlign> {
  const { matrices, meta } = await readMatrices(path, ALIGN, FORMAT, SECOND);
  const { W: transforms, "β": beta, "ε": epsilon, means, offsets, basis, center } = matrices;
  const { slots, shared, options, history, fits, held } = meta;
  const width = slots.reduce((sum, slot) => sum + slot.width, 0);
  if (
    !transforms || !beta || !epsilon || transforms.rows !== width || transforms.cols !== beta.rows ||
    beta.cols !== epsilon.cols || shared! > beta.rows || means && means.cols !== width ||
    offsets && (offsets.rows !== slots.length || offsets.cols !== beta.rows) ||
    basis &&
      (!fits || held === undefined || basis.rows !== beta.cols || 2 * basis.cols !== beta.rows ||
        center?.cols !== beta.cols)
  ) {
    throw broken(path, "its matrices do not belong together");
  }
  return {
    model: {
      slots,
      transforms,
      beta,
      epsilon: epsilon.data,
      ...(means && { means: means.data }),
      ...(offsets && { offsets }),
      ...(shared && { shared }),
    },
    ...(basis && { space: { fits: fits!, held: held!, basis, center: center.data } }),
    options,
    history,
  };
}

/**
 * Keeps the training of an alignment in one file, so that a stopped run goes on bit for bit.
 *
 * @param path the file
 * @param key of the data and options; a file with another key is left alone and written over
 */
export function alignCheckpoint(path: string, key: string) {
  return {
    async load(): Promise<AlignState | null> {
      try {
        const { matrices, meta } = await readMatrices(path, TRAINING, STATE);
        if (meta.key !== key) return null;
        const trio = (names: string[]) => names.map((name) => matrices[name]) as [Matrix, Matrix, Matrix];
        return {
          history: meta.history,
          parameters: ["W", "β", "ε"].map((name) => trio([name, `${name} first`, `${name} second`])),
          best: trio(["best W", "best β", "best ε"]),
        };
      } catch {
        return null; // absent, or not from a finished epoch
      }
    },
    async save({ history, parameters, best }: AlignState): Promise<void> {
      const matrices: Record<string, Matrix> = {};
      ["W", "β", "ε"].forEach((name, i) => {
        [matrices[name], matrices[`${name} first`], matrices[`${name} second`]] = parameters[i];
        matrices[`best ${name}`] = best[i];
      });
      await writeMatrices(path, STATE, matrices, { key, history });
    },
  };
}

function broken(path: string, why: string): Error {
  return new Error(`Cannot read the alignment ${path}: ${why}; train it again.`);
}

/** Matrices by name, and what is noted beside them, as one file with a hash of it all. */
export async function writeMatrices(
  path: string,
  format: string,
  matrices: Record<string, Matrix>,
  meta: Record<string, unknown>,
): Promise<void> {
  const fields = [
    new Field("name", new Utf8(), false),
    new Field("rows", new Int32(), false),
    new Field("cols", new Int32(), false),
    new Field("values", new List(new Field("item", new Float32(), false)), false),
  ];
  const text = JSON.stringify(meta), sha256 = hashOf(text, matrices);
  const schema = new Schema(fields, new Map([["format", format], ["meta", text], ["sha256", sha256]]));
  const batches = Object.entries(matrices).map(([name, { data, rows, cols }]) => {
    const values = makeData({ type: new Float32(), length: data.length, data });
    const children = [
      vectorFromArray([name], new Utf8()).data[0],
      makeData({ type: new Int32(), data: Int32Array.of(rows) }),
      makeData({ type: new Int32(), data: Int32Array.of(cols) }),
      makeData({
        type: fields[3].type as List<Float32>,
        length: 1,
        nullCount: 0,
        valueOffsets: Int32Array.of(0, data.length),
        child: values,
      }),
    ];
    return new RecordBatch(schema, makeData({ type: new Struct(fields), length: 1, nullCount: 0, children }));
  });
  const writer = RecordBatchFileWriter.writeAll(batches);
  await writeFileAtomic(path, await writer.toUint8Array());
}

/** Of all values, their names and shapes, and the text. */
function hashOf(text: string, matrices: Record<string, Matrix>): string {
  const hash = createHash("sha256").update(text);
  for (const [name, { data, rows, cols }] of Object.entries(matrices)) {
    hash.update(` ${name} ${rows} ${cols} `).update(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }
  return hash.digest("hex");
}

/** Reads what `writeMatrices` wrote. @param schema of what is noted beside the matrices @throws Error "Cannot read the alignment …: …" when it is absent, cut short, or something else */
export async function readMatrices<const S extends JsonSchema>(
  path: string,
  schema: S,
  ...formats: string[]
) {
  let bytes: Uint8Array;
  try {
    bytes = await readPlainFile(path);
  } catch (error) {
    throw new Error(`Cannot read the alignment ${path}: ${reasonOf(error)}.`, { cause: error });
  }
  const matrices: Record<string, Matrix> = {};
  try {
    await checkArrow(inMemory(bytes));
    const reader = RecordBatchReader.from(bytes);
    reader.open();
    const { metadata } = reader.schema; // which the reader forgets in the end
    if (!formats.includes(metadata.get("format") ?? "")) throw new Error("it is of another format");
    const text = metadata.get("meta") ?? "{}";
    for (const batch of reader) {
      const { name, rows, cols, values } = batch.get(0)!.toJSON();
      const data = Float32Array.from((values as { toArray(): Float32Array }).toArray());
      if (data.length !== rows * cols) throw new Error(`its matrix ${name} is cut short`);
      matrices[String(name)] = { data, rows, cols };
    }
    if (metadata.get("sha256") !== hashOf(text, matrices)) throw new Error("it is damaged");
    return { matrices, meta: parseJson(text, schema) };
  } catch (error) {
    throw broken(path, reasonOf(error).split("\n")[0].replace(/\.$/, ""));
  }
}
