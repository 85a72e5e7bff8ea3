/** From eigenvectors to as many segments as there are eigenvectors. */
import { assertKnown } from "../linalg/check_options.ts";
import { unitRows64 } from "../linalg/host_matrix.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { orthogonalFactor } from "../linalg/orthogonal_factor.ts";
import { type Random, seededRandom } from "../linalg/random.ts";
import { assertFiniteRows, fillEmptyClusters, orderByAppearance } from "./cluster_labels.ts";

/** A partition of nodes found by rotating eigenvectors. */
export interface Discretization {
  /** Cluster of every node; 0 is the first node's, 1 that of the first node outside of it, and so on: 0 … k − 1 all occur. */
  labels: Uint32Array;
  /** How much of the eigenvectors is explained, in [0, 1]: 1 when every cluster is one direction, all orthogonal. */
  fit: number;
  /** Rotations of the best start. */
  iterations: number;
  /** Nodes moved into clusters that would have been empty. */
  repaired: number;
}

/** Settings of `discretize`. */
export interface DiscretizeOptions {
  /** Seed of the starts; default 0. */
  seed?: number;
}

const STARTS = 4;
const MAX_ITERATIONS = 100;

/**
 * Rotates eigenvectors until every node's row points along one axis (Yu & Shi 2003, "Multiclass spectral clustering").
 *
 * Rows are scaled to length 1 (a zero row fits everywhere equally, with 0); in turn every node takes the axis that its rotated row is largest in, and the rotation R
 * maximises Σ_i (row_i R)[label_i], the orthogonal factor of a k × k matrix. Axes start from a random row and then the
 * rows most orthogonal to those taken. The best of four starts counts. A cluster left empty takes the node that fits
 * its own cluster worst (smallest (row R)[label]), out of clusters with more than one node.
 *
 * @param eigenvectors n × k, orthonormal columns; all k are used, so pass the leading columns wanted
 * @param options see `DiscretizeOptions`
 * @returns exactly k clusters, none empty
 * @throws RangeError when there are fewer nodes than clusters, or naming a node with a value that is not finite
 *
 * Cost: 2 n k² operations a rotation, in float64 on the host.
 *
 * @example
 * ```ts
 * import { discretize } from "../../mod.ts";
 * const data = new Float32Array([0.5, 0.5, 0.5, 0.5, 0.5, -0.5, 0.5, -0.5]);
 * const { labels } = discretize({ data, rows: 4, cols: 2 });
 * if (labels.join() !== "0,0,1,1") throw new Error(`two pairs, not ${labels}`);
 * ```
 */
export function discretize(eigenvectors: Matrix, options: DiscretizeOptions = {}): Discretization {
  assertKnown("discretize", options, { seed: true });
  const { seed = 0 } = options;
  assertMatrix(eigenvectors, "eigenvectors");
  const { rows: n, cols: k } = eigenvectors;
  if (n < k) {
    throw new RangeError(
      `${n} nodes cannot form ${k} clusters, none of them empty: give ${n} eigenvectors or fewer.`,
    );
  }
  assertFiniteRows(eigenvectors, "eigenvectors");
  const rows = unitRows64(eigenvectors), random = seededRandom(seed);
  let best = rotate(rows, n, k, random);
  for (let start = 1; start < STARTS; start++) {
    const found = rotate(rows, n, k, random);
    if (found.fit > best.fit + 1e-12) best = found;
  }
  orderByAppearance(best.labels);
  return best;
}

/** Alternates assignment and rotation from one start until the fit no longer grows. */
function rotate(rows: Float64Array, n: number, k: number, random: Random): Discretization {
  let rotation = startingAxes(rows, n, k, random);
  let best: Discretization = { labels: new Uint32Array(n), fit: -Infinity, iterations: 0, repaired: 0 };
  for (let iteration = 1; iteration <= MAX_ITERATIONS; iteration++) {
    const { labels, repaired } = assign(rows, rotation, n, k);
    const sums = new Float64Array(k * k); // column l: the sum of the rows of cluster l
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < k; c++) sums[c * k + labels[i]] += rows[i * k + c];
    }
    const { factor, trace } = orthogonalFactor(sums, k);
    rotation = factor;
    const fit = trace / n;
    if (!(fit > best.fit + 1e-12)) break;
    best = { labels, fit, iterations: iteration, repaired };
  }
  return best;
}

/** Columns: a random row, then always the row most orthogonal to those taken. */
function startingAxes(rows: Float64Array, n: number, k: number, random: Random): Float64Array {
  const axes = new Float64Array(k * k);
  // A zero row has no direction to offer.
  const overlap = Float64Array.from(
    { length: n },
    (_, i) => rows.subarray(i * k, (i + 1) * k).some(Boolean) ? 0 : Infinity,
  );
  let next = Math.floor(random() * n);
  for (let axis = 0; axis < k; axis++) {
    for (let c = 0; c < k; c++) axes[c * k + axis] = rows[next * k + c];
    let least = Infinity, at = next;
    for (let i = 0; i < n; i++) {
      let dot = 0;
      for (let c = 0; c < k; c++) dot += rows[i * k + c] * axes[c * k + axis];
      overlap[i] += Math.abs(dot);
      if (overlap[i] < least) [least, at] = [overlap[i], i];
    }
    next = at;
  }
  return axes;
}

/** Every node's largest coordinate, and no cluster empty. */
function assign(rows: Float64Array, rotation: Float64Array, n: number, k: number) {
  const labels = new Uint32Array(n), largest = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    largest[i] = -Infinity;
    for (let axis = 0; axis < k; axis++) {
      let along = 0;
      for (let c = 0; c < k; c++) along += rows[i * k + c] * rotation[c * k + axis];
      if (along > largest[i]) [largest[i], labels[i]] = [along, axis];
    }
  }
  const repaired = fillEmptyClusters(labels, k, (node) => -largest[node]);
  return { labels, repaired };
}
