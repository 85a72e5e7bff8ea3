/** PNG files whose palette indices are the data, as segmentation data sets use them. */
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import { decode, encode } from "fast-png";
import { reasonOf } from "../files/atomic_write.ts";
import { MAX_IMAGE_BYTES } from "./image.ts";
import { readBytes } from "../formats/npy.ts";
import { assertPixels, type Mask } from "./picture.ts";

const PNG_START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Samples a pixel by PNG's type of color; 3 is a palette. */
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * Reads the palette indices of a PNG of 1, 2, 4 or 8 bits a pixel, or the values of a gray one of 8 bits.
 *
 * @param path the file
 * @throws Error "There is no file a.png."; "The mask a.png is damaged or cut short (…): …"; "The mask a.png has 3 channels of
 *   8 bits, expected a palette: …"
 * @throws RangeError "The mask a.png is 30000 × 30000 pixels: …"
 */
export async function readPalettePng(path: string): Promise<Mask> {
  const bytes = await readBytes(path, MAX_IMAGE_BYTES);
  const damaged = (why: string, cause?: unknown) =>
    new Error(`The mask ${path} is damaged or cut short (${why}): copy it again.`, { cause });
  if (bytes.length < 33 || PNG_START.some((byte, i) => bytes[i] !== byte)) throw damaged("it is no PNG");
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const width = header.getUint32(16), height = header.getUint32(20), depth = bytes[24];
  assertPixels({ width, height }, `The mask ${path}`);
  const channels = CHANNELS[bytes[25]];
  if (channels > 1 || depth === 16) {
    throw new Error(
      `The mask ${path} has ${channels} channels of ${depth} bits, expected a palette: convert it without changing the indices.`,
    );
  }
  if (bytes[28] > 0 && depth < 8) {
    throw new Error(`The mask ${path} is interlaced at ${depth} bits a pixel: save it without interlacing.`);
  }
  try {
    const { data } = decode(pictureChunks(bytes), { checkCrc: true });
    return { width, height, data: depth === 8 ? Uint8Array.from(data) : unpack(data, width, height, depth) };
  } catch (error) {
    throw damaged(reasonOf(error).split("\n")[0], error);
  }
}

/**
 * The chunks of a PNG that make its picture. Others, as color profiles, are left out, and the picture is unpacked no further
 * than its size says: a few bytes may unpack to gigabytes.
 */
function pictureChunks(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept = [bytes.subarray(0, PNG_START.length)], packed: Uint8Array[] = [];
  let at = PNG_START.length, type = "";
  while (type !== "IEND") {
    const end = at + 12 + (at + 8 <= bytes.length ? view.getUint32(at) : Infinity);
    if (end > bytes.length) throw new Error("it ends within a chunk");
    type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if ((type === "IHDR") !== (at === PNG_START.length)) throw new Error("its header is in another place");
    if (["IHDR", "IDAT", "IEND"].includes(type)) kept.push(bytes.subarray(at, end));
    if (type === "IDAT") packed.push(bytes.subarray(at + 8, end - 4));
    at = end;
  }
  const wanted = unpackedBytes(view);
  let found: number;
  try {
    found = inflateSync(Buffer.concat(packed), { maxOutputLength: wanted }).length;
  } catch (error) {
    const isTooLong = (error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE";
    throw isTooLong ? new Error(`its data unpack to more than the ${wanted} bytes of its pixels`) : error;
  }
  if (found < wanted) throw new Error(`its data unpack to ${found} of ${wanted} bytes`);
  return Buffer.concat(kept);
}

/**
 * Encodes indices as an 8-bit palette PNG with the colors of PASCAL VOC.
 *
 * @param mask one index a pixel
 */
export function encodePalettePng({ width, height, data }: Mask): Uint8Array {
  return encode({ width, height, data, depth: 8, channels: 1, palette: vocPalette() });
}

/**
 * The palette of PASCAL VOC: the bits of the index, three at a time, become the high bits of red, green and blue.
 *
 * @returns 256 colors; 0 is black, 1 dark red, 255 a pale yellow
 */
export function vocPalette(): number[][] {
  return Array.from({ length: 256 }, (_, index) => {
    const color = [0, 0, 0];
    for (let bit = 0; bit < 8; bit++) {
      for (let c = 0; c < 3; c++) color[c] |= ((index >> (3 * bit + c)) & 1) << (7 - bit);
    }
    return color;
  });
}

/** First column and row of the seven pictures of an interlaced one, and the steps between theirs. */
const PASSES = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [
  0,
  1,
  1,
  2,
]];

/** Bytes of the rows of a picture of one channel, each behind the number of its filter. */
function unpackedBytes(header: DataView): number {
  const width = header.getUint32(16), height = header.getUint32(20), bits = header.getUint8(24);
  const passes = header.getUint8(28) > 0 ? PASSES : [[0, 0, 1, 1]];
  return passes.reduce((sum, [left, top, across, down]) => {
    const columns = Math.ceil((width - left) / across), rows = Math.ceil((height - top) / down);
    return columns > 0 && rows > 0 ? sum + rows * (1 + Math.ceil(columns * bits / 8)) : sum;
  }, 0);
}

/** Rows of 1, 2 or 4 bits a pixel begin at whole bytes, the first pixel in the highest bits. */
function unpack(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const perByte = 8 / depth, stride = Math.ceil(width / perByte);
  const indices = new Uint8Array(width * height), most = (1 << depth) - 1;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      const byte = packed[y * stride + Math.floor(x / perByte)];
      indices[to] = (byte >> (8 - depth * (x % perByte + 1))) & most;
    }
  }
  return indices;
}
