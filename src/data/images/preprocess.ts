/** What happens to a photograph before a vision model sees it: resize, crop, scale, normalise. */
import { type Filter, resizeFloats, resizeImage, resizeMask, resizeNearest } from "./resize.ts";
import { type Mask, MAX_PIXELS, type RgbImage } from "./picture.ts";
import { channelValues } from "./channel_values.ts";
import type { Preprocessor } from "./preprocessor.ts";
import { roundHalfToEven, type Size, sizeOf } from "./resized_size.ts";

/** What a model takes. */
export interface ModelInput {
  /** 3 × height × width. */
  data: Float32Array;
  width: number;
  height: number;
}

/**
 * A photograph as the model takes it, in float32 arithmetic as transformers: (byte · rescale − mean) / std.
 *
 * @param image h × w × 3 bytes
 * @param name what messages call the image
 * @returns channels first; a crop or an exact size makes all images equally large
 * @throws RangeError as `previewCrop`
 */
export function preprocess(image: RgbImage, preprocessor: Preprocessor, name?: string): ModelInput {
  const { resizesFloats, resize, filter } = preprocessor;
  if (resizesFloats && resize && filter !== "nearest") {
    return preprocessFloats(image, preprocessor, filter, name);
  }
  const { width, height, data: bytes } = previewCrop(image, preprocessor, name);
  const pixels = width * height;
  const data = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    const values = channelValues(preprocessor, channel);
    const from = preprocessor.flipChannels ? 2 - channel : channel;
    for (let i = 0; i < pixels; i++) data[channel * pixels + i] = values[bytes[3 * i + from]];
  }
  return { data, width, height };
}

/** `preprocess` where the values are scaled before the resize, which rounds nothing. */
function preprocessFloats(
  image: RgbImage,
  preprocessor: Preprocessor,
  filter: Exclude<Filter, "nearest">,
  name: string | undefined,
): ModelInput {
  const { crop, rescale, normalize } = preprocessor;
  const resized = resizedSize(image, preprocessor, name),
    floats = resizeFloats(image, resized.width, resized.height, filter);
  const { width, height } = crop ?? resized, pixels = width * height, data = new Float32Array(3 * pixels);
  const left = cropStart(resized.width, width), top = cropStart(resized.height, height);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to++) {
      const column = left + x, row = top + y;
      const isInside = column >= 0 && row >= 0 && column < resized.width && row < resized.height;
      for (let c = 0; c < 3; c++) {
        const value = isInside ? floats[3 * (row * resized.width + column) + c] * (rescale ?? 1) : 0;
        data[c * pixels + to] = normalize ? (value - normalize.mean[c]) / normalize.std[c] : value;
      }
    }
  }
  return { data, width, height };
}

/**
 * The part of a photograph that the model sees, in the size in which it sees it, as bytes.
 *
 * @param image h × w × 3 bytes
 * @param name what messages call the image
 * @throws RangeError "a.png is 1 × 1000000 pixels, resized 64 × 64000000: …"
 */
export function previewCrop(image: RgbImage, preprocessor: Preprocessor, name?: string): RgbImage {
  const { filter, library } = preprocessor;
  return framed(image, 3, preprocessor, name, (from, { width, height }) => {
    if (filter !== "nearest") return resizeImage(from, width, height, filter, library);
    return resizeNearest(from, width, height);
  });
}

/**
 * The part of a mask that belongs to `previewCrop` of its photograph, by nearest neighbour; 0 where the crop adds black.
 *
 * @param mask h × w class indices
 * @param name what messages call the mask
 * @throws RangeError as `previewCrop`
 */
export function preprocessMask(mask: Mask, preprocessor: Preprocessor, name = "The mask"): Mask {
  return framed(mask, 1, preprocessor, name, (from, { width, height }) => resizeMask(from, width, height));
}

/** Crop and resize of `channels` interleaved planes. */
function framed<T extends RgbImage | Mask>(
  image: T,
  channels: number,
  preprocessor: Preprocessor,
  name: string | undefined,
  resized: (from: T, to: Size) => T,
): T {
  const { crop, cropFirst, cropRounding } = preprocessor;
  const cut = (from: T, size: Size) => centerCrop(from, channels, size, cropRounding) as T;
  if (!crop || !cropFirst) {
    const all = resized(image, resizedSize(image, preprocessor, name));
    return crop ? cut(all, crop) : all;
  }
  const to = preprocessor.resize as Size, shorter = Math.min(image.width, image.height);
  const side = (key: "width" | "height") => Math.trunc(to[key] / crop[key] * shorter);
  const size = { width: side("width"), height: side("height") };
  if (size.width === 0 || size.height === 0) {
    throw new RangeError(
      `${name ?? "The image"} is ${image.width} × ${image.height} pixels: too small to be cropped.`,
    );
  }
  resizedSize(size, preprocessor, name);
  return resized(cut(image, size), to);
}

function resizedSize(from: Size, { resize }: Preprocessor, name = "The image"): Size {
  if (!resize) return from;
  const to = sizeOf(from, resize);
  if (to.width === 0 || to.height === 0) {
    throw new RangeError(
      `${name} is ${from.width} × ${from.height} pixels, resized ${to.width} × ${to.height}: crop it, or leave it out.`,
    );
  }
  // The columns are resized first.
  if (to.width * Math.max(from.height, to.height) <= MAX_PIXELS) return to;
  throw new RangeError(
    `${name} is ${from.width} × ${from.height} pixels, resized ${to.width} × ${to.height}: at most ${
      MAX_PIXELS / 1e6
    } million are made, so crop it or ask for less.`,
  );
}

/** The middle of `channels` interleaved planes. */
function centerCrop(
  image: RgbImage | Mask,
  channels: number,
  crop: Size,
  rounding: Preprocessor["cropRounding"],
): RgbImage | Mask {
  if (crop.width === image.width && crop.height === image.height) return image;
  const left = cropStart(image.width, crop.width, rounding),
    top = cropStart(image.height, crop.height, rounding);
  const data = new Uint8Array(crop.width * crop.height * channels);
  const from = Math.max(left, 0), to = Math.min(left + crop.width, image.width);
  for (let y = Math.max(top, 0); y < Math.min(top + crop.height, image.height); y++) {
    const row = image.data.subarray((y * image.width + from) * channels, (y * image.width + to) * channels);
    data.set(row, ((y - top) * crop.width + from - left) * channels);
  }
  return { width: crop.width, height: crop.height, data };
}

/** Where a crop starts; negative where that many pixels are added. */
function cropStart(length: number, cropped: number, rounding?: Preprocessor["cropRounding"]): number {
  if (cropped > length) return -Math.floor((cropped - length) / 2);
  const half = (length - cropped) / 2;
  return rounding === "half to even" ? roundHalfToEven(half) : Math.floor(half);
}
