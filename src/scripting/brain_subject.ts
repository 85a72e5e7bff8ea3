/** A brain in the layout of Algonauts 2023, for scripts. */
import type { Matrix } from "../linalg/matrix.ts";

/** Photographs that a subject saw, and the responses to them. */
export interface BrainSubject {
  /** Paths, in the order of the responses' rows. */
  photographs: string[];
  /** photographs × voxels, left hemisphere first, in the unit of the files. */
  responses: Matrix;
  /** Voxel indices by region: the release's own names and V1–V4, FBA, FFA, VWFA. */
  rois: Map<string, Uint32Array>;
  /** For each voxel, the share of its variance over photographs that is signal (r²); absent if there is no such file. */
  noiseCeiling?: Float32Array;
  /** For each voxel, its index in the files of its hemisphere. */
  vertices: Uint32Array;
  /** Voxels of the left hemisphere, which come first. */
  leftHemisphere: number;
  /**
   * What was left out, one sentence each: voxels with a non-finite or constant response, or whose noise ceiling is not a number, by
   * region. Empty if nothing was. Also written to the console.
   */
  skipped: string[];
}

/**
 * Reads one subject's folder of the Algonauts 2023 release.
 *
 * @param dir with `training_split` and `roi_masks`
 * @param split `training` or `test`; the release does not include responses to `test`
 * @param limit how many photographs to read, from the first on; default all
 * @returns paths of the photographs, responses (photographs × voxels, in the release's unit), regions and noise ceilings
 * @throws Error one sentence that names the file that is absent or does not fit
 */
export async function readBrainSubject(
  dir: string,
  split: "training" | "test" = "training",
  limit = Infinity,
): Promise<BrainSubject> {
  const { openAlgonauts } = await import("../data/datasets/algonauts.ts");
  const { images, rois, noiseCeiling, vertices, voxels, skipped, notes, readResponses } = await openAlgonauts(
    dir,
    split,
  );
  const photographs = images.slice(0, limit);
  for (const what of skipped) console.error(`${dir}: left out: ${what}`);
  for (const note of notes) console.error(`${dir}: ${note}`);
  return {
    photographs,
    rois,
    vertices,
    skipped,
    leftHemisphere: voxels.lh,
    responses: await readResponses(0, photographs.length),
    ...(noiseCeiling ? { noiseCeiling } : {}),
  };
}
