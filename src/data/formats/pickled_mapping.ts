/**
 * The one pickle that brain data sets hold: a dictionary from numbers to names, saved with `numpy.save`.
 *
 * A pickle is a program for a stack machine that may call anything. Only the few instructions that such a dictionary
 * needs are followed here, calls are noted and never made, and every other instruction ends the reading.
 */
import { encodeNpyHeader, parseNpyHeader } from "./npy.ts";

/** What the pickle would make by a class or a call that it names: neither is looked up, and only its state is kept. */
interface Opaque {
  isOpaque: true;
  state?: unknown;
  /** What it was called with. */
  args?: unknown;
}

const MARK = Symbol("mark");
/** The instructions by their codes, named as in CPython's pickletools. */
enum Op {
  Mark = 0x28,
  EmptyTuple = 0x29,
  Stop = 0x2e,
  BinBytes = 0x42,
  ShortBinBytes = 0x43,
  BinInt = 0x4a,
  BinInt1 = 0x4b,
  BinInt2 = 0x4d,
  None = 0x4e,
  Reduce = 0x52,
  BinUnicode = 0x58,
  EmptyList = 0x5d,
  Append = 0x61,
  Build = 0x62,
  Global = 0x63,
  Appends = 0x65,
  BinGet = 0x68,
  LongBinGet = 0x6a,
  BinPut = 0x71,
  LongBinPut = 0x72,
  SetItem = 0x73,
  Tuple = 0x74,
  SetItems = 0x75,
  EmptyDict = 0x7d,
  Proto = 0x80,
  Tuple1 = 0x85,
  Tuple2 = 0x86,
  Tuple3 = 0x87,
  NewTrue = 0x88,
  NewFalse = 0x89,
  Long1 = 0x8a,
  ShortBinUnicode = 0x8c,
  StackGlobal = 0x93,
  Memoize = 0x94,
  Frame = 0x95,
}

/**
 * Parses a .npy file that holds one pickled dictionary {number: name}, as `numpy.save(path, {0: "Unknown", 1: "V1v"})`
 * writes it.
 *
 * @param bytes the whole file
 * @param path names the file in errors
 * @throws Error "a.npy does not hold a dictionary from numbers to names (…): …"
 */
export function parsePickledMapping(bytes: Uint8Array<ArrayBuffer>, path: string): Map<number, string> {
  const { descr, shape, offset } = parseNpyHeader(bytes, path);
  const refuse = (why: string) =>
    new Error(
      `${path} does not hold a dictionary from numbers to names (${why}): save one with numpy.save(path, {1: "V1v"}).`,
    );
  if (!descr.startsWith("|O") || shape.length > 0) throw refuse(`it is an array of type ${descr}`);
  let array: unknown;
  try {
    array = runPickle(bytes.subarray(offset));
  } catch (error) {
    throw refuse(error instanceof RangeError ? "the pickle is cut short" : (error as Error).message);
  }
  const state = isOpaque(array) ? array.state : undefined;
  const values = Array.isArray(state) ? state[4] : undefined;
  const mapping = Array.isArray(values) && values.length === 1 ? values[0] : undefined;
  if (!(mapping instanceof Map)) throw refuse("the pickle is something else");
  const entries = Array.from(mapping, (entry) => entry.map(scalarOf));
  for (const [key, value] of entries) {
    if (!Number.isInteger(key) || typeof value !== "string") {
      throw refuse(`it has the entry ${shown(key)}: ${shown(value)}`);
    }
  }
  return new Map(entries as [number, string][]);
}

/** NumPy's own whole number or text, as `numpy.unique` gives them, which is pickled with its type and bytes; all else as it is. */
function scalarOf(value: unknown): unknown {
  const [type, bytes] = isOpaque(value) && Array.isArray(value.args) ? value.args : [];
  if (!isOpaque(type) || !Array.isArray(type.args) || !(bytes instanceof Uint8Array)) return value;
  if (typeof type.args[0] !== "string") return value;
  const order = Array.isArray(type.state) ? type.state[1] : undefined;
  const [, kind, size] = /^([iuU])(\d{1,4})$/.exec(type.args[0]) ?? [],
    each = kind === "U" ? 4 : Number(size);
  if (!kind || bytes.length !== each * (kind === "U" ? Number(size) : 1) || ![1, 2, 4, 8].includes(each)) {
    return value;
  }
  const digits = order === ">" ? bytes.toReversed() : bytes;
  const numberAt = (at: number) =>
    digits.subarray(at, at + each).reduceRight((sum, digit) => sum << 8n | BigInt(digit), 0n);
  if (kind === "i") return Number(BigInt.asIntN(8 * each, numberAt(0)));
  if (kind === "u") return Number(numberAt(0));
  const letters = Array.from({ length: Number(size) }, (_, i) => Number(numberAt(4 * i)));
  if (letters.some((code) => code > 0x10ffff)) return value;
  return String.fromCodePoint(...(order === ">" ? letters.reverse() : letters)).replace(/\0+$/, "");
}

function isOpaque(value: unknown): value is Opaque {
  return typeof value === "object" && value !== null && "isOpaque" in value;
}

/** A plain value as text; lists may hold one another many times over, so that their text would have no end. */
function shown(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, 40))
    : typeof value === "object" && value !== null
    ? "something that is neither"
    : String(value);
}

function runPickle(bytes: Uint8Array<ArrayBuffer>): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const stack: unknown[] = [], memo = new Map<number, unknown>();
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError("cut short");
    return bytes.subarray(at, at += length);
  };
  const byte = () => take(1)[0];
  const uint32 = () => view.getUint32((take(4), at - 4), true);
  const text = (length: number) => new TextDecoder().decode(take(length));
  const line = () => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw new RangeError("cut short");
    const read = text(end - at);
    at = end + 1;
    return read;
  };
  const pop = (): unknown => {
    if (stack.length === 0) throw new Error("the pickle takes more than it has put");
    return stack.pop();
  };
  const popToMark = (): unknown[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) throw new Error("the pickle takes more than it has put");
    return stack.splice(mark).slice(1);
  };
  const top = <T>(type: new () => T): T => {
    const value = stack.at(-1);
    if (!(value instanceof type)) throw new Error("the pickle fills what is not a list or dictionary");
    return value;
  };
  const put = (items: unknown[]) => {
    const map = top(Map<unknown, unknown>);
    for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i], items[i + 1]);
  };
  const recall = (index: number) => {
    if (!memo.has(index)) throw new Error(`the pickle recalls entry ${index}, which it has not kept`);
    stack.push(memo.get(index));
  };
  const tuple = (length: number) => stack.push(Array.from({ length }, pop).reverse());

  while (true) {
    const op = byte();
    switch (op) {
      case Op.Proto:
        byte();
        break;
      case Op.Frame:
        take(8);
        break;
      case Op.Mark:
        stack.push(MARK);
        break;
      case Op.Stop:
        return pop();
      case Op.None:
        stack.push(null);
        break;
      case Op.NewTrue:
        stack.push(true);
        break;
      case Op.NewFalse:
        stack.push(false);
        break;
      case Op.BinInt:
        stack.push(uint32() | 0);
        break;
      case Op.BinInt1:
        stack.push(byte());
        break;
      case Op.BinInt2:
        stack.push(byte() | byte() << 8);
        break;
      case Op.Long1:
        stack.push(take(byte()).reduce((sum, digit, i) => sum + digit * 256 ** i, 0));
        break;
      case Op.BinBytes:
        stack.push(take(uint32()));
        break;
      case Op.ShortBinBytes:
        stack.push(take(byte()));
        break;
      case Op.BinUnicode:
        stack.push(text(uint32()));
        break;
      case Op.ShortBinUnicode:
        stack.push(text(byte()));
        break;
      case Op.EmptyTuple:
      case Op.EmptyList:
        stack.push([]);
        break;
      case Op.EmptyDict:
        stack.push(new Map());
        break;
      case Op.Tuple1:
        tuple(1);
        break;
      case Op.Tuple2:
        tuple(2);
        break;
      case Op.Tuple3:
        tuple(3);
        break;
      case Op.Tuple:
        stack.push(popToMark());
        break;
      case Op.Append: {
        const value = pop();
        top(Array<unknown>).push(value);
        break;
      }
      case Op.Appends: {
        const values = popToMark();
        const list = top(Array<unknown>);
        for (const value of values) list.push(value);
        break;
      }
      case Op.SetItem: {
        const value = pop(), key = pop();
        put([key, value]);
        break;
      }
      case Op.SetItems:
        put(popToMark());
        break;
      case Op.Global:
        line();
        line();
        stack.push({ isOpaque: true });
        break;
      case Op.StackGlobal:
        pop();
        pop();
        stack.push({ isOpaque: true });
        break;
      case Op.Reduce: {
        const args = pop();
        pop();
        stack.push({ isOpaque: true, args });
        break;
      }
      case Op.Build: {
        const state = pop();
        const target = stack.at(-1);
        if (!isOpaque(target)) throw new Error("the pickle gives a state to what has none");
        target.state = state;
        break;
      }
      case Op.BinPut:
        memo.set(byte(), stack.at(-1));
        break;
      case Op.LongBinPut:
        memo.set(uint32(), stack.at(-1));
        break;
      case Op.Memoize:
        memo.set(memo.size, stack.at(-1));
        break;
      case Op.BinGet:
        recall(byte());
        break;
      case Op.LongBinGet:
        recall(uint32());
        break;
      default:
        throw new Error(`the pickle has the instruction 0x${op.toString(16)}, which is not followed`);
    }
  }
}

/**
 * Writes a dictionary {number: name} byte for byte as `numpy.save` of NumPy 1 does, with pickle protocol 3, so that
 * NumPy 1 and 2 read it.
 *
 * @param mapping one to 127 entries, numbers from 0 to 255, names of any characters
 * @returns a whole .npy file
 */
export function encodePickledMapping(mapping: ReadonlyMap<number, string>): Uint8Array {
  const bytes: number[] = [];
  let kept = 0;
  const ops = (...codes: number[]) => bytes.push(...codes);
  const keep = () => ops(Op.BinPut, kept++);
  const ascii = (text: string) => bytes.push(...new TextEncoder().encode(text));
  const global = (module: string, name: string) => {
    ops(Op.Global);
    ascii(`${module}\n${name}\n`);
    keep();
  };
  const unicode = (text: string) => {
    const encoded = new TextEncoder().encode(text);
    ops(Op.BinUnicode, encoded.length & 255, encoded.length >> 8, 0, 0, ...encoded);
    keep();
  };
  const isShort = mapping.size === 1;

  ops(Op.Proto, 3);
  global("numpy.core.multiarray", "_reconstruct");
  global("numpy", "ndarray");
  ops(Op.BinInt1, 0, Op.Tuple1);
  keep();
  ops(Op.ShortBinBytes, 1, "b".charCodeAt(0));
  keep();
  ops(Op.Tuple3);
  keep();
  ops(Op.Reduce);
  keep();
  ops(Op.Mark, Op.BinInt1, 1, Op.EmptyTuple);
  global("numpy", "dtype");
  unicode("O8");
  ops(Op.NewFalse, Op.NewTrue, Op.Tuple3);
  keep();
  ops(Op.Reduce);
  keep();
  ops(Op.Mark, Op.BinInt1, 3);
  unicode("|");
  const minusOne = [Op.BinInt, 255, 255, 255, 255];
  ops(Op.None, Op.None, Op.None, ...minusOne, ...minusOne, Op.BinInt1, 63);
  ops(Op.Tuple);
  keep();
  ops(Op.Build, Op.NewFalse, Op.EmptyList);
  keep();
  ops(Op.EmptyDict);
  keep();
  if (!isShort) ops(Op.Mark);
  for (const [key, name] of mapping) {
    ops(Op.BinInt1, key);
    unicode(name);
  }
  ops(isShort ? Op.SetItem : Op.SetItems, Op.Append, Op.Tuple);
  keep();
  ops(Op.Build, Op.Stop);
  const header = encodeNpyHeader("|O", []);
  const file = new Uint8Array(header.length + bytes.length);
  file.set(header);
  file.set(bytes, header.length);
  return file;
}
