/** The layout of PASCAL VOC's segmentation task. */
import { readImage } from "../images/image.ts";
import { maskInFrame } from "../images/orientation.ts";
import { readPalettePng } from "../images/palette_png.ts";
import { isFile, readPlainTextIfThere } from "../files/plain_file.ts";
import { note, report, skip } from "../files/skipped.ts";
import type { Mask, RgbImage } from "../images/picture.ts";

/** The index of pixels that no class is scored on. */
export const VOC_VOID = 255;

/** The twenty classes of PASCAL VOC after the background, by index. */
export const VOC_CLASSES: readonly string[] = [
  "background",
  "aeroplane",
  "bicycle",
  "bird",
  "boat",
  "bottle",
  "bus",
  "car",
  "cat",
  "chair",
  "cow",
  "diningtable",
  "dog",
  "horse",
  "motorbike",
  "person",
  "pottedplant",
  "sheep",
  "sofa",
  "train",
  "tvmonitor",
];

/** Masks that are looked at before any is read, whether they hold classes at all. */
const LOOKED_AT = 3;

/** What lists of classes call the pixels of none. */
const BACKGROUND = /^\W*_*(?:back_?ground|ground|bg|none|nothing|void|un\w+|other|stuff|rest)/i;

/** A folder of photographs with a class for every pixel. */
export interface Voc {
  /** File names without their endings, in the order of the list. */
  names: string[];
  /** Class names by index, background first. */
  classes: readonly string[];
  /**
   * Reads one photograph with its mask.
   *
   * @param i index into `names`
   * @returns the mask's values are indices into `classes`, or 255 for void
   * @throws Error one sentence that names the photograph or mask
   */
  read(i: number): Promise<{ image: RgbImage; mask: Mask }>;
}

/**
 * Opens a folder in the layout of PASCAL VOC: `JPEGImages/NAME.jpg`, `SegmentationClass/NAME.png` (the palette index is
 * the class) and `ImageSets/Segmentation/SET.txt`.
 *
 * Without `ImageSets`, all of `SegmentationClass` is listed. `class_names.txt` in the folder, one class a line, replaces
 * the names of PASCAL VOC: the first is that of index 0.
 *
 * @param dir the folder that holds the three
 * @param set the list to use; default `trainval`
 * @param listed names where they are known: no list is read
 * @throws Error "The folder … has no SegmentationClass: …"; "There is no list …"; "…/val.txt names ../a, …"; "The masks of … hold 0
 *   and 255 only: …"
 */
export async function openVoc(dir: string, set = "trainval", listed?: string[]): Promise<Voc> {
  const names = listed ?? await readSet(dir, set) ?? await listMasks(`${dir}/SegmentationClass`);
  const classes = await readClasses(`${dir}/class_names.txt`);
  if (!listed) await assertClasses(dir, names);
  if (!BACKGROUND.test(classes[0])) {
    report(
      `${dir}/class_names.txt calls 0 "${
        classes[0]
      }", which is taken for the background: its first line names that`,
    );
  }
  return {
    names,
    classes,
    async read(i) {
      if (!(i in names)) throw new RangeError(`${dir} has ${names.length} masks, number ${i} was asked for.`);
      const maskPath = `${dir}/SegmentationClass/${names[i]}.png`;
      const [image, stored] = await Promise.all([
        readImage(`${dir}/JPEGImages/${names[i]}.jpg`),
        readPalettePng(maskPath),
      ]);
      const mask = maskInFrame(stored, image);
      if (image.width !== mask.width || image.height !== mask.height) {
        throw new Error(
          `The mask ${maskPath} is ${mask.width} × ${mask.height}, its photograph ${image.width} × ${image.height}: they must be equal.`,
        );
      }
      const unknown = mask.data.find((index) => index >= classes.length && index !== VOC_VOID);
      if (unknown !== undefined) {
        throw new Error(
          `The mask ${maskPath} has class ${unknown}, expected 0 to ${
            classes.length - 1
          } or 255: ${dir}/class_names.txt can name more.`,
        );
      }
      if (isBinary(mask)) note("mask of 0 and 255 (void) only, whose image has no figure", `${names[i]}.png`);
      return { image, mask };
    },
  };
}

/** Whether a mask holds void pixels and no class. */
function isBinary({ data }: Mask): boolean {
  return data.includes(VOC_VOID) && data.every((index) => index === 0 || index === VOC_VOID);
}

/** Saliency data sets have 255 for the figure, which here is void: all of it would count as ground. */
async function assertClasses(dir: string, names: readonly string[]): Promise<void> {
  let binary = 0, looked = 0;
  for (const name of names.slice(0, LOOKED_AT)) {
    const path = `${dir}/SegmentationClass/${name}.png`;
    if (!await isFile(path)) continue;
    const mask = await readPalettePng(path).catch(() => undefined); // said by name where it is read
    if (!mask || mask.data.every((index) => index === 0)) continue;
    looked++;
    binary += Number(isBinary(mask));
  }
  if (looked === 0 || binary < looked) return;
  throw new Error(
    `The masks of ${dir}/SegmentationClass hold 0 and 255 only, and 255 is void in this layout: save the figure's pixels as 1.`,
  );
}

/** The names in a list, or undefined where the folder has no lists at all. */
async function readSet(dir: string, set: string): Promise<string[] | undefined> {
  const folder = `${dir}/ImageSets/Segmentation`, path = `${folder}/${set}.txt`;
  const text = await readPlainTextIfThere(path);
  if (text === undefined) {
    const lists = await listNames(folder, ".txt");
    if (!lists) return undefined;
    throw new Error(`There is no list ${path}: expected one of ${lists.join(", ")}.`);
  }
  const names = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (names.length === 0) throw new Error(`The list ${path} is empty: expected one name a line.`);
  const odd = names.find((name) => !/^\w[\w.-]*$/.test(name));
  if (odd) {
    throw new Error(`The list ${path} names "${odd}", expected the name of a file without its ending.`);
  }
  const seen = new Set<string>(), twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice) throw new Error(`The list ${path} names "${twice}" twice: name every photograph once.`);
  return names;
}

async function listMasks(folder: string): Promise<string[]> {
  const names = await listNames(folder, ".png", (name) => skip("file that is no .png", `${folder}/${name}`));
  if (names?.length) return names;
  throw new Error(`The folder ${folder} has no masks: expected the layout of PASCAL VOC.`);
}

/** File names with an ending, without it, sorted; undefined where there is no folder. Hidden files are no others. */
async function listNames(
  folder: string,
  ending: string,
  onOther?: (name: string) => void,
): Promise<string[] | undefined> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.startsWith(".")) continue;
      if (name.endsWith(ending)) names.push(name.slice(0, -ending.length));
      else onOther?.(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return names.sort();
}

/** A class is numbered by its line. */
async function readClasses(path: string): Promise<readonly string[]> {
  const classes = (await readPlainTextIfThere(path))?.trimEnd().split(/\r?\n/).map((line) => line.trim());
  if (!classes || classes.join("") === "") return VOC_CLASSES;
  const empty = classes.indexOf(""), twice = classes.findIndex((name, i) => classes.indexOf(name) < i);
  if (empty >= 0) {
    throw new Error(
      `${path}, line ${
        empty + 1
      } is empty, but a class's number is that of its line: write the name of class ${empty} there.`,
    );
  }
  if (twice >= 0) {
    throw new Error(
      `${path} calls ${classes.indexOf(classes[twice])} and ${twice} "${
        classes[twice]
      }": give every class a name of its own.`,
    );
  }
  return classes;
}
