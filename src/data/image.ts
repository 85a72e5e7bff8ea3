/** Photographs as bytes: JPEG and PNG files in, RGB out. */
import { extname, join } from "node:path";
import sharp from "sharp";
import { reasonOf } from "./atomic_write.ts";
import { readPlainFile } from "./plain_file.ts";
import { MOST_PIXELS } from "./resize.ts";

/** An image in sRGB bytes. */
export interface RgbImage {
  width: number;
  height: number;
  /** height × width × 3 bytes, row by row from the top. */
  data: Uint8Array;
}

const EXTENSIONS = [".jpg", ".jpeg", ".png"];
const JPEG_START = [0xff, 0xd8, 0xff];
const PNG_START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** No image of so many pixels needs more bytes than it has uncompressed. */
export const MOST_IMAGE_BYTES = 3 * MOST_PIXELS;

/**
 * Reads a photograph, upright, without transparency.
 *
 * A rotation noted in EXIF is applied, transparency is laid over white, gray becomes R = G = B. A color
 * profile is left unused, as by the readers that the vision models were trained with.
 *
 * @param path a JPEG or PNG file; what it holds decides, not its name
 * @throws Error "There is no image a.png."; "The image a.png is empty (0 bytes): …"; "a.png is not a JPEG or PNG image …";
 *   "The image a.jpg is damaged or cut short (…): …"
 * @throws RangeError "The image a.png is 30000 × 30000 pixels: …"
 */
export async function readImage(path: string): Promise<RgbImage> {
  const bytes = await readBytes(path);
  if (bytes.length === 0) throw new Error(`The image ${path} is empty (0 bytes): copy it again.`);
  if (!startsWith(bytes, JPEG_START) && !startsWith(bytes, PNG_START)) {
    throw new Error(`${path} is not a JPEG or PNG image, whatever its name says: convert it to one.`);
  }
  try {
    const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata();
    if (width * height > MOST_PIXELS) throw tooLarge(path, width, height);
    // The strictest: a file that ends early or holds broken data must not become an image with a gray patch.
    const strict = { failOn: "warning", limitInputPixels: MOST_PIXELS, ignoreIcc: true } as const;
    const { data, info } = await sharp(bytes, strict)
      .autoOrient()
      .flatten({ background: "white" })
      .toColorspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new Error(
      `The image ${path} is damaged or cut short (${decoderReason(error)}): copy it again or take it out.`,
      { cause: error },
    );
  }
}

/**
 * The photographs of a folder, not of the folders in it.
 *
 * @param dir a folder
 * @returns full paths of its *.jpg, *.jpeg and *.png files, in any case, in the order of their code points
 * @throws Error "There is no folder a/b."; "The folder a/b has no images: expected .jpg, .jpeg or .png files."
 */
export async function listImages(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(dir)) {
      if (!entry.isDirectory && EXTENSIONS.includes(extname(entry.name).toLowerCase())) {
        names.push(entry.name);
      }
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`There is no folder ${dir}.`, { cause: error });
    }
    throw new Error(`Cannot list the images of ${dir}: ${reasonOf(error)}.`, { cause: error });
  }
  if (names.length === 0) {
    throw new Error(`The folder ${dir} has no images: expected .jpg, .jpeg or .png files.`);
  }
  return names.sort(byCodePoint).map((name) => join(dir, name));
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readPlainFile(path, MOST_IMAGE_BYTES);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`There is no image ${path}.`, { cause: error });
    }
    throw new Error(`Cannot read the image ${path}: ${reasonOf(error)}.`, { cause: error });
  }
}

function startsWith(bytes: Uint8Array, start: number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}

function tooLarge(path: string, width: number, height: number): RangeError {
  const most = MOST_PIXELS / 1e6;
  return new RangeError(
    `The image ${path} is ${width} × ${height} pixels: at most ${most} million are read, so make it smaller.`,
  );
}

/** The last line of what the decoder said is the most specific. */
function decoderReason(error: unknown): string {
  return reasonOf(error).trim().split("\n").at(-1)!.replace(/:$/, "");
}

function byCodePoint(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0)!);
  const right = Array.from(b, (char) => char.codePointAt(0)!);
  const at = left.findIndex((code, i) => code !== right[i]);
  return at < 0 ? left.length - right.length : left[at] - (right[at] ?? -1);
}
