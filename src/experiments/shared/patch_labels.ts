/** Which patches of an image are figure. */
import { tokenLabels } from "./oracle_segmentation.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { UnsuitableData } from "./unsuitable_data.ts";

/** Numbers that rest on fewer patches than this are marked. */
export const FEW_PATCHES = 20;

/**
 * Figure and ground of every patch of every image: figure where more pixels are.
 *
 * @returns one list an image, patches row by row: 1 figure, 0 ground
 * @throws Error when an image has no mask
 */
export async function figurePatches(
  { images, grid }: Pick<Pipeline, "images" | "grid">,
): Promise<Uint8Array[]> {
  const labels: Uint8Array[] = [];
  for (const { name, mask } of images) {
    if (!mask) {
      throw new UnsuitableData(`The image ${name} has no figure-ground mask: choose images that have one.`);
    }
    const counts = tokenLabels(await mask(), grid, 2);
    labels.push(
      Uint8Array.from(
        { length: grid.rows * grid.cols },
        (_, p) => counts[2 * (p + 1) + 1] > counts[2 * (p + 1)] ? 1 : 0,
      ),
    );
  }
  return labels;
}

/**
 * Images that hold figure and ground.
 *
 * @param labels as of `figurePatches`
 * @throws UnsuitableData where fewer than two do
 */
export function imagesWithBoth(labels: readonly Uint8Array[]): number[] {
  const images = [...labels.keys()].filter((image) => labels[image].includes(0) && labels[image].includes(1));
  if (images.length >= 2) return images;
  throw new UnsuitableData(
    `${images.length} of ${labels.length} images hold figure and ground: give at least 2 that do.`,
  );
}
