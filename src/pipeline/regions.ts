/** Regions that results are given by. */
import type { Subject } from "../data/datasets/subject.ts";

/** Regions in the order of the paper's Table 1, where a subject has them. */
export const REGIONS = [
  "V1",
  "V2",
  "V3",
  "V4",
  "EBA",
  "FBA",
  "OFA",
  "FFA",
  "OPA",
  "PPA",
  "OWFA",
  "VWFA",
] as const;

/** Voxels of each of `REGIONS` that a subject has. */
export function regionsOf({ rois }: Pick<Subject, "rois">): Map<string, Uint32Array> {
  return new Map(REGIONS.flatMap((name) => {
    const voxels = rois.get(name);
    return voxels?.length ? [[name, voxels] as const] : [];
  }));
}
