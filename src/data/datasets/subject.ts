/** A person whose responses to photographs were measured: what the folders of Algonauts 2023 and of NSD itself both give. */
import type { Matrix } from "../../linalg/matrix.ts";
import { type LeftOutReasons, leftOutSentences, NO_CEILING } from "./left_out_voxels.ts";
import { mapConcurrently } from "../files/map_concurrently.ts";
import { report } from "../files/skipped.ts";
import type { RgbImage } from "../images/picture.ts";

/** The two hemispheres in the order of the voxels. */
export const HEMISPHERES = ["lh", "rh"] as const;
/** A hemisphere. */
export type Hemisphere = typeof HEMISPHERES[number];

/** Reads something of both hemispheres at once. @throws where both fail what the left one has thrown, whichever was first */
export function ofHemispheres<T>(read: (hemisphere: Hemisphere) => Promise<T>): Promise<T[]> {
  return mapConcurrently(HEMISPHERES.length, HEMISPHERES.length, (side) => read(HEMISPHERES[side]));
}

/** The ROI classes of both releases with their ROIs; each class has one mask a hemisphere. */
export const ROI_CLASSES: Readonly<Record<string, readonly string[]>> = {
  "prf-visualrois": ["V1v", "V1d", "V2v", "V2d", "V3v", "V3d", "hV4"],
  "floc-bodies": ["EBA", "FBA-1", "FBA-2", "mTL-bodies"],
  "floc-faces": ["OFA", "FFA-1", "FFA-2", "mTL-faces", "aTL-faces"],
  "floc-places": ["OPA", "PPA", "RSC"],
  "floc-words": ["OWFA", "VWFA-1", "VWFA-2", "mfs-words", "mTL-words"],
  "streams": ["early", "midventral", "midlateral", "midparietal", "ventral", "lateral", "parietal"],
};

/** The names that papers use, made of the parts that the releases tell apart. */
const MERGED: Readonly<Record<string, readonly string[]>> = {
  V1: ["V1v", "V1d"],
  V2: ["V2v", "V2d"],
  V3: ["V3v", "V3d"],
  V4: ["hV4"],
  FBA: ["FBA-1", "FBA-2"],
  FFA: ["FFA-1", "FFA-2"],
  VWFA: ["VWFA-1", "VWFA-2"],
};

/** One subject's images and responses, without the voxels that are of no use: see `skipped`. */
export interface Subject {
  /** The images in the order of the responses' rows: full paths, or names where one file holds them all. */
  images: string[];
  /** Voxels (vertices) of each hemisphere; the left ones come first. */
  voxels: { lh: number; rh: number; total: number };
  /** Of each voxel its index in the files: of its hemisphere, or of the volume (x varies fastest). */
  vertices: Uint32Array;
  /** Voxel indices of each ROI, ascending: the release's own names and the merged V1–V4, FBA, FFA and VWFA. */
  rois: Map<string, Uint32Array>;
  /**
   * Of each voxel, the share of the variance of a test image's response that is not noise (r²); undefined where the
   * subject's files do not say it.
   */
  noiseCeiling?: Float32Array;
  /**
   * Where each voxel lies on a flattened cortex, total × 2 (x, y), y down; undefined where the subject's files do not say it.
   */
  places?: Float32Array;
  /**
   * The vertex of FreeSurfer's fsaverage, 0 to 163,841, that each voxel is or lies on, in its hemisphere; undefined where the
   * subject's files do not say it.
   */
  surfaceVertices?: Uint32Array;
  /** What was left out, a sentence each: voxels of no use by reason and region. */
  skipped: string[];
  /** What else is to be said: regions that several ROI classes name. */
  notes: string[];
  /**
   * Reads an image.
   *
   * @param row its place in `images`
   */
  readImage(row: number): Promise<RgbImage>;
  /** Names and SHA-256 of all images. */
  hashImages(): Promise<[name: string, hash: string][]>;
  /** Names and SHA-256 of the files that all else is read from. */
  hashLabels(): Promise<[name: string, hash: string][]>;
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

/** A subject's images in two parts that share voxels, regions and ceilings. */
export interface SubjectSplits {
  /** Images to learn from. */
  training: Subject;
  /** Images that nothing has learned from; absent where their responses are not known. */
  test?: Subject;
}

/** Voxels as a release has them: everything by indices among all voxels, the left hemisphere's `lh` first. */
export interface AllVoxels {
  lh: number;
  /** Why voxels are of no use. */
  reasons: LeftOutReasons;
  rois: ReadonlyMap<string, Uint32Array>;
  /** One that is NaN leaves out its voxel. */
  ceilings?: Float32Array;
}

/** Indices of the voxels that are of use. */
export function usefulVoxels({ reasons, ceilings }: Pick<AllVoxels, "reasons" | "ceilings">): Uint32Array {
  return Uint32Array.from(reasons.keys()).filter((voxel) =>
    reasons[voxel] === 0 && !Number.isNaN(ceilings?.[voxel])
  );
}

/**
 * What is known of the voxels that are of use; the others, and the notes, are reported.
 *
 * @param dir names the subject in errors
 * @throws Error "DIR has no voxel that is of use: …"
 */
export function usedVoxels(
  dir: string,
  all: AllVoxels,
  notes: readonly string[],
): Pick<Subject, "voxels" | "rois" | "noiseCeiling" | "skipped"> & { used: Uint32Array } {
  const { lh, reasons, rois, ceilings } = all, used = usefulVoxels(all);
  const why = reasons.map((reason, voxel) => reason || (Number.isNaN(ceilings?.[voxel]) ? NO_CEILING : 0));
  const skipped = leftOutSentences(why, rois);
  for (const line of [...skipped.map((what) => `left out: ${what}`), ...notes]) report(line);
  if (used.length === 0) throw new Error(`${dir} has no voxel that is of use: ${skipped[0]}.`);
  const numberOf = new Map(used.entries().map(([index, voxel]) => [voxel, index]));
  const ofUsed = (voxels: Uint32Array) =>
    voxels.filter((voxel) => numberOf.has(voxel)).map((voxel) => numberOf.get(voxel)!);
  const left = used.filter((voxel) => voxel < lh).length, total = used.length;
  return {
    used,
    voxels: { lh: left, rh: total - left, total },
    rois: new Map([...rois].map(([name, voxels]) => [name, ofUsed(voxels)])),
    noiseCeiling: ceilings && Float32Array.from(used, (voxel) => ceilings[voxel]),
    skipped,
  };
}

/** A region as one ROI class has it. */
export interface ClassRegion {
  roiClass: string;
  /** Indices. */
  voxels: number[];
}

/**
 * One region a name. Where several ROI classes have a name, it is the release's own class's, or, where none of them is of the
 * release, what all of them call so; each other one's is named "class name".
 *
 * @param found by name, what each class calls so
 * @returns all regions, the merged ones among them, and what is to be said of their names
 */
export function namedRegions(
  found: ReadonlyMap<string, readonly ClassRegion[]>,
): { rois: Map<string, Uint32Array>; notes: string[] } {
  const regions = new Map<string, number[]>(), apart = new Map<string, number[]>(), notes: string[] = [];
  const say = (name: string, what: string, others: readonly ClassRegion[]) => {
    for (const { roiClass, voxels } of others) apart.set(`${roiClass} ${name}`, voxels);
    const names = others.map(({ roiClass }) => `"${roiClass} ${name}"`).join(" and ");
    notes.push(`"${name}" is ${what}; ${names} ${others.length > 1 ? "are" : "is"} apart`);
  };
  for (const [name, owners] of found) {
    const own = owners.find(({ roiClass }) => ROI_CLASSES[roiClass]?.includes(name));
    regions.set(name, own?.voxels ?? owners.flatMap(({ voxels }) => voxels));
    if (owners.length === 1) continue;
    const all = owners.map(({ roiClass }) => roiClass).join(" and ");
    if (own) say(name, `that of ${own.roiClass}`, owners.filter((owner) => owner !== own));
    else say(name, `what ${all} call so together`, owners);
  }
  for (const [name, parts] of Object.entries(MERGED)) {
    if (!parts.some((part) => regions.has(part))) continue;
    if (found.has(name)) say(name, parts.join(" and "), found.get(name)!);
    regions.set(name, parts.flatMap((part) => regions.get(part) ?? []));
  }
  const all = [...regions, ...apart].map(([name, voxels]) =>
    [name, Uint32Array.from(new Set(voxels)).sort()] as const
  );
  return { rois: new Map(all), notes };
}
