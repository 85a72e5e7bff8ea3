/** Embeddings of any origin as one matrix: arrays of NumPy, tables of Arrow, Parquet and CSV, safetensors. */
import { assertKnown } from "../../linalg/check_options.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { isArrow, readArrowTable } from "./arrow_columns.ts";
import { reasonOf } from "../files/atomic_write.ts";
import { readCsvTable } from "./csv_table.ts";
import { findMatrix, type NamedArray, npzArrays } from "./named_arrays.ts";
import { parseNpy, readBytes } from "./npy.ts";
import { isParquet, readParquetTable } from "./parquet_columns.ts";
import { INDEX_NAME, isUnnamedIndex, type ReadColumn, type ReadTable } from "./read_columns.ts";
import { parseSafetensors } from "./safetensors.ts";

/** Vectors of some things, and the things' names where the file has them. */
export interface Embedding {
  /** One row a thing. */
  matrix: Matrix;
  /** One a row: the text of the index, or else the first column of text; absent where there is none. */
  names?: string[];
  /** What was left out of the file, and what was decided to read it, a sentence each; absent where there is nothing to say. */
  notes?: string[];
}

/** Settings of `readEmbedding`. */
export interface EmbeddingOptions {
  /** Whether the first line of CSV names the columns; default: decided from its contents, and reported. */
  header?: boolean;
}

/** 268 MB of CSV, which take several times as many in memory. */
const MAX_CSV = 2 ** 28;
/** Of a number that is written in another way. */
const MAX_LETTERS = 40;
/** With a sign, money, parts of a thousand, percent. */
const NUMBER_LIKE = /^\s*[+\u2212$€£-]?\s*\d[\d\s.,'_]*[%$€£]?\s*$/;
/** 4 GB of float32. */
const MAX_NUMBERS = 2 ** 30;

/**
 * Reads an embedding, as the first bytes of the file or the ending of its path say.
 *
 * `.npy`, `.npz`, `.safetensors`: the array of two axes, of any type of numbers; with it in `.npz`, the texts that name its
 * rows. `.csv`, `.tsv`, `.txt`: one thing a line; commas, semicolons or tabs between cells, decimal points or commas. `.arrow`,
 * `.feather` (Arrow IPC, file or stream, LZ4 or ZSTD) and `.parquet`: columns. Every column of numbers (decimals and booleans,
 * too) is a dimension, or one column of equally long lists is all of them; a column of text holds the names. An index (the first
 * column of CSV where it has no name and holds whole numbers; what pandas notes as one) is no dimension. Columns of other types
 * are left out and listed in `notes`.
 *
 * @param path the file
 * @throws Error "a.csv, line 3: column "x" is "", expected a finite float32."; "a.npy has shape (5), expected things × dimensions."
 */
export async function readEmbedding(path: string, options: EmbeddingOptions = {}): Promise<Embedding> {
  assertKnown("readEmbedding", options, { header: true });
  const { header } = options;
  const ending = /\.[^./]*$/.exec(path)?.[0].toLowerCase() ?? "";
  if (!ENDINGS.includes(ending)) {
    const all = `${ENDINGS.slice(0, -1).join(", ")} and ${ENDINGS.at(-1)}`;
    throw new Error(`${path} ends in none of ${all}: save the embedding as one of them.`);
  }
  const bytes = await readBytes(path, CSV.includes(ending) ? MAX_CSV : undefined);
  if (ending === ".npy") return npyEmbedding(bytes, path);
  if (ending === ".npz") return arrayEmbedding(await npzArrays(path), path);
  if (ending === ".safetensors") return arrayEmbedding(parseSafetensors(bytes, path), path);
  if (CSV.includes(ending) && !isArrow(bytes) && !isParquet(bytes)) {
    const table = readCsvTable(decodeText(bytes, path), path, header);
    const { rows, notes, hasHeader, lineOf, cell, columns } = table;
    if (rows === 0) throw new Error(`${path} has no numbers: expected one thing a line.`);
    const place = (row: number, name: string) =>
      `${path}, line ${lineOf(row)}: column ${hasHeader ? `"${name}"` : name}`;
    const shown = (row: number, c: number) => `"${cell(row, c).slice(0, 40)}"`;
    return tableEmbedding({ rows, columns }, path, notes, place, shown);
  }
  return await columnsEmbedding(bytes, path);
}

const CSV = [".csv", ".tsv", ".tab", ".txt"];
const ENDINGS = [
  ".npy",
  ...CSV,
  ".arrow",
  ".arrows",
  ".feather",
  ".ipc",
  ".parquet",
  ".pq",
  ".npz",
  ".safetensors",
];

async function columnsEmbedding(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<Embedding> {
  const isOfParquet = isParquet(bytes), format = isOfParquet ? "a Parquet file" : "an Arrow IPC file";
  const place = (row: number, name: string) => `${path}, row ${row}: column "${name}"`;
  try {
    if (new TextDecoder("latin1").decode(bytes.subarray(0, 4)) === "FEA1") {
      throw new Error("it is Feather of version 1");
    }
    if (!isOfParquet && !isArrow(bytes)) throw new Error("it does not begin like one");
    const table = isOfParquet ? await readParquetTable(bytes) : readArrowTable(bytes);
    return tableEmbedding(table, path, [], place);
  } catch (error) {
    if ((error as Error).message.startsWith(path)) throw error;
    throw new Error(
      `${path} is not ${format} that can be read here (${
        reasonOf(error)
      }): copy it again, or save it by df.to_feather(path).`,
      { cause: error },
    );
  }
}

/** UTF-8, or UTF-16 with its mark. */
function decodeText(bytes: Uint8Array<ArrayBuffer>, path: string): string {
  const mark = bytes[0] << 8 | bytes[1];
  const encoding = mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8";
  if (mark === 0x1f8b) throw new Error(`${path} is compressed with gzip: unpack it by gunzip.`);
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    if (text.includes("\0")) throw new Error("it holds zero bytes");
    return text;
  } catch (error) {
    throw new Error(`${path} is not text in UTF-8: save it with encoding="utf-8".`, { cause: error });
  }
}

function npyEmbedding(bytes: Uint8Array<ArrayBuffer>, path: string): Embedding {
  const { data, shape } = parseNpy(bytes, path);
  if (shape.length !== 2 || data.length === 0) {
    throw new Error(`${path} has shape (${shape.join(", ")}), expected things × dimensions.`);
  }
  const { matrix, lost } = matrixOf(data as ArrayLike<number | bigint>, shape, path);
  return { matrix, ...(lost.length > 0 && { notes: lost }) };
}

function matrixOf(data: ArrayLike<number | bigint>, [rows, cols]: number[], path: string) {
  const values = new Float32Array(rows * cols), lost = new LostDigits();
  for (let at = 0; at < values.length; at++) {
    const value = Number(data[at]);
    values[at] = value;
    if (values[at] !== value) lost.add(value, values[at]);
    if (Number.isFinite(values[at])) continue;
    throw notFinite(`${path}, row ${Math.floor(at / cols)}: column ${at % cols}`, data[at]);
  }
  return { matrix: { data: values, rows, cols }, lost: lost.notes() };
}

function arrayEmbedding(arrays: readonly NamedArray[], path: string): Embedding {
  const { matrix, names, leftOut } = findMatrix(arrays, path), { shape } = matrix;
  if (shape[0] * shape[1] === 0) {
    throw new Error(`${path} has shape (${shape.join(", ")}), expected things × dimensions.`);
  }
  const { matrix: values, lost } = matrixOf(matrix.values(), shape, path);
  const notes = [...lost, ...(leftOut.length > 0 ? [`left out: ${leftOut.join(", ")}`] : [])];
  return {
    matrix: values,
    ...(names && { names: names.text!() }),
    ...(notes.length > 0 && { notes }),
  };
}

/** Numbers of a file that float32 turns into others: more than its rounding of fractions. */
class LostDigits {
  #vanished = 0;
  #rounded = 0;

  /** @param value as the file has it, and as float32 has it */
  add(value: number, kept: number): void {
    if (kept === 0 && value !== 0) this.#vanished++;
    else if (kept !== value && Number.isInteger(value)) this.#rounded++;
  }

  notes(): string[] {
    return [
      ...(this.#vanished > 0 ? [`too small for float32, and read as 0: ${this.#vanished} values`] : []),
      ...(this.#rounded > 0
        ? [`whole numbers above 16777216, which float32 rounds: ${this.#rounded} values`]
        : []),
    ];
  }
}

/** The matrix of a table's columns of numbers, or of its column of lists. */
function tableEmbedding(
  { rows, columns }: ReadTable,
  path: string,
  decided: readonly string[],
  place: (row: number, name: string) => string,
  shown?: (row: number, column: number) => string,
): Embedding {
  const lists = columns.filter(({ list, isIndex }) => list && !isIndex);
  if (lists.length > 1) {
    throw new Error(`${path} has ${lists.length} columns of lists, ${quoted(lists)}: keep one of them.`);
  }
  const dimensions = lists.length > 0 ? lists : columns.filter(({ number, isIndex }) => number && !isIndex);
  const text = columns.find(({ text, isIndex }) => text && isIndex) ?? columns.find(({ text }) => text);
  // A first list that is empty is reported with the lists that are not as long.
  const cols = lists.length > 0 ? rows > 0 ? lists[0].list!(0)?.length ?? 0 : 0 : dimensions.length;
  if (lists.length === 0 && dimensions.length === 0) {
    const found = columns.map(({ name, type }) => `"${name}" (${type})`).join(", ");
    throw new Error(`${path} has no column of numbers${shown ? "" : `: found ${found || "none"}`}.`);
  }
  if (rows === 0 || cols === 0) {
    throw new Error(`${path} has ${rows} rows and ${cols} columns of numbers: expected things × dimensions.`);
  }
  if (rows * cols > MAX_NUMBERS) {
    throw new Error(`${path} claims ${rows} × ${cols} numbers, more than are read.`);
  }
  const data = new Float32Array(rows * cols), lost = new LostDigits();
  const put = (row: number, col: number, value: number | null, c: number) => {
    const number = value === null ? NaN : Math.fround(value);
    if (number !== value) lost.add(Number(value), number);
    if (!Number.isFinite(number)) {
      throw notFinite(place(row, columns[c].name), shown?.(row, c) ?? value ?? "empty");
    }
    data[row * cols + col] = number;
  };
  if (lists.length > 0) {
    const [{ name, list }] = lists, c = columns.indexOf(lists[0]);
    for (let row = 0; row < rows; row++) {
      const values = list!(row);
      if (values === null) put(row, 0, null, c);
      else if (values.length !== cols) {
        throw new Error(
          `${path}, row ${row} has ${values.length} values in "${name}", row 0 ${cols}: they must be equal.`,
        );
      } else for (let col = 0; col < cols; col++) put(row, col, values[col], c);
    }
  } else {
    for (const [col, column] of dimensions.entries()) {
      const c = columns.indexOf(column);
      for (let row = 0; row < rows; row++) put(row, col, column.number!(row), c);
    }
  }
  const notes = [
    ...decided,
    ...lost.notes(),
    ...numbersOfRows(rows, dimensions),
    ...numberedNames(rows, text),
    ...leftOut(columns, [...dimensions, ...(text ? [text] : [])]),
  ];
  return {
    matrix: { data, rows, cols },
    ...(text && { names: Array.from({ length: rows }, (_, row) => text.text!(row)) }),
    ...(notes.length > 0 && { notes }),
  };
}

/** Dimensions that may be no measure of a thing but its number: by name, and a different whole one in each row. */
function numbersOfRows(rows: number, dimensions: readonly ReadColumn[]): string[] {
  if (rows < 3 || dimensions.length < 2) return [];
  return dimensions.filter(({ name, number }) => {
    if (!number || !INDEX_NAME.test(name.trim())) return false;
    const all = new Set<number>();
    for (let row = 0; row < rows; row++) all.add(number(row)!);
    return all.size === rows && [...all].every(Number.isInteger);
  }).map(({ name }) =>
    `"${name}" has another whole number in each row, and is read as a dimension: take it out if it names the rows`
  );
}

/** Names that look like numbers which are written in another way. */
function numberedNames(rows: number, names: ReadColumn | undefined): string[] {
  if (!names || names.isIndex) return [];
  for (let row = 0; row < rows; row++) {
    if (!NUMBER_LIKE.test(names.text!(row).slice(0, MAX_LETTERS))) return [];
  }
  return [`"${names.name}" is read as names, not as numbers: its first cell is "${names.text!(0)}"`];
}

/** Columns that are neither dimensions nor names; an index without a name is none of the table's columns. */
function leftOut(columns: readonly ReadColumn[], used: readonly ReadColumn[]): string[] {
  const others = columns.filter((column) => !used.includes(column))
    .filter(({ name, isIndex }) => !(isIndex && (name === "" || isUnnamedIndex(name))))
    .filter(({ name, type }) => !(name === "" && type === "empty")); // a separator at the ends of lines
  if (others.length === 0) return [];
  const all = others.map(({ name, type, isIndex }) => `"${name}" (${isIndex ? "the index, " : ""}${type})`);
  return [`left out: ${all.length > 1 ? `${all.length} columns, ` : "the column "}${all.join(", ")}`];
}

function quoted(columns: readonly ReadColumn[]): string {
  return columns.map(({ name }) => `"${name}"`).join(", ");
}

function notFinite(place: string, found: unknown): Error {
  return new Error(`${place} is ${found}, expected a finite float32.`);
}
