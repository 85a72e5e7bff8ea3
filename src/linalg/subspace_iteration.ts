/** The largest eigenpairs of a positive semi-definite operator. */
import residualCode from "../../shaders/residual_squares.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release } from "../gpu/mod.ts";
import { combine } from "./combine.ts";
import { multiply, sumSlabs } from "./matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  type GpuMatrix,
  releaseMatrix,
  roundUp,
  rowWindows,
  uploadMatrix,
} from "./matrix.ts";
import { orthonormalize, uploadSmall } from "./orthonormalize.ts";
import { fillRandom, seededRandom } from "./random.ts";
import { inverseCholesky, smallProduct, symmetricEigen } from "./symmetric_eigen.ts";

const RESIDUAL: Kernel = { label: "residual_squares", code: residualCode };
const RESIDUAL_RUN = 64;
const MAX_DEGREE = 24;
/** A residual is also to be small beside its eigenvalue, or small eigenvalues would pass with any vector … */
const RELATIVE_TOLERANCE = 0.01;
/** … as far as float32 can tell. */
const FLOAT32_FLOOR = 3e-7;

/** A symmetric n × n operator that can be applied to a block of columns. */
export interface SymmetricOperator {
  size: number;
  /** out ← M x, both n × c; x and out differ. */
  apply(x: GpuMatrix, out: GpuMatrix): void;
}

/** Settings of the eigensolver. */
export interface SubspaceOptions {
  /** Eigenpairs wanted. */
  components: number;
  /** Largest ‖M x − λ x‖ of a pair that counts as converged; default 1e-5, and never above 1 % of λ (or 3e-7). */
  tolerance?: number;
  seed?: number;
  /** Operator applications to a block after which to give up; default 400. */
  maxApplications?: number;
  /** Orthonormal eigenvectors already taken out of the operator; what is found is kept orthogonal to them. */
  known?: GpuMatrix[];
  /** Told after every iteration: pairs converged, of how many, and the largest residual among the rest. */
  onProgress?: (done: number, wanted: number, residual: number) => void;
}

/** What the eigensolver found. */
export interface SubspaceResult {
  /** One n × c block per batch of pairs that converged together, columns in the order of `eigenvalues`; to be released. */
  blocks: GpuMatrix[];
  /** Descending within a block; over blocks up to the tolerance. */
  eigenvalues: number[];
  residuals: number[];
  /** Estimate of the eigenvalue after the last one wanted. */
  nextEigenvalue: number;
  iterations: number;
  applications: number;
  converged: boolean;
}

/** Tₘ(x) for x ≥ 1, and 1 below. */
function chebyshev(degree: number, x: number): number {
  return x <= 1 ? 1 : Math.cosh(degree * Math.acosh(x));
}

/** Block width that holds `components`, the next one, and a few more so that the filter has a gap to work with. */
export function blockWidth(components: number): number {
  return roundUp(components + 1 + Math.max(4, Math.ceil(components / 4)), 16);
}

/**
 * The largest eigenpairs of a positive semi-definite operator by Chebyshev-filtered subspace iteration with locking
 * (Zhou & Saad 2007): the block is filtered by a polynomial that damps [0, smallest Ritz value], orthonormalised
 * (Cholesky-QR2) and rotated by Rayleigh–Ritz; pairs whose measured residual reaches the tolerance are locked and
 * projected out of what follows.
 *
 * @param operator spectrum in [0, ∞); n at least three block widths (solve smaller ones densely)
 * @returns eigenpairs, largest first, with measured residuals ‖M x − λ x‖; `converged` false when it gave up
 *
 * Memory: 6 n × c blocks, c = `blockWidth(components)`. Order of all reductions fixed: equal input and seed, equal bits.
 */
export async function subspaceIteration(
  gpu: Gpu,
  operator: SymmetricOperator,
  options: SubspaceOptions,
): Promise<SubspaceResult> {
  const { components, tolerance = 1e-5, seed = 0, maxApplications = 400, known = [], onProgress } = options;
  const n = operator.size;
  const random = seededRandom(seed);
  const width = Math.min(blockWidth(components), n);
  const result: SubspaceResult = {
    blocks: [],
    eigenvalues: [],
    residuals: [],
    nextEigenvalue: 0,
    iterations: 0,
    applications: 0,
    converged: false,
  };
  const noise = fillRandom(new Float32Array(n * width), random);
  let y = uploadMatrix(gpu, { data: noise, rows: n, cols: width }, "start block");
  const locked: GpuMatrix[] = []; // −X Λ of every locked block
  const deflated: SymmetricOperator = {
    size: n,
    apply: (x, out) => applyDeflated(gpu, operator, result.blocks, locked, x, out),
  };
  try {
    while (true) {
      result.iterations++;
      y = await orthonormalize(gpu, y, [...known, ...result.blocks], random);
      const ritz = await rayleighRitz(gpu, deflated, y);
      result.applications++;
      const { x, mx, values, residuals } = ritz;
      const left = components - result.eigenvalues.length;
      let good = 0;
      while (good < left && residuals[good] <= allowed(values[good], tolerance)) good++;
      // The pair after the last one only feeds the eigengap: its value is already good to the square of its residual.
      const nextKnown = left >= y.cols ||
        residuals[left] <= Math.max(tolerance, 0.05 * values[Math.max(0, left - 1)]);
      const done = good === left && nextKnown;
      const giveUp = !done && result.applications >= maxApplications;
      result.nextEigenvalue = values[Math.min(left, values.length - 1)];
      onProgress?.(result.eigenvalues.length + good, components, Math.max(...residuals.slice(0, left)));
      const take = done || giveUp ? left : good === left ? 0 : lockable(values, residuals, left, tolerance);
      if (take) {
        result.blocks.push(columns(gpu, x, 0, take));
        locked.push(columns(gpu, x, 0, take, values.slice(0, take).map((value) => -value)));
        result.eigenvalues.push(...values.slice(0, take));
        result.residuals.push(...residuals.slice(0, take));
      }
      if (done || giveUp) {
        result.converged = done;
        releaseMatrix(gpu, x, mx, y);
        return result;
      }
      const degree = filterDegree(
        values.slice(take),
        residuals.slice(take),
        left - take,
        tolerance,
      );
      const rest = take
        ? await Promise.all([columns(gpu, x, take, width), columns(gpu, mx, take, width)])
        : [x, mx];
      releaseMatrix(gpu, y, ...(take ? [x, mx] : []));
      y = filter(
        gpu,
        deflated,
        rest[0],
        rest[1],
        degree,
        dampedEdge(values.slice(take), left - take),
        values[take],
      );
      result.applications += degree - 1;
    }
  } catch (error) {
    releaseMatrix(gpu, ...result.blocks);
    throw error;
  } finally {
    releaseMatrix(gpu, ...locked);
  }
}

/** Columns [from, to) of x as a block of their own, each times its factor. */
function columns(gpu: Gpu, x: GpuMatrix, from: number, to: number, factors?: number[]): GpuMatrix {
  to = Math.min(to, x.cols);
  const pick = new Float64Array(x.cols * (to - from));
  for (let i = from; i < to; i++) pick[i * (to - from) + i - from] = factors ? factors[i - from] : 1;
  const selection = uploadSmall(gpu, pick, x.cols, to - from, "selection");
  const block = multiply(gpu, x, selection);
  releaseMatrix(gpu, selection);
  return block;
}

/** out ← (M − X Λ Xᵀ) x, X Λ Xᵀ over the locked pairs: what is found no longer outweighs what is sought. */
function applyDeflated(
  gpu: Gpu,
  operator: SymmetricOperator,
  blocks: GpuMatrix[],
  negative: GpuMatrix[],
  x: GpuMatrix,
  out: GpuMatrix,
): void {
  operator.apply(x, out);
  blocks.forEach((block, i) => {
    const coefficients = multiply(gpu, block, x, { transposeA: true });
    multiply(gpu, negative[i], coefficients, { out, accumulate: true });
    releaseMatrix(gpu, coefficients);
  });
}

interface RitzPairs {
  x: GpuMatrix;
  mx: GpuMatrix;
  values: number[];
  residuals: number[];
}

/** Rayleigh–Ritz on an (almost) orthonormal block: the best eigenpairs within its span, with measured residuals. */
async function rayleighRitz(gpu: Gpu, operator: SymmetricOperator, y: GpuMatrix): Promise<RitzPairs> {
  const c = y.cols;
  const my = allocateMatrix(gpu, y.rows, c, "M · block");
  operator.apply(y, my);
  const gram = multiply(gpu, y, y, { transposeA: true });
  const projected = multiply(gpu, y, my, { transposeA: true });
  const [g, h] = await downloadMatrices(gpu, gram, projected);
  releaseMatrix(gpu, gram, projected);
  const { transform } = inverseCholesky(Float64Array.from(g.data), c, 1e-6);
  const reduced = smallProduct(transform, smallProduct(Float64Array.from(h.data), transform, c), c, true);
  const { values, vectors } = symmetricEigen(reduced, c);
  const rotation = uploadSmall(gpu, smallProduct(transform, vectors, c), c, c, "Ritz rotation");
  const x = multiply(gpu, y, rotation);
  const mx = multiply(gpu, my, rotation);
  releaseMatrix(gpu, my, rotation);
  return { x, mx, values: [...values], residuals: await residualNorms(gpu, x, mx, values) };
}

/** ‖M x_c − λ_c x_c‖ for every column of x, given mx = M x. */
export async function residualNorms(
  gpu: Gpu,
  x: GpuMatrix,
  mx: GpuMatrix,
  values: Float64Array,
): Promise<number[]> {
  const padded = new Float64Array(x.stride);
  padded.set(values);
  const lambda = uploadSmall(gpu, padded, 1, x.stride, "eigenvalues");
  const windows = rowWindows(x);
  const runs = windows.reduce((sum, { rows }) => sum + Math.ceil(rows / RESIDUAL_RUN), 0);
  const partial = allocate(gpu, runs * x.stride * 4, "residuals by runs");
  const sums = allocate(gpu, x.stride * 4, "residuals");
  let run = 0;
  windows.forEach(({ rows }, panel) => {
    dispatch(gpu, RESIDUAL, {
      buffers: [mx.panels[panel], x.panels[panel], lambda.panels[0], partial],
      u32: [rows, x.stride / 4, run],
      workgroups: [Math.ceil(rows / RESIDUAL_RUN / 8), x.stride / 4],
      sizes: `${x.rows} × ${x.cols}`,
    });
    run += Math.ceil(rows / RESIDUAL_RUN);
  });
  sumSlabs(gpu, partial, sums, x.stride / 4, runs);
  const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: x.stride * 4 }]);
  release(gpu, partial);
  release(gpu, sums);
  releaseMatrix(gpu, lambda);
  return [...new Float32Array(bytes).subarray(0, x.cols)].map(Math.sqrt);
}

/** Residual at which a pair with eigenvalue `value` has converged. */
function allowed(value: number, tolerance: number): number {
  return Math.min(tolerance, Math.max(RELATIVE_TOLERANCE * value, FLOAT32_FLOOR));
}

/**
 * How many leading pairs may be locked: what is left of a locked pair's residual stays in all residuals after it, so it
 * has to be small enough for the last pair wanted.
 */
function lockable(values: number[], residuals: number[], wanted: number, tolerance: number): number {
  const small = allowed(values[wanted - 1], tolerance) / 2;
  const first = residuals.slice(0, wanted).findIndex((residual) => !(residual <= small));
  return first < 0 ? wanted : first;
}

/** Upper end of the interval that the filter damps: the smallest Ritz value, kept away from 0 and from the wanted ones. */
function dampedEdge(values: number[], wanted: number): number {
  const last = Math.max(values[Math.min(wanted, values.length) - 1], 1e-12);
  const smallest = values[values.length - 1];
  return Math.min(Math.max(smallest, 1e-3 * last), 0.9 * last);
}

/**
 * Degree of the next filter: enough to take the worst wanted residual to the tolerance, but no more than leaves the
 * block's columns independent in float32. Rounding and the directions still mixed in are amplified by the ratio of the
 * filter at the largest Ritz value to that at the smallest wanted one.
 */
function filterDegree(
  values: number[],
  residuals: number[],
  wanted: number,
  tolerance: number,
): number {
  const edge = dampedEdge(values, wanted);
  const at = (value: number) => 2 * value / edge - 1;
  const last = Math.max(values[wanted - 1], 0);
  const worst = Math.max(...residuals.slice(0, wanted));
  const mixed = Math.min(1, Math.max(1e-6, worst / Math.max(values[0], 1e-30)));
  const excess = Math.max(...residuals.slice(0, wanted).map((r, i) => r / allowed(values[i], tolerance)));
  let degree = 1;
  for (; degree < MAX_DEGREE; degree++) {
    if (chebyshev(degree, at(last)) >= 4 * excess) break;
    const next = chebyshev(degree + 1, at(last));
    if (chebyshev(degree + 1, at(values[0])) / next > 100 / mixed) break;
  }
  return degree;
}

/** The Chebyshev filter of `degree` over the damped interval [0, edge], scaled to 1 at `top`; x and mx = M x are released. */
function filter(
  gpu: Gpu,
  operator: SymmetricOperator,
  x: GpuMatrix,
  mx: GpuMatrix,
  degree: number,
  edge: number,
  top: number,
): GpuMatrix {
  const half = edge / 2; // centre and half-width of the damped interval
  let sigma = half / (Math.max(top, edge * 1.001) - half);
  const first = sigma;
  let previous = x;
  let current = allocateMatrix(gpu, x.rows, x.cols, "filtered block");
  combine(gpu, current, [sigma / half, mx], [-sigma, x]);
  for (let step = 2; step <= degree; step++) {
    const next = 1 / (2 / first - sigma);
    operator.apply(current, mx);
    const filtered = allocateMatrix(gpu, x.rows, x.cols, "filtered block");
    combine(gpu, filtered, [2 * next / half, mx], [-2 * next, current], [-sigma * next, previous]);
    releaseMatrix(gpu, previous);
    [previous, current, sigma] = [current, filtered, next];
  }
  releaseMatrix(gpu, previous, mx);
  return current;
}
