/** Writes a subject in the layout of Algonauts 2023. */
import { writeFileAtomic } from "../files/atomic_write.ts";
import { writeNpy } from "../formats/npy.ts";
import { encodePickledMapping } from "../formats/pickled_mapping.ts";
import { type Hemisphere, HEMISPHERES, ROI_CLASSES } from "./subject.ts";
import {
  type AlgonautsSplit,
  ceilingPath,
  mappingPath,
  maskPath,
  responsesPath,
  verticesPath,
} from "./algonauts_paths.ts";

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
 * Writes which vertices of fsaverage the voxels of one hemisphere lie on.
 *
 * @param dir the subject's folder
 * @param hemisphere whose
 * @param vertices one a voxel, 0 to 163,841
 */
export async function writeAlgonautsVertices(
  dir: string,
  hemisphere: Hemisphere,
  vertices: Int32Array,
): Promise<void> {
  await Deno.mkdir(`${dir}/roi_masks`, { recursive: true });
  await writeNpy(verticesPath(dir, hemisphere), vertices, [vertices.length]);
}
