/** A hierarchy of clusters, from which any number of them is read. */
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { assertFiniteRows } from "./cluster_labels.ts";

/** Two clusters become one. */
export interface WardMerge {
  points: [number, number];
  /** √(2 nₐ n_b / (nₐ + n_b)) ‖μₐ − μ_b‖. */
  height: number;
}

/** Clusters of which each number up to a largest is a cut of one tree. */
export interface ClusterTree {
  /** Cluster of every point where there are most. */
  labels: Uint8Array;
  /** With k clusters, those from k on belong to `parents` of theirs, again and again until it is below k; [0] is 0. */
  parents: number[];
}

/**
 * Merges points by Ward's criterion (Ward 1963), the smallest growth of the variance within clusters first: chains of
 * nearest neighbors (Murtagh 1983) on squared distances updated after Lance & Williams (1967).
 *
 * @param points n × d
 * @returns n − 1 merges, by ascending height; of equal heights, parts before what they form
 * @throws RangeError naming a point with a value that is not finite
 *
 * Cost: n² values in float64 and about n² (d + 6) operations on the host; meant for n up to a few thousand.
 */
export function wardMerges(points: Matrix): WardMerge[] {
  assertMatrix(points, "points");
  assertFiniteRows(points, "points");
  const { data, rows: n, cols } = points;
  const squares = new Float64Array(n * n), sizes = new Float64Array(n).fill(1);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let c = 0; c < cols; c++) sum += (data[i * cols + c] - data[j * cols + c]) ** 2;
      squares[i * n + j] = squares[j * n + i] = sum;
    }
  }
  const merges: WardMerge[] = [], chain: number[] = [];
  while (merges.length < n - 1) {
    if (chain.length === 0) chain.push(sizes.findIndex((size) => size > 0));
    const last = chain.at(-1)!, before = chain.at(-2) ?? -1;
    // Of equally near ones the one before, so that a chain ends.
    let nearest = before, least = before < 0 ? Infinity : squares[last * n + before];
    for (let j = 0; j < n; j++) {
      if (sizes[j] > 0 && j !== last && squares[last * n + j] < least) {
        [nearest, least] = [j, squares[last * n + j]];
      }
    }
    if (nearest !== before) {
      chain.push(nearest);
      continue;
    }
    chain.length -= 2;
    merges.push({ points: [before, last], height: Math.sqrt(least) });
    const a = sizes[before], b = sizes[last];
    sizes[before] = a + b;
    sizes[last] = 0;
    for (let j = 0; j < n; j++) {
      const size = sizes[j];
      if (size === 0 || j === before) continue;
      const joined = (a + size) * squares[before * n + j] + (b + size) * squares[last * n + j] - size * least;
      squares[before * n + j] = squares[j * n + before] = Math.max(0, joined / (a + b + size));
    }
  }
  return merges.sort((a, b) => a.height - b.height);
}

/**
 * Cuts Ward's tree of some points for every number of clusters from 1 to `most`, all from one fit: with k + 1 instead of k
 * exactly one cluster is in two, of which the larger keeps its number and the other is k.
 *
 * @param points n × d
 * @param most clusters, 1 to 256; no more than points are formed
 * @throws RangeError naming a point with a value that is not finite
 */
export function clusterTree(points: Matrix, most: number): ClusterTree {
  const merges = wardMerges(points), n = points.rows, count = Math.min(most, n);
  // Vertices of the tree: the points, then n + t for merge t.
  const sizes = new Array<number>(2 * n - 1).fill(1), children: [number, number][] = [];
  const roots = Int32Array.from({ length: 2 * n - 1 }, (_, i) => i);
  const rootOf = (vertex: number): number => {
    while (roots[vertex] !== vertex) vertex = roots[vertex] = roots[roots[vertex]];
    return vertex;
  };
  merges.forEach(({ points: [a, b] }, t) => {
    const pair: [number, number] = [rootOf(a), rootOf(b)];
    children.push(pair);
    for (const child of pair) roots[child] = n + t;
    sizes[n + t] = sizes[pair[0]] + sizes[pair[1]];
  });
  const own = new Uint8Array(2 * n - 1), parents = [0];
  for (let t = n - 2; t >= 0; t--) {
    const [a, b] = children[t], [large, small] = sizes[b] > sizes[a] ? [b, a] : [a, b];
    own[large] = own[small] = own[n + t];
    if (parents.length < count) own[small] = parents.push(own[n + t]) - 1;
  }
  return { labels: own.slice(0, n), parents };
}

/** Cluster, of k, of one that is numbered among the most. */
export function clusterOf({ parents }: Pick<ClusterTree, "parents">, label: number, k: number): number {
  while (label >= k) label = parents[label];
  return label;
}
