/** LZ4 frames, in which pyarrow and polars compress. Own: the packages that were tried fail on some frames, or need ffi. */

const MAGIC = 0x184d2204;

/**
 * Unpacks a frame of known size, and checks the checksums that it has.
 *
 * @param bytes one frame
 * @param size bytes that it holds
 * @throws Error a reason to put in a sentence, as "its LZ4 frame is damaged"
 */
export function unpackLz4Frame(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), out = new Uint8Array(size);
  let at = 0, to = 0;
  const uint32 = () => {
    if (at + 4 > bytes.length) throw damaged();
    return view.getUint32((at += 4) - 4, true);
  };
  const check = (from: Uint8Array) => {
    if (uint32() !== xxh32(from)) throw new Error("its LZ4 frame does not have its checksum");
  };
  if (uint32() !== MAGIC) throw damaged();
  const flags = bytes[at], hasContentSize = (flags & 8) > 0;
  if (flags >> 6 !== 1 || flags & 1) throw new Error("its LZ4 frame is of a kind that is not read");
  at += 2 + (hasContentSize ? 8 : 0) + 1;
  for (;;) {
    const head = uint32(), length = head & 0x7fffffff;
    if (head === 0) break;
    if (at + length > bytes.length) throw damaged();
    const block = bytes.subarray(at, at += length);
    if (head >>> 31) {
      if (to + length > size) throw damaged();
      out.set(block, to);
      to += length;
    } else to = unpackBlock(block, out, to);
    if (flags & 16) check(block);
  }
  if (to !== size) throw damaged();
  if (flags & 4) check(out);
  return out;
}

/** Unpacks one block behind what is there. @returns the end of it */
function unpackBlock(block: Uint8Array, out: Uint8Array, start: number): number {
  let at = 0, to = start;
  const long = (length: number) => {
    if (length < 15) return length;
    let byte: number;
    do {
      if (at >= block.length) throw damaged();
      length += byte = block[at++];
    } while (byte === 255);
    return length;
  };
  while (at < block.length) {
    const token = block[at++], literals = long(token >> 4);
    if (at + literals > block.length || to + literals > out.length) throw damaged();
    out.set(block.subarray(at, at += literals), to);
    to += literals;
    if (at === block.length) return to;
    if (at + 2 > block.length) throw damaged();
    const back = block[at] | block[at + 1] << 8;
    at += 2;
    const matched = long(token & 15) + 4;
    if (back === 0 || back > to || to + matched > out.length) throw damaged();
    if (back >= matched) {
      out.copyWithin(to, to - back, to - back + matched);
      to += matched;
    } else for (const end = to + matched; to < end; to++) out[to] = out[to - back];
  }
  throw damaged();
}

const PRIMES = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1];

/** The checksum of LZ4 frames: xxHash of 32 bits, seed 0. */
function xxh32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), [p1, p2, p3, p4, p5] = PRIMES;
  const rotate = (x: number, by: number) => x << by | x >>> 32 - by;
  let at = 0, hash = p5;
  if (bytes.length >= 16) {
    const lanes = [p1 + p2 | 0, p2, 0, -p1 | 0];
    for (; at + 16 <= bytes.length; at += 16) {
      for (let i = 0; i < 4; i++) {
        const lane = lanes[i] + Math.imul(view.getUint32(at + 4 * i, true), p2);
        lanes[i] = Math.imul(rotate(lane, 13), p1);
      }
    }
    hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
  }
  hash = hash + bytes.length | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(rotate(hash + Math.imul(view.getUint32(at, true), p3), 17), p4);
  }
  for (; at < bytes.length; at++) hash = Math.imul(rotate(hash + Math.imul(bytes[at], p5), 11), p1);
  hash = Math.imul(hash ^ hash >>> 15, p2);
  hash = Math.imul(hash ^ hash >>> 13, p3);
  return (hash ^ hash >>> 16) >>> 0;
}

function damaged(): Error {
  return new Error("its LZ4 frame is damaged");
}
