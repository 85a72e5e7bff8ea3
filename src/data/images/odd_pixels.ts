/** TIFF and GIF files whose pixels a decoder reads in its own way, recognized by their headers. */

const [COMPRESSION, PHOTOMETRIC, EXTRA_SAMPLES] = [259, 262, 338];
/** Gray either way, RGB, palette, separated inks. */
const PLAIN_COLORS = [0, 1, 2, 3, 5];
const YCBCR = 6, JPEG = 7;

/**
 * What about a TIFF file's pixels is read differently by different readers.
 *
 * @param bytes of the file, in either order of bytes
 * @returns null for plain gray, palette, RGB or CMYK, with transparency or without
 */
export function oddTiff(bytes: Uint8Array): string | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), isLittle = bytes[0] === 0x49;
  const tags = new Map<number, number>();
  try {
    const start = view.getUint32(4, isLittle), count = view.getUint16(start, isLittle);
    for (let at = start + 2; at < start + 2 + 12 * count; at += 12) {
      const tag = view.getUint16(at, isLittle), type = view.getUint16(at + 2, isLittle);
      // 3 is a short, 4 a long; what is longer stands elsewhere and is none of these.
      tags.set(tag, type === 3 ? view.getUint16(at + 8, isLittle) : view.getUint32(at + 8, isLittle));
    }
  } catch {
    return null; // cut short: the decoder says so
  }
  const colors = tags.get(PHOTOMETRIC) ?? 1;
  if (!PLAIN_COLORS.includes(colors) && !(colors === YCBCR && tags.get(COMPRESSION) === JPEG)) {
    return `colors of TIFF's kind ${colors}`;
  }
  const extra = tags.get(EXTRA_SAMPLES);
  if (extra === undefined || extra === 2) return null;
  return extra === 1 ? "colors multiplied by their transparency" : "a channel of no stated meaning";
}

/**
 * What about a GIF file's first picture is read differently by different readers.
 *
 * @returns null where it covers the whole canvas
 */
export function oddGif(bytes: Uint8Array): string | null {
  const short = (at: number) => bytes[at] + 256 * bytes[at + 1];
  const paletteBytes = (flags: number) => flags & 0x80 ? 3 << ((flags & 7) + 1) : 0;
  let at = 13 + paletteBytes(bytes[10]);
  while (bytes[at] === 0x21) { // an extension: its kind, then blocks that end with an empty one
    at += 2;
    while (bytes[at] > 0) at += bytes[at] + 1;
    at++;
  }
  if (bytes[at] !== 0x2c) return null; // no picture: the decoder says so
  const isWhole = short(at + 1) === 0 && short(at + 3) === 0 && short(at + 5) >= short(6) &&
    short(at + 7) >= short(8);
  return isWhole ? null : "a first picture that leaves a part of its canvas open";
}
