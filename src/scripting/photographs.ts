/** Photographs in, pictures out. */
import { assertWhole } from "../linalg/check_options.ts";

/** A picture in sRGB bytes. */
export interface Picture {
  /** Pixels in a row. */
  width: number;
  /** Rows. */
  height: number;
  /** height × width × 3 bytes, row by row from the top. */
  data: Uint8Array;
}

/** A photograph: the path of an image file, or what loads itself, as those of the Natural Scenes Dataset do. */
export type Photograph = string | {
  /** Names it in results and errors. */
  readonly name: string;
  /** Reads it. */
  load(): Promise<Picture>;
};

/** A file's name without its folder, or what the photograph calls itself. */
export function nameOf(photograph: Photograph): string {
  return typeof photograph === "string" ? photograph.replace(/^.*\//, "") : photograph.name;
}

/**
 * Lists the photographs of a folder, and reports on stderr what else is there.
 *
 * @param folder with image files (JPEG, PNG, WebP, GIF, TIFF, AVIF), or one such file
 * @param limit how many to return, from the first on; default all
 * @returns their paths in the order of their names
 * @throws Error "There is no folder a/b."; "The folder a/b has no images: expected .jpg, … files."
 * @throws RangeError "limit is -1: give a whole number, 1 or more."
 */
export async function listPhotographs(folder: string, limit = Infinity): Promise<string[]> {
  assertLimit(limit);
  if (await Deno.stat(folder).then(({ isFile }) => isFile, () => false)) return [folder];
  const { listImages } = await import("../data/images/image.ts");
  const { skippedLines } = await import("../data/files/skipped.ts");
  const paths = await listImages(folder);
  for (const line of skippedLines()) console.error(line);
  return paths.slice(0, limit);
}

/**
 * Reads a photograph, upright, without transparency.
 *
 * @param photograph a JPEG, PNG, WebP, GIF, TIFF or AVIF file, or one of `readBrainSubject`
 * @returns width × height pixels, 3 bytes each (RGB, 0 to 255), row by row
 * @throws Error one sentence that names the file: absent, empty, damaged, or no image
 */
export async function readPhotograph(photograph: Photograph): Promise<Picture> {
  if (typeof photograph !== "string") return await photograph.load();
  const { readImage } = await import("../data/images/image.ts");
  return await readImage(photograph);
}

/**
 * Encodes a picture as PNG.
 *
 * @param picture RGB bytes
 * @param zoom pixels of the PNG for each of the picture, a whole number; default 1
 * @returns the file's bytes
 * @throws RangeError "A 14 × 14 picture needs 588 bytes, found 587."
 * @throws TypeError "A picture's data are bytes from 0 to 255: expected a Uint8Array."
 */
export async function encodePng(
  { width, height, data }: Picture,
  zoom = 1,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!(data instanceof Uint8Array || (data as unknown) instanceof Uint8ClampedArray)) {
    throw new TypeError("A picture's data are bytes from 0 to 255: expected a Uint8Array.");
  }
  if (data.length !== 3 * width * height) {
    throw new RangeError(
      `A ${width} × ${height} picture needs ${3 * width * height} bytes, found ${data.length}.`,
    );
  }
  if (!(Number.isInteger(zoom) && zoom >= 1)) {
    throw new RangeError(`zoom is ${zoom}: give a whole number, 1 or more.`);
  }
  const { encode } = await import("fast-png");
  const wide = width * zoom, high = height * zoom, large = new Uint8Array(3 * wide * high);
  for (let y = 0, to = 0; y < high; y++) {
    for (let x = 0; x < wide; x++, to += 3) {
      const from = 3 * (Math.floor(y / zoom) * width + Math.floor(x / zoom));
      large[to] = data[from];
      large[to + 1] = data[from + 1];
      large[to + 2] = data[from + 2];
    }
  }
  return new Uint8Array(encode({ width: wide, height: high, data: large, channels: 3, depth: 8 }));
}

/**
 * Writes a picture as a PNG file, whole or not at all; its folder is created if needed.
 *
 * @param path where to
 * @param picture RGB bytes
 * @param zoom as of `encodePng`
 * @throws Error "Cannot write a/b.png: Permission denied."
 */
export async function savePng(path: string, picture: Picture, zoom = 1): Promise<void> {
  const { writeFileAtomic } = await import("../data/files/atomic_write.ts");
  await makeFolderOf(path);
  await writeFileAtomic(path, await encodePng(picture, zoom));
}

/** @throws RangeError "limit is -1: give a whole number, 1 or more." */
export function assertLimit(limit: number): void {
  if (limit !== Infinity) assertWhole("limit", limit, 1);
}

/** Makes the folder that a file is to be in. */
export async function makeFolderOf(path: string): Promise<void> {
  const folder = /^(.*)\/[^/]*$/.exec(path)?.[1];
  if (folder) await Deno.mkdir(folder, { recursive: true }).catch(() => {}); // reported by the write
}
