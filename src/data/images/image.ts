/** Photographs as bytes: image files in, RGB out. */
import { basename, extname, join } from "node:path";
import sharp from "sharp";
import { reasonOf } from "../files/atomic_write.ts";
import { type MendedJpeg, mendJpeg, withoutStrayBytes } from "./mend_jpeg.ts";
import { oddGif, oddTiff } from "./odd_pixels.ts";
import { turned } from "./orientation.ts";
import { readError, readPlainFile } from "../files/plain_file.ts";
import { note, skip } from "../files/skipped.ts";
import { assertPixels, MAX_PIXELS, type RgbImage } from "./picture.ts";

type Pipeline = ReturnType<typeof sharp>;
type Metadata = Awaited<ReturnType<Pipeline["metadata"]>>;

/** Names of files that are read. */
const EXTENSIONS = [".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"];
const EXPECTED = ".jpg, .png, .webp, .gif, .tif or .avif files";
/** How files start, by what they are; 0 to 255, or −1 for any byte. */
const STARTS: [format: string, start: number[]][] = [
  ["jpeg", [0xff, 0xd8, 0xff]],
  ["png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["gif", ascii("GIF8")],
  ["webp", [...ascii("RIFF"), -1, -1, -1, -1, ...ascii("WEBP")]],
  ["tiff", [...ascii("II"), 42, 0]],
  ["tiff", [...ascii("MM"), 0, 42]],
  ["avif", [-1, -1, -1, -1, ...ascii("ftypavif")]],
];
const BIG_TIFF = [[...ascii("II"), 43, 0], [...ascii("MM"), 0, 43]];
/** Letters of what a decoder says: libtiff repeats itself. */
const MAX_REASON = 120;
/** No image of N pixels needs more bytes than it has uncompressed. */
export const MAX_IMAGE_BYTES = 3 * MAX_PIXELS;

/**
 * Reads a photograph, upright, as the bytes of Pillow's `convert("RGB")`, which the vision models were trained with.
 *
 * A rotation noted in EXIF, or without it in XMP, is applied. A color profile is left unused. Of animations the first picture is read. Transparency
 * is laid over white, as by transformers 5 (`convert("RGB")` drops it), and noted. Bytes that a camera left between a JPEG's
 * segments are passed over and noted.
 *
 * @param path a JPEG, PNG, WebP, GIF, TIFF or AVIF file; what it holds decides, not its name
 * @throws Error "There is no image a.png."; "The image a.png is empty (0 bytes): …"; "a.bmp is not a JPEG, PNG, …"; "The image
 *   a.jpg is damaged or cut short (…): …"; "The image a.png has 16-bit gray values: …"
 * @throws RangeError "The image a.png is 30000 × 30000 pixels: …"
 */
export async function readImage(path: string): Promise<RgbImage> {
  const bytes = await readBytes(path);
  if (bytes.length === 0) throw new Error(`The image ${path} is empty (0 bytes): copy it again.`);
  const format = STARTS.find(([, start]) => startsWith(bytes, start))?.[0];
  if (BIG_TIFF.some((start) => startsWith(bytes, start))) throw unreadable(path, "the layout of BigTIFF");
  if (!format) {
    throw new Error(
      `${path} is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image, whatever its name says: convert it to one.`,
    );
  }
  const odd = format === "tiff" ? oddTiff(bytes) : format === "gif" ? oddGif(bytes) : null;
  if (odd) throw unreadable(path, odd);
  try {
    const about = await sharp(bytes, { limitInputPixels: false }).metadata();
    assertPixels(about, `The image ${path}`);
    assertReadable(about, path);
    const { mended, isTransparent, ...image } = format === "jpeg"
      ? await decodeJpeg(bytes, about)
      : await decode(bytes, about);
    if (mended) note(`JPEG with ${mended}`, basename(path));
    if (isTransparent) note("image with transparency, laid over white", basename(path));
    if (about.pages && about.pages > 1) note("file of several pictures, the first is taken", basename(path));
    if (format === "avif") note("AVIF, whose colors each decoder interpolates its own way", basename(path));
    const orientation = orientationOf(about),
      upright = about.orientation ? image : turned(image, orientation);
    return { ...upright, ...(orientation > 1 && { orientation }), ...(isTransparent && { isTransparent }) };
  } catch (error) {
    if (error instanceof RangeError || error instanceof UnreadableError) throw error;
    throw new Error(
      `The image ${path} is damaged or cut short (${decoderReason(error)}): copy it again or take it out.`,
      { cause: error },
    );
  }
}

/** Pixels of a kind for which no reader of the vision models has RGB bytes. */
class UnreadableError extends Error {}

function unreadable(path: string, what: string): UnreadableError {
  return new UnreadableError(
    `The image ${path} has ${what}: convert it to 8-bit RGB, so that nothing has to be guessed.`,
  );
}

function assertReadable({ space, depth, channels, hasAlpha }: Metadata, path: string): void {
  if (space === "grey16" && !hasAlpha) {
    throw unreadable(path, "16-bit gray values, which Pillow's readers cut off at 255");
  }
  if (!["srgb", "rgb16", "b-w", "grey16", "cmyk"].includes(space)) {
    throw unreadable(path, `colors in ${space || "an unknown space"}`);
  }
  if (depth !== "uchar" && depth !== "ushort") throw unreadable(path, `values of the type ${depth}`);
  const most = space === "cmyk" ? 4 : (space === "b-w" || space === "grey16" ? 1 : 3) + (hasAlpha ? 1 : 0);
  if (channels !== undefined && channels > most) throw unreadable(path, `${channels} channels`);
}

interface Decoded extends Omit<RgbImage, "isTransparent"> {
  isTransparent: boolean;
  mended?: string;
}

/** The pixels, or an error where the decoder says anything at all: no file that ends early becomes a gray patch. */
async function decode(bytes: Uint8Array, about: Metadata): Promise<Decoded> {
  const strict = sharp(bytes, { failOn: "warning", limitInputPixels: MAX_PIXELS, ignoreIcc: true });
  const isCmyk = about.space === "cmyk";
  const { data, info } = await inSpace(strict.autoOrient(), isCmyk)
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length), { width, height } = info;
  if (isCmyk) return { width, height, data: cmykToRgb(pixels), isTransparent: false };
  const hasAlpha = pixels.length === 4 * width * height;
  const isTransparent = hasAlpha && pixels.some((value, i) => i % 4 === 3 && value < 255);
  return { width, height, data: hasAlpha ? overWhite(pixels) : pixels.slice(), isTransparent };
}

function inSpace(image: Pipeline, isCmyk: boolean): Pipeline {
  return isCmyk ? image.pipelineColourspace("cmyk").toColourspace("cmyk") : image.toColourspace("srgb");
}

/** What a JPEG holds; where the decoder warns of nothing but misplaced bytes, it is mended and has to decode without a word. */
async function decodeJpeg(bytes: Uint8Array, about: Metadata): Promise<Decoded> {
  const tried = async ({ bytes, what: mended }: MendedJpeg) => ({
    ...await decode(bytes, about),
    mended,
  });
  try {
    return await decode(bytes, about);
  } catch (error) {
    const mended = mendJpeg(bytes);
    let last = reasonOf(error);
    if (mended) {
      try {
        return await tried(mended);
      } catch (error) {
        last = reasonOf(error);
      }
    }
    for (const candidate of withoutStrayBytes(mended?.bytes ?? bytes, last)) {
      const found = await tried(candidate).catch(() => undefined);
      if (found) return found;
    }
    throw error;
  }
}

/** Pillow's conversion: each ink over what black leaves, rounded. */
function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(cmyk.length / 4 * 3);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const light = 255 - cmyk[from + 3];
    for (let c = 0; c < 3; c++) {
      rgb[to + c] = Math.max(0, light - divideBy255(cmyk[from + c] * light));
    }
  }
  return rgb;
}

/** Pillow's `alpha_composite` on white. */
function overWhite(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(rgba.length / 4 * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    const alpha = rgba[from + 3];
    for (let c = 0; c < 3; c++) rgb[to + c] = divideBy255(rgba[from + c] * alpha + 255 * (255 - alpha));
  }
  return rgb;
}

/** A whole number up to 255² divided by 255 and rounded. */
function divideBy255(value: number): number {
  const up = value + 128;
  return ((up >> 8) + up) >> 8;
}

/** EXIF's number; where EXIF has none, that of XMP, as Pillow takes it. */
function orientationOf({ orientation, xmp }: Metadata): number {
  const named = /tiff:Orientation(?:="|>)([1-8])/.exec(xmp ? new TextDecoder("latin1").decode(xmp) : "")?.[1];
  return orientation ?? Number(named ?? 1);
}

/**
 * EXIF's number of how an image's pixels stand, 1 where they are upright.
 *
 * @param path an image file
 * @throws Error as `readImage`
 */
export async function imageOrientation(path: string): Promise<number> {
  try {
    return orientationOf(await sharp(await readBytes(path), { limitInputPixels: false }).metadata());
  } catch (error) {
    throw new Error(`The image ${path} is damaged (${decoderReason(error)}): copy it again or take it out.`, {
      cause: error,
    });
  }
}

/**
 * The photographs of a folder, not of the folders in it. What else is there is noted as skipped, hidden files without a word.
 *
 * @param dir a folder
 * @returns full paths of its image files, their ending in any case, in the order of their code points
 * @throws Error "There is no folder a/b."; "The folder a/b has no images: expected .jpg, … files."
 */
export async function listImages(dir: string): Promise<string[]> {
  const names: string[] = [], others: [kind: string, name: string][] = [];
  try {
    for await (const entry of Deno.readDir(dir)) {
      const { name } = entry, ending = extname(name).toLowerCase();
      if (name.startsWith(".")) continue; // as .DS_Store and macOS's ._a.jpg, which is no image
      const isFolder = entry.isDirectory ||
        (entry.isSymlink &&
          await Deno.stat(join(dir, name)).then(({ isDirectory }) => isDirectory, () => false));
      if (isFolder) others.push(["subfolder", name]);
      else if (EXTENSIONS.includes(ending)) names.push(name);
      else others.push([ending || "file without an ending", name]);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`There is no folder ${dir}.`, { cause: error });
    }
    throw new Error(`Cannot list the images of ${dir}: ${reasonOf(error)}.`, { cause: error });
  }
  if (names.length === 0) throw new Error(`The folder ${dir} has no images: expected ${EXPECTED}.`);
  for (const [kind, name] of others) skip(kind, join(dir, name));
  return names.sort(byCodePoint).map((name) => join(dir, name));
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readPlainFile(path, MAX_IMAGE_BYTES);
  } catch (error) {
    throw readError(error, path, "image");
  }
}

function startsWith(bytes: Uint8Array, start: number[]): boolean {
  return start.every((byte, i) => byte < 0 || bytes[i] === byte);
}

function ascii(text: string): number[] {
  return Array.from(text, (char) => char.charCodeAt(0));
}

/** The last line of what the decoder said is the most specific. */
function decoderReason(error: unknown): string {
  const reason = reasonOf(error).trim().split("\n").at(-1)!.replace(/:$/, "");
  return reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON)}…` : reason;
}

function byCodePoint(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0)!);
  const right = Array.from(b, (char) => char.codePointAt(0)!);
  const at = left.findIndex((code, i) => code !== right[i]);
  return at < 0 ? left.length - right.length : left[at] - (right[at] ?? -1);
}
