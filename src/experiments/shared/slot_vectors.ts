/** Rows of the joint eigenvectors, slot by slot. */
import { rowRange, takeColumns } from "../../linalg/host_matrix.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";

/** The first of the pipeline's eigenvectors, one slot's nodes. */
export function slotVectors(
  { eigenvectors, images, tokens, slots }: Pipeline,
  slot: number,
  components: number,
): Matrix {
  const own = rowRange(eigenvectors, slots[slot].first, images.length * tokens);
  return takeColumns(own, 0, Math.min(components, own.cols));
}
