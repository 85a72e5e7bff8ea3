/** Each kind of data that `openData` opens: what is found in its folder, what is missing, and what it is used for. */
import { basename, join } from "node:path";
import { fileSha256, hashesByName } from "../files/file_hashes.ts";
import { isFile, isFolder } from "../files/plain_file.ts";
import { listImages, readImage } from "../images/image.ts";
import type { Mask, RgbImage } from "../images/picture.ts";
import { openAlgonautsSplits } from "./algonauts.ts";
import { type ImagenetSegmentation, openImagenetSegmentation } from "./imagenet_segmentation.ts";
import { tellSameImages } from "./same_images.ts";
import { HEMISPHERES, ROI_CLASSES, type SubjectSplits } from "./subject.ts";
import { openVoc, type Voc, VOC_VOID } from "./voc.ts";

/** Kinds of data that are recognized by their layout on disk. */
export const DATA_KINDS = ["algonauts", "nsd", "voc", "imagenet-seg", "images"] as const;
/** One of them. */
export type DataKind = typeof DATA_KINDS[number];

/** Kinds that are a subject's images and responses: one of them at a time. */
export const SUBJECT_KINDS = ["algonauts", "nsd"] as const;
/** One of those. */
export type SubjectKind = typeof SUBJECT_KINDS[number];

/** Where each kind of data is; a kind that is not given is absent. */
export type DataFolders = Partial<Record<DataKind, string>>;

/** One photograph, with what is known about its pixels. */
export interface DataImage {
  /** The file's name, with the kind of data before it where photographs come from several; unique among all. */
  name: string;
  /** Reads it. */
  load(): Promise<RgbImage>;
  /** 0 ground, 1 figure, 255 not to be scored. */
  mask?(): Promise<Mask>;
  /** Index of the class of every pixel, 0 background, 255 not to be scored. */
  classMask?(): Promise<Mask>;
}

/** One line of the table: what one kind of data, or one model, is and does. */
export interface DataRow {
  kind: DataKind | "model";
  /** Its folder, file or name. */
  path: string;
  /** What is there. */
  found: string;
  /** What is not; "nothing" where all is there. */
  missing: string;
  /** What it will be used for. */
  used: string;
}

/** A photograph as a plan lists it: what a task needs to open it without a look at the others. */
export interface ListedImage {
  /** Its kind of data. */
  kind: PhotographKind;
  /** Its name there. */
  name: string;
  /** Its SHA-256; absent where one file holds all photographs. */
  sha256?: string;
  /** Of its mask, where that is a file of its own. */
  maskSha256?: string;
}

/** What one kind gives. */
export interface Part {
  /** The photographs, then further ones, as a plan lists them; absent for a subject's. */
  listed?: ListedImage[];
  row: DataRow;
  images: DataImage[];
  further?: DataImage[];
  classes?: readonly string[];
  subject?: SubjectSplits;
  subjectName?: string;
  /** Names and hashes of the photographs. */
  imagesKey: unknown;
  /** Names and hashes of what is known beside their pixels, where they are files of their own. */
  labelsKey?: unknown;
  close?(): void;
}

/** Opens one kind that is no subject: its folder, and how many photographs of it. */
export const OPEN = { voc: openVocPart, "imagenet-seg": openImagenetPart, images: openImagesPart };

/** One of these kinds. */
export type PhotographKind = keyof typeof OPEN;

/**
 * Opens photographs that a plan has listed, and looks at no other: each is compared with its SHA-256 when it is read.
 *
 * @param path of the kind's folder or file
 * @returns them in their order, the names of classes, and what closes the file
 */
export async function openListed(
  kind: PhotographKind,
  path: string,
  listed: readonly ListedImage[],
): Promise<Pick<Part, "images" | "classes" | "close">> {
  if (kind === "imagenet-seg") {
    const opened = await openImagenetSegmentation(await imagenetFile(path));
    return { images: listed.map(({ name }) => imagenetImage(opened, Number(name))), close: opened.close };
  }
  if (kind === "images") {
    return {
      images: listed.map(({ name, sha256 }) => {
        const file = join(path, name), { load } = fileImage(file);
        return { name, load: () => unchanged({ [file]: sha256 }, load) };
      }),
    };
  }
  const voc = await openVoc(path, undefined, listed.map(({ name }) => name));
  return {
    classes: voc.classes,
    images: listed.map(({ name, sha256, maskSha256 }, i) => {
      const { load, mask, classMask } = vocImage(voc, i);
      const files = { [photographPath(path, name)]: sha256, [vocMaskPath(path, name)]: maskSha256 };
      return {
        name,
        load: () => unchanged(files, load),
        mask: () => unchanged(files, mask!),
        classMask: () => unchanged(files, classMask!),
      };
    }),
  };
}

/** Reads what files hold, unless one of them is not as it was listed. */
async function unchanged<T>(files: Record<string, string | undefined>, read: () => Promise<T>): Promise<T> {
  for (const [path, sha256] of Object.entries(files)) {
    if (await fileSha256(path) === sha256) continue;
    throw new Error(`${path} has changed since the run was submitted: submit it again, without --resume.`);
  }
  return await read();
}

/** Whether a kind is a subject's images and responses. */
export function isSubject(kind: DataRow["kind"]): kind is SubjectKind {
  return SUBJECT_KINDS.some((known) => known === kind);
}

/** A subject as one kind of data gives it. */
export interface OpenedSubject extends SubjectSplits {
  name: string;
  /** What is not there, beside test responses and noise ceilings. */
  missing: string[];
  /** What else the table says of it. */
  about?: string;
  close?(): void;
}

/** Opens a subject's folder of Algonauts 2023. */
export async function openAlgonautsPart(path: string): Promise<OpenedSubject> {
  if (!await isFolder(`${path}/training_split`)) {
    const subjects = await subjectsIn(path);
    const hint = subjects.length > 0 ? `, such as ${path}/${subjects[0]}` : "";
    throw new Error(
      `${path} has no training_split: --data algonauts: takes one subject's folder of the 2023 release${hint}.`,
    );
  }
  const opened = await openAlgonautsSplits(path);
  const absent: string[] = [];
  for (const name of Object.keys(ROI_CLASSES)) {
    if (!await isFile(`${path}/roi_masks/mapping_${name}.npy`)) absent.push(name);
  }
  return {
    ...opened,
    name: basename(path),
    missing: absent.length > 0 ? [`ROI masks ${absent.join(", ")}`] : [],
  };
}

/** A subject as a kind of data: its row of the table, and its photographs where there are no others. */
export async function subjectPart(
  kind: SubjectKind,
  path: string,
  { training, test, name: subjectName, missing, about, close }: OpenedSubject,
  limit: number,
  hasOtherImages: boolean,
): Promise<Part> {
  const absent = [
    ...(test ? [] : ["test responses (15 % of the training images are held out instead)"]),
    ...(training.noiseCeiling === undefined ? ["noise ceilings"] : []),
    ...missing,
  ];
  const { lh, rh } = training.voxels,
    regions = [...training.rois.values()].filter(({ length }) => length > 0).length;
  const shown = test ?? training, names = shown.images.slice(0, limit);
  const images = names.map((name, row): DataImage => ({
    name: basename(name),
    load: () => shown.readImage(row),
  }));
  const hashes = [await training.hashImages(), ...(test ? [await test.hashImages()] : [])];
  tellSameImages(path, hashes.flat());
  return {
    row: {
      kind,
      path,
      found: `${training.images.length} training${
        test ? ` and ${test.images.length} test` : ""
      } images, ${lh} + ${rh} voxels (${HEMISPHERES.join(" + ")}), ${regions} regions${
        about ? `, ${about}` : ""
      }`,
      missing: absent.join("; ") || "nothing",
      used: hasOtherImages
        ? "channel alignment, brain scores"
        : `channel alignment, brain scores, and the graph of ${names.length} ${
          test ? "test" : "training"
        } images`,
    },
    images: hasOtherImages ? [] : images,
    subject: test ? { training, test } : { training },
    subjectName,
    imagesKey: [hashes[0], hashes[1]],
    labelsKey: [await training.hashLabels(), test && await test.hashLabels()],
    close,
  };
}

async function openVocPart(path: string, limit: number): Promise<Part> {
  const voc = await openVoc(path);
  const complete: number[] = [], incomplete: string[] = [];
  for (const [i, name] of voc.names.entries()) {
    const both = await isFile(photographPath(path, name)) && await isFile(vocMaskPath(path, name));
    if (both) complete.push(i);
    else incomplete.push(name);
  }
  if (complete.length === 0) {
    throw new Error(
      `${path} has no photograph with a mask: expected JPEGImages/${voc.names[0]}.jpg and SegmentationClass/${
        voc.names[0]
      }.png.`,
    );
  }
  const used = complete.slice(0, limit), further = complete.slice(used.length, 2 * used.length);
  const names = [...used, ...further].map((i) => voc.names[i]);
  const photographs = await hashesByName(names.map((name) => photographPath(path, name)));
  const masks = await hashesByName(names.map((name) => vocMaskPath(path, name)));
  return {
    row: {
      kind: "voc",
      path,
      found: `${complete.length} photographs with masks of ${voc.classes.length - 1} classes`,
      missing: incomplete.length === 0 ? "nothing" : `photograph or mask of ${few(incomplete)}`,
      used: `graph and segmentation of ${used.length}${
        further.length > 0 ? `, agreement of models on ${further.length} others` : ""
      }`,
    },
    images: used.map((i) => vocImage(voc, i)),
    further: further.map((i) => vocImage(voc, i)),
    listed: names.map((name, i) => ({
      kind: "voc",
      name,
      sha256: photographs[i][1],
      maskSha256: masks[i][1],
    })),
    classes: voc.classes,
    imagesKey: photographs,
    labelsKey: [used.length, voc.classes, masks],
  };
}

function vocImage(voc: Voc, i: number): DataImage {
  return {
    name: voc.names[i],
    load: async () => (await voc.read(i)).image,
    mask: async () => figureOf((await voc.read(i)).mask),
    classMask: async () => (await voc.read(i)).mask,
  };
}

function photographPath(path: string, name: string): string {
  return `${path}/JPEGImages/${name}.jpg`;
}

function vocMaskPath(path: string, name: string): string {
  return `${path}/SegmentationClass/${name}.png`;
}

async function openImagenetPart(path: string, limit: number): Promise<Part> {
  const file = await imagenetFile(path);
  const opened = await openImagenetSegmentation(file);
  const count = Math.min(opened.count, limit);
  const images = Array.from({ length: count }, (_, i) => imagenetImage(opened, i));
  return {
    row: {
      kind: "imagenet-seg",
      path: file,
      found: `${opened.count} photographs with figure masks`,
      missing: "nothing",
      used: `graph and segmentation of ${count}`,
    },
    images,
    listed: images.map(({ name }) => ({ kind: "imagenet-seg", name })),
    imagesKey: [await hashesByName([file]), count],
    close: opened.close,
  };
}

function imagenetImage(opened: ImagenetSegmentation, i: number): DataImage {
  return {
    name: String(i),
    load: () => Promise.resolve(opened.read(i).image),
    mask: () => Promise.resolve(opened.read(i).mask),
  };
}

async function imagenetFile(path: string): Promise<string> {
  return await isFolder(path) ? `${path}/gtsegs_ijcv.mat` : path;
}

async function openImagesPart(path: string, limit: number): Promise<Part> {
  const files = await listImages(path), used = files.slice(0, limit), hashes = await hashesByName(used);
  return {
    row: {
      kind: "images",
      path,
      found: `${files.length} photographs`,
      missing: "masks",
      used: `graph of ${used.length}`,
    },
    images: used.map(fileImage),
    listed: hashes.map(([name, sha256]) => ({ kind: "images", name, sha256 })),
    imagesKey: hashes,
  };
}

function fileImage(path: string): DataImage {
  return { name: basename(path), load: () => readImage(path) };
}

/** Every class but the background is figure; what no class is scored on stays out. */
function figureOf({ width, height, data }: Mask): Mask {
  return { width, height, data: data.map((label) => label === VOC_VOID ? VOC_VOID : Math.min(label, 1)) };
}

/** The first three names, and how many more there are. */
function few(names: readonly string[]): string {
  const more = names.length - 3;
  return names.slice(0, 3).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

async function subjectsIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(path)) {
      if (await isFolder(`${path}/${name}/training_split`)) names.push(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`There is no folder ${path}.`, { cause: error });
    }
    throw error;
  }
  return names.sort();
}
