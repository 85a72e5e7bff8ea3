/** The Nyström method with orthogonalised eigenvectors, panel by panel. */
import { allocate, type Gpu, halvings, release, retryOnOutOfMemory, writeBuffer } from "../gpu/mod.ts";
import { addRow, sumOfRows } from "../linalg/add_row.ts";
import { denseEigen } from "../linalg/dense_eigen.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { uploadSmall } from "../linalg/orthonormalize.ts";
import { scaleRows } from "../linalg/scale_rows.ts";
import { affinityBlock, releaseUnitRows, type UnitRows, uploadUnitRows } from "./affinity.ts";
import { type NodeSource, PANEL_ROWS, readPanels } from "./node_source.ts";
import { fixSigns, type NormalizedCut } from "./normalized_cut.ts";

/** Directions of the landmarks' affinity A below this share of what A is without its constant part are rounding in float32 … */
const LOST = 1e-6;
/** … and below this share of its largest eigenvalue in what a projection in float32 keeps of sums over landmarks. */
const LOST_SUM = 3e-9;
/** Residual up to which an eigenvector counts as converged, as of `normalizedCut`. */
const TOLERANCE = 1e-5;
/** Bytes of affinity made at a time, in one binding. */
const BLOCK_BYTES = 2 ** 24;
/** Most landmarks: two eigenproblems of their number are solved on the host. */
export const MAX_LANDMARKS = 2048;

/** Landmarks on the GPU. */
interface Landmarks {
  unit: UnitRows;
  /** Rows of affinity to them that are made at a time. */
  rowsAtATime: number;
}

/** Eigenvectors of the whole graph, by what carries them to its nodes. */
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
 * @param onProgress told how many nodes have been read, of 2 N
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
  onProgress?: (done: number, total: number, residual: number) => void,
): Promise<OrthogonalizedNystrom> {
  const m = features.rows;
  if (m > MAX_LANDMARKS) {
    throw new RangeError(
      `landmarks is ${m}: with all of them as neighbours ask for at most ${MAX_LANDMARKS}, they are solved on the host.`,
    );
  }
  const affinity = landmarkAffinity(features), { root, rank } = inverseRoot(affinity, m);
  const { q, product } = await retryOnOutOfMemory(
    gpu,
    halvings(PANEL_ROWS),
    (rows) => sumsOverNodes(gpu, source, features, { root, rank, rows, onProgress }),
  );
  return solved({ affinity, root, rank, q, product, components });
}

/** The two passes over the nodes: q, and Σ fᵀ f / d. */
async function sumsOverNodes(
  gpu: Gpu,
  source: NodeSource,
  features: Matrix,
  { root, rank, rows: panelRows, onProgress }: {
    root: Float64Array;
    rank: number;
    rows: number;
    onProgress?: (done: number, total: number, residual: number) => void;
  },
): Promise<{ q: Float64Array; product: Float64Array }> {
  const m = features.rows, n = source.rows, least = n * Math.exp(-2);
  const landmarks = openLandmarks(gpu, features);
  const held: GpuMatrix[] = [];
  const keep = (matrix: GpuMatrix) => (held.push(matrix), matrix);
  try {
    const sums = new Float64Array(m).fill(n);
    for await (const { first, features } of readPanels(source, panelRows)) {
      const unit = unitRows(gpu, landmarks, features);
      for (
        const { data } of await download(
          gpu,
          affinities(gpu, landmarks, unit, (b) => sumOfRows(gpu, b, 1)),
        )
      ) {
        for (let k = 0; k < m; k++) sums[k] += data[k];
      }
      releaseUnitRows(gpu, unit);
      onProgress?.(first + features.rows, 2 * n, 0);
    }
    const q = times(root, transposedTimes(root, sums, m, rank), m, rank);
    const weights = keep(uploadSmall(gpu, q, m, 1, "weights of degrees"));
    const small = keep(uploadSmall(gpu, root, m, rank, "A^−½")), total = columnSums(q, 1)[0];
    const ones = keep(uploadSmall(gpu, columnSums(root, rank), 1, rank, "1ᵀ A^−½"));
    const gram = keep(allocateMatrix(gpu, rank, rank, "Σ fᵀ f / d"));
    for await (const { first, features } of readPanels(source, panelRows)) {
      const unit = unitRows(gpu, landmarks, features);
      const parts = await download(gpu, affinities(gpu, landmarks, unit, (b) => multiply(gpu, b, weights)));
      const degrees = parts.flatMap(({ data }) => Array.from(data, (value) => value + total));
      const inverseRoots = allocate(gpu, unit.rows.rows * 4, "d^−½");
      writeBuffer(gpu, inverseRoots, Float32Array.from(degrees, (d) => 1 / Math.sqrt(Math.max(d, least))));
      let accumulate = first > 0;
      affinities(gpu, landmarks, unit, (b, firstFactor) => {
        const rest = multiply(gpu, b, small), f = addRow(gpu, rest, ones, 1);
        const scaled = scaleRows(gpu, f, inverseRoots, { firstFactor });
        multiply(gpu, scaled, scaled, { transposeA: true, out: gram, accumulate });
        accumulate = true;
        releaseMatrix(gpu, rest, f, scaled);
        return gram;
      });
      release(gpu, inverseRoots);
      releaseUnitRows(gpu, unit);
      onProgress?.(n + first + features.rows, 2 * n, 0);
    }
    return { q, product: Float64Array.from((await downloadMatrix(gpu, gram)).data) };
  } finally {
    releaseUnitRows(gpu, landmarks.unit);
    releaseMatrix(gpu, ...held);
  }
}

/** Carries eigenvectors to panels of nodes: u = b P / √(b · q) with b a node's affinities to the landmarks. */
export interface Carrier {
  /** rows × d features → rows × C vectors. */
  carry(features: Matrix): Promise<Matrix>;
  /** Gives the landmarks back. */
  release(): void;
}

/**
 * Opens a projection.
 *
 * @param features of the landmarks, m × d
 * @param projection [P q]
 */
export function openCarrier(gpu: Gpu, features: Matrix, projection: Matrix): Carrier {
  const landmarks = openLandmarks(gpu, features), c = projection.cols - 1;
  const weights = uploadMatrix(gpu, projection, "projection"), ones = columnSums(projection.data, c + 1);
  return {
    async carry(features) {
      const unit = unitRows(gpu, landmarks, features), least = 1e-30;
      const parts = await download(gpu, affinities(gpu, landmarks, unit, (b) => multiply(gpu, b, weights)));
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
    release() {
      releaseUnitRows(gpu, landmarks.unit);
      releaseMatrix(gpu, weights);
    },
  };
}

function openLandmarks(gpu: Gpu, features: Matrix): Landmarks {
  const bytes = Math.min(BLOCK_BYTES, gpu.limits.bindingBytes), row = 4 * roundUp(features.rows, 4);
  return {
    unit: uploadUnitRows(gpu, features, "landmarks"),
    rowsAtATime: Math.max(8, Math.floor(bytes / row / 8) * 8),
  };
}

function unitRows(gpu: Gpu, landmarks: Landmarks, features: Matrix): UnitRows {
  return uploadUnitRows(gpu, features, "panel of features", landmarks.unit.centre);
}

/** Makes the affinities of a panel to the landmarks, less 1, block by block, and hands each to `use`. */
function affinities(
  gpu: Gpu,
  { unit: landmarks, rowsAtATime }: Landmarks,
  { rows: unit, ...nodes }: UnitRows,
  use: (block: GpuMatrix, first: number) => GpuMatrix,
): GpuMatrix[] {
  const results = [];
  const block = allocateMatrix(
    gpu,
    Math.min(rowsAtATime, unit.rows),
    landmarks.rows.rows,
    "affinity to landmarks",
  );
  const target = { buffer: block.panels[0], stride: block.stride, row: 0 };
  for (let first = 0; first < unit.rows; first += rowsAtATime) {
    const rows = Math.min(rowsAtATime, unit.rows - first);
    affinityBlock(gpu, { rows: unit, ...nodes }, first, rows, landmarks, target);
    results.push(use({ ...block, rows }, first));
  }
  releaseMatrix(gpu, block);
  return results;
}

async function download(gpu: Gpu, matrices: GpuMatrix[]): Promise<Matrix[]> {
  try {
    return await downloadMatrices(gpu, ...matrices);
  } finally {
    releaseMatrix(gpu, ...matrices);
  }
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

/** x v, x row-major of so many rows and columns. */
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

/** Σ_i x_ij of every column. */
function columnSums(x: ArrayLike<number>, cols: number): Float64Array {
  const sums = new Float64Array(cols);
  for (let at = 0; at < x.length; at++) sums[at % cols] += x[at];
  return sums;
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

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
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
function inverseRoot(a: Float64Array, m: number): { root: Float64Array; rank: number } {
  const { values, vectors } = denseEigen(a, m);
  const rest = m - a.reduce((sum, value) => sum + value, 0) / m; // −1ᵀ (A − 1) 1 / m
  const least = Math.max(LOST * Math.min(values[0], rest), LOST_SUM * values[0]);
  const rank = values.findLastIndex((value) => value > least) + 1;
  const root = new Float64Array(m * rank);
  for (let r = 0; r < m; r++) {
    for (let c = 0; c < rank; c++) root[r * rank + c] = vectors[r * m + c] / Math.sqrt(values[c]);
  }
  return { root, rank };
}
