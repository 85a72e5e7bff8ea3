/** The largest eigenpairs of a positive semi-definite operator. */
import residualCode from "../../shaders/residual_squares.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release } from "../gpu/mod.ts";
import { combine } from "./combine.ts";
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
import { orthonormalize, projectOut, uploadSmall } from "./orthonormalize.ts";
import { fillRandom, type Random, seededRandom } from "./random.ts";
import { inverseCholesky, smallProduct } from "./symmetric_eigen.ts";

const RESIDUAL: Kernel = { label: "residual_squares", code: residualCode };
const RESIDUAL_RUN = 64;
/** Blocks of the basis after which it is cut back to its best columns. */
const MOST_BLOCKS = 6;
/** A residual is also to be small beside its eigenvalue, or small eigenvalues would pass with any vector … */
const RELATIVE_TOLERANCE = 0.01;
/** … as far as float32 can tell, of an operator of norm 1 that does not say otherwise. */
const FLOAT32_FLOOR = 3e-7;
/** Squared length, relative to its own, below which a column counts as dependent on those before it in float32. */
const DEPENDENT = 1e-5;
/** Residuals of pairs beyond the missing ones that go into a block. */
const SPARE = 4;
/** Squared length, relative to its image's, below which a new direction is mostly rounding. */
const SPENT = 1e-6;

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
 * Lanczos with full reorthogonalisation and thick restart; Golub & Underwood 1977, Wu & Simon 2000): what a block's image
 * has outside of the basis joins it, made orthonormal, and the basis' best vectors are the answer. From the second block on
 * only the residuals of the pairs that have not converged go on, and a few more. Once the basis is six blocks wide, the
 * best third of it goes on alone.
 *
 * @param operator spectrum in [0, ∞); n at least three block widths (solve smaller ones densely)
 * @returns eigenpairs, largest first, with measured residuals ‖M x − λ x‖; `converged` false when it gave up
 *
 * Memory: up to 15 n × c blocks, c the width. Order of all reductions fixed: equal input and seed, equal bits.
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
  const mostBlocks = Math.max(2, Math.min(MOST_BLOCKS, Math.floor((n - taken) / width)));
  const basis: Basis = {
    ...{ vectors: [], images: [], size: 0 },
    ...{ gram: new Float64Array(), projected: new Float64Array() },
  };
  const held: GpuMatrix[] = [];
  let applications = 0, restarted = false;
  try {
    const start = await orthonormalize(
      gpu,
      options.start ?? randomBlock(gpu, n, fresh, random),
      known,
      random,
    );
    let block = mix(gpu, [start, ...known], identity(width), width, width);
    releaseMatrix(gpu, start);
    let knownResiduals: number[] = [];
    while (true) {
      const { next, nextGram, imageGram } = await extend(gpu, operator, basis, block, known);
      held.splice(0, held.length, next);
      if (applications++ === 0) {
        const squares = Array.from({ length: taken }, (_, i) => imageGram.data[(fresh + i) * (width + 1)]);
        knownResiduals = squares.map((square) => Math.sqrt(Math.max(0, square)));
        setAside(basis, fresh);
      }
      const { values, vectors } = ritzPairs(basis), sizeBefore = basis.size;
      const residuals = estimatedResiduals(vectors, basis.size, nextGram);
      const isGood = (at: number) => residuals[at] <= allowed(operator, values[at], tolerance);
      let good = 0;
      while (good < components && isGood(good)) good++;
      // The pair after the last one only feeds the eigengap: its value is already good to the square of its residual.
      const nextKnown = residuals[components] <= Math.max(tolerance, 0.05 * values[components - 1]);
      const giveUp = applications >= maxApplications;
      onProgress?.(good, components, Math.max(...residuals.slice(0, components)));
      if ((good === components && nextKnown) || giveUp) {
        const found = await measured(gpu, basis, values, vectors, components, restarted ? operator : null);
        const converged = nextKnown &&
          found.residuals.every((residual, at) => residual <= allowed(operator, values[at], tolerance));
        if (converged || giveUp) {
          return { ...found, knownResiduals, nextEigenvalue: values[components], applications, converged };
        }
        releaseMatrix(gpu, found.eigenvectors);
      }
      if (basis.size + width > mostBlocks * width) {
        await restart(gpu, basis, vectors, Math.max(1, Math.floor(mostBlocks / 3)) * width);
        restarted = true;
      }
      const missing = Array.from({ length: components + 1 }, (_, at) => at).filter((at) => !isGood(at));
      const directions = residualDirections(vectors, sizeBefore, missing, next.cols);
      held.length = 0;
      block = await nextBlock(
        gpu,
        directions
          ? await turned(gpu, { next, nextGram, imageGram }, directions)
          : { next, nextGram, imageGram },
        [...known, ...basis.vectors],
        random,
      );
    }
  } finally {
    releaseMatrix(gpu, ...basis.vectors, ...basis.images, ...held);
  }
}

function randomBlock(gpu: Gpu, rows: number, cols: number, random: Random): GpuMatrix {
  return uploadMatrix(
    gpu,
    { data: fillRandom(new Float32Array(rows * cols), random), rows, cols },
    "start block",
  );
}

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => Number(at % (n + 1) === 0));
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

/**
 * Adds a block and its image to the basis.
 *
 * @returns `next`, the part of the image that is orthogonal to the basis, with its Gram matrix and that of the image
 */
async function extend(
  gpu: Gpu,
  operator: SymmetricOperator,
  basis: Basis,
  block: GpuMatrix,
  known: GpuMatrix[],
): Promise<{ next: GpuMatrix; nextGram: Matrix; imageGram: Matrix }> {
  const image = allocateMatrix(gpu, block.rows, block.cols, "M · block");
  basis.vectors.push(block);
  basis.images.push(image);
  operator.apply(block, image);
  const grams = basis.vectors.map((v) => multiply(gpu, v, block, { transposeA: true }));
  const projected = basis.vectors.map((v) => multiply(gpu, v, image, { transposeA: true }));
  const inside = allocateMatrix(gpu, block.rows, block.cols, "image within the basis");
  basis.vectors.forEach((v, i) => multiply(gpu, v, projected[i], { out: inside, accumulate: i > 0 }));
  const outside = allocateMatrix(gpu, block.rows, block.cols, "image outside the basis");
  combine(gpu, outside, [1, image], [-1, inside]);
  releaseMatrix(gpu, inside);
  const next = projectOut(gpu, outside, known);
  const both = [
    multiply(gpu, next, next, { transposeA: true }),
    multiply(gpu, image, image, { transposeA: true }),
  ];
  const [nextGram, imageGram, ...parts] = await downloadMatrices(gpu, ...both, ...grams, ...projected);
  releaseMatrix(gpu, ...both, ...grams, ...projected);
  const count = basis.vectors.length;
  basis.gram = bordered(basis.gram, basis.size, parts.slice(0, count));
  basis.projected = bordered(basis.projected, basis.size, parts.slice(count));
  basis.size += block.cols;
  return { next, nextGram, imageGram };
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

/** The best eigenpairs within the basis: VᵀMV s = θ VᵀV s, values descending, coefficients s as columns. */
function ritzPairs({ size, gram, projected }: Basis): { values: Float64Array; vectors: Float64Array } {
  const { transform } = inverseCholesky(gram, size, 1e-6);
  const reduced = smallProduct(transform, smallProduct(projected, transform, size), size, true);
  const { values, vectors } = denseEigen(reduced, size);
  return { values, vectors: smallProduct(transform, vectors, size) };
}

/** ‖M x − θ x‖ of every Ritz pair: only the last block's image leaves the basis. */
function estimatedResiduals(vectors: Float64Array, size: number, { data, cols }: Matrix): number[] {
  const from = size - cols;
  return Array.from({ length: size }, (_, at) => {
    let squares = 0;
    for (let r = 0; r < cols; r++) {
      let sum = 0;
      for (let c = 0; c < cols; c++) sum += data[r * cols + c] * vectors[(from + c) * size + at];
      squares += sum * vectors[(from + r) * size + at];
    }
    return Math.sqrt(Math.max(0, squares));
  });
}

/** Σ blocks · rows of `coefficients`, size × size, from column 0 to `cols`. */
function mix(
  gpu: Gpu,
  blocks: GpuMatrix[],
  coefficients: Float64Array,
  size: number,
  cols: number,
): GpuMatrix {
  const out = allocateMatrix(gpu, blocks[0].rows, cols, "Ritz vectors");
  let row = 0;
  blocks.forEach((block, i) => {
    const part = new Float64Array(block.cols * cols);
    for (let r = 0; r < block.cols; r++, row++) {
      part.set(coefficients.subarray(row * size, row * size + cols), r * cols);
    }
    const rotation = uploadSmall(gpu, part, block.cols, cols, "Ritz rotation");
    multiply(gpu, block, rotation, { out, accumulate: i > 0 });
    releaseMatrix(gpu, rotation);
  });
  return out;
}

/** The leading Ritz vectors with residuals as measured, after a restart on images that are made afresh. */
async function measured(
  gpu: Gpu,
  { vectors, images, size }: Basis,
  values: Float64Array,
  coefficients: Float64Array,
  components: number,
  operator: SymmetricOperator | null,
): Promise<Pick<SubspaceResult, "eigenvectors" | "eigenvalues" | "residuals">> {
  const eigenvectors = mix(gpu, vectors, coefficients, size, components);
  const image = operator
    ? allocateMatrix(gpu, eigenvectors.rows, components, "M · eigenvectors")
    : mix(gpu, images, coefficients, size, components);
  operator?.apply(eigenvectors, image);
  const residuals = await residualNorms(gpu, eigenvectors, image, values.subarray(0, components));
  releaseMatrix(gpu, image);
  return { eigenvectors, eigenvalues: [...values.subarray(0, components)], residuals };
}

/** Cuts the basis back to its `keep` best vectors. */
async function restart(gpu: Gpu, basis: Basis, coefficients: Float64Array, keep: number): Promise<void> {
  const best = mix(gpu, basis.vectors, coefficients, basis.size, keep);
  const image = mix(gpu, basis.images, coefficients, basis.size, keep);
  releaseMatrix(gpu, ...basis.vectors.splice(0), ...basis.images.splice(0));
  basis.vectors.push(best);
  basis.images.push(image);
  const small = [best, image].map((x) => multiply(gpu, best, x, { transposeA: true }));
  const parts = await downloadMatrices(gpu, ...small);
  releaseMatrix(gpu, ...small);
  basis.size = keep;
  [basis.gram, basis.projected] = parts.map((part) => bordered(new Float64Array(), 0, [part]));
}

/** What the last image has outside of the basis, its Gram matrix, and that of the image. */
interface Outside {
  next: GpuMatrix;
  nextGram: Matrix;
  imageGram: Matrix;
}

/**
 * How `next` is combined into the residuals of the pairs that are missing and of the following ones, as far as there are any: sixteen
 * columns or a multiple of it; null where that is all of it.
 *
 * @param vectors Ritz vectors as columns, size × size
 * @param missing numbers of pairs, ascending
 * @param cols of `next`, the last rows of `vectors`
 */
function residualDirections(
  vectors: Float64Array,
  size: number,
  missing: number[],
  cols: number,
): Float64Array[] | null {
  const width = roundUp(missing.length + SPARE, 16);
  if (width >= cols) return null;
  const after = (missing.at(-1) ?? -1) + 1,
    following = Array.from({ length: size - after }, (_, i) => after + i);
  const pairs = [...missing, ...following].slice(0, width);
  return pairs.map((pair) =>
    Float64Array.from({ length: cols }, (_, r) => vectors[(size - cols + r) * size + pair])
  );
}

/** Combines columns; `next` is released. */
async function turned(
  gpu: Gpu,
  { next, imageGram }: Outside,
  directions: Float64Array[],
): Promise<Outside> {
  const cols = next.cols, width = directions.length;
  const rotation = uploadSmall(
    gpu,
    Float64Array.from({ length: cols * width }, (_, at) => directions[at % width][Math.floor(at / width)]),
    ...[cols, width, "residual directions"] as const,
  );
  const residuals = multiply(gpu, next, rotation),
    gram = multiply(gpu, residuals, residuals, { transposeA: true });
  const nextGram = await downloadMatrix(gpu, gram);
  releaseMatrix(gpu, next, rotation, gram);
  const squares = new Float32Array(width * width);
  directions.forEach((s, i) => {
    for (let r = 0; r < cols; r++) {
      for (let c = 0; c < cols; c++) squares[i * (width + 1)] += s[r] * s[c] * imageGram.data[r * cols + c];
    }
  });
  return { next: residuals, nextGram, imageGram: { data: squares, rows: width, cols: width } };
}

/** The next block of the basis from what the last image has outside of it; `next` is released. */
async function nextBlock(
  gpu: Gpu,
  { next, nextGram, imageGram }: Outside,
  against: GpuMatrix[],
  random: Random,
): Promise<GpuMatrix> {
  const c = next.cols;
  const isSpent = Array.from({ length: c }, (_, i) => i * (c + 1)).some((at) =>
    !(nextGram.data[at] > SPENT * imageGram.data[at])
  );
  if (!isSpent) {
    const { transform, deficient } = inverseCholesky(Float64Array.from(nextGram.data), c, DEPENDENT);
    if (deficient.length === 0) {
      const t = uploadSmall(gpu, transform, c, c, "inverse Cholesky factor");
      const scaled = multiply(gpu, next, t);
      releaseMatrix(gpu, t, next);
      return projectOut(gpu, scaled, against);
    }
  }
  return await orthonormalize(gpu, next, against, random);
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
function allowed({ floor = FLOAT32_FLOOR }: SymmetricOperator, value: number, tolerance: number): number {
  return Math.min(tolerance, Math.max(RELATIVE_TOLERANCE * value, floor));
}
