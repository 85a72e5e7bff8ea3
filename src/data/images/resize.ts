/** Resizing as Pillow does it, bit for bit: what the image models were trained and measured with. */
import type { Mask, RgbImage } from "./picture.ts";

export type Filter = "bicubic" | "bilinear" | "nearest";

/** Whose fixed-point arithmetic: Pillow's, weights of 22 bits, or torchvision's, weights of 16 bits. */
export type Library = "pillow" | "torchvision";

/** Fraction bits of a weight: 8 bits of color and 2 of headroom for negative lobes leave 22 of 32. */
const PRECISION_BITS = 22;
/** torchvision's weights are int16. */
const MAX_WEIGHT = 2 ** 15;

/** Each filter as a function of the distance, and the distance from which on it is 0, in output pixels. */
const FILTERS: Record<Exclude<Filter, "nearest">, { support: number; weight(x: number): number }> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: keysCubic },
};

/** R. Keys's cubic convolution kernel, a = −1/2. */
function keysCubic(x: number): number {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/** The weighted input samples of every output sample of one axis. */
interface Taps {
  /** First input index of each output sample. */
  first: Int32Array;
  /** How many inputs each output sample takes. */
  count: Int32Array;
  /** Output sample i's weights start at i · stride; fixed point, 2 ** bits is 1. */
  weights: Int32Array;
  stride: number;
  bits: number;
  /** The same, not in fixed point; they add up to 1. */
  shares: Float64Array;
}

/**
 * Resizes an image with an antialiasing filter, rounding to bytes between the two axes, as Pillow's `Image.resize` or
 * torchvision's of a uint8 tensor.
 *
 * The filter is stretched by the scale when it shrinks the image, and by nothing when it enlarges it. The columns are
 * resized first, as by torchvision and every Pillow up to 12 (13 resizes the rows of portraits first); an axis that keeps
 * its length is left alone.
 *
 * @param image h × w × 3 bytes
 * @param width pixels of the result, at least 1
 * @param height pixels of the result, at least 1
 * @returns height × width × 3 bytes; the same image when nothing changes
 * @throws RangeError "Cannot resize to 0 × 4 pixels: both must be whole numbers from 1 on."
 */
export function resizeImage(
  image: RgbImage,
  width: number,
  height: number,
  filter: Exclude<Filter, "nearest">,
  library: Library = "pillow",
): RgbImage {
  assertSize(width, height);
  const taps = (from: number, to: number) => axisTaps(from, to, filter, library);
  const across = width === image.width ? image : resizeWidth(image, taps(image.width, width));
  return height === image.height ? across : resizeHeight(across, taps(image.height, height));
}

function axisTaps(from: number, to: number, filter: Exclude<Filter, "nearest">, library: Library): Taps {
  const { support, weight } = FILTERS[filter];
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const stride = Math.ceil(reach) * 2 + 1;
  const taps: Taps = {
    first: new Int32Array(to),
    count: new Int32Array(to),
    weights: new Int32Array(to * stride),
    stride,
    bits: PRECISION_BITS,
    shares: new Float64Array(to * stride),
  };
  const { shares } = taps;
  // Times the reciprocal, as Pillow: a division would round differently.
  const shrink = 1 / stretch;
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(Math.trunc(center - reach + 0.5), 0);
    const count = Math.min(Math.trunc(center + reach + 0.5), from) - first;
    const real = shares.subarray(i * stride, i * stride + count);
    let sum = 0;
    for (let t = 0; t < count; t++) sum += real[t] = weight((t + first - center + 0.5) * shrink);
    for (let t = 0; t < count; t++) real[t] /= sum;
    taps.first[i] = first;
    taps.count[i] = count;
  }
  if (library === "torchvision") {
    const most = shares.reduce((a, b) => Math.max(a, b), 0);
    taps.bits = 0;
    while (taps.bits < PRECISION_BITS && Math.trunc(0.5 + most * 2 ** (taps.bits + 1)) < MAX_WEIGHT) {
      taps.bits++;
    }
  }
  const one = 2 ** taps.bits;
  taps.weights.set(shares.map((share) => Math.trunc(share * one + (share < 0 ? -0.5 : 0.5))));
  return taps;
}

function resizeWidth({ width, height, data }: RgbImage, taps: Taps): RgbImage {
  const to = taps.first.length;
  const out = new Uint8Array(to * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < to; x++) {
      filterPixel(data, (y * width + taps.first[x]) * 3, 3, taps, x, out, (y * to + x) * 3);
    }
  }
  return { width: to, height, data: out };
}

function resizeHeight({ width, data }: RgbImage, taps: Taps): RgbImage {
  const to = taps.first.length;
  const out = new Uint8Array(width * to * 3);
  for (let y = 0; y < to; y++) {
    for (let x = 0; x < width; x++) {
      filterPixel(data, (taps.first[y] * width + x) * 3, width * 3, taps, y, out, (y * width + x) * 3);
    }
  }
  return { width, height: to, data: out };
}

/** One pixel of `out` at `to` from the pixels of `data` that start at `from`, `step` bytes apart. */
function filterPixel(
  data: Uint8Array,
  from: number,
  step: number,
  taps: Taps,
  index: number,
  out: Uint8Array,
  to: number,
): void {
  const start = index * taps.stride, end = start + taps.count[index];
  let red = 1 << (taps.bits - 1), green = red, blue = red;
  for (let t = start; t < end; t++, from += step) {
    const weight = taps.weights[t];
    red += data[from] * weight;
    green += data[from + 1] * weight;
    blue += data[from + 2] * weight;
  }
  out[to] = toByte(red, taps.bits);
  out[to + 1] = toByte(green, taps.bits);
  out[to + 2] = toByte(blue, taps.bits);
}

function toByte(fixed: number, bits: number): number {
  return Math.min(Math.max(fixed >> bits, 0), 255);
}

/**
 * Resizes an image as torchvision does a float tensor: nothing is rounded to bytes, nor cut off at 0 and 255.
 *
 * @param image h × w × 3 bytes
 * @returns height × width × 3 values in bytes' units, within 0.005 of torchvision's, whose weights are float32
 * @throws RangeError "Cannot resize to 0 × 4 pixels: both must be whole numbers from 1 on."
 */
export function resizeFloats(
  image: RgbImage,
  width: number,
  height: number,
  filter: Exclude<Filter, "nearest">,
): Float32Array {
  assertSize(width, height);
  const across = axisTaps(image.width, width, filter, "torchvision");
  const down = axisTaps(image.height, height, filter, "torchvision");
  const between = new Float32Array(3 * width * image.height), out = new Float32Array(3 * width * height);
  const sum = (data: ArrayLike<number>, from: number, step: number, taps: Taps, index: number) => {
    const start = index * taps.stride, end = start + taps.count[index];
    let value = 0;
    for (let t = start; t < end; t++, from += step) value += data[from] * taps.shares[t];
    return value;
  };
  for (let y = 0, to = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * image.width + across.first[x]);
      for (let c = 0; c < 3; c++, to++) between[to] = sum(image.data, from + c, 3, across, x);
    }
  }
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < 3 * width; x++, to++) {
      out[to] = sum(between, 3 * width * down.first[y] + x, 3 * width, down, y);
    }
  }
  return out;
}

/**
 * Resizes an image by taking the nearest pixel, ⌊(x + ½) · scale⌋ in float32, as torchvision's `NEAREST_EXACT`.
 *
 * @param image h × w × 3 bytes
 * @throws RangeError "Cannot resize to 0 × 4 pixels: both must be whole numbers from 1 on."
 */
export function resizeNearest(image: RgbImage, width: number, height: number): RgbImage {
  assertSize(width, height);
  const indices = (from: number, to: number) => {
    const scale = Math.fround(from / to);
    return Int32Array.from(
      { length: to },
      (_, i) => Math.min(Math.floor(Math.fround((i + 0.5) * scale)), from - 1),
    );
  };
  return taken(image, 3, indices(image.width, width), indices(image.height, height));
}

/**
 * Resizes a mask by taking the nearest pixel, ⌊(x + ½) · scale⌋, as Pillow's `Image.resize` with NEAREST.
 *
 * @param mask h × w class indices
 * @returns height × width class indices
 * @throws RangeError "Cannot resize to 0 × 4 pixels: both must be whole numbers from 1 on."
 */
export function resizeMask(mask: Mask, width: number, height: number): Mask {
  assertSize(width, height);
  return taken(mask, 1, nearestIndices(mask.width, width), nearestIndices(mask.height, height));
}

/** The pixels of some columns and rows. */
function taken({ width, data: all }: Mask, channels: number, columns: Int32Array, rows: Int32Array): Mask {
  const data = new Uint8Array(channels * columns.length * rows.length);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      const from = channels * (row * width + column);
      for (let c = 0; c < channels; c++) data[to++] = all[from + c];
    }
  }
  return { width: columns.length, height: rows.length, data };
}

/** Adds the scale up step by step, as Pillow: where a position is a whole number the rounding decides. */
function nearestIndices(from: number, to: number): Int32Array {
  const scale = from / to;
  const indices = new Int32Array(to);
  for (let i = 0, at = scale / 2; i < to; i++, at += scale) indices[i] = Math.min(Math.trunc(at), from - 1);
  return indices;
}

function assertSize(width: number, height: number): void {
  if (Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0) return;
  throw new RangeError(`Cannot resize to ${width} × ${height} pixels: both must be whole numbers from 1 on.`);
}
