/** Reads the columns of Parquet files: numbers, text, and lists of numbers; all else is named by its type. */
import type { Compressors, SchemaTree } from "hyparquet";
import { otherArrowColumns } from "./arrow_columns.ts";
import { isUnnamedIndex, pandasIndex, type ReadColumn, type ReadTable } from "./read_columns.ts";

/** What one compressed byte may have been. */
const MAX_PACKED = 2 ** 15;

/** Whether these are the first bytes of a Parquet file. */
export function isParquet(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 4)) === "PAR1";
}

/**
 * Reads a table.
 *
 * @param bytes a Parquet file, in any of its compressions
 * @throws Error a reason to put in a sentence
 */
export async function readParquetTable(bytes: Uint8Array<ArrayBuffer>): Promise<ReadTable> {
  const { parquetMetadata, parquetRead, parquetSchema } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  if (!isParquet(bytes.subarray(-4))) throw new Error("it is cut short");
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const metadata = parquetMetadata(buffer), rows = Number(metadata.num_rows);
  const index = pandasIndex(metadata.key_value_metadata?.find(({ key }) => key === "pandas")?.value);
  const others = otherColumns(metadata.key_value_metadata?.find(({ key }) => key === "ARROW:schema")?.value);
  const fields = parquetSchema(metadata).children.map((field) => {
    const { name } = field.element, type = others.get(name);
    if (typeof name !== "string") throw new Error("its schema is damaged");
    const own = describe(field);
    return { ...(own.kind !== null && type ? { kind: null, type } : own), name };
  });
  const twice = fields.find(({ name }, i) => fields.findIndex((field) => field.name === name) < i);
  if (twice) throw new Error(`two of its columns are called "${twice.name}"`);
  const wanted = fields.filter(({ kind }) => kind !== null).map(({ name }) => name);
  const cells = new Map(wanted.map((name) => [name, new Array<unknown>()]));
  // One column of one row group at a time: of several that are damaged, the reader leaves all but one rejection to nobody.
  for (const name of wanted) {
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      await parquetRead({
        file: buffer,
        metadata,
        compressors: bounded(compressors),
        columns: [name],
        rowStart,
        rowEnd,
        utf8: false, // else bytes that are not said to be text become text
        onChunk({ columnName, columnData, rowStart: from }) {
          const own = cells.get(columnName); // what is thrown here, nothing would catch
          if (!own) return;
          for (let i = 0; i < columnData.length; i++) own[from + i] = columnData[i];
        },
      });
      rowStart = rowEnd;
    }
  }
  for (const [name, own] of cells) {
    if (own.length !== rows) throw new Error(`its column "${name}" has ${own.length} of ${rows} values`);
  }
  return {
    rows,
    columns: fields.map(({ name, type, kind }): ReadColumn => {
      const own = cells.get(name);
      return {
        name,
        type,
        isIndex: index.has(name) || isUnnamedIndex(name),
        ...(kind === "number" && { number: (row) => numberOf(own![row]) }),
        ...(kind === "text" && { text: (row) => textOf(own![row]) }),
        ...(kind === "list" && { list: (row) => listOf(own![row]) }),
      };
    }),
  };
}

/** Columns that only Arrow's own schema tells from numbers, as durations are. */
function otherColumns(schema: string | undefined): Map<string, string> {
  try {
    return schema ? otherArrowColumns(Uint8Array.fromBase64(schema)) : new Map();
  } catch {
    return new Map(); // types that Parquet describes by itself
  }
}

/** The same, but for pages that claim more bytes than any compression stores. */
function bounded(compressors: Compressors): Compressors {
  return Object.fromEntries(
    Object.entries(compressors).map(([codec, unpack]) => [codec, (packed: Uint8Array, size: number) => {
      if (size > packed.length * MAX_PACKED) throw new Error("a page is damaged");
      return unpack(packed, size);
    }]),
  );
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value ?? "");
}

function listOf(value: unknown): ArrayLike<number | null> | null {
  if (value === null || value === undefined) return null;
  const cells = value as ArrayLike<unknown>, numbers = new Array<number | null>(cells.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = numberOf(cells[i]);
  return numbers;
}

/** What becomes of a field, and what Parquet calls its type. */
function describe(
  { element, children }: SchemaTree,
): { kind: "number" | "text" | "list" | null; type: string } {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (children.length > 0) {
    const inner = leafOf({ element, children } as SchemaTree);
    return {
      kind: inner?.kind === "number" ? "list" : null,
      type: inner ? `list of ${inner.type}` : converted ?? "group",
    };
  }
  const own = String(logical?.type ?? converted ?? type ?? "unknown").toLowerCase();
  const isText = converted === "UTF8" || converted === "ENUM" || logical?.type === "STRING" ||
    logical?.type === "ENUM";
  if (isText) return { kind: "text", type: own };
  const isOther = /DATE|TIME|INTERVAL|JSON|BSON|UUID|NULL|VARIANT|GEO/.test(
    `${converted ?? ""} ${logical?.type ?? ""}`,
  );
  const isNumber = type === "BOOLEAN" || type === "INT32" || type === "INT64" || type === "FLOAT" ||
    type === "DOUBLE" ||
    converted === "DECIMAL" || logical?.type === "DECIMAL" || logical?.type === "FLOAT16";
  return { kind: isNumber && !isOther ? "number" : null, type: own };
}

/** The values of a list, which lie two levels below its field; undefined of what is no list. */
function leafOf({ element, children }: SchemaTree): { kind: string | null; type: string } | undefined {
  const isList = element.converted_type === "LIST" || element.logical_type?.type === "LIST";
  const [repeated] = children;
  if (!isList || children.length !== 1) return undefined;
  const [item = repeated] = repeated.children;
  return item.children.length > 0 || repeated.children.length > 1 ? undefined : describe(item);
}
