/** PNG files whose palette indices are the data, as segmentation data sets use them. */
import { decode, encode } from "fast-png";
import { reasonOf } from "./atomic_write.ts";
import { readBytes } from "./npy.ts";
import type { Mask } from "./resize.ts";

/** 100 megapixels: a larger mask is a mistake or a trap. */
const MAX_PIXELS = 1e8;

/**
 * Reads the palette indices of a PNG of 1, 2, 4 or 8 bits a pixel, or the values of a gray one of 8 bits.
 *
 * @param path the file
 * @throws Error "There is no file a.png."; "The mask a.png is damaged or cut short (…): …"; "The mask a.png is in color
 *   without a palette: …"
 */
export async function readPalettePng(path: string): Promise<Mask> {
  const bytes = await readBytes(path);
  const { width, height, depth, channels, data } = decodePng(bytes, path);
  if (channels !== 1 || depth === 16) {
    throw new Error(
      `The mask ${path} has ${channels} channels of ${depth} bits, expected a palette: convert it without changing the indices.`,
    );
  }
  return { width, height, data: depth === 8 ? Uint8Array.from(data) : unpack(data, width, height, depth) };
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

function decodePng(bytes: Uint8Array<ArrayBuffer>, path: string): ReturnType<typeof decode> {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length > 24 && header.getUint32(16) * header.getUint32(20) > MAX_PIXELS) {
    throw new RangeError(
      `The mask ${path} is ${header.getUint32(16)} × ${header.getUint32(20)} pixels: at most ${
        MAX_PIXELS / 1e6
      } million are read, so make it smaller.`,
    );
  }
  try {
    return decode(bytes, { checkCrc: true });
  } catch (error) {
    throw new Error(
      `The mask ${path} is damaged or cut short (${reasonOf(error).split("\n")[0]}): copy it again.`,
      { cause: error },
    );
  }
}

/** Rows of 1, 2 or 4 bits a pixel begin at whole bytes, the first pixel in the highest bits. */
function unpack(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const perByte = 8 / depth, stride = Math.ceil(width / perByte);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const x = i % width, byte = packed[Math.floor(i / width) * stride + Math.floor(x / perByte)];
    return (byte >> (8 - depth * (x % perByte + 1))) & ((1 << depth) - 1);
  });
}
