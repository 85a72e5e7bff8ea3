/** Protobuf messages field by field, without their schema. */
import protobuf from "protobufjs";

/** Wire type of strings, bytes, messages and packed lists. */
export const LENGTH_DELIMITED = 2;

/** The data ends before the message does. */
export class CutShort extends Error {}

export type Handler = (reader: protobuf.Reader, wire: number) => void;

/**
 * Calls the handler of each field that has one.
 *
 * @param others called for each other field: its number, all its bytes, and what is in it where it is length-delimited
 * @throws CutShort when the bytes end within a field
 */
export function readMessage(
  bytes: Uint8Array,
  handlers: Record<number, Handler>,
  others?: (field: number, raw: Uint8Array, body?: Uint8Array) => void,
): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    try {
      const start = reader.pos, tag = reader.uint32(), field = tag >>> 3, wire = tag & 7;
      const handler = handlers[field];
      if (handler) {
        handler(reader, wire);
        continue;
      }
      const body = others && wire === LENGTH_DELIMITED ? reader.bytes() : undefined;
      if (!body) reader.skipType(wire);
      others?.(field, bytes.subarray(start, reader.pos), body);
    } catch (error) {
      if (error instanceof RangeError) {
        throw new CutShort(`${bytes.length} bytes are not the whole of it`, { cause: error });
      }
      throw error;
    }
  }
}

/** Whole numbers, packed or one by one. */
export function readInts(reader: protobuf.Reader, wire: number, into: number[]): void {
  if (wire !== LENGTH_DELIMITED) {
    into.push(Number(reader.int64()));
    return;
  }
  const packed = protobuf.Reader.create(reader.bytes());
  while (packed.pos < packed.len) into.push(Number(packed.int64()));
}

/** A length-delimited field that consists of these bytes. */
export function messageField(field: number, parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = protobuf.Writer.create().uint32((field << 3 | LENGTH_DELIMITED) >>> 0).uint32(length).finish();
  return joinBytes([head, ...parts]);
}

/** A field that holds a text. */
export function textField(field: number, text: string): Uint8Array {
  return messageField(field, [new TextEncoder().encode(text)]);
}

/** A field that holds a whole number. */
export function numberField(field: number, value: number): Uint8Array {
  return protobuf.Writer.create().uint32(field << 3).int64(value).finish();
}

export function joinBytes(parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
