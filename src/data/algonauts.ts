/** The layout of the Algonauts 2023 challenge: one folder a subject, with images, fMRI responses and ROI masks. */
import type { Matrix } from "../linalg/matrix.ts";
import { writeFileAtomic } from "./atomic_write.ts";
import { listImages } from "./image.ts";
import { type NpyHeader, parseNpy, readBytes, readNpyHeader, readNpyRows, writeNpy } from "./npy.ts";
import { encodePickledMapping, parsePickledMapping } from "./pickled_mapping.ts";
import { MOST_TEXT } from "./plain_file.ts";

/** The two hemispheres in the order of the voxels. */
export const HEMISPHERES = ["lh", "rh"] as const;
/** A hemisphere. */
export type Hemisphere = typeof HEMISPHERES[number];

/** The ROI classes of the release with their ROIs; each class has one mask a hemisphere. */
export const ROI_CLASSES: Readonly<Record<string, readonly string[]>> = {
  "prf-visualrois": ["V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"],
  "floc-bodies": ["EBA", "FBA-1", "FBA-2", "mTL-bodies"],
  "floc-faces": ["OFA", "FFA-1", "FFA-2", "mTL-faces", "aTL-faces"],
  "floc-places": ["OPA", "PPA", "RSC"],
  "floc-words": ["OWFA", "VWFA-1", "VWFA-2", "mfs-words", "mTL-words"],
  "streams": ["early", "midventral", "midlateral", "midparietal", "ventral", "lateral", "parietal"],
};

/** The names that papers use, made of the parts that the release tells apart. */
const MERGED: Readonly<Record<string, readonly string[]>> = {
  V1: ["V1v", "V1d"],
  V2: ["V2v", "V2d"],
  V3: ["V3v", "V3d"],
  V4: ["hV4"],
  FBA: ["FBA-1", "FBA-2"],
  FFA: ["FFA-1", "FFA-2"],
  VWFA: ["VWFA-1", "VWFA-2"],
};

/** The part of a subject's images to open; the release keeps the responses to `test` to itself. */
export type AlgonautsSplit = "training" | "test";

/** One subject's images and responses. */
export interface Algonauts {
  /** Full paths, in the order of the responses' rows. */
  images: string[];
  /** Voxels (vertices) of each hemisphere; the left ones come first. */
  voxels: { lh: number; rh: number; total: number };
  /** Voxel indices of each ROI, ascending: the release's own names and the merged V1–V4, FBA, FFA and VWFA. */
  rois: Map<string, Uint32Array>;
  /**
   * Of each voxel, the share of the variance of a test image's response that is not noise (r²); undefined where the
   * subject has no `test_split/noise_ceiling`.
   */
  noiseCeiling?: Float32Array;
  /**
   * Where each voxel lies on a flattened cortex, total × 2 (x, y), y down; undefined where the subject has no
   * `roi_masks/lh.voxel_places.npy` and `rh.voxel_places.npy`, which the release does not hold.
   */
  places?: Float32Array;
  /** Full paths of the files that all this, and the responses, are read from. */
  truth: string[];
  /**
   * Reads the responses to some images without loading the others.
   *
   * @param first index of the first image
   * @param count number of images
   * @returns count × total, left hemisphere first
   * @throws RangeError "…/lh_training_fmri.npy has 10 rows: rows 8 to 11 were asked for."
   */
  readResponses(first: number, count: number): Promise<Matrix>;
}

/**
 * Opens one subject's folder of the Algonauts 2023 release.
 *
 * @param dir the subject's folder, with `training_split` and `roi_masks`
 * @param split whose images and responses; default `training`
 * @throws Error "There is no file …"; "The folder …/training_images has 9 images, lh_training_fmri.npy 10 rows: …"; "…
 *   labels vertex 3 with 9, which mapping_….npy does not name."
 */
export async function openAlgonauts(dir: string, split: AlgonautsSplit = "training"): Promise<Algonauts> {
  const imagesDir = imageFolder(dir, split);
  const images = await listImages(imagesDir);
  const headers = await Promise.all(
    HEMISPHERES.map((hemisphere) => responseHeader(responsesPath(dir, hemisphere, split))),
  );
  for (const [i, { shape }] of headers.entries()) {
    if (shape[0] === images.length) continue;
    throw new Error(
      `The folder ${imagesDir} has ${images.length} images, ${responsesPath(dir, HEMISPHERES[i], split)} ${
        shape[0]
      } rows: they must be equal, so copy both again.`,
    );
  }
  const [lh, rh] = headers.map(({ shape }) => shape[1]);
  const total = lh + rh, classes = await roiClasses(dir);
  const noiseCeiling = await readNoiseCeiling(dir, { lh, rh }), places = await readPlaces(dir, { lh, rh });
  return {
    images,
    voxels: { lh, rh, total },
    rois: await readRois(dir, classes, { lh, rh }),
    noiseCeiling,
    places,
    truth: [
      ...classes.map((roiClass) => mappingPath(dir, roiClass)),
      ...HEMISPHERES.flatMap((hemisphere) => [
        responsesPath(dir, hemisphere, split),
        ...classes.map((roiClass) => maskPath(dir, hemisphere, roiClass)),
        ...(noiseCeiling ? [ceilingPath(dir, hemisphere)] : []),
        ...(places ? [placesPath(dir, hemisphere)] : []),
      ]),
    ],
    async readResponses(first, count) {
      const data = new Float32Array(count * total);
      for (const [i, hemisphere] of HEMISPHERES.entries()) {
        const part = await readNpyRows(responsesPath(dir, hemisphere, split), headers[i], first, count);
        const cols = headers[i].shape[1], from = i === 0 ? 0 : lh;
        for (let row = 0; row < count; row++) {
          data.set(part.subarray(row * cols, (row + 1) * cols), row * total + from);
        }
      }
      return { data, rows: count, cols: total };
    },
  };
}

/** What is measured of one subject and one split. */
export interface AlgonautsResponses {
  hemisphere: Hemisphere;
  /** images × vertices, row-major. */
  data: Float32Array;
  rows: number;
}

/**
 * Writes the responses of one hemisphere where `openAlgonauts` looks for them.
 *
 * @param dir the subject's folder
 * @param split whose images
 * @param responses one row an image
 * @throws RangeError when the values are not a whole number of rows
 */
export async function writeAlgonautsResponses(
  dir: string,
  split: AlgonautsSplit,
  { hemisphere, data, rows }: AlgonautsResponses,
): Promise<void> {
  await Deno.mkdir(`${dir}/${split}_split/${split}_fmri`, { recursive: true });
  await writeNpy(responsesPath(dir, hemisphere, split), data, [rows, data.length / rows]);
}

/**
 * Writes one mask a hemisphere for every ROI class that occurs, with its mapping, as the release does.
 *
 * @param dir the subject's folder
 * @param names per hemisphere the ROI of each vertex, by the names of `ROI_CLASSES`; "" for none
 * @throws RangeError "No ROI class has V9: expected one of …"
 */
export async function writeAlgonautsRois(
  dir: string,
  names: Readonly<Record<Hemisphere, readonly string[]>>,
): Promise<void> {
  const known = Object.values(ROI_CLASSES).flat();
  const used = new Set([...names.lh, ...names.rh].filter(Boolean));
  for (const name of used) {
    if (!known.includes(name)) {
      throw new RangeError(`No ROI class has ${name}: expected one of ${known.join(", ")}.`);
    }
  }
  await Deno.mkdir(`${dir}/roi_masks`, { recursive: true });
  for (const [roiClass, rois] of Object.entries(ROI_CLASSES)) {
    if (!rois.some((roi) => used.has(roi))) continue;
    const mapping = new Map(["Unknown", ...rois].map((name, value) => [value, name]));
    await writeFileAtomic(mappingPath(dir, roiClass), encodePickledMapping(mapping));
    for (const hemisphere of HEMISPHERES) {
      const mask = Int32Array.from(names[hemisphere], (name) => rois.indexOf(name) + 1);
      await writeNpy(maskPath(dir, hemisphere, roiClass), mask, [mask.length]);
    }
  }
}

/**
 * Writes the noise ceilings of one hemisphere.
 *
 * @param dir the subject's folder
 * @param hemisphere whose
 * @param ceilings of each vertex, from 0 to 1 (r²)
 */
export async function writeAlgonautsNoiseCeiling(
  dir: string,
  hemisphere: Hemisphere,
  ceilings: Float32Array,
): Promise<void> {
  await Deno.mkdir(`${dir}/test_split/noise_ceiling`, { recursive: true });
  await writeNpy(ceilingPath(dir, hemisphere), ceilings, [ceilings.length]);
}

/**
 * Writes where the vertices of one hemisphere lie on a flattened cortex.
 *
 * @param dir the subject's folder
 * @param hemisphere whose
 * @param places vertices × 2 (x, y), y down, in one frame for both hemispheres
 */
export async function writeAlgonautsPlaces(
  dir: string,
  hemisphere: Hemisphere,
  places: Float32Array,
): Promise<void> {
  await Deno.mkdir(`${dir}/roi_masks`, { recursive: true });
  await writeNpy(placesPath(dir, hemisphere), places, [places.length / 2, 2]);
}

/** The folder of a split's images. */
export function imageFolder(dir: string, split: AlgonautsSplit): string {
  return `${dir}/${split}_split/${split}_images`;
}

async function readRois(
  dir: string,
  classes: readonly string[],
  voxels: Record<Hemisphere, number>,
): Promise<Map<string, Uint32Array>> {
  const found = new Map<string, number[]>();
  for (const roiClass of classes) {
    const path = mappingPath(dir, roiClass);
    const mapping = parsePickledMapping(await readBytes(path, MOST_TEXT), path);
    for (const [value, name] of mapping) if (value !== 0) found.set(name, []);
    for (const hemisphere of HEMISPHERES) {
      const mask = await readPerVertex(maskPath(dir, hemisphere, roiClass), voxels[hemisphere]);
      const from = hemisphere === "lh" ? 0 : voxels.lh;
      mask.forEach((value, vertex) => {
        if (value === 0) return;
        const name = mapping.get(value);
        if (name === undefined) {
          throw new Error(
            `${
              maskPath(dir, hemisphere, roiClass)
            } labels vertex ${vertex} with ${value}, which ${path} does not name: they do not belong together.`,
          );
        }
        found.get(name)!.push(from + vertex);
      });
    }
  }
  for (const [name, parts] of Object.entries(MERGED)) {
    const voxels = parts.flatMap((part) => found.get(part) ?? []);
    if (parts.some((part) => found.has(part))) found.set(name, voxels);
  }
  return new Map([...found].map(([name, voxels]) => [name, Uint32Array.from(voxels).sort()]));
}

/** The ROI classes of a subject, in the order of their names. */
async function roiClasses(dir: string): Promise<string[]> {
  const folder = `${dir}/roi_masks`;
  const classes: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const found = /^mapping_(.+)\.npy$/.exec(name);
      if (found) classes.push(found[1]);
    }
  } catch (error) {
    throw new Error(`There is no folder ${folder}: expected the ROI masks of an Algonauts 2023 subject.`, {
      cause: error,
    });
  }
  return classes.sort();
}

function readNoiseCeiling(dir: string, voxels: Record<Hemisphere, number>) {
  return readBothHemispheres((hemisphere) => ceilingPath(dir, hemisphere), voxels);
}

function readPlaces(dir: string, voxels: Record<Hemisphere, number>) {
  return readBothHemispheres((hemisphere) => placesPath(dir, hemisphere), voxels, 2);
}

/** Values of all voxels from a file a hemisphere; undefined where one is missing, as the release comes without them. */
async function readBothHemispheres(
  pathOf: (hemisphere: Hemisphere) => string,
  voxels: Record<Hemisphere, number>,
  each = 1,
): Promise<Float32Array | undefined> {
  try {
    for (const hemisphere of HEMISPHERES) await Deno.stat(pathOf(hemisphere));
  } catch {
    return undefined;
  }
  const parts = await Promise.all(
    HEMISPHERES.map((hemisphere) => readPerVertex(pathOf(hemisphere), voxels[hemisphere], each)),
  );
  return Float32Array.from(parts.flat());
}

async function readPerVertex(path: string, vertices: number, each = 1): Promise<number[]> {
  const { data, shape } = parseNpy(await readBytes(path), path);
  if (data.length !== vertices * each) {
    throw new Error(
      `${path} has shape (${shape.join(", ")}), the responses ${vertices} vertices: they must be equal.`,
    );
  }
  return Array.from(data, Number);
}

async function responseHeader(path: string): Promise<NpyHeader> {
  const header = await readNpyHeader(path);
  if (header.descr === "<f4" && header.shape.length === 2) return header;
  throw new Error(
    `${path} has shape (${
      header.shape.join(", ")
    }) and type ${header.descr}, expected images × vertices of type <f4.`,
  );
}

function responsesPath(dir: string, hemisphere: Hemisphere, split: AlgonautsSplit): string {
  return `${dir}/${split}_split/${split}_fmri/${hemisphere}_${split}_fmri.npy`;
}

function ceilingPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/test_split/noise_ceiling/${hemisphere}_noise_ceiling.npy`;
}

function placesPath(dir: string, hemisphere: Hemisphere): string {
  return `${dir}/roi_masks/${hemisphere}.voxel_places.npy`;
}

function maskPath(dir: string, hemisphere: Hemisphere, roiClass: string): string {
  return `${dir}/roi_masks/${hemisphere}.${roiClass}_challenge_space.npy`;
}

function mappingPath(dir: string, roiClass: string): string {
  return `${dir}/roi_masks/mapping_${roiClass}.npy`;
}
