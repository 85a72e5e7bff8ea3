/** The Nyström method with orthogonalised eigenvectors. */
import type { Gpu } from "../../gpu/mod.ts";
import { release } from "../../gpu/mod.ts";
import { denseEigen } from "../../linalg/dense_eigen.ts";
import { multiply } from "../../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowWindows,
  uploadMatrix,
} from "../../linalg/matrix.ts";
import { uploadSmall } from "../../linalg/orthonormalize.ts";
import { sampleIndices, seededRandom } from "../../linalg/random.ts";
import { normalizeRows } from "../../linalg/row_normalize.ts";
import { affinityBlock, uploadScale, uploadUnitRows } from "../affinity.ts";
import { fixSigns } from "../normalized_cut.ts";
import type { MethodOptions, MethodResult } from "./eigenvector_method.ts";

/** Directions of the landmarks' affinity below this share of its largest eigenvalue are rounding in float32. */
const LOST = 1e-6;

/**
 * Fowlkes, Belongie, Chung & Malik 2004, "Spectral grouping using the Nyström method", one-shot: the graph is taken to
 * be [A B; Bᵀ BᵀA⁻¹B] with A the affinity of m landmarks, drawn at random, and B theirs to the other nodes; the
 * eigenvectors of *that* graph are orthonormal and exact.
 *
 * With [A B]ᵀ A^−½ = F (n × m), that graph is F Fᵀ: degrees d = F (Fᵀ 1), which are A 1 + B 1 and Bᵀ 1 + Bᵀ A⁻¹ B 1; and
 * with G = D^−½ F, Gᵀ G = U Λ Uᵀ, the eigenvectors are G U Λ^−½. (The paper diagonalises A + A^−½ B Bᵀ A^−½, which is
 * Gᵀ G for normalised A and B.) Two departures: A^−½ is a pseudo-inverse, cut off at 1e-6 of the largest eigenvalue, and
 * a degree that comes out below n e⁻², which no graph of this kernel has, is raised to it.
 *
 * @param options `landmarks` m, default 500 or all nodes
 * @throws RangeError when landmarks are fewer than components or more than nodes, or naming a bad node
 *
 * Cost: 2 n m d + 4 n m² operations on the GPU and two m × m eigenproblems on the host (about 9 m³ each); memory n × m.
 */
export async function fowlkesNystrom(
  gpu: Gpu,
  features: Matrix,
  { components, landmarks: m = Math.min(features.rows, 500), seed = 0 }: MethodOptions,
): Promise<MethodResult> {
  const n = features.rows;
  if (
    !(Number.isInteger(components) && components >= 1 && Number.isInteger(m) && m >= components && m <= n)
  ) {
    throw new RangeError(
      `landmarks is ${m}: ${components} eigenvectors of ${n} nodes need ${components} to ${n} landmarks.`,
    );
  }
  const chosen = sampleIndices(n, m, seededRandom(seed));
  const held: GpuMatrix[] = [];
  const keep = (matrix: GpuMatrix) => {
    held.push(matrix);
    return matrix;
  };
  try {
    const unit = keep(uploadUnitRows(gpu, features));
    const toLandmarks = keep(affinityToLandmarks(gpu, unit, features, chosen));
    const { root, rank } = inverseRoot(landmarkAffinity(features, chosen), m);
    const f = keep(multiply(gpu, toLandmarks, keep(uploadSmall(gpu, root, m, rank, "A^−½"))));
    const g = keep(await dividedByRootDegrees(gpu, f));
    const gram = keep(multiply(gpu, g, g, { transposeA: true }));
    const { values, vectors } = denseEigen(Float64Array.from((await downloadMatrix(gpu, gram)).data), rank);
    const rotation = new Float64Array(rank * components);
    for (let r = 0; r < rank; r++) {
      for (let c = 0; c < Math.min(components, rank); c++) {
        rotation[r * components + c] = values[c] > 0 ? vectors[r * rank + c] / Math.sqrt(values[c]) : 0;
      }
    }
    const small = keep(uploadSmall(gpu, rotation, rank, components, "U Λ^−½"));
    const eigenvectors = await downloadMatrix(gpu, keep(multiply(gpu, g, small)));
    fixSigns(eigenvectors);
    const eigenvalues = new Float64Array(components);
    eigenvalues.set(values.subarray(0, Math.min(components, rank)));
    return { eigenvectors, eigenvalues };
  } finally {
    releaseMatrix(gpu, ...held);
  }
}

/** [A B]ᵀ, n × m. */
function affinityToLandmarks(gpu: Gpu, unit: GpuMatrix, features: Matrix, chosen: Uint32Array): GpuMatrix {
  const { cols } = features, n = unit.rows, m = chosen.length;
  const data = new Float32Array(m * cols);
  chosen.forEach((from, to) => data.set(features.data.subarray(from * cols, (from + 1) * cols), to * cols));
  const raw = uploadMatrix(gpu, { data, rows: m, cols }, "landmarks");
  const landmarks = normalizeRows(gpu, raw);
  const scale = uploadScale(gpu, n), landmarkScale = uploadScale(gpu, m);
  const out = allocateMatrix(gpu, n, m, "affinity to landmarks");
  for (const { first, rows, buffer } of rowWindows(out)) {
    const target = { buffer, stride: out.stride, row: 0 };
    affinityBlock(gpu, unit, scale, first, rows, landmarks, landmarkScale, target);
  }
  releaseMatrix(gpu, raw, landmarks);
  release(gpu, scale.buffer);
  release(gpu, landmarkScale.buffer);
  return out;
}

/** A in float64: its smallest eigenvalues, which A^−½ makes large, are below what float32 resolves. */
function landmarkAffinity({ data, cols }: Matrix, chosen: Uint32Array): Float64Array {
  const m = chosen.length, unit = new Float64Array(m * cols), a = new Float64Array(m * m);
  chosen.forEach((from, to) => {
    const row = data.subarray(from * cols, (from + 1) * cols);
    const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    let squares = 0;
    for (const value of row) squares += (value / largest) ** 2;
    for (let k = 0; k < cols; k++) unit[to * cols + k] = row[k] / largest / Math.sqrt(squares);
  });
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
  const rank = values.findLastIndex((value) => value > LOST * values[0]) + 1;
  const root = new Float64Array(m * rank);
  for (let r = 0; r < m; r++) {
    for (let c = 0; c < rank; c++) root[r * rank + c] = vectors[r * m + c] / Math.sqrt(values[c]);
  }
  return { root, rank };
}

/** D^−½ F with D the row sums of F Fᵀ. */
async function dividedByRootDegrees(gpu: Gpu, f: GpuMatrix): Promise<GpuMatrix> {
  const n = f.rows;
  const ones = uploadMatrix(gpu, { data: new Float32Array(n).fill(1), rows: n, cols: 1 }, "ones");
  const sums = multiply(gpu, f, ones, { transposeA: true });
  const degrees = multiply(gpu, f, sums);
  const [{ data: d }, scaled] = await downloadMatrices(gpu, degrees, f);
  releaseMatrix(gpu, ones, sums, degrees);
  const least = n * Math.exp(-2);
  for (let i = 0; i < n; i++) {
    const factor = 1 / Math.sqrt(Math.max(d[i], least));
    for (let c = 0; c < f.cols; c++) scaled.data[i * f.cols + c] *= factor;
  }
  return uploadMatrix(gpu, scaled, "D^−½ F");
}
