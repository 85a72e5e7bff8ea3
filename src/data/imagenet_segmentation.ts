/**
 * ImageNet-Segmentation as `gtsegs_ijcv.mat`: a MATLAB 7.3 file, that is HDF5 behind a block of 512 bytes.
 *
 * `value` is a MATLAB struct array of `img`, `gt` and `id`; each field is an n × 1 array of object references. Arrays
 * are stored column-major, so that HDF5 sees color × width × height. A `gt` refers to a 1 × 1 cell, which refers to the
 * mask. `id` is text as uint16 characters.
 */
import * as hdf5 from "h5wasm";
import { reasonOf } from "./atomic_write.ts";
import type { RgbImage } from "./image.ts";
import type { Mask } from "./resize.ts";

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
   */
  read(i: number): { id: string; image: RgbImage; mask: Mask };
  /** Closes the file. */
  close(): void;
}

/** Bytes of MATLAB's text before the HDF5 part. */
export const USER_BLOCK = 512;
/** As much of HDF5's first block as says how long the file is, with addresses of 8 bytes. */
const SUPERBLOCK = 48;
const HDF5_START = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Opens `gtsegs_ijcv.mat` without loading it.
 *
 * @param path the file
 * @throws Error "There is no file ….mat."; "….mat is not a MATLAB 7.3 file …"; "….mat is cut short: …"; "….mat has
 *   no references in value/img: …"
 */
export async function openImagenetSegmentation(path: string): Promise<ImagenetSegmentation> {
  await checkStart(path);
  await hdf5.ready;
  let file: hdf5.File;
  try {
    file = new hdf5.File(path, "r");
    if (file.file_id < 0n) throw new Error("HDF5 cannot open it");
  } catch (error) {
    throw new Error(`${path} is damaged (${reasonOf(error)}): copy it again.`, { cause: error });
  }
  try {
    const [images, masks] = ["img", "gt"].map((field) => referencesOf(file, field, path));
    const ids = quietly(() => file.get("value/id")) ? referencesOf(file, "id", path) : undefined;
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
        const image = readImageArray(bytesOf(file, images[i], `${path}: image ${i}`), `${path}: image ${i}`);
        const name = `${path}: the mask of image ${i}`;
        const mask = readMaskArray(bytesOf(file, cellOf(file, masks[i], name), name), name);
        if (image.width !== mask.width || image.height !== mask.height) {
          throw new Error(
            `${name} is ${mask.width} × ${mask.height}, the image ${image.width} × ${image.height}: they must be equal.`,
          );
        }
        return { id: ids ? textOf(file, ids[i]) : String(i), image, mask };
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

/** Checks what HDF5 would only tell on stderr: that this is its format, and all of it. */
async function checkStart(path: string): Promise<void> {
  const start = new Uint8Array(USER_BLOCK + SUPERBLOCK);
  let size: number;
  try {
    using file = await Deno.open(path);
    await file.read(start);
    ({ size } = await file.stat());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new Error(`There is no file ${path}.`, { cause: error });
    throw new Error(`Cannot read ${path}: ${reasonOf(error)}.`, { cause: error });
  }
  const at = [USER_BLOCK, 0].find((offset) => HDF5_START.every((byte, i) => start[offset + i] === byte));
  if (at === undefined) {
    throw new Error(`${path} is not a MATLAB 7.3 file (HDF5), whatever its name says: save it with -v7.3.`);
  }
  const superblock = new DataView(start.buffer, at);
  const version = superblock.getUint8(8);
  const end = Number(superblock.getBigUint64(version < 2 ? 40 : 28, true));
  if (size < end) {
    throw new Error(`${path} is cut short: expected ${end} bytes, found ${size}; copy it again.`);
  }
}

/** The references of `value/<field>`, one an image. */
function referencesOf(file: hdf5.File, field: string, path: string): hdf5.Reference[] {
  const value = contentOf(() => file.get(`value/${field}`))?.value;
  if (isReferences(value)) return value;
  throw new Error(
    `${path} has no references in value/${field}: expected the layout of ImageNet-Segmentation's gtsegs_ijcv.mat.`,
  );
}

/** A mask's array, through the 1 × 1 cell around it where there is one. */
function cellOf(file: hdf5.File, reference: hdf5.Reference, name: string): hdf5.Reference {
  const value = contentOf(() => file.dereference(reference))?.value;
  if (isReferences(value)) return value[0];
  if (value instanceof Uint8Array) return reference;
  throw new Error(`${name} is not a cell with an array: expected the layout of gtsegs_ijcv.mat.`);
}

function bytesOf(file: hdf5.File, reference: hdf5.Reference, name: string): StoredArray {
  const content = contentOf(() => file.dereference(reference)), data = content?.value;
  if (data instanceof Uint8Array) return { shape: content!.shape, data };
  const found = data === null || data === undefined ? "nothing" : data.constructor.name;
  throw new Error(`${name} is ${found}, expected an array of uint8: copy the file again.`);
}

function textOf(file: hdf5.File, reference: hdf5.Reference): string {
  const characters = contentOf(() => file.dereference(reference))?.value;
  return characters instanceof Uint16Array ? String.fromCharCode(...characters) : "";
}

/** Shape and values of a dataset; undefined for anything else, and where HDF5 cannot read it. */
function contentOf(find: () => unknown): { shape: number[]; value: hdf5.OutputData | null } | undefined {
  return quietly(() => {
    const found = find();
    return found instanceof hdf5.Dataset ? { shape: found.shape ?? [], value: found.value } : undefined;
  });
}

function isReferences(value: unknown): value is hdf5.Reference[] {
  return Array.isArray(value) && value.length > 0 &&
    value.every((reference) => reference instanceof hdf5.Reference);
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

/** What HDF5 makes of a damaged file, or undefined where it gives up. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
