/** Extending vectors from landmarks to all nodes. */
import code from "../../shaders/propagate.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release, writeBuffer } from "../gpu/mod.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowWindows,
  uploadMatrix,
} from "../linalg/matrix.ts";
import type { NeighborLists, Neighbors } from "./knn.ts";

/** Neighbours a node whose vectors an invocation adds up. */
export const MAX_NEIGHBORS = 512;

const PROPAGATE: Kernel = { label: "propagate", code };

/**
 * x̃_i = Σ_{k∈K_i} A_ki x_k / Σ_{k∈K_i} A_ki (METHOD (4)): every node takes the mean of its neighbours' vectors, weighted
 * by affinity, weights summing to 1.
 *
 * @param neighbors the K nearest landmarks of n nodes, with their affinities (≥ 0)
 * @param landmarks m × c vectors, one per landmark
 * @returns n × c
 * @throws RangeError when the lists do not belong together, a neighbour is no row of `landmarks`, an affinity is negative (as
 *   negated distances are) or not finite, or all of a node are 0
 */
export async function propagate(gpu: Gpu, neighbors: Neighbors, landmarks: Matrix): Promise<Matrix> {
  const { k, indices, similarities } = neighbors;
  const rows = assertLists(neighbors);
  const stray = indices.find((index) => index >= landmarks.rows);
  if (stray !== undefined) {
    throw new RangeError(
      `Neighbour ${stray} is not among the ${landmarks.rows} landmarks: search them in the same landmarks.`,
    );
  }
  const x = uploadMatrix(gpu, landmarks, "landmarks");
  const out = allocateMatrix(gpu, rows, landmarks.cols, "propagated vectors");
  const held: GPUBuffer[] = [];
  try {
    for (const { first, rows: count, buffer } of rowWindows(out)) {
      const weights = allocate(gpu, count * k * 4, "weights");
      const lists = allocate(gpu, count * k * 4, "neighbours");
      held.push(weights, lists);
      writeBuffer(gpu, weights, similarities.subarray(first * k, (first + count) * k));
      writeBuffer(gpu, lists, indices.subarray(first * k, (first + count) * k));
      recordPropagation(gpu, { values: weights, indices: lists }, 0, k, x, {
        rows: count,
        buffer,
        panelRow: 0,
      }, 0);
    }
    return await downloadMatrix(gpu, out);
  } finally {
    for (const buffer of held) release(gpu, buffer);
    releaseMatrix(gpu, x, out);
  }
}

/** @returns nodes */
function assertLists({ k, indices, similarities }: Neighbors): number {
  const rows = indices.length / k;
  if (!(Number.isInteger(k) && k >= 1 && Number.isInteger(rows) && similarities.length === indices.length)) {
    throw new RangeError(
      `The neighbours are ${indices.length} with ${similarities.length} affinities, and K = ${k}: expected nodes × K of both.`,
    );
  }
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let at = i * k; at < (i + 1) * k; at++) {
      if (!(similarities[at] >= 0 && similarities[at] < Infinity)) {
        throw new RangeError(
          `Node ${i} has a neighbour of affinity ${
            similarities[at]
          }, expected 0 or more: take those of metric "cosine".`,
        );
      }
      sum += similarities[at];
    }
    if (!(sum > 0)) {
      throw new RangeError(`Node ${i} has only neighbours of affinity 0: it has no mean of theirs.`);
    }
  }
  return rows;
}

/**
 * Records (4) for `out.rows` nodes whose lists start at row `listRow`, written to `out.buffer` from row `out.panelRow` on.
 *
 * @param x m × c vectors of the landmarks
 * @param plus added to the lists' values to make them affinities: 1 for those of a search
 * @throws RangeError when x exceeds one storage binding, or for more than 512 neighbours a node
 */
export function recordPropagation(
  gpu: Gpu,
  lists: NeighborLists,
  listRow: number,
  k: number,
  x: GpuMatrix,
  out: { rows: number; buffer: GPUBuffer; panelRow: number },
  plus: 0 | 1 = 1,
): void {
  if (x.panels.length > 1) {
    throw new RangeError(`${x.rows} landmarks of ${x.cols} values exceed one storage binding: use fewer.`);
  }
  if (k > MAX_NEIGHBORS) {
    throw new RangeError(`k is ${k}: vectors are propagated from 1 to ${MAX_NEIGHBORS} neighbours a node.`);
  }
  dispatch(gpu, PROPAGATE, {
    buffers: [lists.values, lists.indices, x.panels[0], out.buffer],
    params: { rows: out.rows, stride: x.stride / 4, k, listRow, outRow: out.panelRow, plus },
    workgroups: [Math.ceil(out.rows / 8), x.stride / 4],
    sizes: `${out.rows} nodes, K = ${k}, ${x.cols} values`,
  });
}
