/** Seeded random numbers, the same on every machine. */

/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

/**
 * A seeded generator (the 32-bit "sfc32" counter generator by Chris Doty-Humphrey, period ≥ 2³²).
 *
 * @param seed any whole number
 */
export function seededRandom(seed: number): Random {
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

/** Fills `out` with numbers of mean 0 and variance 1 (the sum of four uniforms, close enough to normal to start from). */
export function fillRandom(out: Float32Array, random: Random): Float32Array {
  for (let i = 0; i < out.length; i++) {
    out[i] = (random() + random() + random() + random() - 2) * Math.sqrt(3);
  }
  return out;
}

/** `count` different indices below `n`, ascending, drawn uniformly. */
export function sampleIndices(n: number, count: number, random: Random): Uint32Array {
  if (!(count <= n)) throw new RangeError(`Cannot draw ${count} different indices out of ${n}.`);
  const chosen = new Uint32Array(count);
  let taken = 0;
  for (let i = 0; i < n && taken < count; i++) {
    if (random() * (n - i) < count - taken) chosen[taken++] = i;
  }
  return chosen;
}
