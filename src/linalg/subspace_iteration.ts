/** The largest eigenpairs of a positive semi-definite operator. */
import type { Gpu } from "../gpu/mod.ts";
import { multiply } from "./matmul.ts";
import {
  allocateMatrix,
  downloadMatrices,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
  uploadMatrix,
} from "./matrix.ts";
import { orthonormalize, orthonormalizeBoth } from "./orthonormalize.ts";
import { fillRandom, type Random, seededRandom } from "./random.ts";
import { inverseCholesky } from "./symmetric_eigen.ts";
import { allowed, FLOAT32_FLOOR, measure, type Residuals, residuals, ROUNDING } from "./ritz_residuals.ts";
import {
  type AppliedBlock,
  type Basis,
  joined,
  mix,
  type RitzPairs,
  ritzPairs,
  type SymmetricOperator,
} from "./ritz_pairs.ts";

/** Blocks of the basis after which it is cut back to its best columns. */
const MAX_BLOCKS = 6;
/** Columns of a block that follows the first one, at most. */
const MAX_COLUMNS = 64;
/** Squared length, relative to its own, below which a column counts as dependent on those before it in float32. */
const DEPENDENT = 1e-5;
/** Pairs beyond the missing ones whose residuals go into a block, at least. */
const SPARE = 4;
/** Applications without progress after which images are made afresh, and after as many again the solver gives up. */
const PATIENCE = 24;
/** Share of the excess over the tolerance, in logarithms, below which it counts as progress. */
const PROGRESS = 0.95;
/** Times that images are made afresh before the solver gives up. */
const MAX_REFRESHES = 2;

/** Settings of the eigensolver. */
export interface SubspaceOptions {
  /** Eigenpairs wanted. */
  components: number;
  /** Largest ‖M x − λ x‖ of a pair that counts as converged; default 1e-5, and never above 1 % of λ (or the operator's floor). */
  tolerance?: number;
  seed?: number;
  /** Columns to start from, more than `components`; released. Blocks are as wide, known columns included. Default: random. */
  start?: GpuMatrix;
  /** Columns and their images to start from instead, the known eigenvectors last among them; released. */
  begun?: AppliedBlock;
  /** Operator applications to a block after which to give up; default 400. */
  maxApplications?: number;
  /** Orthonormal eigenvectors already taken out of the operator; what is found is kept orthogonal to them. */
  known?: GpuMatrix[];
  /** Called after each application with the pairs converged, of how many, and the largest residual among all wanted. */
  onProgress?: (done: number, wanted: number, residual: number) => void;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
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
  const { components, tolerance = 1e-5, seed = 0, maxApplications = 400, known = [], onProgress, signal } =
    options;
  const n = operator.size, random = seededRandom(seed);
  const taken = known.reduce((sum, { cols }) => sum + cols, 0);
  const { begun } = options,
    width = begun?.vectors.cols ??
      (options.start ? options.start.cols + taken : Math.min(blockWidth(components), n));
  const fresh = width - taken;
  const columns = Math.min(width, MAX_COLUMNS), most = mostColumns(n - taken, width, columns);
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
  if (begun) held.push(begun.vectors, begun.images);
  try {
    const ready = begun && await orthonormalizeBoth(gpu, begun.vectors, begun.images, taken);
    let lengths: number[];
    if (ready) lengths = await join(gpu, basis, { vectors: ready[0], images: ready[1] });
    else {
      const columns = options.start ??
        (begun ? leading(gpu, begun.vectors, fresh) : randomBlock(gpu, n, fresh, random));
      const start = await orthonormalize(gpu, columns, known, random), first = joined(gpu, [start, ...known]);
      releaseMatrix(gpu, start);
      lengths = await extend(gpu, operator, basis, first);
    }
    setAside(basis, fresh);
    while (true) {
      signal?.throwIfAborted();
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
      const giveUp = applications >= maxApplications || refreshes === MAX_REFRESHES && (isDone || isStuck);
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

/** The first columns of a matrix. */
function leading(gpu: Gpu, x: GpuMatrix, cols: number): GpuMatrix {
  const identity = Float64Array.from(
    { length: x.cols * cols },
    (_, at) => Number(at % cols === Math.floor(at / cols)),
  );
  return mix(gpu, [x], { cols }, identity, cols);
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
  operator.apply(block, image);
  return await join(gpu, basis, { vectors: block, images: image });
}

/** Adds a block to the basis whose image is known. @returns the lengths of the image's columns */
async function join(
  gpu: Gpu,
  basis: Basis,
  { vectors: block, images: image }: AppliedBlock,
): Promise<number[]> {
  basis.vectors.push(block);
  basis.images.push(image);
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

/** Columns that a basis grows to: six blocks, the first of `width` and others of `columns`. */
function mostColumns(rows: number, width: number, columns: number): number {
  return Math.max(width + 16, Math.min(width + (MAX_BLOCKS - 1) * columns, rows));
}
