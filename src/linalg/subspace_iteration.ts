/** The largest eigenpairs of a positive semi-definite operator. */
import residualCode from "../../shaders/residual_squares.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release } from "../gpu/mod.ts";
import { combineRows } from "./combine_rows.ts";
import { denseEigen } from "./dense_eigen.ts";
import { multiply, sumSlabs } from "./matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
  rowWindows,
  uploadMatrix,
} from "./matrix.ts";
import { orthonormalize, uploadSmall } from "./orthonormalize.ts";
import { fillRandom, type Random, seededRandom } from "./random.ts";
import { inverseCholesky, smallProduct } from "./symmetric_eigen.ts";

const RESIDUAL: Kernel = { label: "residual_squares", code: residualCode };
const RESIDUAL_RUN = 64;
/** Blocks of the basis after which it is cut back to its best columns. */
const MOST_BLOCKS = 6;
/** Columns of a block that follows the first one, at most. */
const MOST_COLUMNS = 64;
/** A residual is also to be small beside its eigenvalue, or small eigenvalues would pass with any vector … */
const RELATIVE_TOLERANCE = 0.01;
/** … as far as float32 can tell, of an operator of norm 1 that does not say otherwise. */
export const FLOAT32_FLOOR = 3e-7;
/** Squared length, relative to its own, below which a column counts as dependent on those before it in float32. */
const DEPENDENT = 1e-5;
/** Pairs beyond the missing ones whose residuals go into a block, at least. */
const SPARE = 4;
/** Residual, relative to the largest eigenvalue, below which its direction is mostly rounding. */
const ROUNDING = 3e-7;
/** Applications without progress after which images are made afresh, and after as many again the solver gives up. */
const PATIENCE = 24;
/** Share of the excess over the tolerance, in logarithms, below which it counts as progress. */
const PROGRESS = 0.95;
/** Times that images are made afresh before the solver gives up. */
const MOST_REFRESHES = 2;

/** A symmetric n × n operator that can be applied to a block of columns. */
export interface SymmetricOperator {
  size: number;
  /** out ← M x, both n × c; x and out differ. */
  apply(x: GpuMatrix, out: GpuMatrix): void;
  /** The residual ‖M x − λ x‖ of a unit vector x that float32 can tell from 0 when M is applied; default 3e-7. */
  floor?: number;
}

/** Settings of the eigensolver. */
export interface SubspaceOptions {
  /** Eigenpairs wanted. */
  components: number;
  /** Largest ‖M x − λ x‖ of a pair that counts as converged; default 1e-5, and never above 1 % of λ (or the operator's floor). */
  tolerance?: number;
  seed?: number;
  /** Columns to start from, more than `components`; released. Blocks are as wide, known columns included. Default: random. */
  start?: GpuMatrix;
  /** Operator applications to a block after which to give up; default 400. */
  maxApplications?: number;
  /** Orthonormal eigenvectors already taken out of the operator; what is found is kept orthogonal to them. */
  known?: GpuMatrix[];
  /** Told after every application: pairs converged, of how many, and the largest residual among all wanted. */
  onProgress?: (done: number, wanted: number, residual: number) => void;
}

/** What the eigensolver found. */
export interface SubspaceResult {
  /** n × components, orthonormal columns in the order of `eigenvalues`; to be released. */
  eigenvectors: GpuMatrix;
  /** Descending. */
  eigenvalues: number[];
  /** ‖M x − λ x‖ as measured. */
  residuals: number[];
  /** ‖M x‖ of every known eigenvector, which the operator is to have been freed from. */
  knownResiduals: number[];
  /** Estimate of the eigenvalue after the last one wanted. */
  nextEigenvalue: number;
  /** Applications of the operator to a block. */
  applications: number;
  converged: boolean;
}

/** Block width that holds `components`, the next one, and a few more, which make the rest converge sooner. */
export function blockWidth(components: number): number {
  return roundUp(components + 1 + Math.max(4, Math.ceil(components / 4)), 16);
}

/** Orthonormal blocks V and their images M V, with VᵀV and VᵀMV as they are in float32. */
interface Basis {
  vectors: GpuMatrix[];
  images: GpuMatrix[];
  size: number;
  gram: Float64Array;
  projected: Float64Array;
}

/**
 * The largest eigenpairs of a positive semi-definite operator by block Krylov subspace iteration with Rayleigh–Ritz (block
 * Davidson with thick restart; Golub & Underwood 1977, Wu & Simon 2000): the residuals M x − λ x of the basis' best pairs, as
 * far as these have not converged, and of a few that follow, made orthonormal, join the basis. Residuals are made from all
 * images at every step, so that nothing is lost by what does not join. Once the basis is six blocks wide, the best third of it
 * goes on alone. What then passes is measured again on images made afresh; where these say otherwise, or nothing has moved for
 * long, all go on from fresh images, and in the end it gives up.
 *
 * @param operator spectrum in [0, ∞); n at least three block widths (solve smaller ones densely)
 * @returns eigenpairs, largest first, with measured residuals ‖M x − λ x‖; `converged` false when it gave up
 *
 * Memory: up to 14 n × c blocks, c the width. Order of all reductions fixed: equal input and seed, equal bits.
 */
export async function subspaceIteration(
  gpu: Gpu,
  operator: SymmetricOperator,
  options: SubspaceOptions,
): Promise<SubspaceResult> {
  const { components, tolerance = 1e-5, seed = 0, maxApplications = 400, known = [], onProgress } = options;
  const n = operator.size, random = seededRandom(seed);
  const taken = known.reduce((sum, { cols }) => sum + cols, 0);
  const fresh = options.start?.cols ?? Math.min(blockWidth(components), n) - taken, width = fresh + taken;
  const columns = Math.min(width, MOST_COLUMNS), most = mostColumns(n - taken, width, columns);
  const kept = Math.max(Math.floor(most / 3), Math.min(width, most - columns));
  const basis: Basis = {
    vectors: [],
    images: [],
    size: 0,
    gram: new Float64Array(),
    projected: new Float64Array(),
  };
  const held: GpuMatrix[] = [], looked = roundUp(components + 1 + SPARE, 16);
  let applications = 1, aside = taken, isRecycled = false, refreshes = 0, least = Infinity, stale = 0;
  /** Goes on with the best pairs alone, from images made afresh. */
  const refresh = async (ritz: RitzPairs) => {
    const best = mix(gpu, basis.vectors, ritz, ritz.vectors, Math.min(kept, ritz.cols));
    clear(gpu, basis);
    await extend(gpu, operator, basis, await orthonormalize(gpu, best, known, random));
    applications++;
    refreshes++;
    [aside, isRecycled, least, stale] = [0, false, Infinity, 0];
  };
  try {
    const start = await orthonormalize(
      gpu,
      options.start ?? randomBlock(gpu, n, fresh, random),
      known,
      random,
    );
    const first = joined(gpu, [start, ...known]);
    releaseMatrix(gpu, start);
    const lengths = await extend(gpu, operator, basis, first);
    setAside(basis, fresh);
    while (true) {
      releaseMatrix(gpu, ...held.splice(0));
      const ritz = ritzPairs(basis, Math.max(kept, looked), aside), { values } = ritz;
      const rest = await residuals(gpu, basis, ritz, Math.min(looked, ritz.cols)), { norms } = rest;
      held.push(rest.block);
      const isGood = (at: number) => norms[at] <= allowed(operator, values[at], tolerance);
      let good = 0;
      while (good < components && isGood(good)) good++;
      // The pair after the last one only feeds the eigengap: its value is already good to the square of its residual.
      const nextKnown = norms[components] <= Math.max(tolerance, 0.05 * values[components - 1]);
      onProgress?.(good, components, Math.max(...norms.slice(0, components)));
      const excess = norms.slice(0, components + 1).reduce(
        (sum, norm, at) => sum + Math.max(0, Math.log(norm / allowed(operator, values[at], tolerance))),
        0,
      );
      stale = excess < PROGRESS * least ? 0 : stale + 1;
      least = Math.min(least, excess);
      const isRounding = norms.slice(0, components + 1).every((norm, at) =>
        isGood(at) || norm <= 10 * (operator.floor ?? FLOAT32_FLOOR)
      );
      const isStuck = stale >= (isRounding ? PATIENCE / 4 : PATIENCE);
      const isDone = good === components && nextKnown;
      const giveUp = applications >= maxApplications || refreshes === MOST_REFRESHES && (isDone || isStuck);
      if (isDone || giveUp) {
        const eigenvectors = mix(gpu, basis.vectors, ritz, ritz.vectors, components);
        const eigenvalues = [...values.subarray(0, components)];
        const measured = isRecycled
          ? await measure(gpu, operator, eigenvectors, eigenvalues)
          : norms.slice(0, components);
        const isMeasured = measured.every((norm, at) => norm <= allowed(operator, values[at], tolerance));
        if (giveUp || isMeasured) {
          return {
            eigenvectors,
            eigenvalues,
            residuals: measured,
            knownResiduals: lengths.slice(fresh),
            nextEigenvalue: values[components],
            applications,
            converged: isDone && isMeasured,
          };
        }
        releaseMatrix(gpu, eigenvectors);
      }
      if (isDone || isStuck) {
        await refresh(ritz);
        continue;
      }
      const missing = Array.from({ length: components + 1 }, (_, at) => at).filter((at) => !isGood(at));
      const block = directions(gpu, rest, missing, columns, ROUNDING * values[0]) ??
        randomBlock(gpu, n, Math.min(16, columns), random);
      held.push(block);
      if (basis.size + block.cols > most) {
        await restart(gpu, basis, ritz, kept);
        [aside, isRecycled] = [0, true];
      }
      held.pop();
      await extend(
        gpu,
        operator,
        basis,
        await orthonormalize(gpu, block, [...known, ...basis.vectors], random),
      );
      applications++;
    }
  } finally {
    clear(gpu, basis);
    releaseMatrix(gpu, ...held);
  }
}

function randomBlock(gpu: Gpu, rows: number, cols: number, random: Random): GpuMatrix {
  return uploadMatrix(
    gpu,
    { data: fillRandom(new Float32Array(rows * cols), random), rows, cols },
    "start block",
  );
}

/** Makes the basis' columns from `first` on, which are known eigenvectors, pairs of their own below all others. */
function setAside({ size, gram, projected }: Basis, first: number): void {
  for (let r = first; r < size; r++) {
    for (let c = 0; c < size; c++) {
      gram[r * size + c] = gram[c * size + r] = Number(r === c);
      projected[r * size + c] = projected[c * size + r] = -Number(r === c);
    }
  }
}

/** Adds a block and its image to the basis. @returns the lengths of the image's columns */
async function extend(
  gpu: Gpu,
  operator: SymmetricOperator,
  basis: Basis,
  block: GpuMatrix,
): Promise<number[]> {
  const image = allocateMatrix(gpu, block.rows, block.cols, "M · block");
  basis.vectors.push(block);
  basis.images.push(image);
  operator.apply(block, image);
  const grams = basis.vectors.map((v) => multiply(gpu, v, block, { transposeA: true }));
  const projected = basis.vectors.map((v) => multiply(gpu, v, image, { transposeA: true }));
  const own = multiply(gpu, image, image, { transposeA: true });
  const [{ data }, ...parts] = await downloadMatrices(gpu, own, ...grams, ...projected);
  releaseMatrix(gpu, own, ...grams, ...projected);
  const count = basis.vectors.length;
  basis.gram = bordered(basis.gram, basis.size, parts.slice(0, count));
  basis.projected = bordered(basis.projected, basis.size, parts.slice(count));
  basis.size += block.cols;
  return Array.from({ length: block.cols }, (_, c) => Math.sqrt(Math.max(0, data[c * (block.cols + 1)])));
}

/** A symmetric matrix with one more block of columns, given from the top to the diagonal, and of rows. */
function bordered(matrix: Float64Array, size: number, column: Matrix[]): Float64Array {
  const added = column[0].cols, n = size + added;
  const out = new Float64Array(n * n);
  for (let r = 0; r < size; r++) out.set(matrix.subarray(r * size, (r + 1) * size), r * n);
  let row = 0;
  for (const { data, rows } of column) {
    for (let r = 0; r < rows; r++, row++) {
      for (let c = 0; c < added; c++) {
        const value = data[r * added + c];
        if (row < size) out[row * n + size + c] = out[(size + c) * n + row] = value;
        else out[row * n + size + c] = (value + data[c * added + r]) / 2;
      }
    }
  }
  return out;
}

/** The best eigenpairs within a basis. */
interface RitzPairs {
  /** Descending. */
  values: Float64Array;
  /** What combines the basis into them: its size × cols. */
  vectors: Float64Array;
  cols: number;
}

/**
 * The best eigenpairs within the basis: VᵀMV s = θ VᵀV s, values descending, coefficients s as columns.
 *
 * @param most pairs, if there are as many
 * @param aside pairs set aside, below all others
 */
function ritzPairs({ size, gram, projected }: Basis, most: number, aside: number): RitzPairs {
  const { transform, deficient } = inverseCholesky(gram, size, 1e-6);
  const reduced = smallProduct(transform, smallProduct(projected, transform, size), size, true);
  for (const column of deficient) reduced[column * (size + 1)] = -1;
  const cols = Math.min(most, size - aside - deficient.length);
  const { values, vectors } = denseEigen(reduced, size, cols), coefficients = new Float64Array(size * cols);
  const rows = Array.from({ length: size }, (_, r) => r * cols);
  combineRows(transform, { data: vectors, rows, length: cols }, {
    data: coefficients,
    stride: cols,
    first: 0,
  });
  return { values, vectors: coefficients, cols };
}

/** Blocks side by side. */
function joined(gpu: Gpu, blocks: GpuMatrix[]): GpuMatrix {
  const cols = blocks.reduce((sum, block) => sum + block.cols, 0);
  const identity = Float64Array.from({ length: cols * cols }, (_, at) => Number(at % (cols + 1) === 0));
  return mix(gpu, blocks, { cols }, identity, cols);
}

/**
 * Σ blocks · rows of `coefficients`, added to `onto` where there is one.
 *
 * @param coefficients as many rows as the blocks have columns, `pairs.cols` columns
 * @param cols leading columns that are made
 */
function mix(
  gpu: Gpu,
  blocks: GpuMatrix[],
  pairs: { cols: number },
  coefficients: Float64Array,
  cols: number,
  onto?: GpuMatrix,
): GpuMatrix {
  const out = onto ?? allocateMatrix(gpu, blocks[0].rows, cols, "Ritz vectors");
  let row = 0;
  blocks.forEach((block, i) => {
    const part = new Float64Array(block.cols * cols);
    for (let r = 0; r < block.cols; r++, row++) {
      part.set(coefficients.subarray(row * pairs.cols, row * pairs.cols + cols), r * cols);
    }
    const rotation = uploadSmall(gpu, part, block.cols, cols, "Ritz rotation");
    multiply(gpu, block, rotation, { out, accumulate: onto !== undefined || i > 0 });
    releaseMatrix(gpu, rotation);
  });
  return out;
}

/** Residuals as columns, their lengths, and their Gram matrix. */
interface Residuals {
  block: GpuMatrix;
  norms: number[];
  gram: Matrix;
}

/** M x − θ x of the leading `count` Ritz pairs. */
async function residuals(gpu: Gpu, basis: Basis, ritz: RitzPairs, count: number): Promise<Residuals> {
  const block = mix(gpu, basis.images, ritz, ritz.vectors, count);
  mix(gpu, basis.vectors, ritz, ritz.vectors.map((s, at) => -s * ritz.values[at % ritz.cols]), count, block);
  const product = multiply(gpu, block, block, { transposeA: true });
  const gram = await downloadMatrix(gpu, product);
  releaseMatrix(gpu, product);
  const norms = Array.from({ length: count }, (_, c) => Math.sqrt(Math.max(0, gram.data[c * (count + 1)])));
  return { block, norms, gram };
}

/** Residuals of eigenpairs on an image that is made afresh. */
async function measure(
  gpu: Gpu,
  operator: SymmetricOperator,
  eigenvectors: GpuMatrix,
  eigenvalues: number[],
): Promise<number[]> {
  const image = allocateMatrix(gpu, eigenvectors.rows, eigenvectors.cols, "M · eigenvectors");
  operator.apply(eigenvectors, image);
  const norms = await residualNorms(gpu, eigenvectors, image, Float64Array.from(eigenvalues));
  releaseMatrix(gpu, image);
  return norms;
}

/** Empties the basis. */
function clear(gpu: Gpu, basis: Basis): void {
  releaseMatrix(gpu, ...basis.vectors.splice(0), ...basis.images.splice(0));
  basis.size = 0;
  basis.gram = basis.projected = new Float64Array();
}

/** Cuts the basis back to its `keep` best vectors. */
async function restart(gpu: Gpu, basis: Basis, ritz: RitzPairs, keep: number): Promise<void> {
  const cols = Math.min(keep, ritz.cols);
  const best = mix(gpu, basis.vectors, ritz, ritz.vectors, cols);
  const image = mix(gpu, basis.images, ritz, ritz.vectors, cols);
  clear(gpu, basis);
  basis.vectors.push(best);
  basis.images.push(image);
  const small = [best, image].map((x) => multiply(gpu, best, x, { transposeA: true }));
  const parts = await downloadMatrices(gpu, ...small);
  releaseMatrix(gpu, ...small);
  basis.size = cols;
  [basis.gram, basis.projected] = parts.map((part) => bordered(new Float64Array(), 0, [part]));
}

/**
 * Unit columns that span the residuals of the missing pairs and of those that follow: sixteen columns or a multiple of it, where there are
 * as many that are more than rounding; null where there are none.
 *
 * @param missing numbers of pairs, ascending
 * @param most columns
 * @param rounding length below which a residual is left out
 */
function directions(
  gpu: Gpu,
  { block, norms, gram }: Residuals,
  missing: number[],
  most: number,
  rounding: number,
): GpuMatrix | null {
  const after = (missing.at(-1) ?? -1) + 1, count = norms.length;
  const following = Array.from({ length: Math.max(0, count - after) }, (_, i) => after + i);
  const chosen = [...missing, ...following].slice(0, Math.min(most, roundUp(missing.length + SPARE, 16)))
    .filter((pair) => norms[pair] > rounding);
  const c = chosen.length;
  const own = Float64Array.from(
    { length: c * c },
    (_, at) => gram.data[chosen[Math.floor(at / c)] * count + chosen[at % c]],
  );
  const { transform, deficient } = inverseCholesky(own, c, DEPENDENT);
  const columns = Array.from({ length: c }, (_, at) => at).filter((at) => !deficient.includes(at));
  if (columns.length === 0) return null;
  const rotation = new Float64Array(count * columns.length);
  chosen.forEach((pair, r) =>
    columns.forEach((column, at) => rotation[pair * columns.length + at] = transform[r * c + column])
  );
  return mix(gpu, [block], { cols: columns.length }, rotation, columns.length);
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
export function allowed(
  { floor = FLOAT32_FLOOR }: Pick<SymmetricOperator, "floor">,
  value: number,
  tolerance: number,
): number {
  return Math.min(tolerance, Math.max(RELATIVE_TOLERANCE * value, floor));
}

/** Columns that a basis grows to: six blocks, the first of `width` and others of `columns`. */
function mostColumns(rows: number, width: number, columns: number): number {
  return Math.max(width + 16, Math.min(width + (MOST_BLOCKS - 1) * columns, rows));
}
