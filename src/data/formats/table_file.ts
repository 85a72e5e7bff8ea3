/** Tables on disk: Arrow IPC, which pandas, pyarrow and R read (DuckDB through pyarrow), and CSV, which all read. */
import {
  type Data,
  type DataType,
  Field,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  Schema,
  Struct,
  Uint16,
  Uint32,
  Uint64,
  Uint8,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { abandonBeside, type Beside, openBeside, reasonOf, writeAll } from "../files/atomic_write.ts";
import { csvLine } from "./csv.ts";

/** The values of one column: text, or numbers of one type; a plain list of numbers is written as float64. */
export type TableColumn =
  | readonly string[]
  | readonly number[]
  | Float16Array
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** Typed arrays, and what Arrow calls their numbers. */
const NUMBERS = [
  [Float16Array, Float16],
  [Float32Array, Float32],
  [Float64Array, Float64],
  [Int8Array, Int8],
  [Int16Array, Int16],
  [Int32Array, Int32],
  [BigInt64Array, Int64],
  [Uint8Array, Uint8],
  [Uint16Array, Uint16],
  [Uint32Array, Uint32],
  [BigUint64Array, Uint64],
] as const;

/** Digits that tell all numbers of a type of floats apart; 0: as many as JavaScript writes. */
const DIGITS = [[Float16Array, 5], [Float32Array, 9], [Float64Array, 0]] as const;

/** Columns by name, in order, equally long. */
export type TableColumns = Readonly<Record<string, TableColumn>>;

/** How a table's file ends, without the dot. */
export const TABLE_FORMATS = ["arrow", "csv"] as const;

/** One of them. */
export type TableFormat = typeof TABLE_FORMATS[number];

/**
 * Writes a table, part by part, as the ending of its path says: `.arrow` (Arrow IPC file, one record batch a part) or
 * `.csv` (UTF-8, a header line, numbers with as many digits as their type holds, `NaN`, `inf` and `-inf`).
 *
 * @param path where to; the file appears whole or not at all
 * @param parts the rows, all parts with the same columns
 * @throws RangeError 'The table a.txt ends neither in .arrow nor in .csv: …'; 'The column "x" has 3 values, "image" 4: …'
 * @throws Error "Cannot write the table a.csv: …"
 */
export async function writeTable(
  path: string,
  parts: Iterable<TableColumns> | AsyncIterable<TableColumns>,
): Promise<void> {
  const format = TABLE_FORMATS.find((end) => path.endsWith(`.${end}`));
  if (!format) {
    throw new RangeError(
      `The table ${path} ends neither in .arrow nor in .csv: name the format by the ending.`,
    );
  }
  let opened: Beside;
  try {
    opened = await openBeside(path);
  } catch (error) {
    throw new Error(`Cannot write the table ${path}: ${reasonOf(error)}.`, { cause: error });
  }
  const { file, beside } = opened;
  try {
    if (format === "csv") {
      for await (const chunk of csvChunks(checked(parts))) {
        await writeAll(file, new TextEncoder().encode(chunk));
      }
    } else await writeArrow(file, checked(parts));
    await file.sync();
    file.close();
    await Deno.rename(beside, path);
  } catch (error) {
    await abandonBeside(opened);
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    throw new Error(`Cannot write the table ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

/**
 * Writes a table in some formats, as DIR/tables/NAME.arrow and DIR/tables/NAME.csv.
 *
 * @param dir made when missing
 * @param parts gives the rows anew for every format
 * @returns the paths
 */
export async function writeTables(
  dir: string,
  name: string,
  formats: readonly TableFormat[],
  parts: () => Iterable<TableColumns>,
): Promise<string[]> {
  const paths = formats.map((format) => `${dir}/tables/${name}.${format}`);
  if (paths.length > 0) await Deno.mkdir(`${dir}/tables`, { recursive: true });
  for (const path of paths) await writeTable(path, parts());
  return paths;
}

/** The parts, each with the columns of the first, equally long. */
async function* checked(
  parts: Iterable<TableColumns> | AsyncIterable<TableColumns>,
): AsyncGenerator<TableColumns> {
  let expected: string | undefined;
  for await (const part of parts) {
    const names = Object.keys(part);
    if (names.length === 0) throw new RangeError("A table needs at least one column, found none.");
    for (const name of names) {
      if (part[name].length === part[names[0]].length) continue;
      throw new RangeError(
        `The column "${name}" has ${part[name].length} values, "${names[0]}" ${
          part[names[0]].length
        }: they must be equal.`,
      );
    }
    const found = JSON.stringify(names.map((name) => [name, typed(name, part[name]).constructor.name]));
    if (found !== (expected ??= found)) {
      throw new RangeError(`A later part of the table has the columns ${found}, the first ${expected}.`);
    }
    yield Object.fromEntries(names.map((name) => [name, typed(name, part[name])]));
  }
  if (expected === undefined) throw new RangeError("A table needs at least one part, found none.");
}

/** A plain list of numbers as Float64Array; lists hold either numbers or text. */
function typed(name: string, column: TableColumn): TableColumn {
  if (!Array.isArray(column)) {
    if (NUMBERS.some(([type]) => column?.constructor === type)) return column;
    const found = (column as object | undefined)?.constructor?.name ?? String(column);
    throw new TypeError(
      `The column "${name}" is of type ${found}: give a list, or a typed array of numbers.`,
    );
  }
  if (column.length === 0) return column;
  const kinds = [...new Set(column.map((value) => typeof value))];
  if (kinds.length === 1 && kinds[0] === "string") return column;
  if (kinds.length === 1 && kinds[0] === "number") return Float64Array.from(column);
  throw new TypeError(`The column "${name}" holds ${kinds.join(" and ")}: give text only or numbers only.`);
}

const LINES_A_CHUNK = 10_000;

async function* csvChunks(parts: AsyncIterable<TableColumns>): AsyncGenerator<string> {
  let hasHeader = false;
  for await (const part of parts) {
    const names = Object.keys(part), columns = Object.values(part), rows = columns[0].length;
    if (!hasHeader) yield csvLine(names);
    hasHeader = true;
    for (let from = 0; from < rows; from += LINES_A_CHUNK) {
      const lines: string[] = [];
      for (let i = from; i < Math.min(rows, from + LINES_A_CHUNK); i++) {
        lines.push(csvLine(columns.map((column) => cellOf(column, i))));
      }
      yield lines.join("");
    }
  }
}

/**
 * A value as CSV has it. Of floats, whole ones end in .0, so that no reader takes
 * their column for integers (and −0 for 0), and NaN and infinities are words that pandas, polars and DuckDB read as such.
 */
function cellOf(column: TableColumn, i: number): string | number {
  const value = column[i];
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  const digits = DIGITS.find(([type]) => column instanceof type)?.[1];
  if (digits === undefined) return value;
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "inf" : "-inf";
  const shortest = digits ? Number(value.toPrecision(digits)) : value;
  const text = Object.is(value, -0) ? "-0" : String(shortest);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Hands the writer's bytes to the file while parts are still coming; no part is made before the one before is written. */
async function writeArrow(file: Deno.FsFile, parts: AsyncIterable<TableColumns>): Promise<void> {
  const writer = new RecordBatchFileWriter();
  let isWriting = false;
  const pump = (async () => {
    for await (const chunk of writer) {
      isWriting = true;
      await writeAll(file, chunk).finally(() => isWriting = false);
    }
  })();
  pump.catch(() => {}); // reported below
  let schema: Schema | undefined;
  try {
    for await (const part of parts) {
      const names = Object.keys(part), length = part[names[0]].length;
      if (!schema) {
        schema = new Schema(names.map((name) => new Field(name, typeOf(part[name]), false)));
        writer.reset(undefined, schema);
      }
      const children = names.map((name) => dataOf(part[name]));
      const rows = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
      writer.write(new RecordBatch(schema, rows));
      do await new Promise((resume) => setTimeout(resume)); while (isWriting);
    }
    writer.close();
  } catch (error) {
    writer.abort();
    await pump.catch(() => {});
    throw error;
  }
  await pump;
}

function typeOf(column: TableColumn): DataType {
  const type = NUMBERS.find(([own]) => column instanceof own)?.[1];
  return type ? new type() : new Utf8();
}

function dataOf(column: TableColumn): Data {
  if (isText(column)) return vectorFromArray(column, new Utf8()).data[0];
  return makeData({
    type: typeOf(column) as Float32,
    length: column.length,
    nullCount: 0,
    data: (column instanceof Float16Array ? new Uint16Array(column.slice().buffer) : column) as Float32Array,
  });
}

function isText(column: TableColumn): column is readonly string[] {
  return Array.isArray(column);
}
