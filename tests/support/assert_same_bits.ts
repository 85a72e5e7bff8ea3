/** Comparison of arrays bit by bit. */
import { AssertionError } from "@std/assert";

/** Fails, naming the first entry, unless all entries are the same float32 numbers, signs of zeros and NaN included. */
export function assertSameBits(actual: Float32Array, expected: Float32Array, note: string): void {
  if (actual.length !== expected.length) {
    throw new AssertionError(`${actual.length} values, expected ${expected.length} (${note})`);
  }
  const wanted = bits(expected);
  const at = bits(actual).findIndex((word, i) => word !== wanted[i]);
  if (at >= 0) {
    throw new AssertionError(`entry ${at} is ${actual[at]}, expected exactly ${expected[at]} (${note})`);
  }
}

function bits(x: Float32Array): Uint32Array {
  return new Uint32Array(x.buffer, x.byteOffset, x.length);
}
