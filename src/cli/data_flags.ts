/**
 * Data and models of one's own by command line: `--data algonauts:DIR --data nsd:DIR --data voc:DIR
 * --data imagenet-seg:DIR --images DIR --model FILE`, checked before anything is computed.
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { openAlgonautsSplits } from "../data/datasets/algonauts.ts";
import { HOOKS } from "../data/onnx/block_hooks.ts";
import { listImages, readImage } from "../data/images/image.ts";
import { hashesByName } from "../data/files/file_hashes.ts";
import { openImagenetSegmentation } from "../data/datasets/imagenet_segmentation.ts";
import { EXTRACT_CHOICES, type ExtractChoice } from "../data/onnx/inference_provider.ts";
import { type NsdOptions, openNsd } from "../data/datasets/nsd.ts";
import { isFile, isFolder } from "../data/files/plain_file.ts";
import { HEMISPHERES, ROI_CLASSES, type SubjectSplits } from "../data/datasets/subject.ts";
import { openVoc, VOC_VOID } from "../data/datasets/voc.ts";
import type { Mask, RgbImage } from "../data/images/picture.ts";
import type { Hook } from "../data/onnx/head_roles.ts";

/** Kinds of data that are told by their layout on disk. */
export const DATA_KINDS = ["algonauts", "nsd", "voc", "imagenet-seg", "images"] as const;
/** One of them. */
export type DataKind = typeof DATA_KINDS[number];

/** Kinds that are a subject's images and responses: one of them at a time. */
const SUBJECT_KINDS = ["algonauts", "nsd"] as const;
type SubjectKind = typeof SUBJECT_KINDS[number];

/** Where each kind of data is; a kind that is not given is absent. */
export type DataFolders = Partial<Record<DataKind, string>>;

/** The help of these options. */
export const DATA_HELP = `
  --data KIND:DIR   data of your own, once for each kind: algonauts (one subject's folder of the 2023 release) or
                    nsd (the Natural Scenes Dataset, or one folder of betas in it), voc (PASCAL VOC, or any folder
                    in its layout), imagenet-seg (folder of gtsegs_ijcv.mat)
  --images DIR      photographs of your own, without masks
  --model FILE      a vision transformer as ONNX, FILE.preprocessor.json beside it, or the name of one that
                    \`./run models add\` has added, or of an embedded one (clip_tiny, dino_tiny, mae_tiny); once for each
                    (default: the embedded three)
  --hook NAME       what is taken of every block: attention (its output before the residual add), residual (the stream
                    after the block), mlp, q, k or v (queries, keys, values as projected) (default: attention)
  --stride N        pixels between patches, finer maps by runs on shifted images (shift-and-stitch): half the patch
                    gives four times the patches in four times the time (default: the model's patch)
  --extract ON      what models run on: cpu, webgpu (onnxruntime's own; the processor where it does not start), or
                    auto: webgpu where there is a hardware adapter (default: cpu)`;

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
  /** The kind. */
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

/** Data that were checked and can be used. */
export interface OpenedData {
  /** All photographs with masks or without, in the order voc, imagenet-seg, images; else those of the subject. */
  images: DataImage[];
  /** Photographs of voc behind those, as many at most: for tests on images that nothing else has seen. */
  further: DataImage[];
  /** The subject, for channel align and brain scores; absent where none was given. */
  subject?: SubjectSplits;
  /** Its name, without where it is. */
  subjectName?: string;
  /** Names of the classes of `classMask` by index; absent without voc. */
  classes?: readonly string[];
  /** One row a kind. */
  table: DataRow[];
  /**
   * For the keys of caches: changes with kinds, names and contents of the subject's photographs, of all photographs, and of
   * what is known beside their pixels (masks, names of classes, responses, regions, noise ceilings, places).
   */
  identity: { subject: string; images: string; truth: string };
  /** Closes the files. */
  close(): void;
}

/** What `takeDataFlags` found. */
export interface TakenFlags {
  /** By kind. */
  folders: DataFolders;
  /** ONNX files, or names of models. */
  models: string[];
  /** What is taken of every block of all models, where it is said. */
  hook?: Hook;
  /** Pixels between patches, where it is said. */
  stride?: number;
  /** What models are to run on, where it is said. */
  extract?: ExtractChoice;
  /** All other arguments, in order. */
  rest: string[];
}

/**
 * The value of `--hook`.
 *
 * @throws RangeError '--hook is "keys": give attention, residual, mlp, q, k or v.'
 */
export function readHook(value: string | undefined): Hook {
  const hook = HOOKS.find((name) => name === value);
  if (hook) return hook;
  throw new RangeError(
    `--hook is "${value ?? ""}": give ${HOOKS.slice(0, -1).join(", ")} or ${HOOKS.at(-1)}.`,
  );
}

/**
 * The value of `--stride`.
 *
 * @throws RangeError '--stride is "half": give a whole number of pixels, 1 or more.'
 */
export function readStride(value: string | undefined): number {
  if (/^[1-9]\d{0,3}$/.test(value ?? "")) return Number(value);
  throw new RangeError(`--stride is "${value ?? ""}": give a whole number of pixels, 1 or more.`);
}

/**
 * The value of `--extract`.
 *
 * @throws RangeError '--extract is "cuda": give cpu, webgpu or auto.'
 */
export function readExtract(value: string | undefined): ExtractChoice {
  const choice = EXTRACT_CHOICES.find((name) => name === value);
  if (choice) return choice;
  throw new RangeError(`--extract is "${value ?? ""}": give cpu, webgpu or auto.`);
}

/** Options that `takeDataFlags` takes. */
const TAKEN = ["data", "images", "model", "hook", "stride", "extract"] as const;

/**
 * Takes `--data KIND:DIR`, `--images DIR`, `--model FILE`, `--hook NAME`, `--stride N` and `--extract ON` out of a command line.
 *
 * @param args as `Deno.args`
 * @param names of those to take, default all of them
 * @returns the folders by kind, the models, hook, stride and extract, and the arguments that are left
 * @throws RangeError '--data is "vocs:DIR": give algonauts:DIR, nsd:DIR, voc:DIR or imagenet-seg:DIR.'; "--data voc: is given twice: …"
 */
export function takeDataFlags(
  args: readonly string[],
  names: readonly (typeof TAKEN[number])[] = TAKEN,
): TakenFlags {
  const option = new RegExp(`^--(${names.join("|")})(?:=(.*))?$`, "s");
  const folders: DataFolders = {}, models: string[] = [], rest: string[] = [];
  let hook: Hook | undefined, stride: number | undefined, extract: ExtractChoice | undefined;
  for (let i = 0; i < args.length; i++) {
    const [, name, joined] = option.exec(args[i]) ?? [];
    if (name === undefined) {
      rest.push(args[i]);
      continue;
    }
    const value = joined ?? args[++i];
    if (name === "hook") {
      hook = readHook(value);
      continue;
    }
    if (name === "extract") {
      extract = readExtract(value);
      continue;
    }
    if (name === "stride") {
      stride = readStride(value);
      continue;
    }
    if (name === "model") {
      if (!value || value.startsWith("--")) {
        throw new RangeError("--model has no file: write --model FILE.onnx.");
      }
      models.push(...value.split(","));
      continue;
    }
    const [, kindText, path] = name === "images"
      ? [, "images", value]
      : /^([^:]*):(.+)$/s.exec(value ?? "") ?? [];
    const kind = DATA_KINDS.find((known) => known === kindText && (known !== "images" || name === "images"));
    if (!kind) {
      throw new RangeError(
        `--data is "${value ?? ""}": give algonauts:DIR, nsd:DIR, voc:DIR or imagenet-seg:DIR.`,
      );
    }
    if (!path || path.startsWith("--")) throw new RangeError(`--${name} has no folder: write --images DIR.`);
    if (folders[kind] !== undefined) {
      throw new RangeError(
        `${optionOf(kind)} is given twice, ${folders[kind]} and ${path}: give one folder a kind.`,
      );
    }
    folders[kind] = path;
  }
  return {
    folders,
    models,
    rest,
    ...(hook && { hook }),
    ...(stride && { stride }),
    ...(extract && { extract }),
  };
}

/** Whether a subject's images and responses were given. */
export function hasSubject(folders: DataFolders): boolean {
  return SUBJECT_KINDS.some((kind) => folders[kind] !== undefined);
}

/**
 * Checks what is there, and opens it.
 *
 * A photograph without its mask, or a mask without its photograph, is left out and told in the table; what cannot be used
 * at all is an error.
 *
 * @param folders at least one
 * @param limit take the first so many photographs of each kind, but all of the subject's responses
 * @param options of `openNsd`
 * @returns photographs, subject and the table of what is found, missing and used; `close` it in the end
 * @throws Error one sentence that names the folder or file, what was found, and what was expected
 */
export async function openData(
  folders: DataFolders,
  limit = Infinity,
  options: NsdOptions = {},
): Promise<OpenedData> {
  if (folders.algonauts !== undefined && folders.nsd !== undefined) {
    throw new Error(
      "--data algonauts: and --data nsd: are both given: a run has one subject, so give one of them.",
    );
  }
  const parts: Part[] = [];
  const close = () => {
    for (const part of parts) part.close?.();
  };
  try {
    for (const kind of DATA_KINDS) {
      const path = folders[kind];
      if (path !== undefined && !isSubject(kind)) parts.push(await OPEN[kind](path, limit));
    }
    for (const kind of SUBJECT_KINDS) {
      const path = folders[kind];
      if (path === undefined) continue;
      const opened = kind === "nsd" ? await openNsd(path, options) : await openAlgonautsPart(path);
      parts.unshift(await subjectPart(kind, path, opened, limit, parts.length > 0));
    }
    if (parts.length === 0) throw new Error("There is no data: give --data KIND:DIR or --images DIR.");
  } catch (error) {
    close();
    throw error;
  }
  const hashOf = (some: Part[], what: "identity" | "truth") =>
    createHash("sha256").update(JSON.stringify(some.map((part) => [part.row.kind, part[what]])))
      .digest("hex").slice(0, 16);
  const classes = parts.find((part) => part.classes)?.classes, subject = parts[0].subject;
  const sources = parts.filter(({ images }) => images.length > 0);
  const named = ({ row: { kind }, images }: Part) =>
    sources.length === 1 ? images : images.map((image) => ({ ...image, name: `${kind} ${image.name}` }));
  return {
    images: sources.flatMap(named),
    further: parts.flatMap(({ further }) => further ?? []),
    ...(subject ? { subject, subjectName: parts[0].subjectName } : {}),
    ...(classes ? { classes } : {}),
    table: parts.map(({ row }) => row),
    identity: {
      subject: hashOf(parts.filter(({ row }) => isSubject(row.kind)), "identity"),
      images: hashOf(sources, "identity"),
      truth: hashOf(parts, "truth"),
    },
    close,
  };
}

/**
 * The table as text for a terminal, three lines a kind: found, missing, used for.
 *
 * @param table as of `openData`
 */
export function dataTableText(table: readonly DataRow[]): string {
  const width = 2 + Math.max(...table.map(({ kind, path }) => Math.max(kind.length, path.length)));
  return table.flatMap(({ kind, path, found, missing, used }) => [
    `${kind.padEnd(width)}found     ${found}`,
    `${path.padEnd(width)}missing   ${missing}`,
    `${"".padEnd(width)}used for  ${used}`,
  ]).join("\n");
}

/** What one kind gives. */
interface Part {
  row: DataRow;
  images: DataImage[];
  further?: DataImage[];
  classes?: readonly string[];
  subject?: SubjectSplits;
  subjectName?: string;
  /** Names and hashes of the photographs. */
  identity: unknown;
  /** Names and hashes of what is known beside their pixels, where they are files of their own. */
  truth?: unknown;
  close?(): void;
}

const OPEN = { voc: openVocPart, "imagenet-seg": openImagenetPart, images: openImagesPart };

function optionOf(kind: DataKind): string {
  return kind === "images" ? "--images" : `--data ${kind}:`;
}

function isSubject(kind: DataRow["kind"]): kind is SubjectKind {
  return SUBJECT_KINDS.some((known) => known === kind);
}

/** A subject as one kind of data gives it. */
interface OpenedSubject extends SubjectSplits {
  name: string;
  /** What is not there, beside test responses and noise ceilings. */
  missing: string[];
  /** What else the table says of it. */
  about?: string;
  close?(): void;
}

async function openAlgonautsPart(path: string): Promise<OpenedSubject> {
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

async function subjectPart(
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
        ? "channel align, brain scores"
        : `channel align, brain scores, and the graph of ${names.length} ${
          test ? "test" : "training"
        } images`,
    },
    images: hasOtherImages ? [] : images,
    subject: test ? { training, test } : { training },
    subjectName,
    identity: [await training.hashImages(), test && await test.hashImages()],
    truth: [await training.hashTruth(), test && await test.hashTruth()],
    close,
  };
}

async function openVocPart(path: string, limit: number): Promise<Part> {
  const voc = await openVoc(path);
  const complete: number[] = [], incomplete: string[] = [];
  for (const [i, name] of voc.names.entries()) {
    const both = await isFile(`${path}/JPEGImages/${name}.jpg`) &&
      await isFile(`${path}/SegmentationClass/${name}.png`);
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
  const opened = (i: number): DataImage => ({
    name: voc.names[i],
    load: async () => (await voc.read(i)).image,
    mask: async () => figureOf((await voc.read(i)).mask),
    classMask: async () => (await voc.read(i)).mask,
  });
  const files = (folder: string, ending: string) =>
    [...used, ...further].map((i) => `${path}/${folder}/${voc.names[i]}${ending}`);
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
    images: used.map(opened),
    further: further.map(opened),
    classes: voc.classes,
    identity: await hashesByName(files("JPEGImages", ".jpg")),
    truth: [used.length, voc.classes, await hashesByName(files("SegmentationClass", ".png"))],
  };
}

async function openImagenetPart(path: string, limit: number): Promise<Part> {
  const file = await isFolder(path) ? `${path}/gtsegs_ijcv.mat` : path;
  const opened = await openImagenetSegmentation(file);
  const count = Math.min(opened.count, limit);
  const images = Array.from({ length: count }, (_, i): DataImage => ({
    name: String(i),
    load: () => Promise.resolve(opened.read(i).image),
    mask: () => Promise.resolve(opened.read(i).mask),
  }));
  return {
    row: {
      kind: "imagenet-seg",
      path: file,
      found: `${opened.count} photographs with figure masks`,
      missing: "nothing",
      used: `graph and segmentation of ${count}`,
    },
    images,
    identity: [await hashesByName([file]), count],
    close: opened.close,
  };
}

async function openImagesPart(path: string, limit: number): Promise<Part> {
  const files = await listImages(path), used = files.slice(0, limit);
  return {
    row: {
      kind: "images",
      path,
      found: `${files.length} photographs`,
      missing: "masks",
      used: `graph of ${used.length}`,
    },
    images: used.map(fileImage),
    identity: await hashesByName(used),
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
