/** Seeded random numbers, the same on every machine. */
import { assertSeed } from "./check_options.ts";
import type { Matrix } from "./matrix.ts";

/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * A seeded generator (the 32-bit "sfc32" counter generator by Chris Doty-Humphrey, period ≥ 2³²).
 *
 * @param seed any whole number
 * @throws RangeError "seed is 1.5: give a whole number."
 */
export function seededRandom(seed: number): Random {
  assertSeed(seed);
  let a = seed | 0, b = Math.floor(seed / 2 ** 32) | 0, c = 0x9e3779b9, counter = 1;
  const next = () => {
    const t = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

/**
 * A seed of its own for every use of one: streams that must not repeat each other are named, never numbered onwards from the
 * seed, where one run's second stream would be the next run's first.
 *
 * @param seed any whole number
 * @param path what the stream is for, as `"beta"` or `"fold", 3`
 * @returns a whole number below 2⁵³, for `seededRandom`; the same for the same seed and path
 */
export function fork(seed: number, ...path: (string | number)[]): number {
  assertSeed(seed);
  let low = 0x243f6a88, high = 0x85a308d3; // 64 bits, multiplied and folded character by character
  for (const character of [seed, ...path].join("\u0000")) {
    low = Math.imul(low ^ character.codePointAt(0)!, 0x9e3779b1);
    high = Math.imul(high ^ low, 0x85ebca77);
    low ^= high >>> 15;
    high ^= low >>> 13;
  }
  low = Math.imul(low ^ (high >>> 16), 0xc2b2ae3d);
  high = Math.imul(high ^ (low >>> 13), 0x27d4eb2f);
  return ((high ^ (high >>> 15)) >>> 11) * 2 ** 32 + ((low ^ (low >>> 16)) >>> 0);
}

/** Fills `out` with numbers of mean 0 and variance 1 (the sum of four uniforms, close enough to normal to start from). */
export function fillRandom(out: Float32Array, random: Random): Float32Array {
  for (let i = 0; i < out.length; i++) {
    out[i] = (random() + random() + random() + random() - 2) * Math.sqrt(3);
  }
  return out;
}

/** A matrix of such numbers. */
export function randomMatrix(rows: number, cols: number, random: Random): Matrix {
  return { data: fillRandom(new Float32Array(rows * cols), random), rows, cols };
}

/** Numbers of rows: 32 bits where they are enough, else whole numbers below 2⁵³. */
export type RowNumbers = Uint32Array | Float64Array;

/** Indices up to which a draw passes all of them; beyond, it draws until there are enough different ones. */
export const MAX_PASSED = 2 ** 24;

/** `count` different indices below `n` ≤ 2³², ascending, drawn uniformly. */
export function sampleIndices(n: number, count: number, random: Random): Uint32Array {
  if (!(count <= n)) throw new RangeError(`Cannot draw ${count} different indices out of ${n}.`);
  if (n > MAX_PASSED && count <= n / 2) return Uint32Array.from(differentIndices(n, count, random));
  const chosen = new Uint32Array(count);
  let taken = 0;
  for (let i = 0; i < n && taken < count; i++) {
    if (random() * (n - i) < count - taken) chosen[taken++] = i;
  }
  return chosen;
}

/** The same below any `n` < 2⁵³, of which at most half are drawn where n > 2³². */
export function sampleRows(n: number, count: number, random: Random): RowNumbers {
  return n <= 2 ** 32 ? sampleIndices(n, count, random) : differentIndices(n, count, random);
}

/** Ascending. Memory and time do not depend on n. */
function differentIndices(n: number, count: number, random: Random): Float64Array {
  const found = new Set<number>(), bits = () => Math.floor(random() * 2 ** 26);
  while (found.size < count) found.add(Math.floor((bits() * 2 ** 26 + bits()) / 2 ** 52 * n));
  return Float64Array.from(found).sort();
}

/** Puts `items` into a random order, in place (Fisher & Yates), and returns them. */
export function shuffle<T extends Uint32Array | Float64Array | unknown[]>(items: T, random: Random): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}
