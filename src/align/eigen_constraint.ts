/**
 * The eigen-constraint: align keeps the spectral clustering of each slot's features, METHOD (5) and (8).
 *
 * The gradient goes through the eigenvectors implicitly: no unrolled iteration, no dense eigendecomposition.
 */
import code from "../../shaders/projector_difference.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release, writeBuffer } from "../gpu/mod.ts";
import { affinityBlock, releaseUnitRows, uploadUnitRows } from "../graph/affinity.ts";
import { type AffinityGraph, unitRowsGradient } from "../graph/affinity_gradient.ts";
import { type AffinityOperator, affinityOperator } from "../graph/affinity_operator.ts";
import { normalizedCut } from "../graph/normalized_cut.ts";
import { MAX_ROWS, solveShifted } from "../linalg/conjugate_gradients.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { projectOut } from "../linalg/orthonormalize.ts";
import { rowNormalizeGradient } from "../linalg/row_normalize.ts";
import { type PartialLoss, total } from "./partial_loss.ts";
import { blockWidth } from "../linalg/subspace_iteration.ts";

const PROJECTOR_DIFFERENCE: Kernel = { label: "projector_difference", code };
const WORKGROUP = 16;
const RUN = 64; // columns per invocation
/** Most components: a kernel compares 64 pairs of nodes over all of them in one invocation. */
export const MAX_COMPONENTS = 1000;
/** Components solved beyond the ones asked for, among which a gap may be found. */
const SPARE = 2;
/** A gap counts when it is at least this share of its eigenvalue: below, rounding decides what lies in the subspace. */
const SMALLEST_GAP = 0.01;
/** An eigen-constraint below this is rounding: its gradient is 0. */
const SMALLEST_LOSS = 1e-3;
const MAX_APPLICATIONS = 150;
/** Relative residual of the conjugate gradients above which their gradient is not used. */
const LARGEST_RESIDUAL = 1e-3;

/** Minimum number of nodes to sample, by the number of components. */
export function fewestNodes(components: number): number {
  return 3 * blockWidth(components + SPARE) + 1;
}

/** The graph of some nodes and its leading eigenvectors, all on the GPU. */
export interface NodeGraph extends AffinityGraph {
  /** The nodes' features, n × d. */
  features: GpuMatrix;
  operator: AffinityOperator;
  /** X, n × C. */
  eigenvectors: GpuMatrix;
  eigenvalues: Float64Array;
  /** λ_C − λ_{C+1} after C was moved to a gap. */
  gap: number;
}

/**
 * Solves the normalised cut of nodes on the GPU. Where the gap after component C is too small to tell what lies in the
 * subspace, C is moved to the nearest gap.
 *
 * @param features n × d, no row zero; kept by the graph, released with it
 * @param components C wanted
 * @param options seed of the eigensolver, and the largest residual of its eigenvectors
 * @throws RangeError when there are fewer than `fewestNodes(components)` nodes
 */
export async function nodeGraph(
  gpu: Gpu,
  features: GpuMatrix,
  components: number,
  { seed = 0, tolerance = 1e-7 }: { seed?: number; tolerance?: number } = {},
): Promise<NodeGraph> {
  const n = features.rows;
  if (n > MAX_ROWS || components > MAX_COMPONENTS) {
    throw new RangeError(
      `The eigen-constraint takes at most ${MAX_ROWS} nodes and ${MAX_COMPONENTS} components, not ${n} and ${components}: sample ` +
        `fewer.`,
    );
  }
  if (n < fewestNodes(components)) {
    throw new RangeError(
      `The eigen-constraint samples ${n} nodes for ${components} components: sample at least ${
        fewestNodes(components)
      }.`,
    );
  }
  const own = await downloadMatrix(gpu, features), nodes = uploadUnitRows(gpu, own, "sampled nodes");
  const affinity = allocateMatrix(gpu, n, n, "affinity of sampled nodes");
  if (affinity.panels.length > 1) {
    releaseUnitRows(gpu, nodes);
    releaseMatrix(gpu, affinity);
    throw new RangeError(`The affinity of ${n} sampled nodes does not fit one binding: sample fewer.`);
  }
  affinityBlock(gpu, nodes, 0, n, nodes, {
    buffer: affinity.panels[0],
    stride: affinity.stride,
    row: 0,
    plus: 1,
  });
  const operator = await affinityOperator(gpu, nodes, { storage: "stored" });
  const cut = await normalizedCut(gpu, own, {
    components: components + SPARE,
    seed,
    tolerance,
    maxApplications: MAX_APPLICATIONS,
    name: "sampled nodes",
  });
  const values = [...cut.eigenvalues, cut.eigenvalues[components + SPARE - 1] - (cut.eigengap ?? 0)];
  const kept = nearestGap(values, components);
  const { data, cols } = cut.eigenvectors;
  const leading = Float32Array.from(
    { length: n * kept },
    (_, at) => data[Math.floor(at / kept) * cols + at % kept],
  );
  const root = allocate(gpu, n * 4, "d^-1/2");
  writeBuffer(gpu, root, Float32Array.from(operator.degrees, (d) => 1 / Math.sqrt(d)));
  return {
    features,
    nodes,
    affinity,
    operator,
    root,
    eigenvectors: uploadMatrix(gpu, { data: leading, rows: n, cols: kept }, "eigenvectors"),
    eigenvalues: Float64Array.from(values.slice(0, kept)),
    gap: values[kept - 1] - values[kept],
  };
}

/** Gives all of a graph back, its features too. */
export function releaseGraph(gpu: Gpu, graph: NodeGraph): void {
  graph.operator.release();
  release(gpu, graph.root);
  releaseUnitRows(gpu, graph.nodes);
  releaseMatrix(gpu, graph.features, graph.affinity, graph.eigenvectors);
}

/**
 * The number of components nearest to `wanted` after which the eigenvalues have a gap; with none near, the one after
 * which it is widest relative to its eigenvalue.
 *
 * @param values eigenvalues, descending
 */
export function nearestGap(values: number[], wanted: number): number {
  const share = (c: number) => (values[c - 1] - values[c]) / Math.max(values[c - 1], 1e-12);
  const candidates = Array.from({ length: values.length - 1 }, (_, i) => i + 1)
    .sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || a - b);
  return candidates.find((c) => share(c) >= SMALLEST_GAP) ??
    candidates.reduce((best, c) => share(c) > share(best) ? c : best);
}

/** The constraint of one sample of nodes. */
export interface EigenConstraint {
  /** ‖F ∘ (X_b X_bᵀ − X_a X_aᵀ)‖, F = 1 or exp(−A_b). */
  loss: number;
  /**
   * weight · ∂L/∂(features after alignment), n × D; to be released. Null where the loss is only rounding, or where it could not
   * be solved for.
   */
  gradient: GpuMatrix | null;
  /** Whether the conjugate gradients came to a relative residual of 1e-3; without, there is no gradient. */
  solved: boolean;
  /** Their relative residual. */
  residual: number;
  /** Steps of the conjugate gradients. */
  steps: number;
}

/**
 * F ∘ F ∘ (X_a X_aᵀ − X_b X_bᵀ) of two graphs of the same nodes, F = 1 or exp(−A_b), and the squares that make L_eigen².
 *
 * @param after X_a, n × C_a
 * @param before X_b, n × C_b
 * @param affinity A_b, n × n
 * @param focal the form of METHOD (8)
 * @returns the difference, to be released, and partial sums of squares, to be released and added up
 */
export function projectorDifference(
  gpu: Gpu,
  after: GpuMatrix,
  before: GpuMatrix,
  affinity: GpuMatrix,
  focal: boolean,
): { difference: GpuMatrix; squares: PartialLoss } {
  const n = affinity.rows, runs = Math.ceil(affinity.stride / RUN);
  const difference = allocateMatrix(gpu, n, n, "difference of projectors");
  const squares = allocate(gpu, n * runs * 4, "squared differences");
  dispatch(gpu, PROJECTOR_DIFFERENCE, {
    buffers: [...[after, before, affinity, difference].map(({ panels }) => panels[0]), squares],
    params: {
      nodes: n,
      stride: affinity.stride,
      afterStride: after.stride / 4,
      beforeStride: before.stride / 4,
      focal: Number(focal),
    },
    workgroups: [Math.ceil(n / WORKGROUP), runs],
    sizes: `${n} nodes`,
  });
  return { difference, squares: { buffer: squares, count: n * runs } };
}

/**
 * L_eigen between the graphs of the same nodes before and after alignment, and its gradient with respect to the features
 * after alignment.
 *
 * @param before its eigenvectors and affinity
 * @param after whose features the gradient is of
 * @param weight factor of the gradient
 * @param focal weigh disconnected pairs up, METHOD (8)
 */
export async function eigenConstraint(
  gpu: Gpu,
  before: NodeGraph,
  after: NodeGraph,
  { weight = 1, focal = false }: { weight?: number; focal?: boolean } = {},
): Promise<EigenConstraint> {
  const { difference, squares } = projectorDifference(
    gpu,
    after.eigenvectors,
    before.eigenvectors,
    before.affinity,
    focal,
  );
  const image = multiply(gpu, difference, after.eigenvectors);
  const right = projectOut(gpu, image, [after.eigenvectors]);
  try {
    const loss = Math.sqrt(await total(gpu, squares));
    if (loss < SMALLEST_LOSS) return { loss, gradient: null, solved: true, residual: 0, steps: 0 };
    const { z, steps, residual } = await solveShifted(
      gpu,
      after.operator,
      after.eigenvalues,
      right,
      after.eigenvectors,
    );
    if (!(residual <= LARGEST_RESIDUAL)) {
      releaseMatrix(gpu, z);
      return { loss, gradient: null, solved: false, residual, steps };
    }
    const ofUnit = unitRowsGradient(gpu, after, z, after.eigenvectors, weight / loss);
    const gradient = rowNormalizeGradient(gpu, after.features, ofUnit);
    releaseMatrix(gpu, z, ofUnit);
    return { loss, gradient, solved: true, residual, steps };
  } finally {
    release(gpu, squares.buffer);
    releaseMatrix(gpu, difference, right);
  }
}
