/** What happens to a photograph before a vision model sees it: resize, crop, scale, normalise. */
import { reasonOf } from "./atomic_write.ts";
import type { RgbImage } from "./image.ts";
import { readPlainText } from "./plain_file.ts";
import { type Filter, type Mask, MOST_PIXELS, resizeImage, resizeMask } from "./resize.ts";

/** The steps, in this order; a null step is left out. */
export interface Preprocessor {
  /** To exactly this size, or to this shorter side with the proportions kept. */
  resize: { width: number; height: number } | { shortestEdge: number } | null;
  filter: Filter;
  /** The middle of the image; black is added where the image is smaller. */
  crop: { width: number; height: number } | null;
  /** What bytes are multiplied by, 1/255 as a rule. */
  rescale: number | null;
  /** Subtract the mean and divide by the standard deviation of each channel. */
  normalize: { mean: number[]; std: number[] } | null;
}

/** What a model takes. */
export interface ModelInput {
  /** 3 × height × width. */
  data: Float32Array;
  width: number;
  height: number;
}

type Json = Record<string, unknown>;

/** Longest side that a preprocessor file may ask for, in pixels. */
const MOST_SIDE = 4096;

/** Steps of other image processors that this one does not know, and that would change what the model sees. */
const UNKNOWN_STEPS = ["do_pad", "do_flip_channel_order", "do_thumbnail", "crop_pct"];

/**
 * Reads the image processor of a Hugging Face model.
 *
 * `do_resize`, `do_rescale` and `do_normalize` are on unless the file says no, `do_center_crop` is off unless it says
 * yes. A `size` that is one number is the shorter side where a crop follows, else both sides, as CLIP and ViT read it.
 *
 * @param path preprocessor_config.json
 * @throws Error "There is no preprocessor file a.json: put the model's preprocessor_config.json there."
 * @throws Error 'a.json: "resample" is 1, expected 2 (bilinear) or 3 (bicubic).'
 */
export async function readPreprocessor(path: string): Promise<Preprocessor> {
  return parsePreprocessor(await readJson(path), path);
}

/**
 * Like `readPreprocessor`, from what is in the file.
 *
 * @param json the file's object
 * @param path what messages call it
 * @throws Error 'a.json: "resample" is 1, expected 2 (bilinear) or 3 (bicubic).'
 */
export function parsePreprocessor(json: Record<string, unknown>, path: string): Preprocessor {
  const unusable = (key: string, expected: string): Error =>
    new Error(`${path}: "${key}" is ${JSON.stringify(json[key]) ?? "missing"}, expected ${expected}.`);
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = json[key] ?? otherwise;
    if (typeof value !== "boolean") throw unusable(key, "true or false");
    return value;
  };
  const channels = (key: string, least: number): number[] => {
    const value = json[key];
    if (Array.isArray(value) && value.length === 3 && value.every((v) => Number.isFinite(v) && v > least)) {
      return value;
    }
    throw unusable(key, least === 0 ? "three numbers above 0" : "three numbers");
  };

  for (const key of UNKNOWN_STEPS) {
    if (json[key]) throw unusable(key, "it off or absent, as this step is not implemented");
  }
  const crops = flag("do_center_crop", false);
  const preprocessor: Preprocessor = {
    resize: null,
    filter: "bicubic",
    crop: null,
    rescale: null,
    normalize: null,
  };
  if (flag("do_resize", true)) {
    const size = readSize(json.size, crops);
    if (!size) {
      throw unusable(
        "size",
        `1 to ${MOST_SIDE} pixels as a number, {"shortest_edge"} or {"height", "width"}`,
      );
    }
    if (json.resample !== 2 && json.resample !== 3) throw unusable("resample", "2 (bilinear) or 3 (bicubic)");
    preprocessor.resize = size;
    preprocessor.filter = json.resample === 2 ? "bilinear" : "bicubic";
  }
  if (crops) {
    const size = readSize(json.crop_size, false);
    if (!size || !("width" in size)) {
      throw unusable("crop_size", `1 to ${MOST_SIDE} pixels as a number or {"height", "width"}`);
    }
    preprocessor.crop = size;
  }
  if (flag("do_rescale", true)) {
    const factor = json.rescale_factor ?? 1 / 255;
    if (typeof factor !== "number" || !(factor > 0)) throw unusable("rescale_factor", "a number above 0");
    preprocessor.rescale = factor;
  }
  if (flag("do_normalize", true)) {
    preprocessor.normalize = { mean: channels("image_mean", -Infinity), std: channels("image_std", 0) };
  }
  const isFinite = [0, 1, 2].every((channel) => channelValues(preprocessor, channel).every(Number.isFinite));
  if (isFinite) return preprocessor;
  throw new Error(
    `${path}: its rescale_factor, image_mean and image_std give pixels that are not finite numbers.`,
  );
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
  const { width, height, data: bytes } = previewCrop(image, preprocessor, name);
  const pixels = width * height;
  const data = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    const values = channelValues(preprocessor, channel);
    for (let i = 0; i < pixels; i++) data[channel * pixels + i] = values[bytes[3 * i + channel]];
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
  const { width, height } = resizedSize(image, preprocessor, name);
  return centerCrop(resizeImage(image, width, height, preprocessor.filter), 3, preprocessor);
}

/**
 * The part of a mask that belongs to `previewCrop` of its photograph, by nearest neighbour; 0 where the crop adds black.
 *
 * @param mask h × w class indices
 * @param name what messages call the mask
 * @throws RangeError as `previewCrop`
 */
export function preprocessMask(mask: Mask, preprocessor: Preprocessor, name = "The mask"): Mask {
  const { width, height } = resizedSize(mask, preprocessor, name);
  return centerCrop(resizeMask(mask, width, height), 1, preprocessor);
}

interface Size {
  width: number;
  height: number;
}

function resizedSize(from: Size, { resize }: Preprocessor, name = "The image"): Size {
  if (!resize) return from;
  const to = "width" in resize ? resize : withShortestEdge(from, resize.shortestEdge);
  // The columns are resized first.
  if (to.width * Math.max(from.height, to.height) <= MOST_PIXELS) return to;
  throw new RangeError(
    `${name} is ${from.width} × ${from.height} pixels, resized ${to.width} × ${to.height}: at most ${
      MOST_PIXELS / 1e6
    } million are made, so crop it or ask for less.`,
  );
}

function withShortestEdge({ width, height }: Size, edge: number): Size {
  const scaled = (long: number, short: number) => Math.trunc(edge * long / short);
  return width <= height
    ? { width: edge, height: scaled(height, width) }
    : { width: scaled(width, height), height: edge };
}

/** The middle of `channels` interleaved planes, its corner where torchvision's `center_crop` has it. */
function centerCrop(image: RgbImage | Mask, channels: number, { crop }: Preprocessor): RgbImage {
  if (!crop || (crop.width === image.width && crop.height === image.height)) return image;
  const left = cropStart(image.width, crop.width), top = cropStart(image.height, crop.height);
  const data = new Uint8Array(crop.width * crop.height * channels);
  const from = Math.max(left, 0), to = Math.min(left + crop.width, image.width);
  for (let y = Math.max(top, 0); y < Math.min(top + crop.height, image.height); y++) {
    const row = image.data.subarray((y * image.width + from) * channels, (y * image.width + to) * channels);
    data.set(row, ((y - top) * crop.width + from - left) * channels);
  }
  return { width: crop.width, height: crop.height, data };
}

/** Where a crop starts; negative where that many pixels are added. A half rounds to the even number, as in Python. */
function cropStart(length: number, cropped: number): number {
  if (cropped > length) return -Math.floor((cropped - length) / 2);
  const half = (length - cropped) / 2;
  return Number.isInteger(half) ? half : 2 * Math.round(half / 2);
}

/** The float32 value of each of the 256 bytes in one channel. */
function channelValues({ rescale, normalize }: Preprocessor, channel: number): Float32Array {
  const values = Float32Array.from({ length: 256 }, (_, byte) => byte * (rescale ?? 1));
  if (!normalize) return values;
  const mean = Math.fround(normalize.mean[channel]), std = Math.fround(normalize.std[channel]);
  return values.map((value) => Math.fround(value - mean) / std);
}

async function readJson(path: string): Promise<Json> {
  let text: string;
  try {
    text = await readPlainText(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(
        `There is no preprocessor file ${path}: put the model's preprocessor_config.json there.`,
        {
          cause: error,
        },
      );
    }
    throw new Error(`Cannot read the preprocessor file ${path}: ${reasonOf(error)}.`, { cause: error });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`The preprocessor file ${path} is not JSON: ${reasonOf(error)}.`, { cause: error });
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Json;
  throw new Error(`The preprocessor file ${path} holds no object: expected a preprocessor_config.json.`);
}

/** A size in one of the ways in which it is written; undefined when it is none. */
function readSize(value: unknown, numberIsShortestEdge: boolean): Preprocessor["resize"] | undefined {
  const isPixels = (v: unknown): v is number =>
    Number.isSafeInteger(v) && (v as number) > 0 && (v as number) <= MOST_SIDE;
  if (isPixels(value)) {
    return numberIsShortestEdge ? { shortestEdge: value } : { width: value, height: value };
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { shortest_edge, width, height, ...others } = value as Json;
  if (Object.values(others).some((other) => other !== null)) return undefined;
  if (isPixels(shortest_edge) && width === undefined && height === undefined) {
    return { shortestEdge: shortest_edge };
  }
  if (isPixels(width) && isPixels(height) && shortest_edge === undefined) return { width, height };
  return undefined;
}
