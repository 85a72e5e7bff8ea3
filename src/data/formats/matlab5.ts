/**
 * Arrays of numbers in MATLAB 5 files (`save -v6`, `-v7`), compressed or not. Own, as the reader at hand has another license and
 * scrambles what has three axes (docs/formats.md).
 */
import { inflateSync } from "node:zlib";
import { reasonOf } from "../files/atomic_write.ts";
import { readBytes } from "./npy.ts";

/** A real array. */
export interface MatlabArray {
  /** Rows, columns and further axes. */
  shape: number[];
  /** The first axis varies fastest. */
  data: Float64Array;
}

/** Numbers of element types: of values, of an array, of what is compressed. */
const VALUES: Record<number, [bytes: number, get: (view: DataView, at: number, little: boolean) => number]> =
  {
    1: [1, (view, at) => view.getInt8(at)],
    2: [1, (view, at) => view.getUint8(at)],
    3: [2, (view, at, little) => view.getInt16(at, little)],
    4: [2, (view, at, little) => view.getUint16(at, little)],
    5: [4, (view, at, little) => view.getInt32(at, little)],
    6: [4, (view, at, little) => view.getUint32(at, little)],
    7: [4, (view, at, little) => view.getFloat32(at, little)],
    9: [8, (view, at, little) => view.getFloat64(at, little)],
    12: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
    13: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  };
const MATRIX = 14, COMPRESSED = 15;
/** Classes of arrays that are numbers: double, single, and integers of 8 to 64 bits. */
const FIRST_NUMBER = 6, LAST_NUMBER = 15, COMPLEX = 0x08;
const CLASSES = ["", "a cell array", "a struct", "an object", "text", "a sparse array"];
/** Bytes of the file, and of one array unpacked: more is a mistake or a trap. */
const HEADER = 128, MAX_BYTES = 2 ** 26;

interface Element {
  type: number;
  data: Uint8Array;
  /** Where the next one begins. */
  next: number;
}

/**
 * Reads arrays by name.
 *
 * @param path a MATLAB 5 file
 * @param names all of them must be there
 * @returns in the order of the names
 * @throws Error "There is no file a.mat."; "a.mat has no variable sharedix (it has x, y): …"; "a.mat is a MATLAB 7.3 file: …"
 */
export async function readMatlab(path: string, names: readonly string[]): Promise<MatlabArray[]> {
  const file = await readBytes(path, MAX_BYTES), found = new Map<string, Matrix>(), all: string[] = [];
  const mark = String.fromCharCode(...file.subarray(126, 128)), isLittle = mark === "IM";
  if (/^MATLAB 7\.3/.test(String.fromCharCode(...file.subarray(0, 10)))) {
    throw new Error(`${path} is a MATLAB 7.3 file, expected MATLAB 5: save it with -v7.`);
  }
  if (!isLittle && mark !== "MI") throw new Error(`${path} is not a MATLAB 5 file, whatever its name says.`);
  const damaged = (error: unknown) =>
    new Error(`${path} is damaged or cut short (${reasonOf(error)}): copy it again.`, { cause: error });
  try {
    for (let at = HEADER; at < file.length;) {
      const outer = elementAt(file, at, isLittle);
      at = outer.next;
      const element = outer.type === COMPRESSED
        ? elementAt(new Uint8Array(inflateSync(outer.data, { maxOutputLength: MAX_BYTES })), 0, isLittle)
        : outer;
      if (element.type !== MATRIX) continue;
      const matrix = matrixOf(element.data, isLittle);
      all.push(matrix.name);
      if (names.includes(matrix.name)) found.set(matrix.name, matrix);
    }
  } catch (error) {
    throw damaged(error);
  }
  return names.map((name) => {
    const matrix = found.get(name);
    if (!matrix) throw new Error(`${path} has no variable ${name} (it has ${all.join(", ") || "none"}).`);
    if (matrix.kind) {
      throw new Error(`${name} of ${path} is ${matrix.kind}, expected an array of real numbers.`);
    }
    try {
      return matrix.read();
    } catch (error) {
      throw damaged(error);
    }
  });
}

/** A tag and what follows it; small elements stand in their tag, others end at a multiple of 8 bytes. */
function elementAt(bytes: Uint8Array, at: number, isLittle: boolean): Element {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), tag = view.getUint32(at, isLittle);
  const small = tag >>> 16, type = small > 0 ? tag & 0xffff : tag;
  const count = small || view.getUint32(at + 4, isLittle), from = at + (small > 0 ? 4 : 8);
  if (from + count > bytes.length || small > 4) {
    throw new Error(`an element ends beyond byte ${bytes.length}`);
  }
  const end = small > 0 ? at + 8 : type === COMPRESSED ? from + count : from + Math.ceil(count / 8) * 8;
  return { type, data: bytes.subarray(from, from + count), next: end };
}

interface Matrix {
  name: string;
  /** What it is where it is no array of real numbers. */
  kind?: string;
  read(): MatlabArray;
}

function matrixOf(bytes: Uint8Array, isLittle: boolean): Matrix {
  const flags = elementAt(bytes, 0, isLittle), [about] = numbersOf(flags, isLittle), number = about & 0xff;
  if (number < FIRST_NUMBER && !CLASSES[number] || number > LAST_NUMBER) {
    return { name: "", kind: "of an unknown class", read: () => ({ shape: [], data: new Float64Array() }) };
  }
  const dims = elementAt(bytes, flags.next, isLittle), name = elementAt(bytes, dims.next, isLittle);
  const text = String.fromCharCode(...name.data);
  return {
    name: text,
    kind: number < FIRST_NUMBER ? CLASSES[number] : about >> 8 & COMPLEX ? "complex" : undefined,
    read() {
      const shape = Array.from(numbersOf(dims, isLittle)),
        data = numbersOf(elementAt(bytes, name.next, isLittle), isLittle);
      const count = shape.reduce((product, extent) => product * extent, 1);
      if (data.length !== count) throw new Error(`${text} has ${data.length} of ${shape.join(" × ")} values`);
      return { shape, data };
    },
  };
}

function numbersOf({ type, data }: Element, isLittle: boolean): Float64Array {
  const [each, get] = VALUES[type] ?? [];
  if (!each || !get) throw new Error(`values of type ${type}`);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  return Float64Array.from(
    { length: Math.floor(data.length / each) },
    (_, i) => get(view, i * each, isLittle),
  );
}
