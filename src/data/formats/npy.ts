/** NumPy's .npy files: arrays of either byte order, read whole or by rows, in C or Fortran order. */
import { writeFileAtomic } from "../files/atomic_write.ts";
import { openPlainFile, readError, readPlainFile } from "../files/plain_file.ts";

/** What can be read; booleans and uint8 share an array of bytes. */
export type NpyData =
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

/** An array of any rank, in C order. */
export interface NpyArray {
  /** Values, the last dimension fastest; float16 as float32. */
  data: NpyData;
  /** Lengths of the dimensions; empty for a single number. */
  shape: number[];
}

/** What stands before the values of a file. */
export interface NpyHeader {
  /** NumPy's name of the type, for instance `<f4`; `|O` holds a pickle instead of values. */
  descr: string;
  /** Lengths of the dimensions. */
  shape: number[];
  /** The first axis varies fastest, as in Fortran. */
  fortranOrder: boolean;
  /** Bytes before the first value. */
  offset: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Longer headers than this are not those of plain arrays. */
const MAX_HEADER = 65_536;

/** By kind and bytes; what is of one byte has no byte order, whatever stands before it. */
const TYPES = {
  f2: Float16Array,
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  u8: BigUint64Array,
  b1: Uint8Array,
} as const;
type NpyType = typeof TYPES[keyof typeof TYPES];

/**
 * Reads a .npy file, versions 1 to 3; what is in Fortran order is put in C order.
 *
 * @param path the file
 * @returns its values and shape; booleans as 0 and 1
 * @throws Error "There is no file a.npy."; "a.npy is not a .npy file …"; "a.npy is cut short: …"; "a.npy holds Python objects …"; "a.npy holds values of type …"
 */
export async function readNpy(path: string): Promise<NpyArray> {
  return parseNpy(await readBytes(path), path);
}

/**
 * Parses the bytes of a .npy file.
 *
 * @param bytes the whole file
 * @param path names the file in errors
 * @throws Error as `readNpy`
 */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, path: string): NpyArray {
  const header = parseNpyHeader(bytes, path);
  const found = typeOf(header, path);
  const count = sizeOf(header.shape);
  checkLength(header, found.type.BYTES_PER_ELEMENT, bytes.length, path);
  const data = valuesOf(found, bytes.subarray(header.offset), count);
  return { data: header.fortranOrder ? inOrderOfC(data, header.shape) : data, shape: header.shape };
}

/**
 * Parses a .npy file of text.
 *
 * @param bytes the whole file, of type U (Unicode) or S (bytes, read as UTF-8), one axis
 * @param path names the file in errors
 * @throws Error "a.npy is cut short: …"; "a.npy holds values of type …"
 */
export function parseNpyText(bytes: Uint8Array<ArrayBuffer>, path: string): string[] {
  const header = parseNpyHeader(bytes, path), { descr, shape, offset } = header;
  const [, order, kind, width] = /^([<>=|]?)([US])(\d+)$/.exec(descr) ?? [];
  if (kind === undefined || shape.length !== 1) throw notRead(descr, path);
  const each = Number(width) * (kind === "U" ? 4 : 1), view = new DataView(bytes.buffer, bytes.byteOffset);
  checkLength(header, each, bytes.length, path);
  return Array.from({ length: shape[0] }, (_, i) => {
    const at = offset + i * each;
    if (kind === "S") return new TextDecoder().decode(bytes.subarray(at, at + each)).replace(/\0+$/, "");
    const letters = Array.from({ length: each / 4 }, (_, k) => view.getUint32(at + 4 * k, order !== ">"));
    if (letters.some((letter) => letter > 0x10ffff)) throw damaged(path, "its text is not Unicode");
    return String.fromCodePoint(...letters).replace(/\0+$/, "");
  });
}

/**
 * Parses the header of a .npy file.
 *
 * @param bytes the file, or as much of its beginning as holds the header
 * @param path names the file in errors
 * @throws Error "a.npy is not a .npy file …"; "The header of a.npy is damaged: …"
 */
export function parseNpyHeader(bytes: Uint8Array<ArrayBuffer>, path: string): NpyHeader {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new Error(`${path} is not a .npy file, whatever its name says: save it with numpy.save.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = bytes[6];
  if (version < 1 || version > 3) {
    throw new Error(`${path} is a .npy file of version ${version}, expected 1, 2 or 3: save it again.`);
  }
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw damaged(path, "it ends within its first 12 bytes");
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) throw damaged(path, `it would be ${length} bytes long`);
  if (bytes.length < start + length) throw damaged(path, `the file ends after ${bytes.length} bytes`);
  const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(
    bytes.subarray(start, start + length),
  );
  if (!/^\s*\{.*\}\s*$/s.test(text)) throw damaged(path, "it is not a dictionary");
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\dL, ]*)\)/.exec(text)?.[1]
    .split(",").map((size) => size.replace("L", "").trim()).filter(Boolean).map(Number);
  if (/'descr':\s*\[/.test(text)) {
    throw new Error(`${path} holds records with named fields, expected plain numbers: save one field.`);
  }
  if (descr === undefined || order === undefined || !shape) {
    throw damaged(path, "descr, fortran_order or shape is missing");
  }
  if (!Number.isSafeInteger(sizeOf(shape))) throw damaged(path, `its shape is (${shape.join(", ")})`);
  return { descr, shape, fortranOrder: order === "True" && shape.length > 1, offset: start + length };
}

/**
 * Reads the header of a file without its values, and checks that they are all there.
 *
 * @param path the file
 * @throws Error as `readNpy`
 */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  using file = await openFile(path);
  const start = await readAt(file, 0, MAX_HEADER + 12);
  const header = parseNpyHeader(start, path);
  checkLength(header, typeOf(header, path).type.BYTES_PER_ELEMENT, (await file.stat()).size, path);
  return header;
}

/** Values as float32; what float32 has no room for becomes infinite. */
export function float32Of(data: NpyData): Float32Array<ArrayBuffer> {
  if (data instanceof Float32Array) return data as Float32Array<ArrayBuffer>;
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/**
 * Writes an array as .npy, version 1, byte for byte as `numpy.save` does.
 *
 * @param path where to; the file appears whole or not at all
 * @param data values in C order, of any type that `readNpy` returns
 * @param shape its product is the number of values
 * @throws RangeError "An array of shape (2, 3) has 6 values, found 5."
 * @throws TypeError "a.npy takes a typed array of numbers, found Array."
 */
export async function writeNpy(path: string, data: NpyData, shape: number[]): Promise<void> {
  const name = Object.entries(TYPES).find(([, type]) => data?.constructor === type)?.[0];
  if (name === undefined) {
    throw new TypeError(`${path} takes a typed array of numbers, found ${data?.constructor?.name ?? data}.`);
  }
  const count = sizeOf(shape);
  if (count !== data.length) {
    throw new RangeError(
      `An array of shape (${shape.join(", ")}) has ${count} values, found ${data.length}.`,
    );
  }
  const header = encodeNpyHeader(`${data.BYTES_PER_ELEMENT > 1 ? "<" : "|"}${name}`, shape);
  const file = new Uint8Array(header.length + data.byteLength);
  file.set(header);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  await writeFileAtomic(path, file);
}

/**
 * The header that `numpy.save` writes, padded to a multiple of 64 bytes.
 *
 * @param descr NumPy's name of the type
 * @param shape of the array
 */
export function encodeNpyHeader(descr: string, shape: number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Room for a first axis that grows to 21 digits, which NumPy leaves so that files can be appended to.
  const room = shape.length ? 21 - String(shape[0]).length : 0;
  const length = Math.ceil((10 + text.length + room + 1) / 64) * 64 - 10;
  const header = new Uint8Array(10 + length);
  header.set([...MAGIC, 1, 0, length & 255, length >> 8]);
  header.set(new TextEncoder().encode(text.padEnd(length - 1) + "\n"), 10);
  return header;
}

/**
 * Reads a whole file.
 *
 * @param most bytes that it may have
 * @throws Error "There is no file a.npy."; "Cannot read a.npy: …"
 */
export async function readBytes(path: string, most?: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readPlainFile(path, most);
  } catch (error) {
    throw readError(error, path);
  }
}

/** Opens a file to read parts of it. @throws Error as `readBytes` */
export async function openFile(path: string): Promise<Deno.FsFile> {
  try {
    return await openPlainFile(path);
  } catch (error) {
    throw readError(error, path);
  }
}

/** Up to `length` bytes from `from` on; fewer where the file ends. */
export async function readAt(
  file: Deno.FsFile,
  from: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await file.stat();
  const bytes = new Uint8Array(Math.max(0, Math.min(length, size - from)));
  await file.seek(from, Deno.SeekMode.Start);
  let at = 0;
  while (at < bytes.length) {
    const read = await file.read(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return bytes.subarray(0, at);
}

/** The array that holds a type's values, and whether the file has their bytes the other way round. */
export function typeOf({ descr }: NpyHeader, path: string): { type: NpyType; isSwapped: boolean } {
  const [, order, name] = /^([<>=|]?)([a-z]\d+)$/.exec(descr) ?? [];
  if (name !== undefined && Object.hasOwn(TYPES, name)) {
    const type = TYPES[name as keyof typeof TYPES];
    return { type, isSwapped: order === ">" && type.BYTES_PER_ELEMENT > 1 };
  }
  if (/^\|?O/.test(descr)) {
    throw new Error(`${path} holds Python objects, expected numbers: save an array of a number type.`);
  }
  throw notRead(descr, path);
}

function notRead(descr: string, path: string): Error {
  return new Error(
    `${path} holds values of type ${
      JSON.stringify(descr.slice(0, 20))
    }, expected booleans, integers or floats of ` +
      `at most 64 bits: save it with astype("float32").`,
  );
}

function checkLength({ shape, offset }: NpyHeader, bytesEach: number, size: number, path: string): void {
  const wanted = offset + sizeOf(shape) * bytesEach;
  if (size >= wanted) return;
  throw new Error(
    `${path} is cut short: shape (${shape.join(", ")}) needs ${wanted} bytes, found ${size}; copy it again.`,
  );
}

export function valuesOf(
  { type, isSwapped }: { type: NpyType; isSwapped: boolean },
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
): NpyData {
  const each = type.BYTES_PER_ELEMENT, isAligned = bytes.byteOffset % each === 0;
  const own = isAligned && !isSwapped ? bytes : bytes.slice(0, count * each);
  if (isSwapped) { for (let at = 0; at < own.length; at += each) own.subarray(at, at + each).reverse(); }
  return new type(own.buffer, own.byteOffset, count);
}

/** Reorders values of which the first axis varies fastest so that the last one does. */
function inOrderOfC(data: NpyData, shape: number[]): NpyData {
  const ordered = data.slice();
  const steps = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  for (let to = 0, from = 0; to < data.length; to++) {
    ordered[to] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < shape[axis]) break;
      from -= steps[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return ordered;
}

function sizeOf(shape: number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function damaged(path: string, how: string): Error {
  return new Error(`The header of ${path} is damaged: ${how}; copy the file again.`);
}
