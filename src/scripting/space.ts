/** Saved spaces for scripts: a model that joins one gets its colors. */
import type { AlignedSpace } from "../align/space.ts";
import type { Gpu } from "../gpu/mod.ts";
import type { NystromModel } from "../graph/nystrom.ts";
import { assertKnown } from "../linalg/check_options.ts";
import type { Matrix } from "../linalg/matrix.ts";

/** A space with the graph's landmarks and its map, as `./run colors --save-space FILE` writes them. */
export interface SavedSpace {
  /** For `fitSlot`, which brings further slots in. */
  space: AlignedSpace;
  /** From aligned tokens to the graph's eigenvectors. */
  fit: NystromModel;
  /** The spectral map: eigenvectors of its nodes, and their places, nodes × 3. */
  map: {
    /** nodes × C. */
    vectors: Matrix;
    /** nodes × 3. */
    points: Matrix;
  };
  /**
   * Of every model which file it was, what was taken of its blocks ("attention" by default), how many shifts, and the
   * preprocessing: tokens made in another way may have as many channels, and their colors would mean nothing.
   */
  sources: { model: string; modelSha256: string; hook: string; shifts: number; preprocessing: string }[];
}

/**
 * Reads a space.
 *
 * @param path what `./run colors --save-space FILE` wrote
 * @throws Error "Cannot read the space space.arrow: it is damaged; save it again with --save-space."
 */
export async function loadSpace(gpu: Gpu, path: string): Promise<SavedSpace> {
  return await (await import("../data/fits/space_file.ts")).loadSpace(gpu, path);
}

/**
 * Maps tokens into a space, and gives them the colors of similar tokens there.
 *
 * @param saved as of `loadSpace`; with `space` replaced by what `fitSlot` returns, also for slots of further models
 * @param slot index into `saved.space.model.slots`
 * @param tokens n × D_l, in the slot's own channels
 * @param options `signal`: stops the work, which then rejects with the signal's reason
 * @returns eigenvectors n × C, and n × 3 bytes, RGB
 * @throws RangeError when there is no such slot, it has another width, or naming a token that is zero or not finite
 */
export async function colorsInSpace(
  gpu: Gpu,
  saved: SavedSpace,
  slot: number,
  tokens: Matrix,
  options: { signal?: AbortSignal } = {},
): Promise<{ eigenvectors: Matrix; colors: Uint8Array }> {
  assertKnown("colorsInSpace", options, { signal: true });
  return await (await import("../experiments/shared/space_colors.ts")).colorsInSpace(
    gpu,
    saved,
    slot,
    tokens,
    options.signal,
  );
}
