/** The Nyström method with orthogonalised eigenvectors, panel by panel. */
import type { Gpu } from "../gpu/mod.ts";
import { denseEigen } from "../linalg/dense_eigen.ts";
import { multiply } from "../linalg/matmul.ts";
import { downloadAndRelease, type Matrix, releaseMatrix, uploadMatrix } from "../linalg/matrix.ts";
import { releaseUnitRows } from "./affinity.ts";
import {
  affinities,
  affinityProducts,
  affinitySums,
  columnSums,
  openLandmarks,
  sumBlocks,
  sumInOrder,
  unitRows,
  type Weights,
} from "./landmark_affinity.ts";
import type { NodeRange, NodeSource } from "./node_source.ts";
import { fixSigns } from "../linalg/fix_signs.ts";
import type { NormalizedCut } from "./normalized_cut.ts";
import { dot } from "../linalg/host_matrix.ts";

/** Directions of the landmarks' affinity A below this share of what A is without its constant part are rounding in float32 … */
const LOST = 1e-6;
/** … and below this share of its largest eigenvalue in what a projection in float32 keeps of sums over landmarks. */
const LOST_SUM = 3e-9;
/** Residual up to which an eigenvector counts as converged, as of `normalizedCut`. */
const TOLERANCE = 1e-5;
/** Most landmarks: two eigenproblems of their number are solved on the host. */
const MAX_LANDMARKS = 2048;

/** Eigenvectors of the whole graph, by what extends them to its nodes. */
export interface OrthogonalizedNystrom {
  /** [P q], m × (C + 1). */
  projection: Matrix;
  /** Components asked for that there are no eigenvectors for: the landmarks' affinity has no more rank in float32. */
  missing: number;
  /** The landmarks' part of the eigenvectors, and what belongs to them. */
  cut: Pick<
    NormalizedCut,
    "eigenvectors" | "eigenvalues" | "residuals" | "eigengap" | "converged" | "resolved" | "degrees"
  >;
}

/**
 * Fowlkes, Belongie, Chung & Malik 2004, "Spectral grouping using the Nyström method", one-shot: the graph is taken to
 * be [A B; Bᵀ BᵀA⁻¹B] with A the affinity of the m landmarks and B theirs to the other nodes; the eigenvectors of *that*
 * graph are orthonormal and exact, and all nodes take part in them, not the landmarks alone.
 *
 * With b_i the affinities of node i to the landmarks (a row of [A B]ᵀ) and R = A^−½, that graph is F Fᵀ, f_i = b_i R. One
 * pass over the nodes gives Σ b_i and with it the degrees d_i = b_i · q, q = A⁻¹ Σ b_i; a second one the m × m matrix
 * Σ f_iᵀ f_i / d_i = U Λ Uᵀ. The eigenvectors are u_i = b_i P / √d_i with P = R U Λ^−½. (The paper diagonalises
 * A + A^−½ B Bᵀ A^−½, which is that matrix for normalised A and B.) Affinities are made as b − 1, and what the 1 adds to a
 * product in float64, so that nodes that are nearly parallel are told apart. Two departures: A^−½ is a pseudo-inverse, cut
 * off at 1e-6 of the largest eigenvalue, or of what A is less its constant part where that is smaller, and a degree that comes out below N e⁻², which no graph of this kernel has, is raised
 * to it.
 *
 * @param source N nodes, read twice
 * @param features of the landmarks, m × d
 * @param components C; where the landmarks' affinity has less rank, as many eigenvectors as it has are returned
 * @param onProgress called with how many nodes have been read, of 2 N
 * @param keep where sums over blocks of nodes are kept
 * @throws RangeError "landmarks is 3000: …" above 2048
 *
 * Cost: 6 N m d + 4 N m² operations on the GPU, about 18 m³ on the host; memory of the GPU O(m² + m d), whatever N is, and less a
 * panel where the device has no more.
 */
export async function orthogonalizedNystrom(
  gpu: Gpu,
  source: NodeSource,
  features: Matrix,
  components: number,
  { onProgress, signal, keep }: {
    onProgress?: (done: number, total: number, residual: number) => void;
    signal?: AbortSignal;
    keep?: KeepSums;
  } = {},
): Promise<OrthogonalizedNystrom> {
  const sums = openSums(gpu, source, features, keep), n = source.rows;
  const progressOf = (pass: number, first: number) => (nodes: number) => {
    onProgress?.(pass * n + first + nodes, 2 * n, 0);
    signal?.throwIfAborted();
  };
  for (const block of sums.blocks) await sums.affinities(block, progressOf(0, block.first));
  const { root, rank, q } = await sums.weights();
  const product = await sumInOrder(sums.blocks, (block) => sums.products(block, progressOf(1, block.first)));
  return solved({ affinity: landmarkAffinity(features), root, rank, q, product, components });
}

/** Gives values that are kept under a name, or makes them now and keeps them. */
export type KeepSums = (name: string, make: () => Promise<Float64Array>) => Promise<Float64Array>;

/** The sums over all nodes that `orthogonalizedNystrom` is made of, block by block. */
export interface Sums {
  /** Ranges of nodes, in the order in which their sums are added. */
  blocks: NodeRange[];
  /** Σ b of a block: what `weights` needs of each. */
  affinities(block: NodeRange, onNodes?: (nodes: number) => void): Promise<Float64Array>;
  /** From the first sums of all blocks. */
  weights(): Promise<Weights>;
  /** Σ fᵀ f / d of a block. */
  products(block: NodeRange, onNodes?: (nodes: number) => void): Promise<Float64Array>;
}

/**
 * Opens the sums of `orthogonalizedNystrom` block by block, for several processes to share: a block is computed as it is by
 * one alone.
 *
 * @param features of the landmarks, m × d
 * @param keep where all find what others have made; default: nowhere
 * @throws RangeError "landmarks is 3000: …" above 2048
 */
export function openSums(
  gpu: Gpu,
  source: NodeSource,
  features: Matrix,
  keep: KeepSums = remembered(),
): Sums {
  const m = features.rows, blocks = sumBlocks(source.rows);
  if (m > MAX_LANDMARKS) {
    throw new RangeError(
      `landmarks is ${m}: with all of them as neighbours ask for at most ${MAX_LANDMARKS}, they are solved on the host.`,
    );
  }
  const affinitiesOf: Sums["affinities"] = (block, onNodes) =>
    keep(rangeName("affinities", block), () => affinitySums(gpu, source, block, features, onNodes));
  let weights: Promise<Weights> | undefined;
  const weightsOf = async () => {
    const root = await keep("root", () => Promise.resolve(inverseRoot(landmarkAffinity(features), m)));
    const rank = root.length / m, sums = await sumInOrder(blocks, affinitiesOf);
    const q = times(root, transposedTimes(root, sums, m, rank), m, rank);
    return { root, rank, q, least: source.rows * Math.exp(-2) };
  };
  return {
    blocks,
    affinities: affinitiesOf,
    weights: () => weights ??= weightsOf(),
    products: (block, onNodes) =>
      keep(
        rangeName("products", block),
        async () => affinityProducts(gpu, source, block, features, await (weights ??= weightsOf()), onNodes),
      ),
  };
}

/** The name of what is found for a range of nodes, in the order of their numbers. */
export function rangeName(kind: string, { first, rows }: NodeRange): string {
  const padded = (node: number) => String(node).padStart(12, "0");
  return `${kind}/${padded(first)}-${padded(first + rows - 1)}`;
}

/** Keeps values of one process; products are asked for once. */
function remembered(): KeepSums {
  const kept = new Map<string, Float64Array>();
  return async (name, make) => {
    const there = kept.get(name) ?? await make();
    if (!name.startsWith("products/")) kept.set(name, there);
    return there;
  };
}

/** Extends eigenvectors to panels of nodes: u = b P / √(b · q) with b a node's affinities to the landmarks. */
export interface Extension {
  /** rows × d features → rows × C vectors. */
  extend(features: Matrix): Promise<Matrix>;
  /** Gives the landmarks back. */
  [Symbol.dispose](): void;
}

/**
 * Opens a projection.
 *
 * @param features of the landmarks, m × d
 * @param projection [P q]
 */
export function openExtension(gpu: Gpu, features: Matrix, projection: Matrix): Extension {
  const landmarks = openLandmarks(gpu, features), c = projection.cols - 1;
  const weights = uploadMatrix(gpu, projection, "projection"), ones = columnSums(projection.data, c + 1);
  return {
    async extend(features) {
      const unit = unitRows(gpu, landmarks, features), least = 1e-30;
      const parts = await downloadAndRelease(
        gpu,
        affinities(gpu, landmarks, unit, (b) => multiply(gpu, b, weights)),
      );
      releaseUnitRows(gpu, unit);
      const vectors = { data: new Float32Array(features.rows * c), rows: features.rows, cols: c };
      let row = 0;
      for (const { data, rows } of parts) {
        for (let i = 0; i < rows; i++, row++) {
          const inverse = 1 / Math.sqrt(Math.max(data[i * (c + 1) + c] + ones[c], least));
          for (let k = 0; k < c; k++) {
            vectors.data[row * c + k] = inverse * (data[i * (c + 1) + k] + ones[k]);
          }
        }
      }
      return vectors;
    },
    [Symbol.dispose]() {
      releaseUnitRows(gpu, landmarks.unit);
      releaseMatrix(gpu, weights);
    },
  };
}

/** The projection from Σ fᵀ f / d, and the landmarks' part of the eigenvectors, in float64; signs as `fixSigns` has them there. */
function solved({ affinity, root, rank, q, product, components }: {
  affinity: Float64Array;
  root: Float64Array;
  rank: number;
  q: Float64Array;
  product: Float64Array;
  components: number;
}): OrthogonalizedNystrom {
  const m = q.length, { values, vectors } = denseEigen(product, rank);
  const known = values.subarray(0, rank).findLastIndex((value) => value > 0) + 1;
  const asked = components;
  components = Math.min(asked, known);
  const columns = Array.from({ length: components }, (_, c) => {
    const v = Float64Array.from({ length: rank }, (_, r) => vectors[r * rank + c]),
      scale = 1 / Math.sqrt(values[c]);
    const error = times(product, v, rank, rank).map((value, r) => value - values[c] * v[r]);
    const residual = Math.sqrt(Math.max(0, dot(error, times(product, error, rank, rank)))) * scale;
    return { p: times(root, v.map((value) => value * scale), m, rank), value: values[c], residual };
  });
  const degrees = Float32Array.from(times(affinity, q, m, m));
  const eigenvectors = { data: new Float32Array(m * components), rows: m, cols: components };
  columns.forEach(({ p }, c) =>
    times(affinity, p, m, m).forEach((value, k) =>
      eigenvectors.data[k * components + c] = value / Math.sqrt(degrees[k])
    )
  );
  const before = eigenvectors.data.slice();
  fixSigns(eigenvectors);
  const projection = { data: new Float32Array(m * (components + 1)), rows: m, cols: components + 1 };
  columns.forEach(({ p }, c) => {
    const flipped = before.some((value, at) => at % components === c && value !== eigenvectors.data[at]);
    roundedWithSum(p).forEach((value, k) =>
      projection.data[k * (components + 1) + c] = flipped ? -value : value
    );
  });
  roundedWithSum(q).forEach((value, k) => projection.data[k * (components + 1) + components] = value);
  const next = components < rank ? Math.max(0, values[components]) : 0;
  const residuals = Float64Array.from(columns, ({ residual }) => residual);
  return {
    projection,
    missing: asked - components,
    cut: {
      eigenvectors,
      degrees,
      converged: residuals.every((residual) => residual <= TOLERANCE),
      resolved: components,
      eigenvalues: Float64Array.from(columns, ({ value }) => value),
      residuals,
      eigengap: columns[components - 1].value - next,
    },
  };
}

/** x v, x row-major, rows × columns. */
function times(x: Float64Array, v: ArrayLike<number>, rows: number, cols: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < cols; k++) sum += x[i * cols + k] * v[k];
    return sum;
  });
}

/** xᵀ v. */
function transposedTimes(x: Float64Array, v: ArrayLike<number>, rows: number, cols: number): Float64Array {
  const out = new Float64Array(cols);
  for (let i = 0; i < rows; i++) for (let k = 0; k < cols; k++) out[k] += x[i * cols + k] * v[i];
  return out;
}

/** Rounds values to float32 so that they keep their sum: what one is off is added to the next smaller one. */
function roundedWithSum(values: Float64Array): Float32Array {
  const out = new Float32Array(values.length);
  let off = 0;
  for (const k of [...values.keys()].sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]))) {
    const value = values[k] + off;
    out[k] = value;
    off = value - out[k];
  }
  return out;
}

/** A in float64: its smallest eigenvalues, which A^−½ makes large, are below what float32 resolves. */
function landmarkAffinity({ data, rows: m, cols }: Matrix): Float64Array {
  const unit = new Float64Array(m * cols), a = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    const row = data.subarray(i * cols, (i + 1) * cols);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    let squares = 0;
    for (const value of row) squares += (value / largest) ** 2;
    for (let k = 0; k < cols; k++) unit[i * cols + k] = row[k] / largest / Math.sqrt(squares);
  }
  for (let i = 0; i < m; i++) {
    for (let j = 0; j <= i; j++) {
      let cosine = 0;
      for (let k = 0; k < cols; k++) cosine += unit[i * cols + k] * unit[j * cols + k];
      a[i * m + j] = a[j * m + i] = Math.exp(cosine - 1);
    }
  }
  return a;
}

/** m × rank: eigenvectors of A over the roots of their eigenvalues. */
function inverseRoot(a: Float64Array, m: number): Float64Array {
  const { values, vectors } = denseEigen(a, m);
  const rest = m - a.reduce((sum, value) => sum + value, 0) / m; // −1ᵀ (A − 1) 1 / m
  const least = Math.max(LOST * Math.min(values[0], rest), LOST_SUM * values[0]);
  const rank = values.findLastIndex((value) => value > least) + 1;
  const root = new Float64Array(m * rank);
  for (let r = 0; r < m; r++) {
    for (let c = 0; c < rank; c++) root[r * rank + c] = vectors[r * m + c] / Math.sqrt(values[c]);
  }
  return root;
}
