/** One space for all slots in closed form: every slot by ridge regression to the same components of the responses. */
import type { Gpu } from "../gpu/mod.ts";
import { cholesky, releaseFactor, solveCholesky } from "../linalg/cholesky.ts";
import { columnErrors } from "../linalg/column_errors.ts";
import { denseEigen } from "../linalg/dense_eigen.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  assertMatrix,
  downloadMatrices,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { subspaceIteration } from "../linalg/subspace_iteration.ts";
import { crossValidationFolds } from "./folds.ts";
import { type AlignModel, type AlignSlot, slotOffset } from "./model.ts";
import { assertImages, meansOf } from "./standard_columns.ts";

/** Settings of `fitSpace`. */
export interface SpaceOptions {
  /** Components of the responses that all slots are regressed on, at most images − 1 and voxels; default 64. */
  components?: number;
  /**
   * Noise ceiling of every voxel, its explainable share of variance, 0 to 1: voxels count by it when the components are made.
   * Default: all alike.
   */
  noiseCeiling?: ArrayLike<number>;
  /** Of the folds that choose penalties of the encoder; default 0. */
  seed?: number;
  /** Told how many slots are fitted, of how many passes over them. */
  onProgress?: (done: number, total: number) => void;
}

/** What was chosen for a slot, and how well it predicts the components of images that it was not fitted on. */
export interface SlotFit {
  /** Penalty, in units of the mean of the Gram matrix' diagonal. */
  alpha: number;
  /** 1 − squared error / squares of the components, leaving one image out at a time: 0 and below is nothing. */
  explained: number;
}

/** A space that slots have been brought into, and what it takes to bring further ones. */
export interface AlignedSpace {
  /** W_l, their means, β and ε; D′ is twice the components: what slots share, then what the encoder adds. */
  model: AlignModel;
  /** One a slot. */
  fits: SlotFit[];
  /** From centred responses to the components: voxels × components. */
  basis: Matrix;
  /** Mean response of every voxel. */
  center: Float32Array;
  /** Share of the (weighted) responses' variance that the components hold. */
  held: number;
}

/** Penalties of a slot to choose from, in units of the mean of its Gram matrix' diagonal. */
const ALPHAS = [10, 1, 0.1, 0.01, 0.001];
/** What float32 can still solve: the least penalty, in units of the sum of the diagonal. */
const LEAST_ALPHA = 4e-6;
/** Penalties of the encoder to choose from, and folds; the kernel's largest eigenvalue is below 1. */
const GAMMAS = [1, 0.3, 0.1, 0.03, 0.01], FOLDS = 5;
/** Exponent of the components' singular values: 1 lets the first one drown the rest, 0 takes all for equal. */
const SCALE = 0.5;
/** Length of the encoder's channels beside the shared ones: a hundredth of the squares that a cosine is made of. */
const BESIDE = 0.1;
/** Images up to which the components are solved densely, on the host. */
const DENSE = 2048;

/**
 * Brings all slots into one space in closed form (METHOD, "An alignment that meets"), and fits the brain encoder on it.
 *
 * With the centred responses (weighted by √ceiling where that is known) Y = U S Vᵀ, every slot is regressed, for itself, on the
 * same T = U S^½ of the leading components: W_l = (P_lᵀP_l + α_l I)⁻¹ P_lᵀ T with its centred pooled features P_l, α_l by
 * the error of leaving one image out. A channel of the space so means the same for all slots.
 *
 * The mean of the slots' predictions, H T with H = (1/L) Σ_l P_l (P_lᵀP_l + α_l I)⁻¹ P_lᵀ, is shrunk. The encoder takes
 * this back by as many further channels: every slot is regressed likewise on R = (H + γ I)⁻¹ T − T, so that the sum over
 * slots is kernel ridge regression with the mean of the slots' kernels (γ by cross-validation, for every component).
 * These channels are a tenth as long as the others, so that cosines, and with them the graph, see the shared ones.
 *
 * @param slots in the order of the pooled columns
 * @param pooled images × Σ D_l, each slot's mean over tokens
 * @param responses images × voxels
 * @returns the space; `applyAlign` takes tokens into it as V′_l = (V_l − mean_l) W_l, `predictResponses` is METHOD (2)
 * @throws RangeError when sizes differ, a value is not finite, there are fewer than 10 images, a slot's pooled features are
 *   the same in all images, or no voxel varies
 *
 * Cost: for every slot and penalty D_l³ / 3 + 2 D_l² images; images² · Σ D_l, and 25 factors of images × images.
 * Memory: two matrices of images × images. The same bits on every run.
 */
export async function fitSpace(
  gpu: Gpu,
  slots: AlignSlot[],
  pooled: Matrix,
  responses: Matrix,
  options: SpaceOptions = {},
): Promise<AlignedSpace> {
  const { noiseCeiling, seed = 0, onProgress } = options;
  assertSlots(slots, pooled, responses);
  const images = pooled.rows;
  if (images < 2 * FOLDS) {
    throw new RangeError(`There are ${images} images: a space is fitted on at least ${2 * FOLDS}.`);
  }
  const asked = Math.min(options.components ?? 64, images - 1, responses.cols);
  const { targets, basis, beta, center, held } = await responseComponents(
    gpu,
    responses,
    asked,
    noiseCeiling,
  );
  const components = targets.cols; // fewer where the responses have no more
  const means = Float32Array.from(meansOf(pooled, all(images)));
  const kernel = uploadMatrix(gpu, zeros(images, images), "mean kernel of the slots");
  const right = uploadMatrix(gpu, targets, "components of the responses");
  try {
    const shared: Matrix[] = [], fits: SlotFit[] = [], total = 2 * slots.length;
    for (const [l, slot] of slots.entries()) {
      const features = centredSlot(slots, l, pooled, means);
      const { fit, transform } = await fitPenalty(gpu, slot, features, right, targets, kernel);
      fits.push(fit);
      shared.push(transform);
      onProgress?.(l + 1, total);
    }
    const rest = await shrinkage(gpu, kernel, slots.length, targets, seed);
    const beside = BESIDE * norm(targets) / (norm(rest) || 1);
    const scaled = uploadMatrix(gpu, { ...rest, data: rest.data.map((v) => v * beside) }, "shrinkage");
    const further: Matrix[] = [];
    try {
      for (const [l, slot] of slots.entries()) {
        further.push(
          await solveSlot(gpu, slot, centredSlot(slots, l, pooled, means), scaled, fits[l].alpha),
        );
        onProgress?.(slots.length + l + 1, total);
      }
    } finally {
      releaseMatrix(gpu, scaled);
    }
    const transforms = zeros(pooled.cols, 2 * components);
    slots.forEach((_, l) => writeSlot(transforms, slotOffset(slots, l), shared[l], further[l]));
    const encoder = zeros(2 * components, responses.cols);
    beta.data.forEach((value, at) => {
      encoder.data[at] = value / slots.length;
      encoder.data[beta.data.length + at] = value / slots.length / beside;
    });
    const model = { slots, means, shared: components, transforms, beta: encoder, epsilon: center };
    return { model, fits, basis, center, held };
  } finally {
    releaseMatrix(gpu, kernel, right);
  }
}

/**
 * Brings one more slot into a space, as a fourth model's layer: ridge regression from its pooled features to the components
 * of the responses, which `fitSpace` made; nothing of the other slots changes but their share of the encoder's mean.
 *
 * @param space as `fitSpace` returns it, or this function
 * @param slot its name and channels
 * @param pooled images × D_l: its pooled features of some images, not necessarily those that the space was fitted on
 * @param responses images × voxels: of the same voxels as the space's, to these images
 * @returns the space with the slot behind the others; the given one stays as it is
 * @throws RangeError when sizes differ, a value is not finite, the space has a slot of that name, or the pooled features are
 *   the same in all images
 */
export async function fitSlot(
  gpu: Gpu,
  space: AlignedSpace,
  slot: AlignSlot,
  pooled: Matrix,
  responses: Matrix,
): Promise<AlignedSpace> {
  const { model, basis, center } = space;
  assertSlots([slot], pooled, responses);
  if (responses.cols !== basis.rows) {
    throw new RangeError(
      `There are responses of ${responses.cols} voxels, the space was fitted on ${basis.rows}: give the same ones.`,
    );
  }
  if (model.slots.some(({ name }) => name === slot.name)) {
    throw new RangeError(`The space has a slot ${slot.name} already: name the new one differently.`);
  }
  const targets = await componentsOf(gpu, responses, basis, center);
  const means = Float32Array.from(meansOf(pooled, all(pooled.rows)));
  const right = uploadMatrix(gpu, targets, "components of the responses");
  try {
    const features = centredSlot([slot], 0, pooled, means);
    const { fit, transform } = await fitPenalty(gpu, slot, features, right, targets);
    const count = model.slots.length, { rows, cols } = model.transforms;
    const transforms = zeros(rows + slot.width, cols);
    transforms.data.set(model.transforms.data);
    writeSlot(transforms, rows, transform);
    // The shared channels' mean is over one slot more; what the encoder adds is the other slots'.
    const half = model.beta.data.length / 2;
    const beta = {
      ...model.beta,
      data: model.beta.data.map((v, at) => at < half ? v * count / (count + 1) : v),
    };
    return {
      ...space,
      fits: [...space.fits, fit],
      model: {
        slots: [...model.slots, slot],
        means: Float32Array.from([...model.means!, ...means]),
        shared: model.shared,
        transforms,
        beta,
        epsilon: model.epsilon,
      },
    };
  } finally {
    releaseMatrix(gpu, right);
  }
}

/** Leading components of the centred responses, and the encoder from there. */
interface Components {
  /** T = U S^½, images × components. */
  targets: Matrix;
  /** From centred responses to T: voxels × components. */
  basis: Matrix;
  /** From T back to the responses, components × voxels: what is nearest to them. */
  beta: Matrix;
  center: Float32Array;
  held: number;
}

async function responseComponents(
  gpu: Gpu,
  responses: Matrix,
  components: number,
  noiseCeiling?: ArrayLike<number>,
): Promise<Components> {
  const { rows: images, cols: voxels } = responses;
  const weights = voxelWeights(voxels, noiseCeiling);
  const center = Float32Array.from(meansOf(responses, all(images)));
  const centred = responses.data.map((value, at) => value - center[at % voxels]);
  const y = uploadMatrix(gpu, { ...responses, data: centred }, "centred responses");
  const weighted = uploadMatrix(gpu, {
    ...responses,
    data: weights ? centred.map((value, at) => value * weights[at % voxels]) : centred,
  }, "weighted responses");
  const gram = multiply(gpu, weighted, weighted, { transposeB: true });
  try {
    const { vectors, values, trace } = await leadingPairs(gpu, gram, components);
    // Components that float32 cannot tell from none are no components.
    const count = values.filter((value) => value > 1e-6 * values[0]).length;
    if (!(trace > 0) || count === 0) {
      throw new RangeError(
        `The responses to ${images} images are the same in every voxel that counts: there is nothing to align to.`,
      );
    }
    const targets = zeros(images, count);
    for (let c = 0; c < count; c++) {
      const scale = values[c] ** (SCALE / 2);
      for (let i = 0; i < images; i++) targets.data[i * count + c] = vectors[i * components + c] * scale;
    }
    // Vᵀ S^(p−1) = Tᵀ Y / S: what takes a response to its component, and Tᵀ Y / S^(2 p), what takes it back.
    const t = uploadMatrix(gpu, targets, "components");
    const back = multiply(gpu, t, y, { transposeA: true }),
      forth = multiply(gpu, t, weighted, {
        transposeA: true,
      });
    const [beta, toComponent] = await downloadMatrices(gpu, back, forth)
      .finally(() => releaseMatrix(gpu, t, back, forth));
    const basis = zeros(voxels, count);
    for (let c = 0; c < count; c++) {
      for (let v = 0; v < voxels; v++) {
        beta.data[c * voxels + v] /= values[c] ** SCALE;
        basis.data[v * count + c] = toComponent.data[c * voxels + v] / values[c] * (weights ? weights[v] : 1);
      }
    }
    const sum = values.slice(0, count).reduce((sum, value) => sum + value, 0);
    return { targets, basis, beta, center, held: sum / trace };
  } finally {
    releaseMatrix(gpu, y, weighted, gram);
  }
}

function voxelWeights(voxels: number, noiseCeiling?: ArrayLike<number>): Float32Array | null {
  if (!noiseCeiling) return null;
  const at = Array.from(noiseCeiling).findIndex((value) => !(value >= 0 && value < Infinity));
  if (noiseCeiling.length !== voxels || at >= 0) {
    throw new RangeError(
      at >= 0
        ? `The noise ceiling of voxel ${at} is ${
          noiseCeiling[at]
        }: give a share of variance, and leave voxels without one out.`
        : `There are noise ceilings of ${noiseCeiling.length} voxels, and ${voxels} voxels: they must be equal.`,
    );
  }
  return Float32Array.from(noiseCeiling, Math.sqrt);
}

/** The largest eigenpairs of a Gram matrix, the largest entry of every column positive, and its trace. */
async function leadingPairs(gpu: Gpu, gram: GpuMatrix, count: number) {
  const n = gram.rows;
  let vectors: Float64Array, values: number[], trace = 0;
  if (n <= DENSE) {
    const { data } = await downloadMatrix(gpu, gram);
    for (let i = 0; i < n; i++) trace += data[i * n + i];
    const found = denseEigen(Float64Array.from(data), n, count);
    vectors = found.vectors;
    values = [...found.values.subarray(0, count)];
  } else {
    const row = await downloadMatrix(gpu, gram); // its diagonal
    for (let i = 0; i < n; i++) trace += row.data[i * n + i];
    const operator = {
      size: n,
      apply: (x: GpuMatrix, out: GpuMatrix) => void multiply(gpu, gram, x, { out }),
    };
    const found = await subspaceIteration(gpu, operator, { components: count, tolerance: 1e-4 * trace });
    vectors = Float64Array.from((await downloadMatrix(gpu, found.eigenvectors)).data);
    releaseMatrix(gpu, found.eigenvectors);
    if (!found.converged) {
      throw new Error(
        `The ${count} leading components of the responses did not converge (residual ${
          Math.max(...found.residuals)
        }): ask for fewer.`,
      );
    }
    values = found.eigenvalues;
  }
  for (let c = 0; c < count; c++) {
    // Not by their sums, as elsewhere: these are 0, for the responses are centred.
    let most = 0;
    for (let i = 0; i < n; i++) {
      if (Math.abs(vectors[i * count + c]) > Math.abs(most)) most = vectors[i * count + c];
    }
    if (most < 0) { for (let i = 0; i < n; i++) vectors[i * count + c] *= -1; }
  }
  return { vectors, values: values.map((value) => Math.max(value, 0)), trace };
}

/** T of responses by a basis that was made before. */
async function componentsOf(
  gpu: Gpu,
  responses: Matrix,
  basis: Matrix,
  center: Float32Array,
): Promise<Matrix> {
  const y = uploadMatrix(
    gpu,
    { ...responses, data: responses.data.map((value, at) => value - center[at % responses.cols]) },
    "centred responses",
  );
  const b = uploadMatrix(gpu, basis, "basis"), t = multiply(gpu, y, b);
  return await downloadMatrix(gpu, t).finally(() => releaseMatrix(gpu, y, b, t));
}

/**
 * The penalty of a slot with the least error of leaving one image out, e_i / (1 − h_i) with h_i of the hat matrix, the largest
 * of equal ones; W with it, and its share of the kernel, which is added to.
 */
async function fitPenalty(
  gpu: Gpu,
  { name, width }: AlignSlot,
  features: Matrix,
  right: GpuMatrix,
  targets: Matrix,
  kernel?: GpuMatrix,
): Promise<{ fit: SlotFit; transform: Matrix }> {
  const images = features.rows, p = uploadMatrix(gpu, features, `pooled features of ${name}`);
  const gram = multiply(gpu, p, p, { transposeA: true });
  const unit = meanSquares(features, name);
  const alphas = ALPHAS.filter((alpha) => alpha >= LEAST_ALPHA * width);
  const factors = await cholesky(gpu, gram, alphas.map((alpha) => alpha * unit));
  const columns = transposed(features);
  const solutions: GpuMatrix[] = [], products: GpuMatrix[] = [];
  try {
    for (const factor of factors) {
      const b = uploadMatrix(gpu, columns, "pooled features by channel");
      const solution = solveCholesky(gpu, factor, b); // (PᵀP + α I)⁻¹ Pᵀ
      const w = multiply(gpu, solution, right);
      solutions.push(solution);
      products.push(w, multiply(gpu, p, w));
      releaseMatrix(gpu, b);
    }
    const found = await downloadMatrices(gpu, ...solutions, ...products); // one wait for all penalties
    const size = targets.data.reduce((sum, value) => sum + value * value, 0);
    let best: SlotFit & { index: number } | null = null;
    for (const [index, alpha] of alphas.entries()) {
      const hat = found[index].data, fitted = found[alphas.length + 2 * index + 1].data;
      let error = 0;
      for (let i = 0; i < images; i++) {
        let h = 1 / images;
        for (let d = 0; d < width; d++) h += features.data[i * width + d] * hat[d * images + i];
        for (let c = 0; c < targets.cols; c++) {
          const at = i * targets.cols + c;
          error += ((targets.data[at] - fitted[at]) / (1 - h)) ** 2;
        }
      }
      const explained = 1 - error / size;
      if (!best || explained > best.explained) best = { index, alpha, explained };
    }
    const { index, alpha, explained } = best!;
    if (kernel) multiply(gpu, p, solutions[index], { out: kernel, accumulate: true });
    return { fit: { alpha, explained }, transform: found[alphas.length + 2 * index] };
  } finally {
    for (const factor of factors) releaseFactor(gpu, factor);
    releaseMatrix(gpu, p, gram, ...solutions, ...products);
  }
}

/** (PᵀP + α I)⁻¹ Pᵀ T. */
async function solveSlot(
  gpu: Gpu,
  { name }: AlignSlot,
  features: Matrix,
  right: GpuMatrix,
  alpha: number,
): Promise<Matrix> {
  const p = uploadMatrix(gpu, features, `pooled features of ${name}`);
  const gram = multiply(gpu, p, p, { transposeA: true }), b = multiply(gpu, p, right, { transposeA: true });
  const [factor] = await cholesky(gpu, gram, [alpha * meanSquares(features, name)]);
  const w = solveCholesky(gpu, factor, b);
  return await downloadMatrix(gpu, w).finally(() => {
    releaseFactor(gpu, factor);
    releaseMatrix(gpu, p, gram, b, w);
  });
}

/**
 * R = (H + γ I)⁻¹ T − T with the kernel H, for every component with the γ of least squared error over held-out images, the
 * larger of two equal.
 *
 * @param kernel Σ_l, that is `slots` times H
 */
async function shrinkage(
  gpu: Gpu,
  kernel: GpuMatrix,
  slots: number,
  targets: Matrix,
  seed: number,
): Promise<Matrix> {
  const { data: sum } = await downloadMatrix(gpu, kernel);
  const h = sum.map((value) => value / slots), n = kernel.rows, count = targets.cols;
  const part = (rows: Uint32Array, cols: Uint32Array) => {
    const data = new Float32Array(rows.length * cols.length);
    // Both triangles are used, and equal up to rounding.
    rows.forEach((i, a) =>
      cols.forEach((j, b) => data[a * cols.length + b] = (h[i * n + j] + h[j * n + i]) / 2)
    );
    return { data, rows: rows.length, cols: cols.length };
  };
  const errors = GAMMAS.map(() => new Float64Array(count));
  for (const { train, held } of crossValidationFolds(n, FOLDS, seed)) {
    const mean = meansOf(targets, train);
    const own = uploadMatrix(gpu, part(train, train), "kernel"),
      across = uploadMatrix(gpu, part(held, train), "kernel");
    const right = less(targets, train, mean),
      truth = uploadMatrix(gpu, less(targets, held, mean), "components");
    const sums: GpuMatrix[] = [];
    try {
      for (const factor of await cholesky(gpu, own, GAMMAS)) {
        const b = uploadMatrix(gpu, right, "components"), solution = solveCholesky(gpu, factor, b);
        const predicted = multiply(gpu, across, solution);
        sums.push(columnErrors(gpu, predicted, truth));
        releaseFactor(gpu, factor);
        releaseMatrix(gpu, b, solution, predicted);
      }
      (await downloadMatrices(gpu, ...sums)).forEach(({ data }, k) => {
        data.forEach((error, at) => errors[k][at % count] += error);
      });
    } finally {
      releaseMatrix(gpu, own, across, truth, ...sums);
    }
  }
  const chosen = Array.from({ length: count }, (_, c) => {
    let best = 0;
    for (let k = 1; k < GAMMAS.length; k++) if (errors[k][c] < errors[best][c]) best = k;
    return best;
  });
  const whole = uploadMatrix(gpu, part(all(n), all(n)), "kernel"), rest = zeros(n, count);
  try {
    for (const factor of await cholesky(gpu, whole, GAMMAS.filter((_, k) => chosen.includes(k)))) {
      const b = uploadMatrix(gpu, targets, "components"), solution = solveCholesky(gpu, factor, b);
      const { data } = await downloadMatrix(gpu, solution)
        .finally(() => releaseMatrix(gpu, b, solution));
      releaseFactor(gpu, factor);
      for (let c = 0; c < count; c++) {
        if (GAMMAS[chosen[c]] !== factor.shift) continue;
        for (let i = c; i < data.length; i += count) rest.data[i] = data[i] - targets.data[i];
      }
    }
    return rest;
  } finally {
    releaseMatrix(gpu, whole);
  }
}

function assertSlots(slots: AlignSlot[], pooled: Matrix, responses: Matrix): void {
  assertMatrix(pooled, "pooled");
  assertMatrix(responses, "responses");
  assertImages(pooled, responses);
  const width = slots.reduce((sum, slot) => sum + slot.width, 0);
  if (slots.length === 0 || pooled.cols !== width) {
    throw new RangeError(
      `pooled has ${pooled.cols} columns, the ${slots.length} slots ${width} channels together: they must be equal.`,
    );
  }
}

/** Mean of the diagonal of PᵀP. */
function meanSquares({ data, cols }: Matrix, name: string): number {
  let sum = 0;
  for (const value of data) sum += value * value;
  if (sum > 0) return sum / cols;
  throw new RangeError(
    `The pooled features of ${name} are the same in all images: leave this slot out, or give other images.`,
  );
}

/** The pooled features of a slot, less their means. */
function centredSlot(slots: AlignSlot[], slot: number, pooled: Matrix, means: Float32Array): Matrix {
  const first = slotOffset(slots, slot), { width } = slots[slot];
  const data = new Float32Array(pooled.rows * width);
  for (let i = 0; i < pooled.rows; i++) {
    for (let k = 0; k < width; k++) {
      data[i * width + k] = pooled.data[i * pooled.cols + first + k] - means[first + k];
    }
  }
  return { data, rows: pooled.rows, cols: width };
}

/** Writes the shared channels of a slot, and what the encoder adds, side by side. */
function writeSlot(transforms: Matrix, first: number, shared: Matrix, further?: Matrix): void {
  const { cols } = transforms, count = shared.cols;
  for (let k = 0; k < shared.rows; k++) {
    const row = (first + k) * cols;
    transforms.data.set(shared.data.subarray(k * count, (k + 1) * count), row);
    if (further) transforms.data.set(further.data.subarray(k * count, (k + 1) * count), row + count);
  }
}

function less({ data, cols }: Matrix, rows: Uint32Array, mean: Float64Array): Matrix {
  const out = new Float32Array(rows.length * cols);
  rows.forEach((row, i) => {
    for (let c = 0; c < cols; c++) out[i * cols + c] = data[row * cols + c] - mean[c];
  });
  return { data: out, rows: rows.length, cols };
}

function transposed({ data, rows, cols }: Matrix): Matrix {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let k = 0; k < cols; k++) out[k * rows + i] = data[i * cols + k];
  return { data: out, rows: cols, cols: rows };
}

function norm({ data }: Matrix): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
}

function zeros(rows: number, cols: number): Matrix {
  return { data: new Float32Array(rows * cols), rows, cols };
}

function all(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}
