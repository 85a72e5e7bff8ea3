/** Damage done to files: bits, lengths, cuts, and parts moved. */
import type { Random } from "../../src/linalg/random.ts";

/** A damaged copy, and what was done to it. */
export interface Mutation {
  what: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Lengths that programs do not expect. */
const LENGTHS = [0, 1, 0x7fffffff, 0xffffffff, 0x80000000, 0x00ffffff, 1e6, 0xfffffffe];

/** One random damage; the beginning and the end, where headers and footers are, are hit more often. */
export function mutate(original: Uint8Array, random: Random): Mutation {
  const n = original.length, pick = (count: number) => Math.min(count - 1, Math.floor(random() * count));
  const place = () => {
    const part = random(), near = Math.min(n, 512);
    return part < 0.4 ? pick(near) : part < 0.6 ? n - 1 - pick(near) : pick(n);
  };
  const bytes = original.slice() as Uint8Array<ArrayBuffer>;
  switch (pick(6)) {
    case 0: {
      const flips = 1 + pick(8), at = Array.from({ length: flips }, place);
      for (const i of at) bytes[i] ^= 1 << pick(8);
      return { what: `bits flipped at ${at.join(", ")}`, bytes };
    }
    case 1: {
      const kept = random() < 0.5 ? pick(Math.min(n, 200)) : pick(n);
      return { what: `cut to ${kept} bytes`, bytes: bytes.slice(0, kept) };
    }
    case 2: {
      const at = Math.min(place(), Math.max(0, n - 4)), value = LENGTHS[pick(LENGTHS.length)];
      const view = new DataView(bytes.buffer);
      if (n >= 4) view.setUint32(at, value, random() < 0.5);
      return { what: `${value} written at ${at}`, bytes };
    }
    case 3: {
      const at = place(), count = 1 + pick(64);
      const out = new Uint8Array(n + count);
      out.set(bytes.subarray(0, at));
      for (let i = 0; i < count; i++) out[at + i] = pick(256);
      out.set(bytes.subarray(at), at + count);
      return { what: `${count} bytes put in at ${at}`, bytes: out };
    }
    case 4: {
      const at = place(), count = Math.min(1 + pick(256), n - at), out = new Uint8Array(n - count);
      out.set(bytes.subarray(0, at));
      out.set(bytes.subarray(at + count), at);
      return { what: `${count} bytes taken out at ${at}`, bytes: out };
    }
    default: {
      const from = place(), to = place(), count = Math.min(1 + pick(128), n - Math.max(from, to));
      bytes.copyWithin(to, from, from + count);
      return { what: `${count} bytes copied from ${from} to ${to}`, bytes };
    }
  }
}
