/** A person whose responses to photographs were measured, for scripts. */
import { assertKnown } from "../linalg/check_options.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { openSubject } from "./open_subject.ts";
import { assertLimit, type Photograph } from "./photographs.ts";

/** Photographs that a subject saw, and the responses to them. */
export interface BrainSubject {
  /** In the order of the responses' rows: paths, or of the Natural Scenes Dataset what loads itself out of its one file. */
  photographs: Photograph[];
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
  /** Closes the file of photographs, where they are in one. */
  close(): void;
}

/**
 * Reads a subject, as `--data` names it.
 *
 * @param source `algonauts:DIR`, one subject's folder of the Algonauts 2023 release with `training_split` and `roi_masks`;
 *   `nsd:DIR`, the Natural Scenes Dataset or one folder of betas in it, z-scored and averaged over trials as for the tasks; DIR
 *   alone means `algonauts:DIR`
 * @param split `training` or `test`; Algonauts 2023 does not include responses to `test`
 * @param limit how many photographs to read, from the first on; default all
 * @param options `signal`: stops the reading between files, which then rejects with the signal's reason
 * @returns photographs, responses (photographs × voxels, in the release's unit or z-scored betas), regions and noise ceilings
 * @throws Error one sentence that names the file that is absent or does not fit
 * @throws RangeError '"voc:DIR" is not a subject: give algonauts:DIR or nsd:DIR.'; 'split is "val": give "training" or "test".'
 */
export async function readBrainSubject(
  source: string,
  split: "training" | "test" = "training",
  limit = Infinity,
  options: { signal?: AbortSignal } = {},
): Promise<BrainSubject> {
  assertKnown("readBrainSubject", options, { signal: true });
  assertLimit(limit);
  const { subject, hasFiles, close } = await openSubject(source, split, options.signal);
  const { images, rois, noiseCeiling, vertices, voxels, skipped, notes } = subject;
  const photographs = images.slice(0, limit).map((image, row): Photograph =>
    hasFiles ? image : { name: image, load: () => subject.readImage(row) }
  );
  for (const what of skipped) console.error(`${source}: left out: ${what}`);
  for (const note of notes) console.error(`${source}: ${note}`);
  return {
    photographs,
    rois,
    vertices,
    skipped,
    leftHemisphere: voxels.lh,
    responses: await subject.readResponses(0, photographs.length),
    ...(noiseCeiling ? { noiseCeiling } : {}),
    close,
  };
}
