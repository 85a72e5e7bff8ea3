/** Values of Arrow buffers: integers, floats, decimals, texts, packed bits, runs. */
import { zstdDecompressSync } from "node:zlib";
import { damaged, viewOf } from "./arrow_check.ts";
import { unpackLz4Frame } from "../files/lz4_frame.ts";

/** Types by their numbers in Schema.fbs. */
export enum Type {
  Null = 1,
  Int,
  Float,
  Binary,
  Utf8,
  Bool,
  Decimal,
  Date,
  Time,
  Timestamp,
  Interval,
  List,
  Struct,
  Union,
  FixedSizeBinary,
  FixedSizeList,
  Map,
  Duration,
  LargeBinary,
  LargeUtf8,
  LargeList,
  RunEndEncoded,
  BinaryView,
  Utf8View,
  ListView,
  LargeListView,
}

/** Times that a packed buffer may grow; more is a trap. */
const MAX_PACKED = 2 ** 15;

/** A buffer as it was before LZ4 or Zstandard. */
export function unpack(packed: Uint8Array<ArrayBuffer>, codec: number): Uint8Array<ArrayBuffer> {
  if (packed.length < 8) throw damaged("batch");
  const size = Number(viewOf(packed).getBigInt64(0, true)), rest = packed.subarray(8); // −1 where it is as it was
  if (size === -1) return rest;
  if (!(size >= 0 && size <= rest.length * MAX_PACKED)) throw damaged("batch");
  if (codec === 0) return unpackLz4Frame(rest, size);
  if (codec !== 1) throw new Error(`it is compressed by method ${codec}, expected LZ4 or ZSTD`);
  const unpacked = new Uint8Array(zstdDecompressSync(rest, { maxOutputLength: Math.max(1, size) }));
  if (unpacked.length !== size) throw damaged("batch");
  return unpacked;
}

/** A buffer, refused where it is shorter than wanted. */
export function atLeast(bytes: Uint8Array<ArrayBuffer>, wanted: number): Uint8Array<ArrayBuffer> {
  if (bytes.length < wanted) throw damaged("batch");
  return bytes;
}

/** A copy at the beginning of a buffer, for typed arrays. */
function aligned(bytes: Uint8Array<ArrayBuffer>, wanted: number): ArrayBuffer {
  return atLeast(bytes, wanted).slice(0, wanted).buffer;
}

/** Whole numbers of 8 to 64 bits. */
export function integers(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  bits: number,
  isSigned: boolean,
): (i: number) => number {
  const own = aligned(bytes, length * bits / 8);
  if (bits === 64) {
    const wide = isSigned ? new BigInt64Array(own) : new BigUint64Array(own);
    return (i) => Number(wide[i]);
  }
  const arrays = isSigned ? [Int8Array, Int16Array, Int32Array] : [Uint8Array, Uint16Array, Uint32Array];
  const values = new arrays[Math.log2(bits) - 3](own);
  return (i) => values[i];
}

/** Numbers of 16 to 64 bits. */
export function floats(bytes: Uint8Array<ArrayBuffer>, length: number, bits: number) {
  const own = aligned(bytes, length * bits / 8);
  return bits === 16 ? new Float16Array(own) : bits === 32 ? new Float32Array(own) : new Float64Array(own);
}

/** Whole numbers of N bits, times 10 to the −scale: rounded once. */
export function decimals(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  bits: number,
  scale: number,
): (i: number) => number {
  const words = new Int32Array(aligned(bytes, length * bits / 8)), each = bits / 32;
  return (i) => {
    let value = BigInt(words[(i + 1) * each - 1]);
    for (let word = each - 2; word >= 0; word--) value = value << 32n | BigInt(words[i * each + word] >>> 0);
    return Number(`${value}e${-scale}`);
  };
}

/** Where each value of a column ends. */
export function offsets(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  isLarge: boolean,
): (i: number) => number {
  if (length === 0) return () => 0;
  return integers(bytes, length + 1, isLarge ? 64 : 32, true);
}

/** Where value i begins and ends, within the data. */
export function rangeOf(ends: (i: number) => number, i: number, most: number): [number, number] {
  return within(ends(i), ends(i + 1), most);
}

/** A range, refused where it leaves the data. */
export function within(from: number, to: number, most: number): [number, number] {
  if (!(from >= 0 && from <= to && to <= most)) throw damaged("batch");
  return [from, to];
}

/** UTF-8 as text. */
export function textOf(data: Uint8Array, from: number, to: number): string {
  return new TextDecoder().decode(data.subarray(from, to));
}

/** Text of up to 12 bytes lies in its view, longer one in a part. */
export function viewedText(views: Uint8Array<ArrayBuffer>, parts: Uint8Array[]): (i: number) => string {
  const view = viewOf(views);
  return (i) => {
    const at = 16 * i, length = view.getInt32(at, true);
    if (length >= 0 && length <= 12) return textOf(views, at + 4, at + 4 + length);
    const part = parts[view.getInt32(at + 8, true)], from = view.getInt32(at + 12, true);
    if (!part) throw damaged("batch");
    return textOf(part, ...within(from, from + length, part.length));
  };
}

/** Values that each hold up to the next end. */
export function runs(length: number, ends: Decoded, values: Decoded): Decoded {
  const count = ends.length;
  if (
    !ends.number || values.length < count || length > 0 && !(count > 0 && ends.number(count - 1) >= length)
  ) {
    throw damaged("batch");
  }
  const runOf = (i: number) => {
    let low = 0, high = count - 1;
    while (low < high) {
      const middle = low + high >> 1;
      if (ends.number!(middle) > i) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const { number, text } = values;
  return {
    length,
    isNull: (i) => values.isNull(runOf(i)),
    ...(number && { number: (i: number) => number(runOf(i)) }),
    ...(text && { text: (i: number) => text(runOf(i)) }),
  };
}

/** A dictionary with more values behind it. */
export function joined(first: Decoded, more: Decoded): Decoded {
  const of = <T>(i: number, read: (values: Decoded, i: number) => T): T =>
    i < first.length ? read(first, i) : read(more, i - first.length);
  return {
    length: first.length + more.length,
    isNull: (i) => of(i, (values, at) => values.isNull(at)),
    ...(first.number && more.number && { number: (i: number) => of(i, (values, at) => values.number!(at)) }),
    ...(first.text && more.text && { text: (i: number) => of(i, (values, at) => values.text!(at)) }),
  };
}

/** One field of the schema. */
export interface ArrowField {
  name: string;
  type: Type;
  /** Bits of a number, items of a list, or scale and bits of a decimal. */
  bits: number;
  scale: number;
  isSigned: boolean;
  isDense: boolean;
  children: ArrowField[];
  /** What its writer makes of the values, as "pandas.period"; absent where they are what they are. */
  extension?: string;
  /** Its values are indices into a dictionary. */
  dictionary?: { id: number; bits: number; isSigned: boolean };
}

/** Values of one batch. */
export interface Decoded {
  length: number;
  isNull(i: number): boolean;
  number?(i: number): number;
  /** All numbers, where none is null and they are floats of 32 or 64 bits. */
  plain?: Float32Array | Float64Array;
  text?(i: number): string;
  /** First and last place of a list among the child's. */
  range?(i: number): [from: number, to: number];
  child?: Decoded;
}
