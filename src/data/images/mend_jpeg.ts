/**
 * JPEG files that cameras wrote a little wrong, and that every reader takes with a warning: bytes between segments, scan
 * parameters that a sequential scan does not have. What is mended decodes without any warning, so that a damaged file is
 * still found by its own.
 */
import { Buffer } from "node:buffer";

const [SOI, EOI, SOS, RST0, RST7, TEM] = [0xd8, 0xd9, 0xda, 0xd0, 0xd7, 0x01];
/** Frames whose scans hold all coefficients: baseline, extended; with Huffman or arithmetic codes. */
const SEQUENTIAL = [0xc0, 0xc1, 0xc9];
/** Places at which stray bytes at the end of a scan are looked for. */
const MAX_PLACES = 8;

/** What was found and mended. */
export interface MendedJpeg {
  bytes: Uint8Array<ArrayBuffer>;
  /** For people: "stray bytes before a marker". */
  what: string;
}

/**
 * Mends what stands between a file's segments and in its scans' headers.
 *
 * @param bytes a JPEG file
 * @returns null where there is nothing to mend, or no end
 */
export function mendJpeg(bytes: Uint8Array): MendedJpeg | null {
  const parts: Uint8Array[] = [bytes.slice(0, 2)], what = new Set<string>();
  let isSequential = false, at = 2;
  while (at < bytes.length) {
    const marker = nextMarker(bytes, at);
    if (marker === null) return null;
    const start = marker.at - 2;
    // Any number of 0xff may stand before a marker.
    if (bytes.subarray(at, start).some((byte) => byte !== 0xff)) what.add("stray bytes before a marker");
    at = marker.at;
    if (marker.code === EOI) {
      parts.push(Uint8Array.of(0xff, EOI));
      return what.size > 0 ? { bytes: joined(parts), what: [...what].join(", ") } : null;
    }
    if (marker.code === SOI || marker.code === TEM || isRestart(marker.code)) continue;
    const length = bytes[at] * 256 + bytes[at + 1];
    if (!(length >= 2) || at + length > bytes.length) return null;
    const segment = bytes.slice(start, at + length);
    if (SEQUENTIAL.includes(marker.code)) isSequential = true;
    at += length;
    if (marker.code === SOS) {
      const parameters = segment.subarray(-3);
      if (isSequential && (parameters[0] !== 0 || parameters[1] !== 63 || parameters[2] !== 0)) {
        parameters.set([0, 63, 0]);
        what.add("scan parameters out of place");
      }
      const end = scanEnd(bytes, at);
      parts.push(segment, bytes.slice(at, end));
      at = end;
    } else parts.push(segment);
  }
  return null;
}

/**
 * Files that a decoder's warning of stray bytes may mean: without N bytes before a marker within or behind a scan.
 *
 * @param warning "Corrupt JPEG data: 5 extraneous bytes before marker 0xd9"
 */
export function* withoutStrayBytes(bytes: Uint8Array, warning: string): Generator<MendedJpeg> {
  const [, count, hex] = /(\d+) extraneous bytes before marker 0x([0-9a-f]{2})/.exec(warning) ?? [];
  if (count === undefined) return;
  const code = parseInt(hex, 16);
  let places = 0;
  for (let at = 2; at < bytes.length - 1 && places < MAX_PLACES; at++) {
    if (bytes[at] !== 0xff || bytes[at + 1] !== code) continue;
    places++;
    const parts = [bytes.slice(0, at - Number(count)), bytes.slice(at)];
    yield { bytes: joined(parts), what: "stray bytes before a marker" };
  }
}

function isRestart(code: number): boolean {
  return code >= RST0 && code <= RST7;
}

/** The next marker from a place on, and the place behind it. */
function nextMarker(bytes: Uint8Array, from: number): { code: number; at: number } | null {
  for (let at = from; at < bytes.length - 1; at++) {
    const code = bytes[at + 1];
    if (bytes[at] === 0xff && code !== 0 && code !== 0xff) return { code, at: at + 2 };
  }
  return null;
}

/** Where a scan's data end: before a marker that is no restart. */
function scanEnd(bytes: Uint8Array, from: number): number {
  for (let at = from;;) {
    const marker = nextMarker(bytes, at);
    if (marker === null) return bytes.length;
    if (!isRestart(marker.code)) return marker.at - 2;
    at = marker.at;
  }
}

function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
