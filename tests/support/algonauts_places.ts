import { placesPath } from "../../src/data/datasets/algonauts_paths.ts";
import type { Hemisphere } from "../../src/data/datasets/subject.ts";
import { writeNpy } from "../../src/data/formats/npy.ts";

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
