/** Discrete Fourier transforms of grids on the GPU, in place. */
import code from "../../shaders/fft.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, writeBuffer } from "../gpu/mod.ts";

const FFT: Kernel = { label: "fft", code };
const WORKGROUP = 8;

/** One axis of a grid of vec4, each of which holds two complex numbers. */
export interface GridAxis {
  /** Places of a line, 2ᵏ or 3 · 2ᵏ with k ≥ 1. */
  length: number;
  /** Lines to be transformed. */
  lines: number;
  /** Vec4 from a place to the next. */
  along: number;
  /** Vec4 from a line to the next. */
  across: number;
  /** Only the first half of the places counts: forward the others are zero, inverse they are left as they are. */
  half?: boolean;
}

/** exp(−2πi k / count) for every k < count, (re, im), on the GPU. */
export interface Roots {
  buffer: GPUBuffer;
  count: number;
}

/** Uploads roots of unity for axes whose lengths divide `count`. */
export function rootsOfUnity(gpu: Gpu, count: number): Roots {
  const buffer = allocate(gpu, count * 8, "roots of unity");
  const values = new Float32Array(2 * count);
  for (let k = 0; k < count; k++) {
    values[2 * k] = Math.cos(2 * Math.PI * k / count);
    values[2 * k + 1] = -Math.sin(2 * Math.PI * k / count);
  }
  writeBuffer(gpu, buffer, values);
  return { buffer, count };
}

/**
 * Records the transform of every line, by factors of 8, then 4 or 2, then 3. Forward leaves frequencies in the places of
 * `frequencyOrder`; the inverse begins from there, and is not divided by the length.
 *
 * @throws RangeError "A transform takes lengths of 2ᵏ or 3 · 2ᵏ, not 7."
 */
export function transform(gpu: Gpu, grid: GPUBuffer, roots: Roots, axis: GridAxis, inverse = false): void {
  const { length, lines, along, across, half = false } = axis, rows = along < across;
  let span = length;
  const passes = radicesOf(length).map((radix) => ({ radix, m: span /= radix }));
  for (const { radix, m } of inverse ? passes.reverse() : passes) {
    const butterflies = length / radix, needed = half && m * radix === length ? radix / 2 : radix;
    dispatch(gpu, FFT, {
      buffers: [grid, roots.buffer],
      params: { m, turn: roots.count / (m * radix), butterflies, lines, along, across },
      overrides: {
        WORKGROUP,
        RADIX: radix,
        ROWS: Number(rows),
        INVERSE: Number(inverse),
        LOADED: inverse ? radix : needed,
        STORED: inverse ? needed : radix,
      },
      workgroups: rows
        ? [Math.ceil(butterflies / WORKGROUP), lines]
        : [Math.ceil(lines / WORKGROUP), butterflies],
      sizes: `${lines} lines of ${length}`,
    });
  }
}

/** The frequency in every place after a forward transform. */
export function frequencyOrder(length: number): Uint32Array {
  let order = [0], known = 1;
  for (const radix of radicesOf(length)) {
    const steps = radix === 3 ? [0, 1, 2] : bitReversal(radix);
    order = order.flatMap((frequency) => steps.map((q) => frequency + known * q));
    known *= radix;
  }
  return Uint32Array.from(order);
}

/** Factors of a length in the order of the forward passes. */
function radicesOf(length: number): number[] {
  const radices: number[] = [];
  let rest = length % 3 === 0 ? length / 3 : length;
  if (!(length >= 2 && Number.isInteger(Math.log2(rest)) && rest >= 2)) {
    throw new RangeError(`A transform takes lengths of 2ᵏ or 3 · 2ᵏ, not ${length}.`);
  }
  for (; rest > 1; rest /= radices.at(-1)!) radices.push(Math.min(rest, 8));
  return length % 3 === 0 ? [...radices, 3] : radices;
}

function bitReversal(count: number): number[] {
  if (count === 1) return [0];
  const halves = bitReversal(count / 2).map((q) => 2 * q);
  return [...halves, ...halves.map((q) => q + 1)];
}
