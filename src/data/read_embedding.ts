/** Embeddings of any origin: .npy, .csv and .arrow files as one matrix. */
import { zstdDecompressSync } from "node:zlib";
import {
  compressionRegistry,
  CompressionType,
  type Data,
  DataType,
  type Field,
  type Table,
  tableFromIPC,
  type Vector,
} from "apache-arrow";
import type { Matrix } from "../linalg/matrix.ts";
import { checkArrow, inMemory } from "./arrow_check.ts";
import { reasonOf } from "./atomic_write.ts";
import { parseCsv } from "./csv.ts";
import { parseNpy, readBytes } from "./npy.ts";

/** Vectors of some things, and the things' names where the file has them. */
export interface Embedding {
  /** One row a thing. */
  matrix: Matrix;
  /** One a row: the values of the first column of text; absent where there is none. */
  names?: string[];
}

/** 268 MB of CSV, which take several times as many in memory. */
const MOST_CSV = 2 ** 28;

/**
 * Reads an embedding, as the ending of its path says.
 *
 * `.npy`: an array of two axes. `.csv`: one thing a line; a first line without numbers, or with an empty first cell, names
 * the columns; every column of numbers is a dimension, the first other column holds the names. `.arrow` and `.feather` (Arrow
 * IPC file, uncompressed or ZSTD): the columns likewise, or one column of equally long lists of numbers. The index that pandas
 * and R write is left out: an unnamed first column of whole numbers, `__index_level_0__`.
 *
 * @param path the file
 * @throws Error "a.csv, line 3: column "x" is "", expected a finite float32."; "a.npy has shape (5), expected things × dimensions."
 */
export async function readEmbedding(path: string): Promise<Embedding> {
  const ending = /\.[^./]*$/.exec(path)?.[0].toLowerCase();
  if (ending === ".npy") return { matrix: npyMatrix(await readBytes(path), path) };
  if (ending === ".csv") return csvEmbedding(new TextDecoder().decode(await readBytes(path, MOST_CSV)), path);
  if (ending === ".arrow" || ending === ".feather") return await arrowEmbedding(await readBytes(path), path);
  throw new Error(
    `${path} ends in none of .npy, .csv, .arrow and .feather: save the embedding as one of them.`,
  );
}

/** What makes a file that can be read. */
const AS_FILE = 'save it by df.to_feather(path, compression="uncompressed")';

/** ZSTD stores at most 128 KB in 4 bytes. */
const MOST_ZSTD = 2 ** 15;

function decodeZstd(bytes: Uint8Array): Uint8Array {
  const maxOutputLength = Math.min(bytes.length * MOST_ZSTD, 2 ** 31);
  return Uint8Array.from(zstdDecompressSync(bytes, { maxOutputLength })); // aligned
}

function npyMatrix(bytes: Uint8Array<ArrayBuffer>, path: string): Matrix {
  const { data, shape } = parseNpy(bytes, path);
  if (shape.length !== 2 || data.length === 0) {
    throw new Error(`${path} has shape (${shape.join(", ")}), expected things × dimensions.`);
  }
  const [rows, cols] = shape, values = Float32Array.from(data as ArrayLike<number>, Number);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw notFinite(`${path}, row ${Math.floor(wrong / cols)}: column ${wrong % cols}`, data[wrong]);
  }
  return { data: values, rows, cols };
}

function csvEmbedding(text: string, path: string): Embedding {
  const lines = parseCsv(text, path);
  const hasHeader = lines.length > 0 && (!lines[0].some(isNumber) || isUnnamed(lines[0]));
  const columns = lines[0] ?? [], rows = hasHeader ? lines.slice(1) : lines;
  if (rows.length === 0) throw new Error(`${path} has no numbers: expected one thing a line.`);
  const lineOf = (row: number) => row + (hasHeader ? 2 : 1);
  rows.forEach((row, i) => {
    if (row.length === columns.length) return;
    throw new Error(`${path}, line ${lineOf(i)} has ${row.length} cells, the first ${columns.length}.`);
  });
  // The first row tells which columns hold numbers.
  const hasIndex = hasHeader && isUnnamed(columns) && rows.every(([cell]) => /^\d+$/.test(cell));
  const isDimension = (c: number) => isNumber(rows[0][c]) || NOT_FINITE.test(rows[0][c]);
  const dimensions = columns.flatMap((_, c) => isDimension(c) && !(hasIndex && c === 0) ? [c] : []);
  const named = columns.findIndex((_, c) => !isDimension(c));
  if (dimensions.length === 0) throw new Error(`${path} has no column of numbers.`);
  const data = new Float32Array(rows.length * dimensions.length);
  rows.forEach((row, i) =>
    dimensions.forEach((c, d) => {
      const number = Math.fround(Number(row[c]));
      if (!isNumber(row[c]) || !Number.isFinite(number)) {
        const column = hasHeader ? `"${columns[c]}"` : String(c + 1);
        throw notFinite(`${path}, line ${lineOf(i)}: column ${column}`, `"${row[c].slice(0, 40)}"`);
      }
      data[i * dimensions.length + d] = number;
    })
  );
  return {
    matrix: { data, rows: rows.length, cols: dimensions.length },
    ...(named >= 0 ? { names: rows.map((row) => row[named]) } : {}),
  };
}

/** Whether the first of several columns has no name. */
function isUnnamed([first, ...others]: string[]): boolean {
  return first === "" && others.length > 0;
}

function isNumber(cell: string): boolean {
  return cell.trim() !== "" && Number.isFinite(Number(cell));
}

/** How files write numbers that no embedding may hold. */
const NOT_FINITE = /^\s*[+-]?(?:nan|inf(?:inity)?|[\d.]+e\d+)\s*$/i;

function notFinite(place: string, found: unknown): Error {
  return new Error(`${place} is ${found}, expected a finite float32.`);
}

async function arrowEmbedding(bytes: Uint8Array, path: string): Promise<Embedding> {
  let table: Table;
  if (bytes.length >= 8 && bytes.subarray(0, 4).every((byte) => byte === 0xff)) {
    throw new Error(`${path} is an Arrow IPC stream: ${AS_FILE}.`);
  }
  try {
    compressionRegistry.set(CompressionType.ZSTD, { decode: decodeZstd });
    await checkArrow(inMemory(bytes));
    table = tableFromIPC(bytes);
  } catch (error) {
    const reason = reasonOf(error);
    throw new Error(
      /codec not found/.test(reason)
        ? `${path} is compressed with LZ4: ${AS_FILE}.`
        : `${path} is not an Arrow IPC file that can be read here (${reason}): ${AS_FILE}.`,
      { cause: error },
    );
  }
  const { fields } = table.schema, rows = table.numRows;
  const isNumeric = (type: DataType) => DataType.isFloat(type) || DataType.isInt(type);
  const list = fields.find(({ type }) =>
    (DataType.isFixedSizeList(type) || DataType.isList(type) || DataType.isLargeList(type)) &&
    isNumeric(type.valueType)
  );
  const numbers = fields.filter(({ name, type }) => isNumeric(type) && !/^__index_level_\d+__$/.test(name));
  const isText = (type: DataType) => DataType.isUtf8(type) || DataType.isLargeUtf8(type);
  const text = fields.find(({ type }) =>
    isText(type) || (DataType.isDictionary(type) && isText(type.dictionary))
  );
  const lists = list && table.getChild(list.name)!;
  if (lists?.data.some(({ children }) => !children[0])) {
    throw new Error(`${path} has no values for its lists: it is damaged, copy it again.`);
  }
  const cols = lists ? Number(lists.get(0)?.length ?? 0) : numbers.length;
  if (rows === 0 || cols === 0) {
    throw new Error(`${path} has ${rows} rows and ${cols} columns of numbers: expected things × dimensions.`);
  }
  if (lists) checkLists(lists, cols, list.name, path);
  // Before anything of the size that the file claims is made.
  const empty = lists?.nullCount ?? 0, held = valuesIn(table, list ? [list] : numbers);
  if ((rows - empty) * cols > held) {
    throw new Error(
      `${path} claims ${rows} × ${cols} numbers and holds ${held}: it is damaged, copy it again.`,
    );
  }
  const data = new Float32Array(rows * cols);
  const put = (row: number, col: number, value: unknown, name: string) => {
    const number = value === null || value === undefined ? NaN : Math.fround(Number(value));
    if (!Number.isFinite(number)) throw notFinite(`${path}, row ${row}: column "${name}"`, value ?? "empty");
    data[row * cols + col] = number;
  };
  if (lists) {
    for (let i = 0; i < rows; i++) {
      let col = 0;
      for (const value of lists.get(i) ?? [null]) put(i, col++, value, list.name);
    }
  } else {
    for (const [col, { name }] of numbers.entries()) {
      const column = table.getChild(name)!;
      for (let i = 0; i < rows; i++) put(i, col, column.get(i), name);
    }
  }
  const names = text && Array.from(table.getChild(text.name)!, String);
  return { matrix: { data, rows, cols }, ...(names ? { names } : {}) };
}

/** Every list is as long as the first; an empty row is told with its value. */
function checkLists(column: Vector, cols: number, name: string, path: string): void {
  for (let i = 0; i < column.length; i++) {
    const length: number = column.get(i)?.length ?? cols;
    if (length === cols) continue;
    throw new Error(
      `${path}, row ${i} has ${length} values in "${name}", row 0 ${cols}: they must be equal.`,
    );
  }
}

/** Numbers that some columns hold, in lists or not, whatever their lengths say. */
function valuesIn(table: Table, fields: readonly Field[]): number {
  const parts = fields.flatMap(({ name }) => table.getChild(name)!.data as Data[]);
  return parts.reduce((sum, { values, children }) => sum + ((children[0]?.values ?? values)?.length ?? 0), 0);
}
