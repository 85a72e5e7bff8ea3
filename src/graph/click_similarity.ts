/** Click to segment: which nodes are like those that were pointed at. */
import { assertKnown } from "../linalg/check_options.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { assertFiniteRows } from "./cluster_labels.ts";
import { lengthOf } from "../linalg/portable_math.ts";

/** The nodes that were pointed at, and how alike is alike. */
export interface Clicks {
  /** Nodes of what is wanted; at least one. */
  positive: readonly number[];
  /** Nodes of what is not wanted. */
  negative?: readonly number[];
  /** Smallest cosine to a positive click of a node in the mask, −1 to 1; default 0.5. */
  threshold?: number;
}

/** Every node's likeness to the clicks. */
export interface ClickSimilarity {
  /** The largest cosine to a positive click, less the largest to a negative one where that is above 0; in −2 … 1. */
  similarity: Float32Array;
  /** 1 for nodes whose cosine to a positive click reaches the threshold and exceeds that to every negative one. */
  mask: Uint8Array;
}

/** How far off a cosine may be in float64: a node's with itself is 1. */
const ROUNDING = 1e-12;

/**
 * Compares every node with positive and negative clicks by the cosine of their rows in the eigenvector embedding.
 *
 * similarity_i = max_p cos(y_i, y_p) − max(0, max_q cos(y_i, y_q)), p over positive and q over negative clicks: a node
 * that resembles no negative click keeps its similarity to the positive ones. A zero row has cosine 0 with everything.
 *
 * @param eigenvectors n × C embedding, one node a row
 * @returns n similarities and the mask
 * @throws RangeError when there is no positive click, a click is no node, a node is clicked as both, or naming one that is not finite
 *
 * Cost: n C operations per click, on the host.
 *
 * @example
 * ```ts
 * import { clickSimilarity } from "../../mod.ts";
 * const eigenvectors = { data: new Float32Array([1, 0, 0.9, 0.1, 0, 1]), rows: 3, cols: 2 };
 * const { mask } = clickSimilarity(eigenvectors, { positive: [0], negative: [2] });
 * if (mask.join() !== "1,1,0") throw new Error(`the first two nodes, not ${mask}`);
 * ```
 */
export function clickSimilarity(
  eigenvectors: Matrix,
  options: Clicks,
): ClickSimilarity {
  assertKnown("clickSimilarity", options, { positive: true, negative: true, threshold: true });
  const { positive, negative = [], threshold = 0.5 } = options;
  assertMatrix(eigenvectors, "eigenvectors");
  assertFiniteRows(eigenvectors, "eigenvectors");
  if (positive.length === 0) throw new RangeError("There is no positive click: point at one node or more.");
  if (!(threshold >= -1 && threshold <= 1)) {
    throw new RangeError(`threshold is ${threshold}: a cosine lies between −1 and 1.`);
  }
  for (const node of [...positive, ...negative]) assertNode(node, eigenvectors.rows);
  const both = positive.find((node) => negative.includes(node));
  if (both !== undefined) {
    throw new RangeError(`Node ${both} is a positive and a negative click: it can only be one.`);
  }
  const wanted = largestCosines(eigenvectors, positive), unwanted = largestCosines(eigenvectors, negative);
  return {
    similarity: Float32Array.from(wanted, (cosine, i) => cosine - Math.max(0, unwanted[i])),
    mask: Uint8Array.from(
      wanted,
      (cosine, i) => Number(cosine >= threshold - ROUNDING && cosine > unwanted[i]),
    ),
  };
}

function assertNode(node: number, count: number): void {
  if (Number.isInteger(node) && node >= 0 && node < count) return;
  throw new RangeError(`Click ${node} is not a node: there are ${count}, numbered from 0.`);
}

/** max over clicks of cos(y_i, y_click) for every node; −∞ without clicks. */
function largestCosines({ data, rows, cols }: Matrix, clicks: readonly number[]): Float64Array {
  const lengths = new Float64Array(rows);
  for (let i = 0; i < rows; i++) lengths[i] = lengthOf(data.subarray(i * cols, (i + 1) * cols)) || 1;
  const largest = new Float64Array(rows).fill(-Infinity);
  for (const click of clicks) {
    for (let i = 0; i < rows; i++) {
      let dot = 0;
      for (let c = 0; c < cols; c++) dot += data[i * cols + c] * data[click * cols + c];
      largest[i] = Math.max(largest[i], dot / lengths[i] / lengths[click]);
    }
  }
  return largest;
}
