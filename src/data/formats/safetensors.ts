/** Safetensors: a header of JSON, then the tensors. */
import type { NamedArray } from "./named_arrays.ts";

const MAX_HEADER = 1e8;
/** Types by their names. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Float16Array,
  BF16: Uint16Array, // the upper half of float32
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
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
    const known = dtype in ARRAYS ? dtype as keyof typeof ARRAYS : undefined;
    const isOther = known && to - from !== count * ARRAYS[known].BYTES_PER_ELEMENT;
    if (isOther || from > to || 8 + length + to > bytes.length) {
      throw damaged(`"${name}" does not have the place that its shape needs`);
    }
    return {
      name,
      shape,
      type: dtype,
      isText: false,
      values() {
        if (!known) {
          throw new Error(`${path}: "${name}" is of type ${dtype}, which is not read: save it as F32.`);
        }
        return valuesOf(known, bytes.slice(8 + length + from, 8 + length + to).buffer);
      },
    };
  });
}

function valuesOf(dtype: keyof typeof ARRAYS, buffer: ArrayBuffer): ArrayLike<number | bigint> {
  const values = new ARRAYS[dtype](buffer);
  return dtype === "BF16"
    ? new Float32Array(Uint32Array.from(values as Uint16Array, (half) => half << 16).buffer)
    : values;
}
