/** Arrays by name in one file, with JSON beside them: what the live page reads without a reader of Arrow. */

const KINDS = { Float32Array, Uint16Array, Int16Array, Int8Array, Uint8Array };

/** An array of one of the kinds that a file holds. */
export type PackedArray = Float32Array | Uint16Array | Int16Array | Int8Array | Uint8Array;

/** What lies in the file. */
interface Header {
  about: unknown;
  arrays: { name: string; kind: keyof typeof KINDS; length: number }[];
}

const aligned = (bytes: number) => Math.ceil(bytes / 4) * 4;

/** Packs arrays: the length of the header, the header, and the arrays, each from a multiple of four bytes on. */
export function pack(about: unknown, arrays: Record<string, PackedArray>): Uint8Array<ArrayBuffer> {
  const header: Header = {
    about,
    arrays: Object.entries(arrays).map(([name, array]) => ({
      name,
      kind: array.constructor.name as keyof typeof KINDS,
      length: array.length,
    })),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bodies = Object.values(arrays);
  const bytes = new Uint8Array(
    4 + aligned(text.length) + bodies.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0),
  );
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  let at = 4 + aligned(text.length);
  for (const { buffer, byteOffset, byteLength } of bodies) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += aligned(byteLength);
  }
  return bytes;
}

/**
 * Undoes `pack`; the arrays are views.
 *
 * @throws Error "space.bin is cut short: write the folder again."
 */
export function unpack(
  buffer: ArrayBuffer,
  name: string,
): { about: unknown; arrays: Record<string, PackedArray> } {
  const broken = new Error(`${name} is cut short: write the folder again.`);
  if (buffer.byteLength < 4) throw broken;
  const length = new DataView(buffer).getUint32(0, true);
  if (4 + length > buffer.byteLength) throw broken;
  const { about, arrays }: Header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + aligned(length);
  const found: Record<string, PackedArray> = {};
  for (const { name, kind, length } of arrays) {
    const bytes = length * KINDS[kind].BYTES_PER_ELEMENT;
    if (at + bytes > buffer.byteLength) throw broken;
    found[name] = new KINDS[kind](buffer, at, length);
    at += aligned(bytes);
  }
  return { about, arrays: found };
}
