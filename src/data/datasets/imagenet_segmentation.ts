/**
 * ImageNet-Segmentation as `gtsegs_ijcv.mat`: a MATLAB 7.3 file, that is HDF5 behind a block of 512 bytes.
 *
 * `value` is a MATLAB struct array of `img`, `gt` and `id`; each field is an n × 1 array of object references. Arrays
 * are stored column-major, so that HDF5 sees color × width × height. A `gt` refers to a 1 × 1 cell, which refers to the
 * mask. `id` is text as uint16 characters.
 */
import type * as hdf5 from "h5wasm";
import { h5wasm, hdf5Reason, openHdf5, quietly } from "../formats/hdf5.ts";
import type { Mask, RgbImage } from "../images/picture.ts";

/** An open file; its images are read one at a time. */
export interface ImagenetSegmentation {
  /** Number of images. */
  count: number;
  /**
   * Reads one image with its mask.
   *
   * @param i from 0 to count − 1
   * @returns the mask is 1 on the figure, 0 on the ground
   * @throws RangeError "….mat has 10 images, number 10 was asked for."
   * @throws Error "….mat: image 3 is …, expected 3 × width × height bytes."
   * @throws RangeError "….mat: image 3 claims 3 × 20000 × 20000 bytes: …"
   */
  read(i: number): { id: string; image: RgbImage; mask: Mask };
  /** Closes the file. */
  close(): void;
}

/** Images of a file, the real one having 4,276; pixels of an image, held several times over; letters of its name. */
const MAX_IMAGES = 1e6, MAX_PIXELS = 25e6, MAX_NAME = 1000;
/** Deflate packs no better than this, so that a file's size bounds what is in it. */
const DEFLATE_RATIO = 1032;

/**
 * Opens `gtsegs_ijcv.mat` without loading it.
 *
 * @param path the file
 * @throws Error "There is no file ….mat."; "….mat is not a MATLAB 7.3 file …"; "….mat is cut short: …"; "….mat has
 *   no references in value/img: …"
 */
export async function openImagenetSegmentation(path: string): Promise<ImagenetSegmentation> {
  const { file, size } = await openHdf5(path, "a MATLAB 7.3 file (HDF5)", "save it with -v7.3");
  try {
    const [images, masks] = ["img", "gt"].map((field) => referencesOf(file, field, path));
    const ids = fieldsOf(file).includes("id") ? referencesOf(file, "id", path) : undefined;
    if (images.length !== masks.length) {
      throw new Error(
        `${path} has ${images.length} images and ${masks.length} masks: they must be equal, so copy it again.`,
      );
    }
    return {
      count: images.length,
      read(i) {
        if (!(i in images)) {
          throw new RangeError(`${path} has ${images.length} images, number ${i} was asked for.`);
        }
        const name = `${path}: image ${i}`, maskName = `${path}: the mask of image ${i}`;
        const pixels = arrayAt(file, images[i], name), labels = maskArray(file, masks[i], maskName);
        // Before anything of the size that the file claims is made.
        assertHeld(pixels, name, Math.min(3 * MAX_PIXELS, DEFLATE_RATIO * size));
        assertHeld(labels, maskName, Math.min(MAX_PIXELS, DEFLATE_RATIO * size));
        const [seen, masked] = [shapeOf(pixels).slice(-2), shapeOf(labels)].map((shape) => shape.join(" × "));
        if (shapeOf(labels).length === 2 && seen !== masked) {
          throw new Error(`${maskName} is ${masked}, the image ${seen}: they must be equal.`);
        }
        const image = readImageArray(storedArray(pixels, name), name);
        const mask = readMaskArray(storedArray(labels, maskName), maskName);
        return { id: ids ? textOf(file, ids[i], `${path}: the name of image ${i}`) : String(i), image, mask };
      },
      close: () => void file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

interface StoredArray {
  /** As HDF5 sees it: the axes in MATLAB's order reversed. */
  shape: number[];
  data: Uint8Array;
}

/** The references of `value/<field>`, one an image. */
function referencesOf(file: hdf5.File, field: string, path: string): hdf5.Reference[] {
  const references = referencesIn(datasetOf(() => file.get(`value/${field}`)), MAX_IMAGES);
  if (references) return references;
  throw new Error(
    `${path} has no references in value/${field}: expected the layout of ImageNet-Segmentation's gtsegs_ijcv.mat.`,
  );
}

/** The fields of the struct array. */
function fieldsOf(file: hdf5.File): string[] {
  const group = quietly(() => file.get("value"));
  return group instanceof h5wasm.Group ? group.keys() : [];
}

/** An array of bytes, its values not read yet. */
function arrayAt(file: hdf5.File, reference: hdf5.Reference, name: string): hdf5.Dataset {
  const found = datasetOf(() => file.dereference(reference));
  if (found && isBytes(found)) return found;
  const what = found ? `of type ${quietly(() => found.dtype) ?? "unknown"}` : "nothing";
  throw new Error(`${name} is ${what}, expected an array of uint8: copy the file again.`);
}

/** A mask's array, through the 1 × 1 cell around it where there is one. */
function maskArray(file: hdf5.File, reference: hdf5.Reference, name: string): hdf5.Dataset {
  const found = datasetOf(() => file.dereference(reference));
  if (found && isBytes(found)) return found;
  const inner = referencesIn(found, 1);
  if (inner) return arrayAt(file, inner[0], name);
  throw new Error(`${name} is not a cell with an array: expected the layout of gtsegs_ijcv.mat.`);
}

/** Refuses an array that claims more bytes than a photograph has, or the file can hold. */
function assertHeld(dataset: hdf5.Dataset, name: string, most: number): void {
  if (sizeOf(dataset) <= most) return;
  throw new RangeError(
    `${name} claims ${shapeOf(dataset).join(" × ")} bytes: at most ${
      most / 1e6
    } million are read of this file; copy it again.`,
  );
}

function storedArray(dataset: hdf5.Dataset, name: string): StoredArray {
  let data: unknown;
  try {
    data = dataset.value;
  } catch (error) {
    throw new Error(`${name} cannot be unpacked ${hdf5Reason(error)}.`, { cause: error });
  }
  const shape = shapeOf(dataset);
  if (data instanceof Uint8Array && data.length === sizeOf(dataset)) return { shape, data };
  throw new Error(`${name} cannot be unpacked: copy it again.`);
}

function textOf(file: hdf5.File, reference: hdf5.Reference, name: string): string {
  const found = datasetOf(() => file.dereference(reference));
  const characters = found && sizeOf(found) <= MAX_NAME ? quietly(() => found.value) : undefined;
  if (characters instanceof Uint16Array) return String.fromCharCode(...characters);
  throw new Error(`${name} cannot be read: copy the file again.`);
}

/** A dataset whose values were not read; undefined for anything else, and where HDF5 cannot find it. */
function datasetOf(find: () => unknown): hdf5.Dataset | undefined {
  const found = quietly(find);
  return found instanceof h5wasm.Dataset ? found : undefined;
}

function isBytes(dataset: hdf5.Dataset): boolean {
  return /^[<>]B$/.test(String(quietly(() => dataset.dtype)));
}

function shapeOf(dataset: hdf5.Dataset): number[] {
  return quietly(() => dataset.shape) ?? [];
}

/** Number of values that it claims. */
function sizeOf(dataset: hdf5.Dataset): number {
  return shapeOf(dataset).reduce((product, extent) => product * extent, 1);
}

function referencesIn(dataset: hdf5.Dataset | undefined, most: number): hdf5.Reference[] | undefined {
  if (!dataset || quietly(() => dataset.dtype) !== "Reference" || sizeOf(dataset) > most) return undefined;
  const value = quietly(() => dataset.value);
  return isReferences(value) ? value : undefined;
}

function isReferences(value: unknown): value is hdf5.Reference[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((reference) => reference instanceof h5wasm.Reference);
}

function readImageArray({ shape, data }: StoredArray, name: string): RgbImage {
  if (shape.length === 2) return grayToRgb(readMaskArray({ shape, data }, name));
  const [colors, width, height] = shape;
  if (shape.length !== 3 || colors !== 3) {
    throw new Error(`${name} is ${shape.join(" × ")} bytes, expected 3 × width × height.`);
  }
  const rgb = new Uint8Array(data.length), pixels = width * height;
  for (let x = 0, from = 0; x < width; x++) {
    for (let y = 0; y < height; y++, from++) {
      const to = 3 * (y * width + x);
      for (let c = 0; c < 3; c++) rgb[to + c] = data[c * pixels + from];
    }
  }
  return { width, height, data: rgb };
}

function readMaskArray({ shape, data }: StoredArray, name: string): Mask {
  const [width, height] = shape;
  if (shape.length !== 2) throw new Error(`${name} is ${shape.join(" × ")} bytes, expected width × height.`);
  const mask = new Uint8Array(data.length);
  for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) mask[y * width + x] = data[x * height + y];
  return { width, height, data: mask };
}

function grayToRgb({ width, height, data }: Mask): RgbImage {
  return { width, height, data: Uint8Array.from({ length: 3 * data.length }, (_, i) => data[i / 3 | 0]) };
}
