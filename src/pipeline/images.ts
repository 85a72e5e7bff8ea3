/** The images of a run, as its models see them. */
import type { DataImage } from "../data/datasets/data_parts.ts";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { reasonOf } from "../data/files/atomic_write.ts";
import { withGaps } from "../data/datasets/open_data.ts";
import { imageOrientation, listImages, readImage } from "../data/images/image.ts";
import { maskInFrame } from "../data/images/orientation.ts";
import { preprocessMask, previewCrop } from "../data/images/preprocess.ts";
import type { Mask, RgbImage } from "../data/images/picture.ts";
import type { Preprocessor } from "../data/images/preprocessor.ts";
import type { Size } from "../data/images/resized_size.ts";
import { wholePatches } from "../data/images/whole_patches.ts";
import { note, report } from "../data/files/skipped.ts";

export interface RunImage extends DataImage {
  /** Reads it, as far as patches cover it. */
  load(): Promise<RgbImage>;
  /** Reads all that the first model takes; absent: `load` does. */
  whole?(): Promise<RgbImage>;
}

/**
 * Images as a model sees them: resized and cropped, and their masks with them. Pixels at the right and below that are no whole
 * patch are in `whole` alone, so that a grid of patches laid over picture or mask is in its place.
 *
 * @param patch of the model, where it is known
 * @throws RangeError "The mask of a.jpg is 10 × 10, the image 20 × 10: they must be equal." when the mask is read
 */
export function viewed(
  images: readonly RunImage[],
  view: Preprocessor,
  patch: Size | null,
): RunImage[] {
  const seen = withGaps<RunImage>(images.length);
  images.forEach(({ name, load, mask, classMask }, at) => {
    const masked = (read: () => Promise<Mask>) => async () => {
      const [found, image] = await Promise.all([read(), load()]);
      if (found.width !== image.width || found.height !== image.height) {
        throw new RangeError(
          `The mask of ${name} is ${found.width} × ${found.height}, the image ${image.width} × ${image.height}: they must be equal.`,
        );
      }
      return wholePatches(preprocessMask(found, view, `The mask of ${name}`), patch);
    };
    const whole = async () => previewCrop(await load(), view, name);
    seen[at] = {
      name,
      load: async () => wholePatches(await whole(), patch),
      whole,
      ...(mask && { mask: masked(mask) }),
      ...(classMask && { classMask: masked(classMask) }),
    };
  });
  return seen;
}

/**
 * The photographs of a folder, in the order of their names.
 *
 * @param dir image files
 * @param masksDir for NAME.jpg a NAME.png, brighter than half where the figure is
 * @param limit take the first N
 * @throws Error when the folder holds none, a photograph has no mask, or two of them have one
 */
export async function folderImages(dir: string, masksDir?: string, limit = Infinity): Promise<RunImage[]> {
  const all = await listImages(dir), paths = all.slice(0, limit);
  if (paths.length < all.length) {
    report(`${paths.length} of ${all.length} images of ${dir} are used (--limit)`);
  }
  const maskOf = (name: string) => name.replace(/\.[^.]*$/, ".png");
  if (masksDir) {
    const masks = new Set<string>();
    for (const path of paths) {
      const mask = maskOf(basename(path));
      if (masks.has(mask)) {
        throw new Error(
          `Two photographs of ${dir}, one of them ${basename(path)}, have the mask ${mask}: rename one.`,
        );
      }
      masks.add(mask);
    }
    await tellSpareMasks(masksDir, masks);
  }
  return paths.map((path) => {
    const name = basename(path), load = () => readImage(path);
    return masksDir
      ? { name, load, mask: () => readMask(`${masksDir}/${maskOf(name)}`, path) }
      : { name, load };
  });
}

/** Reports masks that belong to no photograph in use. */
async function tellSpareMasks(folder: string, names: ReadonlySet<string>): Promise<void> {
  let spare: string[];
  try {
    spare = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).filter((name) =>
      !names.has(name)
    ).sort();
  } catch (error) {
    throw new Error(`Cannot list the masks of ${folder}: ${reasonOf(error)}; give --masks a folder.`, {
      cause: error,
    });
  }
  if (spare.length === 0) return;
  const shown = spare.slice(0, 3).join(", "), more = spare.length - 3;
  report(
    `left out of ${folder}, as no photograph in use has that name: ${shown}${
      more > 0 ? ` and ${more} more` : ""
    }`,
  );
}

/** Images for the models, which take all of them. */
export function forModels(images: readonly RunImage[]): RunImage[] {
  const all = withGaps<RunImage>(images.length);
  images.forEach(({ name, load, whole = load }, at) => all[at] = { name, load: whole });
  return all;
}

/** Distinguishes images from others of the same names: by every pixel. */
export async function pixelHash(images: readonly RunImage[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { name, load } of forModels(images)) {
    const { width, height, data } = await load();
    hash.update(`${name} ${width} ${height}`).update(data);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Gray is what lies as far from black and white, as the third value of a trimap; soft edges are less than this share. */
const GRAY = 32, MAX_GRAY = 0.05;

/** A mask, turned with its photograph. */
async function readMask(path: string, photograph: string): Promise<Mask> {
  const { data, isTransparent, ...mask } = await readImage(path).catch((error) => {
    if (!(error.cause instanceof Deno.errors.NotFound)) throw error;
    throw new Error(
      `There is no mask of ${basename(photograph)}: expected ${path} in the folder of --masks.`,
      { cause: error },
    );
  });
  const { width, height } = mask;
  if (isTransparent) {
    throw new Error(
      `The mask ${path} has transparent pixels: save it as black and white without transparency.`,
    );
  }
  if (data.some((value, i) => value !== data[i - i % 3])) {
    throw new Error(`The mask ${path} has colors, expected white where the figure is, and black elsewhere.`);
  }
  const most = data.reduce((a, b) => Math.max(a, b), 0);
  if (most > 0 && most < 128) {
    throw new Error(
      `The mask ${path} has values up to ${most}, expected white (above 127) where the figure is.`,
    );
  }
  let between = 0;
  for (let at = 0; at < data.length; at += 3) between += Number(data[at] >= GRAY && data[at] <= 255 - GRAY);
  if (between > MAX_GRAY * width * height) {
    note("mask of which more than 5 % is gray, figure where that is above 127", basename(path));
  }
  const figure = Uint8Array.from({ length: width * height }, (_, i) => data[3 * i] > 127 ? 1 : 0);
  const orientation = await imageOrientation(photograph);
  if (orientation === 1) return { width, height, data: figure };
  const { width: across, height: down } = await readImage(photograph);
  return maskInFrame({ ...mask, data: figure }, { width: across, height: down, orientation });
}
