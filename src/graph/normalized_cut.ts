/** Spectral clustering by the normalised cut. */
import { type Gpu, retryOnOutOfMemory } from "../gpu/mod.ts";
import {
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { assertChoice, assertKnown, assertSeed } from "../linalg/check_options.ts";
import { denseEigen } from "../linalg/dense_eigen.ts";
import { fixSigns } from "../linalg/fix_signs.ts";
import { leadingEigen, symmetricProduct } from "../linalg/leading_eigen.ts";
import { assertRows } from "../linalg/row_normalize.ts";
import { leadingSpan } from "../linalg/leading_span.ts";
import { seededRandom } from "../linalg/random.ts";
import { blockWidth, subspaceIteration, type SubspaceOptions } from "../linalg/subspace_iteration.ts";
import { affinityLessOne, releaseUnitRows, uploadUnitRows } from "./affinity.ts";
import {
  type AffinityOperator,
  affinityOperator,
  type AffinityOperatorOptions,
  floorOf,
  type Storage,
  type TileSize,
} from "./affinity_operator.ts";
import { hostAffinityLessOne } from "./host_affinity.ts";
import { allowed, FLOAT32_FLOOR } from "../linalg/ritz_residuals.ts";

/** Bytes of the tiles tried one after the other where the device has no memory. */
const SMALLER_TILES = [2 ** 24, 2 ** 22, 2 ** 20];

/** Products of nodes, nodes and channels up to which the host makes an affinity sooner than its kernel is compiled. */
const FEW_PRODUCTS = 7e7;
/** Share of an allowed residual at which float64 stops, so that rounding to float32 and other measures do not matter. */
const MARGIN = 0.3;

/** Settings of `normalizedCut`. */
export interface NormalizedCutOptions extends AffinityOperatorOptions {
  /** Eigenvectors wanted, the first (eigenvalue 1) included. */
  components: number;
  /** Largest residual ‖M x − λ x‖ of a converged pair; default 1e-5, and never above 1 % of λ (or what float32 can tell: about 3e-7, less by as much as the nodes are alike). */
  tolerance?: number;
  /** Seed of the random start; default 0. */
  seed?: number;
  /** Name of the features in error messages. */
  name?: string;
  /** Operator applications to a block after which to give up; default 400. */
  maxApplications?: number;
  /** Called after each iteration with the number of converged pairs. */
  onProgress?: (done: number, wanted: number, residual: number) => void;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The embedding and how far it can be trusted. */
export interface NormalizedCut {
  /** n × C, orthonormal columns y with M y = λ y, the largest λ first; signs fixed. */
  eigenvectors: Matrix;
  /** λ₁ = 1 ≥ λ₂ ≥ …, C values. */
  eigenvalues: Float64Array;
  /** ‖M y − λ y‖ as measured, C values. */
  residuals: Float64Array;
  /** Applications of the affinity to a block of columns. */
  applications: number;
  /** λ_C − λ_{C+1}; null when the graph has no further eigenvector. A gap near 0: the last components are arbitrary. */
  eigengap: number | null;
  /** Whether every residual reached the tolerance. */
  converged: boolean;
  /** Leading components whose eigenvalue float32 distinguishes from 0; further ones are arbitrary within the remaining subspace. */
  resolved: number;
  /** d_i = Σ_j A_ij. */
  degrees: Float32Array;
  /** How the affinity was stored. */
  storage: Storage | "dense";
}

/**
 * Normalised cut: the top eigenvectors of M = D^−½ A D^−½, A_ij = exp(cos(x_i, x_j) − 1) (METHOD (3); Shi & Malik 2000).
 *
 * The first pair is known exactly (λ = 1, y ∝ D^½ 1) and is taken out of the operator; the rest come from block Krylov subspace
 * iteration that starts from the features' principal directions. Of up to 1,200 nodes, a few eigenvectors are found by Lanczos'
 * method in float64 on the host, and a large share of all by a dense solve there. Where the device has no memory for A, A is
 * made by tiles, and by smaller ones where it has none for these, unless `storage` is "stored".
 *
 * @param x n × d features, one node per row, unitless
 * @returns eigenvectors (n × C, orthonormal, column sums ≥ 0), eigenvalues descending, residuals, the eigengap after the
 *   last component, and whether it converged
 * @throws RangeError when components exceed nodes, or naming the node that is a zero vector or not finite
 *
 * Cost: 2 n² d operations to make A and 2 n² · 32 for each application; memory O(n · d) plus what the budget allows for
 * storing A.
 *
 * @example
 * ```ts
 * import { closeGpu, normalizedCut, openGpu } from "../../mod.ts";
 * const gpu = await openGpu();
 * const x = { data: new Float32Array([1, 0, 0.9, 0.1, 0, 1, 0.1, 0.9]), rows: 4, cols: 2 };
 * const cut = await normalizedCut(gpu, x, { components: 2 });
 * const side = Array.from({ length: 4 }, (_, i) => cut.eigenvectors.data[2 * i + 1] > 0);
 * if (side[0] !== side[1] || side[2] !== side[3] || side[0] === side[2]) throw new Error("two groups");
 * closeGpu(gpu);
 * ```
 */
export async function normalizedCut(
  gpu: Gpu,
  x: Matrix,
  options: NormalizedCutOptions,
): Promise<NormalizedCut> {
  assertKnown<NormalizedCutOptions & TileSize>("normalizedCut", options, {
    components: true,
    tolerance: true,
    seed: true,
    name: true,
    maxApplications: true,
    onProgress: true,
    signal: true,
    storage: true,
    tileBytes: true,
  });
  assertOptions(x, options);
  options.signal?.throwIfAborted();
  const { components } = options;
  const isDense = isSolvedDensely(x.rows, components, options.storage);
  if (isDense || !options.storage && isFew(x.rows, components)) {
    const cut = await hostCut(gpu, x, options, isDense);
    if (cut) return cut;
  }
  const tiles = options.storage === "stored" ? [] : SMALLER_TILES;
  return await retryOnOutOfMemory(
    gpu,
    [options, ...tiles.map((tileBytes) => ({ ...options, storage: "tiled", tileBytes }) as const)],
    (options) => iterativeCut(gpu, x, options),
  );
}

function assertOptions(x: Matrix, options: NormalizedCutOptions): void {
  const { components, name = "features", tolerance = 1e-5 } = options;
  if (!(Number.isInteger(components) && components >= 1)) {
    throw new RangeError(`components is ${components}: ask for a whole number of eigenvectors, 1 or more.`);
  }
  if (components > x.rows) {
    throw new RangeError(
      `components is ${components}, but ${name} has only ${x.rows} nodes: ask for at most ${x.rows}.`,
    );
  }
  assertSeed(options.seed ?? 0);
  if (options.storage !== undefined) assertChoice("storage", options.storage, ["stored", "tiled"]);
  if (!(tolerance > 0)) {
    throw new RangeError(`tolerance is ${tolerance}: it must be above 0 (1e-5 is the default).`);
  }
}

/**
 * What is to be said about a cut beside its numbers: "not converged", "12 of 20 components resolved", or both; "" where all is well.
 */
export function cutWarning(
  { converged, resolved, eigenvalues }: Pick<NormalizedCut, "converged"> & {
    resolved?: number;
    eigenvalues: ArrayLike<number>;
  },
): string {
  const wanted = eigenvalues.length;
  return [
    ...(converged ? [] : ["not converged"]),
    ...(resolved === undefined || resolved >= wanted
      ? []
      : [`${resolved} of ${wanted} components resolved, the others arbitrary`]),
  ].join("; ");
}

/**
 * `normalizedCut` without a device, of up to 1,200 nodes.
 *
 * @throws RangeError as `normalizedCut`, and "1500 nodes take WebGPU, …"
 */
export async function hostNormalizedCut(x: Matrix, options: NormalizedCutOptions): Promise<NormalizedCut> {
  assertOptions(x, options);
  const { rows } = x, isDense = isSolvedDensely(rows, options.components);
  const cut = isDense || isFew(rows, options.components) ? await hostCut(null, x, options, isDense) : null;
  if (cut) return cut;
  throw new RangeError(
    `${rows} nodes and ${options.components} eigenvectors take WebGPU, which is not there: use fewer nodes.`,
  );
}

/** How many eigenvalues, from the first on, are above what rounding of the affinity could make. */
function resolvedOf(eigenvalues: ArrayLike<number>, floor: number): number {
  return Array.from(eigenvalues).findLastIndex((value) => value > floor) + 1;
}

/**
 * Whether a graph takes less time, or is only solved, densely in float64: by the operations of both ways, those of the GPU counted as
 * a tenth, a dozen applications being usual, and where a storage is asked for only as far as there is no other way.
 */
function isSolvedDensely(n: number, components: number, storage?: Storage): boolean {
  const width = blockWidth(components), columns = Math.min(width, 64), basis = width + 3 * columns;
  if (n <= 3 * width) return true;
  if (storage) return false;
  const application = 5 * basis ** 3 + (2 * n * n + 8 * n * basis) * columns / 10;
  return 2 * n ** 3 + 2 * n * n * components < 12 * application + 1e8;
}

/** Whether the host finds the eigenvectors of a small graph in less time than the GPU: in half of it on average, as measured. */
function isFew(n: number, components: number): boolean {
  return n <= 1200 && components < n / 8;
}

/** The first `count` of `cols` columns, rounded to float32. */
function leadingColumns(x: Float64Array, rows: number, cols: number, count: number): Matrix {
  const data = new Float32Array(rows * count);
  for (let i = 0; i < rows; i++) for (let c = 0; c < count; c++) data[i * count + c] = x[i * cols + c];
  return { data, rows, cols: count };
}

/**
 * Small graphs: the affinity from the GPU, or the host for the smallest, eigenvectors in float64 on the host.
 *
 * @param isDense whether all eigenpairs may be made
 * @returns null where they would have to be and may not
 */
async function hostCut(
  gpu: Gpu | null,
  x: Matrix,
  { components, tolerance = 1e-5, name }: NormalizedCutOptions,
  isDense: boolean,
): Promise<NormalizedCut | null> {
  assertRows(x, name);
  const n = x.rows;
  const e = gpu === null || n * n * x.cols <= FEW_PRODUCTS
    ? hostAffinityLessOne(x, name)
    : (await affinityLessOne(gpu, x)).data;
  const sums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const value = e[i * n + j];
      sums[i] += value;
      sums[j] += value;
    }
  }
  const degrees = sums.map((sum) => n + sum),
    floor = Math.max(4 * n * Number.EPSILON, floorOf(sums, degrees));
  const roots = degrees.map((d) => 1 / Math.sqrt(d)), m = new Float64Array(n * n); // its lower triangle
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) m[i * n + j] = (1 + e[i * n + j]) * roots[i] * roots[j];
  }
  const wanted = Math.min(n, components + 1); // one more, for the eigengap
  const isGood = (at: number, value: number, residual: number) =>
    residual <=
      (at < components
        ? Math.max(4 * n * Number.EPSILON, MARGIN * allowed({ floor }, value, tolerance))
        : Math.max(tolerance, 0.05 * value)); // its value is already good to the square of its residual
  const found = (isFew(n, components) ? leadingEigen(m, n, wanted, isGood) : null) ??
    (isDense ? denseEigen(m, n, components) : null);
  if (!found) return null;
  const { values, vectors } = found;
  const cols = vectors.length / n, eigenvectors = leadingColumns(vectors, n, cols, components);
  const residuals = residualsOf(m, eigenvectors, values, degrees);
  fixSigns(eigenvectors);
  return {
    eigenvectors,
    eigenvalues: values.slice(0, components),
    residuals,
    applications: 1,
    eigengap: components < n ? values[components - 1] - values[components] : null,
    converged: residuals.every((r, c) => r <= allowed({ floor }, values[c], tolerance)),
    resolved: resolvedOf(values.subarray(0, components), floor),
    degrees: Float32Array.from(degrees),
    storage: "dense",
  };
}

/**
 * ‖M x − λ x‖ of columns as they are in float32, in float64. All but the first are taken without their part along D^½ 1, the
 * first eigenvector: rounding leaves about 1e-8 of it in them, which is little beside x, but may be more than λ.
 */
function residualsOf(
  m: Float64Array,
  { data, rows, cols }: Matrix,
  values: Float64Array,
  degrees: Float64Array,
): Float64Array {
  const volume = degrees.reduce((sum, d) => sum + d, 0), first = degrees.map((d) => Math.sqrt(d / volume));
  const x = new Float64Array(rows), image = new Float64Array(rows);
  return Float64Array.from({ length: cols }, (_, c) => {
    for (let i = 0; i < rows; i++) x[i] = data[i * cols + c];
    symmetricProduct(m, rows, x, image);
    let squares = 0, along = 0;
    if (c > 0) first.forEach((value, i) => along += value * x[i]);
    for (let i = 0; i < rows; i++) squares += (image[i] - along * first[i] - values[c] * x[i]) ** 2;
    return Math.sqrt(squares);
  });
}

/** The cut by subspace iteration from the features' principal directions. */
async function iterativeCut(
  gpu: Gpu,
  x: Matrix,
  options: NormalizedCutOptions & TileSize,
): Promise<NormalizedCut> {
  const nodes = uploadUnitRows(gpu, x, options.name ?? "features");
  let operator;
  try {
    const width = startWidth(x.rows, Math.max(options.components, 2) - 1);
    const start = await leadingSpan(gpu, nodes.rows, width - 1, seededRandom(options.seed ?? 0));
    operator = await affinityOperator(gpu, nodes, { ...options, start });
    return await operatorCut(gpu, operator, { ...options, begun: operator.begun });
  } finally {
    operator?.release();
    releaseUnitRows(gpu, nodes);
  }
}

/** Nodes from which on an application costs more than what it saves to have one fewer, by half as many columns more. */
const WIDE_FROM = 2500;

/** Columns of the first block, the first eigenvector's included. */
function startWidth(n: number, components: number): number {
  const width = blockWidth(components);
  return n >= WIDE_FROM ? Math.ceil(1.5 * width / 16) * 16 : width;
}

/**
 * The cut of a graph whose operator is at hand, by subspace iteration.
 *
 * @param operator of at least three block widths of nodes; kept
 */
async function operatorCut(
  gpu: Gpu,
  operator: AffinityOperator,
  options:
    & Pick<
      NormalizedCutOptions,
      "components" | "seed" | "tolerance" | "maxApplications" | "onProgress" | "signal"
    >
    & Pick<SubspaceOptions, "begun">,
): Promise<NormalizedCut> {
  const { components, seed = 0, tolerance = 1e-5 } = options;
  const solved = Math.max(components, 2); // one more than the first, for the eigengap
  const held: GpuMatrix[] = [];
  try {
    const first = uploadMatrix(
      gpu,
      { data: Float32Array.from(operator.first), rows: operator.size, cols: 1 },
      "first eigenvector",
    );
    held.push(first);
    const found = await subspaceIteration(gpu, operator, {
      ...options,
      components: solved - 1,
      tolerance,
      seed,
      known: [first],
    });
    held.push(found.eigenvectors);
    const firstResidual = found.knownResiduals[0];
    const rest = await downloadMatrix(gpu, found.eigenvectors);
    const eigenvectors = besides(operator.first, rest, components);
    fixSigns(eigenvectors);
    const eigenvalues = [1, ...found.eigenvalues, found.nextEigenvalue];
    return {
      eigenvectors,
      eigenvalues: Float64Array.from(eigenvalues.slice(0, components)),
      residuals: Float64Array.from([firstResidual, ...found.residuals].slice(0, components)),
      applications: found.applications,
      eigengap: eigenvalues[components - 1] - eigenvalues[components],
      converged: found.converged && firstResidual <= tolerance,
      resolved: resolvedOf(eigenvalues.slice(0, components), operator.floor ?? FLOAT32_FLOOR),
      degrees: Float32Array.from(operator.degrees),
      storage: operator.storage,
    };
  } finally {
    releaseMatrix(gpu, ...held);
  }
}

/** The first eigenvector beside the columns of the rest, `components` in all. */
function besides(first: Float64Array, { data, rows, cols }: Matrix, components: number): Matrix {
  const all = new Float32Array(rows * components);
  for (let i = 0; i < rows; i++) {
    all[i * components] = first[i];
    for (let c = 1; c < components; c++) all[i * components + c] = data[i * cols + c - 1];
  }
  return { data: all, rows, cols: components };
}
