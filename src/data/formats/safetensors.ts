/** Safetensors: a header of JSON, then the tensors. */
import type { NamedArray } from "./named_arrays.ts";

const MAX_HEADER = 1e8;
/** Types by their names, with bytes of one value. */
const BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

/**
 * Lists the tensors of a file.
 *
 * @param bytes the whole file
 * @param path names the file in errors
 * @throws Error "a.safetensors is damaged: …"
 */
export function parseSafetensors(bytes: Uint8Array<ArrayBuffer>, path: string): NamedArray[] {
  const damaged = (what: string) =>
    new Error(`${path} is not a safetensors file, or is damaged: ${what}; copy it again.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : NaN;
  if (!(length <= Math.min(MAX_HEADER, bytes.length - 8))) throw damaged("its header is cut short");
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch {
    throw damaged("its header is not JSON");
  }
  if (typeof header !== "object" || header === null) throw damaged("its header is not JSON");
  return Object.entries(header).filter(([name]) => name !== "__metadata__").map(([name, tensor]) => {
    const { dtype, shape, data_offsets: offsets } = tensor ?? {};
    const isWhole = (some: unknown): some is number[] =>
      Array.isArray(some) && some.every((value) => Number.isSafeInteger(value) && value >= 0);
    if (typeof dtype !== "string" || !isWhole(shape) || !isWhole(offsets) || offsets.length !== 2) {
      throw damaged(`"${name}" has no type, shape and place`);
    }
    const [from, to] = offsets, count = shape.reduce((product, size) => product * size, 1);
    if (dtype in BYTES && to - from !== count * BYTES[dtype] || from > to || 8 + length + to > bytes.length) {
      throw damaged(`"${name}" does not have the place that its shape needs`);
    }
    return {
      name,
      shape,
      type: dtype,
      isText: false,
      values() {
        if (!(dtype in BYTES)) {
          throw new Error(`${path}: "${name}" is of type ${dtype}, which is not read: save it as F32.`);
        }
        return valuesOf(dtype, bytes.slice(8 + length + from, 8 + length + to).buffer);
      },
    };
  });
}

function valuesOf(dtype: string, buffer: ArrayBuffer): ArrayLike<number | bigint> {
  switch (dtype) {
    case "F64":
      return new Float64Array(buffer);
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return new Float16Array(buffer);
    case "BF16": // the upper half of float32
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer);
    case "I64":
      return new BigInt64Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    case "I16":
      return new Int16Array(buffer);
    case "I8":
      return new Int8Array(buffer);
    case "U64":
      return new BigUint64Array(buffer);
    case "U32":
      return new Uint32Array(buffer);
    case "U16":
      return new Uint16Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}
