/** Colors of tokens in a space that was saved. */
import { applyAlign } from "../../align/model.ts";
import type { SavedSpace } from "../../data/fits/space_file.ts";
import { nearestColors } from "../../embed/spectral_colors.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { nearestNeighbors } from "../../graph/knn.ts";
import { matrixSource } from "../../graph/node_source.ts";
import type { NystromModel } from "../../graph/nystrom.ts";
import type { Matrix } from "../../linalg/matrix.ts";

/**
 * Takes tokens into a space and gives them the colors that tokens like them have in it (METHOD, "Spectral-tSNE and AlignedCut
 * color"): aligned, extended from the graph's landmarks to its eigenvectors, and colored as the nearest node of its map.
 *
 * @param saved as of `loadSpace`, or with a slot more by `fitSlot`
 * @param slot index into `saved.space.model.slots`
 * @param tokens n × D_l, in the slot's own channels
 * @returns eigenvectors n × C, and n × 3 bytes, RGB
 * @throws RangeError when there is no such slot, it has another width, or naming a token that is zero or not finite
 */
export async function colorsInSpace(
  gpu: Gpu,
  { space, fit, map }: SavedSpace<NystromModel>,
  slot: number,
  tokens: Matrix,
): Promise<{ eigenvectors: Matrix; colors: Uint8Array }> {
  const aligned = await applyAlign(gpu, space.model, slot, tokens);
  const eigenvectors = await fit.transform(matrixSource(aligned));
  const { indices } = await nearestNeighbors(gpu, eigenvectors, map.vectors, { k: 1, metric: "euclidean" });
  return { eigenvectors, colors: nearestColors(map.points, indices) };
}
