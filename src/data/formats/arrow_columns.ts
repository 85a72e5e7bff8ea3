/**
 * Reads the columns of Arrow IPC files and streams: numbers, text, and lists of numbers; all else is named by its type. Own,
 * beside apache-arrow, which drops some of these types without a word (decimals, booleans, views of text, dictionaries of
 * 64-bit indices) and follows offsets that it has not checked. Formats: Arrow's File.fbs, Schema.fbs and Message.fbs.
 */
import { damaged, type Field, follow, tableAt, vectorAt, viewOf, whole } from "./arrow_check.ts";
import { isUnnamedIndex, pandasIndex, type ReadColumn, type ReadTable } from "./read_columns.ts";
import { BatchSource } from "./arrow_batches.ts";
import { type ArrowField, type Decoded, joined, Type } from "./arrow_values.ts";

/** Fields in fields. */
const DEEPEST = 16;
/** Extensions that are stored as numbers, and are some. */
const NUMBERS = ["arrow.bool8"];
const MAGIC = "ARROW1", SCHEMA = 1, DICTIONARY = 2, BATCH = 3;

/** Whether these are the first bytes of an Arrow IPC file, or of a stream. */
export function isArrow(bytes: Uint8Array): boolean {
  return isFile(bytes) || bytes.length >= 8 && bytes.subarray(0, 4).every((byte) => byte === 0xff);
}

/**
 * The columns of a schema that are neither numbers, text nor lists of numbers.
 *
 * @param schema a message of it, as Parquet files of Arrow's writers hold it under "ARROW:schema"
 * @returns their types by name
 * @throws Error as `readArrowTable`
 */
export function otherArrowColumns(schema: Uint8Array<ArrayBuffer>): Map<string, string> {
  const reader = new ArrowReader();
  readStream(schema, reader);
  const others = reader.table().columns.filter(({ number, text, list }) => !number && !text && !list);
  return new Map(others.map(({ name, type }) => [name, type]));
}

function isFile(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length)) === MAGIC;
}

/**
 * Reads a table.
 *
 * @param bytes an Arrow IPC file or stream, uncompressed, LZ4 or ZSTD
 * @throws Error a reason to put in a sentence, as "it is cut short"
 */
export function readArrowTable(bytes: Uint8Array<ArrayBuffer>): ReadTable {
  const reader = new ArrowReader();
  if (isFile(bytes)) readFile(bytes, reader);
  else readStream(bytes, reader);
  return reader.table();
}

/** The messages of a file in the order of its footer: dictionaries, then batches. */
function readFile(bytes: Uint8Array<ArrayBuffer>, reader: ArrowReader): void {
  const { length: size } = bytes;
  if (size < 24 || !isFile(bytes.subarray(size - MAGIC.length))) throw new Error("it is cut short");
  const length = viewOf(bytes).getInt32(size - 10, true);
  if (!(length > 0 && length + 18 <= size)) throw damaged("footer");
  const view = viewOf(bytes.subarray(size - 10 - length, size - 10)), footer = tableAt(view, follow(view, 0));
  if (footer(1) === 0) throw damaged("schema");
  reader.schema(view, follow(view, footer(1)));
  for (const index of [2, 3]) {
    const { first, count } = vectorAt(view, footer(index), 24);
    for (let i = 0; i < count; i++) {
      const at = whole(view, first + 24 * i);
      if (!(at >= 8 && at < size - 10)) throw damaged("list of batches");
      const found = messageAt(bytes, at);
      if (found === null) throw damaged("list of batches");
      reader.message(found);
    }
  }
}

function readStream(bytes: Uint8Array<ArrayBuffer>, reader: ArrowReader): void {
  for (let at = 0; at < bytes.length;) {
    const found = messageAt(bytes, at);
    if (found === null) return;
    reader.message(found);
    at = found.end;
  }
}

/** One message: its table, and the bytes behind it. */
interface Message {
  kind: number;
  view: DataView;
  /** Where the schema, batch or dictionary is. */
  header: number;
  body: Uint8Array<ArrayBuffer>;
  end: number;
}

/** Null at the end of a stream. */
function messageAt(bytes: Uint8Array<ArrayBuffer>, at: number): Message | null {
  const view = viewOf(bytes);
  const start = at + 4 <= bytes.length && view.getInt32(at, true) === -1 ? at + 4 : at;
  if (start + 4 > bytes.length) throw new Error("it is cut short");
  const length = view.getInt32(start, true);
  if (length === 0) return null;
  if (!(length > 0 && start + 4 + length <= bytes.length)) throw new Error("it is cut short, or damaged");
  const own = viewOf(bytes.subarray(start + 4, start + 4 + length)), message = tableAt(own, follow(own, 0));
  const bodyAt = start + 4 + length, bodyLength = message(3) > 0 ? whole(own, message(3)) : 0;
  if (!(bodyLength >= 0 && bodyAt + bodyLength <= bytes.length)) {
    throw new Error("it is cut short, or damaged");
  }
  if (message(1) === 0 || message(2) === 0) throw damaged("batch");
  return {
    kind: own.getUint8(message(1)),
    view: own,
    header: follow(own, message(2)),
    body: bytes.subarray(bodyAt, bodyAt + bodyLength),
    end: bodyAt + bodyLength,
  };
}

class ArrowReader {
  #fields: ArrowField[] | null = null;
  #index = new Set<string>();
  #dictionaries = new Map<number, Decoded>();
  #batches: { first: number; rows: number; columns: Decoded[] }[] = [];
  #rows = 0;

  schema(view: DataView, at: number): void {
    const schema = tableAt(view, at);
    if (schema(0) > 0 && view.getInt16(schema(0), true) !== 0) {
      throw new Error("its numbers are big-endian, which are not read");
    }
    const { first, count } = vectorAt(view, schema(1), 4);
    this.#fields = Array.from(
      { length: count },
      (_, i) => fieldAt(view, follow(view, first + 4 * i), DEEPEST),
    );
    const notes = vectorAt(view, schema(2), 4);
    this.#index = pandasIndex(noteAt(view, notes, "pandas"));
  }

  message({ kind, view, header, body }: Message): void {
    if (kind === SCHEMA) return void (this.#fields ?? this.schema(view, header));
    if (!this.#fields) throw damaged("schema");
    if (kind === BATCH) {
      const source = new BatchSource(view, header, body, this.#dictionaries), { rows } = source;
      const columns = this.#fields.map((field) => source.take(field));
      if (columns.some(({ length }) => length !== rows)) throw damaged("batch");
      this.#batches.push({ first: this.#rows, rows, columns });
      this.#rows += rows;
    } else if (kind === DICTIONARY) {
      const table = tableAt(view, header);
      const id = table(0) > 0 ? whole(view, table(0)) : 0, field = findDictionary(this.#fields, id);
      if (table(1) === 0 || !field) throw damaged("dictionary");
      const values = new BatchSource(view, follow(view, table(1)), body, this.#dictionaries)
        .take({ ...field, dictionary: undefined });
      const earlier = this.#dictionaries.get(id), isDelta = table(2) > 0 && view.getUint8(table(2)) === 1;
      this.#dictionaries.set(id, isDelta && earlier ? joined(earlier, values) : values);
    } else throw damaged("batch");
  }

  table(): ReadTable {
    if (!this.#fields) throw new Error("it has no schema");
    const batches = this.#batches;
    let current = 0;
    /** The batch of a row; rows are mostly asked for in order. */
    const batchOf = (row: number) => {
      if (row < batches[current].first) current = 0;
      while (row >= batches[current].first + batches[current].rows) current++;
      return batches[current];
    };
    return {
      rows: this.#rows,
      columns: this.#fields.map((field, c): ReadColumn => {
        const { name } = field, kind = kindOf(field);
        const at = <T>(row: number, read: (values: Decoded, i: number) => T, empty: T): T => {
          const { first, columns } = batchOf(row), values = columns[c];
          return values.isNull(row - first) ? empty : read(values, row - first);
        };
        return {
          name,
          type: typeName(field),
          ...(kind === "number" && { number: (row) => at(row, ({ number }, i) => number!(i), null) }),
          ...(kind === "text" && { text: (row) => at(row, ({ text }, i) => text!(i), "") }),
          ...(kind === "list" && { list: (row) => at(row, listOf, null) }),
          isIndex: this.#index.has(name) || isUnnamedIndex(name),
        };
      }),
    };
  }
}

/** The values of one list. */
function listOf({ range, child }: Decoded, i: number): ArrayLike<number | null> {
  const [from, to] = range!(i), { number, isNull, plain } = child!;
  if (plain) return plain.subarray(from, to);
  return Array.from({ length: to - from }, (_, k) => isNull(from + k) ? null : number!(from + k));
}

/** What becomes of a field's values. */
function kindOf(field: ArrowField): "number" | "text" | "list" | null {
  const kind = kindOfStored(field),
    isOther = field.extension !== undefined && !NUMBERS.includes(field.extension);
  return kind === "number" && isOther ? null : kind;
}

function kindOfStored(field: ArrowField): "number" | "text" | "list" | null {
  switch (field.type) {
    case Type.Int:
    case Type.Float:
    case Type.Bool:
    case Type.Decimal:
      return "number";
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return "text";
    case Type.RunEndEncoded:
      return kindOf(field.children[1]) === "list" ? null : kindOf(field.children[1]);
    case Type.List:
    case Type.LargeList:
    case Type.FixedSizeList:
    case Type.ListView:
    case Type.LargeListView:
      return kindOf(field.children[0]) === "number" ? "list" : null;
    default:
      return null;
  }
}

function typeName(field: ArrowField): string {
  if (field.extension) return field.extension;
  const { type, bits, scale, isSigned, children } = field, name = Type[type].toLowerCase();
  const own = type === Type.Int
    ? `${isSigned ? "" : "u"}int${bits}`
    : type === Type.Float
    ? `float${bits}`
    : type === Type.Decimal
    ? `decimal${bits}, scale ${scale}`
    : children.length > 0
    ? `${name} of ${children.map(typeName).join(", ")}`
    : name;
  return field.dictionary ? `dictionary of ${own}` : own;
}

function findDictionary(fields: readonly ArrowField[], id: number): ArrowField | undefined {
  for (const field of fields) {
    const found = field.dictionary?.id === id ? field : findDictionary(field.children, id);
    if (found) return found;
  }
}

/** What a schema or field has under a key beside its types. */
function noteAt(view: DataView, { first, count }: { first: number; count: number }, key: string) {
  for (let i = 0; i < count; i++) {
    const pair = tableAt(view, follow(view, first + 4 * i));
    if (stringAt(view, pair(0)) === key) return stringAt(view, pair(1));
  }
}

function stringAt(view: DataView, at: number): string {
  if (at === 0) return "";
  const { first, count } = vectorAt(view, at, 1);
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + first, count));
}

function fieldAt(view: DataView, at: number, deepest: number): ArrowField {
  if (deepest === 0) throw damaged("schema");
  const field = tableAt(view, at);
  if (field(2) === 0 || field(3) === 0) throw damaged("schema");
  const type: Type = view.getUint8(field(2)), own = tableAt(view, follow(view, field(3)));
  if (!(type in Type)) {
    throw new Error(`the type of "${stringAt(view, field(0))}" has the number ${type}, which is not known`);
  }
  const short = (table: Field, index: number, otherwise: number) =>
    table(index) > 0 ? view.getInt16(table(index), true) : otherwise;
  const long = (table: Field, index: number, otherwise: number) =>
    table(index) > 0 ? view.getInt32(table(index), true) : otherwise;
  const flag = (table: Field, index: number) => table(index) > 0 && view.getUint8(table(index)) === 1;
  const { first, count } = vectorAt(view, field(5), 4);
  const children = Array.from(
    { length: count },
    (_, i) => fieldAt(view, follow(view, first + 4 * i), deepest - 1),
  );
  const most = { [Type.RunEndEncoded]: 2, [Type.Map]: 1 } as Partial<Record<Type, number>>;
  const isList = [Type.List, Type.LargeList, Type.FixedSizeList, Type.ListView, Type.LargeListView].includes(
    type,
  );
  if (count < (isList ? 1 : most[type] ?? 0)) throw damaged("schema");
  const extension = noteAt(view, vectorAt(view, field(6), 4), "ARROW:extension:name");
  const found: ArrowField = {
    name: stringAt(view, field(0)),
    type,
    children,
    ...(extension && { extension }),
    bits: 0,
    scale: 0,
    isSigned: flag(own, 1),
    isDense: type === Type.Union && short(own, 0, 0) === 1,
  };
  if (type === Type.Int || type === Type.FixedSizeList || type === Type.FixedSizeBinary) {
    found.bits = long(own, 0, 0);
    // 128 bits, as polars has them.
    if (type === Type.Int && found.bits === 128) {
      if (!found.isSigned) {
        throw new Error(`"${found.name}" holds unsigned integers of 128 bits, which are not read`);
      }
      found.type = Type.Decimal;
    }
  } else if (type === Type.Float) found.bits = [16, 32, 64][short(own, 0, 0)];
  else if (type === Type.Decimal) [found.scale, found.bits] = [long(own, 1, 0), long(own, 2, 128)];
  const widths = { [Type.Int]: [8, 16, 32, 64], [Type.Decimal]: [32, 64, 128, 256] } as Partial<
    Record<Type, number[]>
  >;
  if (
    widths[found.type] && !widths[found.type]!.includes(found.bits) || type === Type.Float && !found.bits ||
    found.bits < 0
  ) {
    throw damaged("schema");
  }
  if (field(4) > 0) {
    const dictionary = tableAt(view, follow(view, field(4))),
      id = dictionary(0) > 0 ? whole(view, dictionary(0)) : 0;
    const index = dictionary(1) > 0 ? tableAt(view, follow(view, dictionary(1))) : null;
    const bits = index ? long(index, 0, 0) : 32;
    if (![8, 16, 32, 64].includes(bits)) throw damaged("schema");
    found.dictionary = { id, bits, isSigned: index ? flag(index, 1) : true };
  }
  return found;
}
