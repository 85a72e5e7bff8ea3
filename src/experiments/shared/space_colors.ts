/** Colors of tokens in a space that was saved. */
import { type AlignModel, applyAlign } from "../../align/model.ts";
import type { SavedSpace } from "../../data/fits/space_file.ts";
import { nearestColors } from "../../embed/spectral_colors.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { nearestNeighbors } from "../../graph/knn.ts";
import { matrixSource } from "../../graph/node_source.ts";
import type { NystromModel } from "../../graph/nystrom.ts";
import type { Matrix } from "../../linalg/matrix.ts";

/** What of a space colors tokens. */
export interface SpacePart {
  model: Omit<AlignModel, "beta" | "epsilon">;
  fit: NystromModel;
  map: SavedSpace["map"];
}

/** Tokens in a space, in the order in which they were given. */
export interface TokensInSpace {
  /** n × D′. */
  aligned: Matrix;
  /** n × C. */
  eigenvectors: Matrix;
  /** n × 3 bytes, RGB. */
  colors: Uint8Array;
}

/**
 * Takes tokens of several slots into a space and gives them the colors that tokens like them have in it (METHOD,
 * "Spectral-tSNE and AlignedCut color"): aligned, extended to the graph's eigenvectors from its landmarks, and colored as the
 * nearest node of its map.
 *
 * @param parts tokens, n × D_l, with the index of their slot
 * @param signal stops the work, which then rejects with its reason
 * @throws RangeError when there is no such slot, it has another width, or naming a token that is zero or not finite
 */
export async function tokensInSpace(
  gpu: Gpu,
  { model, fit, map }: SpacePart,
  parts: readonly { slot: number; tokens: Matrix }[],
  signal?: AbortSignal,
): Promise<TokensInSpace> {
  const rows = parts.reduce((sum, { tokens }) => sum + tokens.rows, 0), { cols } = model.transforms;
  const aligned = { data: new Float32Array(rows * cols), rows, cols };
  let at = 0;
  for (const { slot, tokens } of parts) {
    signal?.throwIfAborted();
    aligned.data.set((await applyAlign(gpu, model, slot, tokens)).data, at);
    at += tokens.rows * cols;
  }
  const eigenvectors = await fit.transform(matrixSource(aligned), { signal });
  const nearest = { k: 1, metric: "euclidean", signal } as const;
  const { indices } = await nearestNeighbors(gpu, eigenvectors, map.vectors, nearest);
  return { aligned, eigenvectors, colors: nearestColors(map.points, indices) };
}

/**
 * The same for tokens of one slot.
 *
 * @param saved as of `loadSpace`, or with a slot more by `fitSlot`
 * @param slot index into `saved.space.model.slots`
 * @param tokens n × D_l, in the slot's own channels
 * @param signal stops the work, which then rejects with its reason
 * @returns eigenvectors n × C, and n × 3 bytes, RGB
 * @throws as `tokensInSpace`
 */
export async function colorsInSpace(
  gpu: Gpu,
  { space: { model }, fit, map }: SavedSpace<NystromModel>,
  slot: number,
  tokens: Matrix,
  signal?: AbortSignal,
): Promise<{ eigenvectors: Matrix; colors: Uint8Array }> {
  const { eigenvectors, colors } = await tokensInSpace(gpu, { model, fit, map }, [{ slot, tokens }], signal);
  return { eigenvectors, colors };
}
