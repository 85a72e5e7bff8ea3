/** k-means clustering. */
import { assertKnown } from "../linalg/check_options.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { type Random, seededRandom } from "../linalg/random.ts";
import { assertFiniteRows, fillEmptyClusters, orderByAppearance } from "./cluster_labels.ts";

/** Settings of `kmeans`. */
export interface KmeansOptions {
  /** Clusters wanted, k, 1 to n. */
  clusters: number;
  /** Starts, of which the one with the smallest inertia counts; default 4. */
  restarts?: number;
  /** Seed of the starts; default 0. */
  seed?: number;
}

/** A partition into clusters around their means. */
export interface Kmeans {
  /** Cluster of every node; 0 is the first node's, 1 that of the first node outside of it, and so on: 0 … k − 1 all occur. */
  labels: Uint32Array;
  /** k × d means of the clusters, row-major. */
  centers: Float64Array;
  /** Σ_i ‖x_i − center of its cluster‖². */
  inertia: number;
  /** Rounds of the best start. */
  iterations: number;
}

const MAX_ITERATIONS = 100;

/**
 * Partitions nodes around k means by Lloyd's algorithm, started with k-means++ (Arthur & Vassilvitskii 2007) and ended by
 * moves of single nodes (Hartigan & Wong 1979): least Σ_i ‖x_i − μ_{label_i}‖².
 *
 * A cluster left empty takes the node farthest from its own mean, out of clusters with more than one node.
 *
 * @param points n × d, as rows of an embedding
 * @returns exactly k clusters, none empty, also where nodes coincide
 * @throws RangeError when there are fewer nodes than clusters, or naming a node with a value that is not finite
 *
 * Cost: 3 n k d operations per round, a few tens of rounds per start, in float64 on the host.
 *
 * @example
 * ```ts
 * import { kmeans } from "../../mod.ts";
 * const points = { data: new Float32Array([0, 0.1, 5, 5.1]), rows: 4, cols: 1 };
 * const { labels } = kmeans(points, { clusters: 2 });
 * if (labels.join() !== "0,0,1,1") throw new Error(`two pairs, not ${labels}`);
 * ```
 */
export function kmeans(points: Matrix, options: KmeansOptions): Kmeans {
  assertKnown("kmeans", options, { clusters: true, restarts: true, seed: true });
  const { clusters, restarts = 4, seed = 0 } = options;
  assertMatrix(points, "points");
  if (!(Number.isInteger(clusters) && clusters >= 1 && clusters <= points.rows)) {
    throw new RangeError(
      `clusters is ${clusters}: ${points.rows} nodes form 1 to ${points.rows} clusters, none of them empty.`,
    );
  }
  if (!(Number.isInteger(restarts) && restarts >= 1)) {
    throw new RangeError(`restarts is ${restarts}: ask for a whole number of starts, 1 or more.`);
  }
  assertFiniteRows(points, "points");
  const random = seededRandom(seed);
  let best = lloyd(points, clusters, random);
  for (let start = 1; start < restarts; start++) {
    const found = lloyd(points, clusters, random);
    if (found.inertia < best.inertia * (1 - 1e-12)) best = found;
  }
  const { cols } = points, order = orderByAppearance(best.labels);
  const centers = new Float64Array(clusters * cols);
  order.forEach((from, to) => {
    centers.set(best.centers.subarray(from * cols, (from + 1) * cols), to * cols);
  });
  return { ...best, centers };
}

/** One start, continued until no node changes its cluster. */
function lloyd(points: Matrix, k: number, random: Random): Kmeans {
  const { data, rows, cols } = points;
  const distances = new Float64Array(rows);
  let centers = spreadCenters(points, k, random);
  let labels = new Uint32Array(rows), iterations = 0;
  for (let changed = true; changed && iterations < MAX_ITERATIONS; iterations++) {
    const before = labels;
    labels = new Uint32Array(rows);
    for (let i = 0; i < rows; i++) {
      distances[i] = Infinity;
      for (let c = 0; c < k; c++) {
        const distance = squaredDistance(data, i * cols, centers, c * cols, cols, distances[i]);
        if (distance < distances[i]) [distances[i], labels[i]] = [distance, c];
      }
    }
    fillEmptyClusters(labels, k, (node) => distances[node]);
    changed = iterations === 0 || labels.some((label, i) => label !== before[i]);
    changed ||= moveSingly(points, labels, centers, k);
    if (changed) centers = means(points, labels, k);
  }
  let inertia = 0;
  for (let i = 0; i < rows; i++) {
    inertia += squaredDistance(data, i * cols, centers, labels[i] * cols, cols, Infinity);
  }
  return { labels, centers, inertia, iterations };
}

/**
 * Moves nodes one by one where that makes the inertia smaller, the means moving with them (Hartigan & Wong 1979): Lloyd's
 * rounds end in partitions that such a move still improves.
 *
 * @returns whether any was moved
 */
function moveSingly(
  { data, rows, cols }: Matrix,
  labels: Uint32Array,
  centers: Float64Array,
  k: number,
): boolean {
  const sizes = new Uint32Array(k);
  for (const label of labels) sizes[label]++;
  let moved = false;
  for (let i = 0; i < rows; i++) {
    const from = labels[i], n = sizes[from];
    if (n === 1) continue;
    const distance = (c: number) => squaredDistance(data, i * cols, centers, c * cols, cols, Infinity);
    let to = from, least = distance(from) * n / (n - 1) * (1 - 1e-9); // what rounding takes for better goes round in circles
    for (let c = 0; c < k; c++) {
      const added = c === from ? Infinity : distance(c) * sizes[c] / (sizes[c] + 1);
      if (added < least) [least, to] = [added, c];
    }
    if (to === from) continue;
    for (let j = 0; j < cols; j++) {
      const x = data[i * cols + j];
      centers[from * cols + j] += (centers[from * cols + j] - x) / (n - 1);
      centers[to * cols + j] += (x - centers[to * cols + j]) / (sizes[to] + 1);
    }
    sizes[from]--;
    sizes[to]++;
    labels[i] = to;
    moved = true;
  }
  return moved;
}

/** k-means++: always a node drawn with probability in proportion to its squared distance from those taken. */
function spreadCenters({ data, rows, cols }: Matrix, k: number, random: Random): Float64Array {
  const centers = new Float64Array(k * cols);
  const nearest = new Float64Array(rows).fill(Infinity);
  let node = Math.floor(random() * rows);
  for (let c = 0; c < k; c++) {
    for (let j = 0; j < cols; j++) centers[c * cols + j] = data[node * cols + j];
    let total = 0;
    for (let i = 0; i < rows; i++) {
      nearest[i] = Math.min(
        nearest[i],
        squaredDistance(data, i * cols, centers, c * cols, cols, nearest[i]),
      );
      total += nearest[i];
    }
    let rest = random() * total;
    node = 0;
    while (node < rows - 1 && (rest -= nearest[node]) >= 0) node++;
  }
  return centers;
}

/** ‖x − c‖², given up as soon as it reaches `limit`. */
function squaredDistance(
  x: Float32Array,
  xAt: number,
  c: Float64Array,
  cAt: number,
  cols: number,
  limit: number,
): number {
  let squares = 0;
  for (let j = 0; j < cols && squares < limit; j++) squares += (x[xAt + j] - c[cAt + j]) ** 2;
  return squares;
}

function means({ data, rows, cols }: Matrix, labels: Uint32Array, k: number): Float64Array {
  const centers = new Float64Array(k * cols), sizes = new Uint32Array(k);
  for (let i = 0; i < rows; i++) {
    sizes[labels[i]]++;
    for (let j = 0; j < cols; j++) centers[labels[i] * cols + j] += data[i * cols + j];
  }
  return centers.map((sum, at) => sum / sizes[Math.floor(at / cols)]);
}
