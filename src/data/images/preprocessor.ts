/** Reads what an image processor's configuration asks for. */
import * as v from "valibot";
import { reasonOf } from "../files/atomic_write.ts";
import { channelValues, type Scaling } from "./channel_values.ts";
import { parseJson, recordOf, shown } from "../files/checked_json.ts";
import { readPlainText } from "../files/plain_file.ts";
import {
  classNamed,
  IMAGE_PROCESSORS,
  type ImageProcessor,
  TORCHVISION,
  unknownClass,
} from "./image_processors.ts";
import type { Filter } from "./resize.ts";
import { MAX_SIDE, readSize, type Resize, toMultiple } from "./resized_size.ts";

/** The steps, in this order; a null step is left out. */
export interface Preprocessor extends Scaling {
  resize: Resize | null;
  filter: Filter;
  /** The middle of the image; black is added where the image is smaller. */
  crop: { width: number; height: number } | null;
  /** Where half a pixel is left over beside the crop; absent: rounded down, as by transformers. */
  cropRounding?: "half to even";
  /** Perceiver: the crop, of resize ÷ crop of the shorter side, comes before the resize. */
  cropFirst?: true;
  /** DINOv3: the values are resized as floats; `previewCrop` rounds them to bytes, at most 1 of 255 away. */
  resizesFloats?: true;
  /** The model takes blue, green, red. */
  flipChannels?: true;
}

type Json = Record<string, unknown>;

/** Keys that change no pixel of one RGB photograph. */
const WITHOUT_EFFECT = [
  "image_processor_type",
  "feature_extractor_type",
  "processor_class",
  "auto_map",
  "_valid_processor_keys",
  "do_convert_rgb",
  "do_reduce_labels",
  "reduce_labels",
  "pad_size",
  "size_divisor",
  "image_seq_length",
  "input_data_format",
  "return_tensors",
  "device",
  "disable_grouping",
  "model_input_names",
  "_name_or_path",
  "_commit_hash",
  "transformers_version",
];

/** Keys that `parsePreprocessor` reads for every class. */
const READ = [
  "do_resize",
  "size",
  "default_to_square",
  "resample",
  "do_center_crop",
  "crop_size",
  "data_format",
  "do_rescale",
  "rescale_factor",
  "do_normalize",
  "image_mean",
  "image_std",
];

const FILTERS: Record<number, Filter> = { 0: "nearest", 2: "bilinear", 3: "bicubic" };

/**
 * Reads the image processor of a Hugging Face model: `preprocessor_config.json`, or `processor_config.json` with the image
 * processor inside, as transformers 5 writes it.
 *
 * What the file leaves out is as its class (`image_processor_type`) has it; a file without a class has to say all. The steps
 * and their arithmetic are those of transformers 5 with torchvision, its default; docs/formats.md has the table.
 *
 * @param path of the file
 * @throws Error "There is no preprocessor file a.json: put the model's preprocessor_config.json there."
 * @throws Error 'a.json: "resample" is 1, expected 0 (nearest), 2 (bilinear) or 3 (bicubic).'
 */
export async function readPreprocessor(path: string): Promise<Preprocessor> {
  return parsePreprocessor(await readJson(path), path);
}

/**
 * Like `readPreprocessor`, from what is in the file.
 *
 * @param json the file's object
 * @param path what messages call it
 * @throws Error 'a.json: "do_pad" is true, expected it off or absent, as this step is not implemented.'
 */
export function parsePreprocessor(json: Record<string, unknown>, path: string): Preprocessor {
  const { image_processor: nested } = json;
  if (typeof nested === "object" && nested !== null) {
    return parsePreprocessor({ ...nested, image_processor: undefined }, path);
  }
  const named = classNamed(json);
  const known = named === undefined || named === TORCHVISION ? undefined : IMAGE_PROCESSORS[named];
  const unusable = (key: string, expected: string): Error =>
    new Error(
      `${path}: "${key}" is ${shown(json[key])}, expected ${expected}` +
        (json[key] === undefined && !known
          ? ', or the class that it is the default of, as "image_processor_type".'
          : "."),
    );
  if (named !== undefined && named !== TORCHVISION && !known) {
    const key = json.image_processor_type === undefined ? "feature_extractor_type" : "image_processor_type";
    throw new Error(`${path}: "${key}" is ${shown(json[key])}, ${unknownClass(named)}.`);
  }
  /** A step that is null is off, as in transformers. */
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = json[key] === undefined ? otherwise : json[key] ?? false;
    if (typeof value !== "boolean") throw unusable(key, "true or false");
    return value;
  };
  const number = (key: string, otherwise: number): number => {
    const value = json[key] ?? otherwise;
    if (typeof value !== "number" || !(value > 0)) throw unusable(key, "a number above 0");
    return value;
  };
  const channels = (key: string, otherwise: number[] | undefined, least: number): number[] => {
    const value = json[key] ?? otherwise, all = typeof value === "number" ? [value, value, value] : value;
    if (Array.isArray(all) && all.length === 3 && all.every((v) => Number.isFinite(v) && v > least)) {
      return all;
    }
    throw unusable(key, least === 0 ? "three numbers above 0" : "three numbers");
  };

  assertKnownKeys(json, known, path);
  const crops = flag("do_center_crop", known?.crop !== undefined && !known.cropsOnDemand);
  const preprocessor: Preprocessor = {
    resize: null,
    filter: "bicubic",
    crop: null,
    rescale: null,
    normalize: null,
    ...(known && named !== "EfficientFormer" && { library: "torchvision" }),
    ...(named === TORCHVISION && { cropRounding: "half to even" }),
  };
  if (flag("do_resize", true)) {
    const square = flag("default_to_square", known ? known.square : !crops);
    const size = readSize(json.size ?? known?.size, square);
    if (!size) {
      throw unusable(
        "size",
        `1 to ${MAX_SIDE} pixels as a number, {"shortest_edge"} or {"height", "width"}`,
      );
    }
    // A filter that is null is bilinear, as in transformers.
    const resample = json.resample === undefined ? known?.resample : json.resample ?? (known && 2);
    const filter = FILTERS[resample as number];
    if (!filter || (filter === "nearest" && !preprocessor.library)) {
      throw unusable("resample", `${preprocessor.library ? "0 (nearest), " : ""}2 (bilinear) or 3 (bicubic)`);
    }
    preprocessor.resize = size;
    preprocessor.filter = filter;
  }
  if (crops) {
    const size = readSize(json.crop_size ?? known?.crop, true);
    if (!size || !("width" in size)) {
      throw unusable("crop_size", `1 to ${MAX_SIDE} pixels as a number or {"height", "width"}`);
    }
    preprocessor.crop = size;
  }
  if (flag("do_rescale", true)) preprocessor.rescale = number("rescale_factor", 1 / 255);
  if (flag("do_normalize", named !== "MobileViT")) {
    preprocessor.normalize = {
      mean: channels("image_mean", known?.mean, -Infinity),
      std: channels("image_std", known?.std, 0),
    };
  }
  switch (named) {
    case "ConvNext": {
      const edge = preprocessor.resize;
      if (!edge) break;
      if (!("shortestEdge" in edge) || edge.longestEdge) throw unusable("size", '{"shortest_edge"} alone');
      const side = edge.shortestEdge, resized = Math.trunc(side / number("crop_pct", 224 / 256));
      preprocessor.resize = side < 384 ? { shortestEdge: resized } : { width: side, height: side };
      preprocessor.crop = side < 384 ? { width: side, height: side } : null;
      break;
    }
    case "DINOv3ViT":
      preprocessor.separate = preprocessor.resizesFloats = true;
      break;
    case "EfficientFormer": {
      const { resize, crop } = preprocessor, has = resize && ("width" in resize ? resize : undefined);
      const edge = resize && "shortestEdge" in resize ? resize.shortestEdge : Infinity;
      if (
        crop &&
        (!resize || Math.max(crop.width, crop.height) > (has ? Math.min(has.width, has.height) : edge))
      ) {
        throw unusable("crop_size", "no more pixels than the size");
      }
      break;
    }
    case "DPT": {
      const size = preprocessor.resize, multipleOf = number("ensure_multiple_of", 1);
      if (!Number.isInteger(multipleOf)) throw unusable("ensure_multiple_of", "a whole number");
      if (!size) break;
      if (!("width" in size)) throw unusable("size", '{"height", "width"}');
      const fitted = { fitWidth: size.width, fitHeight: size.height, multipleOf };
      preprocessor.resize = flag("keep_aspect_ratio", false)
        ? fitted
        : { width: toMultiple(size.width, multipleOf), height: toMultiple(size.height, multipleOf) };
      break;
    }
    case "EfficientNet":
      if (preprocessor.rescale && flag("rescale_offset", false)) {
        preprocessor.offset = preprocessor.separate = true;
      }
      if (flag("include_top", true)) preprocessor.divideAgain = channels("image_std", known?.std, 0);
      break;
    case "Levit": {
      const size = preprocessor.resize;
      if (!size || "width" in size) break;
      if (!("shortestEdge" in size) || size.longestEdge) {
        throw unusable("size", '{"shortest_edge"} or {"height", "width"}');
      }
      preprocessor.resize = { shortestEdge: Math.trunc(256 / 224 * size.shortestEdge) };
      break;
    }
    case "MobileViT":
      if (flag("do_flip_channel_order", true)) preprocessor.flipChannels = true;
      break;
    case "Perceiver":
      if (!preprocessor.crop) break;
      if (!preprocessor.resize || !("width" in preprocessor.resize)) {
        throw unusable("size", '{"height", "width"}');
      }
      preprocessor.cropFirst = true;
      break;
  }
  const isFinite = [0, 1, 2].every((channel) => channelValues(preprocessor, channel).every(Number.isFinite));
  if (!isFinite) {
    throw new Error(
      `${path}: its rescale_factor, image_mean and image_std give pixels that are not finite numbers.`,
    );
  }
  return preprocessor;
}

/**
 * What to say of mean and deviation that are those of other pixels than these: of bytes where pixels go from 0 to 1, which
 * leaves nearly one value, or the reverse.
 *
 * @param path names the file
 */
export function otherUnit({ rescale, normalize }: Preprocessor, path: string): string | undefined {
  if (!normalize) return undefined;
  const white = 255 * (rescale ?? 1), { mean, std } = normalize;
  const areOfBytes = mean.every((value) => value > white);
  const areOfShares = white >= 255 && mean.every((value) => value > 0 && value <= 1) &&
    std.every((value) => value <= 1);
  if (!areOfBytes && !areOfShares) return undefined;
  return `${path} has "image_mean" ${shown(mean)}, but its pixels go from 0 to ${
    Number(white.toPrecision(4))
  } (${
    rescale ? `"rescale_factor" ${Number(rescale.toPrecision(4))}` : '"do_rescale" is off'
  }): features mean nothing unless the model was trained so`;
}

/** Whether a `processor_config.json` has the image processor inside, as since transformers 5; before, it had other things only. */
export async function hasImageProcessor(path: string): Promise<boolean> {
  const { image_processor } = await readJson(path);
  return typeof image_processor === "object" && image_processor !== null;
}

/** Refuses keys that are on and that this class, or this program, does nothing with. */
function assertKnownKeys(json: Json, known: ImageProcessor | undefined, path: string): void {
  if ((json.data_format ?? "channels_first") !== "channels_first") {
    throw new Error(
      `${path}: "data_format" is ${shown(json.data_format)}, expected "channels_first".`,
    );
  }
  const read = [...READ, ...WITHOUT_EFFECT, ...known?.own ?? []];
  for (const [key, value] of Object.entries(json)) {
    const isOff = value === undefined || value === null || value === false;
    if (isOff || (read.includes(key) && !known?.ignores?.includes(key))) continue;
    throw new Error(
      `${path}: "${key.slice(0, 60)}" is ${
        shown(value)
      }, expected it off or absent, as this step is not implemented.`,
    );
  }
}

/** What happens to the pixels' places alone. */
export function viewOf(preprocessor: Preprocessor): Preprocessor {
  const { resize, filter, crop, library, cropRounding, cropFirst } = preprocessor;
  return {
    resize,
    filter,
    crop,
    rescale: null,
    normalize: null,
    ...(library && { library }),
    ...(cropRounding && { cropRounding }),
    ...(cropFirst && { cropFirst }),
  };
}

/** The same values of an image that has been through another view, resized once more where a size is given. */
export function afterView(preprocessor: Preprocessor, resize: Resize | null): Preprocessor {
  const { cropRounding: _rounding, cropFirst: _first, ...values } = preprocessor;
  return { ...values, resize, crop: null };
}

/** What all photographs end up as; null where that depends on the photograph. */
export function seenSize(
  { resize, crop, cropFirst }: Preprocessor,
): { width: number; height: number } | null {
  const exact = resize && "width" in resize ? resize : null;
  return cropFirst ? exact : crop ?? exact;
}

/** The steps in words: "shorter side 224 (bicubic), middle 224 × 224, …". */
export function describePreprocessor(preprocessor: Preprocessor): string {
  const { resize, filter, crop, rescale, normalize, cropFirst, offset, flipChannels } = preprocessor;
  const steps: string[] = [];
  if (resize) steps.push(`${describeSize(resize)} (${filter})`);
  const exact = resize && "width" in resize ? resize : null;
  if (crop && cropFirst && exact) {
    const share = (of: number, whole: number) => Number((of / whole).toPrecision(4));
    steps.unshift(
      `middle ${share(exact.width, crop.width)} × ${share(exact.height, crop.height)} of the shorter side`,
    );
  } else if (crop) steps.push(`middle ${crop.width} × ${crop.height}`);
  if (rescale) steps.push(`× ${Number(rescale.toPrecision(4))}${offset ? " − 1" : ""}`);
  if (flipChannels) steps.push("blue, green, red");
  if (normalize) steps.push(`mean ${normalize.mean.join(" ")}, deviation ${normalize.std.join(" ")}`);
  return steps.join(", ") || "as they are";
}

function describeSize(resize: Resize): string {
  if ("width" in resize) return `${resize.width} × ${resize.height}`;
  if ("maxWidth" in resize) return `within ${resize.maxWidth} × ${resize.maxHeight}`;
  if ("fitWidth" in resize) {
    return `about ${resize.fitWidth} × ${resize.fitHeight}, proportions kept, multiples of ${resize.multipleOf}`;
  }
  return `shorter side ${resize.shortestEdge}${
    resize.longestEdge ? `, longer at most ${resize.longestEdge}` : ""
  }`;
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
  try {
    return parseJson(text, recordOf(v.unknown(), "the object of a preprocessor_config.json"));
  } catch (error) {
    throw new Error(`Cannot use the preprocessor file ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}
