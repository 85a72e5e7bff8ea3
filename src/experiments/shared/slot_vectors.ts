/** Rows of the joint eigenvectors, slot by slot. */
import type { Matrix } from "../../linalg/matrix.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";

/** The first of the pipeline's eigenvectors, one slot's nodes. */
export function slotVectors(
  { eigenvectors, images, tokens, slots }: Pipeline,
  slot: number,
  components: number,
): Matrix {
  const rows = images.length * tokens, all = eigenvectors.cols, cols = Math.min(components, all);
  const data = new Float32Array(rows * cols);
  for (let i = 0, from = slots[slot].first * all; i < rows; i++, from += all) {
    data.set(eigenvectors.data.subarray(from, from + cols), i * cols);
  }
  return { data, rows, cols };
}
