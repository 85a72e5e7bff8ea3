/** What channel alignment is trained on. */
import { takeRows } from "../linalg/host_matrix.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { assertRows } from "../linalg/row_normalize.ts";
import { type Random, sampleIndices } from "../linalg/random.ts";
import type { AlignSlot } from "./model.ts";

/** Pooled features, responses and sampled tokens, read in parts. */
export interface AlignData {
  /** In the order of the pooled columns. */
  slots: AlignSlot[];
  /** How many. */
  images: number;
  /** How many. */
  voxels: number;
  /**
   * Every slot's features averaged over the tokens of an image, slots side by side.
   *
   * @returns one row per image, Σ D_l columns
   */
  pooled(images: Uint32Array): Promise<Matrix>;
  /** The measured responses, one row per image, one column per voxel. */
  responses(images: Uint32Array): Promise<Matrix>;
  /**
   * Tokens of one slot for the constraints that need nodes.
   *
   * @returns count × D_l, no row zero
   */
  nodes(slot: number, count: number, random: Random): Promise<Matrix>;
}

/**
 * Data that fit in memory.
 *
 * @param slots in the order of the pooled columns
 * @param pooled images × Σ D_l
 * @param responses images × voxels
 * @param tokens per slot some tokens to sample from, n × D_l
 * @returns the data that METHOD (2) and the constraints are trained on, for `trainAlign`
 * @throws RangeError when widths or image counts differ, or a token has no direction
 */
export function alignData(
  slots: AlignSlot[],
  pooled: Matrix,
  responses: Matrix,
  tokens: Matrix[],
): AlignData {
  assertMatrix(pooled, "pooled");
  assertMatrix(responses, "responses");
  const width = slots.reduce((sum, slot) => sum + slot.width, 0);
  if (pooled.cols !== width) {
    throw new RangeError(
      `pooled has ${pooled.cols} columns, the slots ${width} channels together: they must be equal.`,
    );
  }
  if (pooled.rows !== responses.rows) {
    throw new RangeError(
      `pooled has ${pooled.rows} images, responses ${responses.rows}: they must be equal.`,
    );
  }
  if (tokens?.length !== slots.length) {
    throw new RangeError(
      `tokens holds ${tokens?.length ?? "nothing"}, expected a matrix for each of the ${slots.length} slots.`,
    );
  }
  slots.forEach(({ name, width }, slot) => {
    assertRows(tokens[slot], `tokens of ${name}`);
    if (tokens[slot].cols !== width) {
      throw new RangeError(
        `The tokens of ${name} have ${tokens[slot].cols} channels, the slot ${width}: they must be equal.`,
      );
    }
  });
  return {
    slots,
    images: pooled.rows,
    voxels: responses.cols,
    pooled: (images) => Promise.resolve(takeRows(pooled, images)),
    responses: (images) => Promise.resolve(takeRows(responses, images)),
    nodes(slot, count, random) {
      const { rows } = tokens[slot];
      if (rows < count) {
        throw new RangeError(
          `There are ${rows} tokens of ${
            slots[slot].name
          }, but ${count} nodes are to be sampled: keep more tokens, or sample fewer.`,
        );
      }
      return Promise.resolve(takeRows(tokens[slot], sampleIndices(rows, count, random)));
    },
  };
}
