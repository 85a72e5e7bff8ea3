/** The simulated subject's voxels as the files of a subject hold them: hemisphere by hemisphere, under the release's ROI names. */
import { type Scene, SCENE_SIZE } from "../../fixtures/scenes/mod.ts";
import { type Hemisphere, HEMISPHERES } from "../data/datasets/subject.ts";
import type { SheetPlace } from "../pipeline/voxel_sheet.ts";

/** What of the simulated subject a dataset is written from; one entry a voxel. */
export interface SimulatedSubject {
  /** Names of the regions, V1 to V4, EBA, FBA, OFA, FFA, OPA, PPA, OWFA and VWFA. */
  rois: readonly string[];
  voxels: {
    count: number;
    /** 0 left, 1 right. */
    hemisphere: ArrayLike<number>;
    /** Index into `rois`. */
    roi: ArrayLike<number>;
    /** Place on the schematic cortical sheet. */
    sheetX: ArrayLike<number>;
    sheetY: ArrayLike<number>;
    /** Place in the region's map of the visual field: 0 fovea to 1 periphery, and −1 lower to 1 upper vertical meridian. */
    outward: ArrayLike<number>;
    elevation: ArrayLike<number>;
    /** Center and standard deviation of the receptive field, in pixels of the scene. */
    fieldX: ArrayLike<number>;
    fieldY: ArrayLike<number>;
    fieldSize: ArrayLike<number>;
    /** Share of the variance of one repeat that is signal. */
    reliability: ArrayLike<number>;
  };
  /** Responses before noise. */
  respond(scene: Scene): Float32Array;
  /** Responses of one repeat, with noise. */
  measure(scene: Scene, repeat: number): Float32Array;
}

/** Repeats of each image, averaged in the files. */
export const REPEATS = 3;

/** Regions that the release divides by the visual field: ventral for its upper half, dorsal for the lower. */
const BY_FIELD = ["V1", "V2", "V3"];
/** Regions that the release divides in two patches. */
const BY_PATCH = ["FBA", "FFA", "VWFA"];

/** Indices of a hemisphere's voxels, ascending. */
export function hemisphereVoxels({ voxels }: SimulatedSubject, hemisphere: Hemisphere): Uint32Array {
  const side = HEMISPHERES.indexOf(hemisphere);
  return Uint32Array.from(
    Array.from({ length: voxels.count }, (_, i) => i).filter((i) => voxels.hemisphere[i] === side),
  );
}

/** For each column of the files, left hemisphere first, the index of its voxel. */
export function subjectOrder(subject: SimulatedSubject): Uint32Array {
  return Uint32Array.from(HEMISPHERES.flatMap((hemisphere) => [...hemisphereVoxels(subject, hemisphere)]));
}

/** The release's ROI name of every voxel of each hemisphere. */
export function releaseRois(subject: SimulatedSubject): Record<Hemisphere, string[]> {
  const { rois, voxels } = subject;
  const of = (hemisphere: Hemisphere) => {
    const own = [...hemisphereVoxels(subject, hemisphere)];
    return own.map((voxel) => {
      const name = rois[voxels.roi[voxel]];
      if (name === "V4") return "hV4";
      if (BY_FIELD.includes(name)) return name + (voxels.fieldY[voxel] < SCENE_SIZE / 2 ? "v" : "d");
      if (!BY_PATCH.includes(name)) return name;
      const region = own.filter((other) => voxels.roi[other] === voxels.roi[voxel]);
      return `${name}-${region.indexOf(voxel) < region.length / 2 ? 1 : 2}`;
    });
  };
  return { lh: of("lh"), rh: of("rh") };
}

/**
 * Noise ceilings of a mean of three repeats (r²), in the files' order: with signal share s of one repeat,
 * 3s / (3s + 1 − s).
 */
export function statedCeilings(subject: SimulatedSubject): Float32Array {
  return Float32Array.from(subjectOrder(subject), (voxel) => {
    const signal = REPEATS * subject.voxels.reliability[voxel];
    return signal / (signal + 1 - subject.voxels.reliability[voxel]);
  });
}

/** Where each voxel lies, in the files' order. */
export function sheetPlaces(subject: SimulatedSubject): SheetPlace[] {
  const { rois, voxels } = subject;
  return Array.from(subjectOrder(subject), (i) => ({
    x: voxels.sheetX[i],
    y: voxels.sheetY[i],
    roi: rois[voxels.roi[i]],
    hemisphere: HEMISPHERES[voxels.hemisphere[i]],
  }));
}

/** A receptive field in pixels of the scene. */
export interface ReceptiveField {
  x: number;
  y: number;
  sigma: number;
}

/** The receptive fields of one region's voxels, in the files' order. */
export function receptiveFields({ rois, voxels }: SimulatedSubject, roi: string): ReceptiveField[] {
  return Array.from({ length: voxels.count }, (_, i) => i).filter((i) => rois[voxels.roi[i]] === roi)
    .map((i) => ({ x: voxels.fieldX[i], y: voxels.fieldY[i], sigma: voxels.fieldSize[i] }));
}

/** What is true of each voxel, in the files' order: for `truth/voxels.json`. */
export function voxelTruth(subject: SimulatedSubject) {
  const { voxels } = subject;
  const ceilings = statedCeilings(subject), order = subjectOrder(subject);
  return sheetPlaces(subject).map((place, column) => {
    const i = order[column];
    return {
      ...place,
      field: { x: voxels.fieldX[i], y: voxels.fieldY[i], sigma: voxels.fieldSize[i] },
      noiseCeiling: ceilings[column],
    };
  });
}
