/** t-SNE in two or three dimensions, with exact forces on the GPU. */
import repulsionCode from "../../shaders/tsne_repulsion.wgsl" with { type: "text" };
import stepCode from "../../shaders/tsne_step.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import { sumSlabs } from "../linalg/matmul.ts";
import { assertMatrix, type Matrix, roundUp } from "../linalg/matrix.ts";
import { fillRandom, seededRandom } from "../linalg/random.ts";
import { symmetricEigen } from "../linalg/symmetric_eigen.ts";
import {
  interleave,
  type Joint,
  jointProbabilities,
  perplexityFor,
  type Tsne,
} from "./joint_probabilities.ts";

const REPULSION: Kernel = { label: "tsne_repulsion", code: repulsionCode };
const STEP: Kernel = { label: "tsne_step", code: stepCode };

/** Settings of `tsne`. */
export interface TsneOptions {
  /** 2 or 3; default 3. */
  dimensions?: 2 | 3;
  /** Effective number of neighbours, at most 42; default 30, lowered where there are too few points. */
  perplexity?: number;
  /** Steps in all; default 350, the first quarter (250 at most) with exaggerated attraction. */
  iterations?: number;
  /** Factor on the attraction in the early steps; default 12. */
  exaggeration?: number;
  /** Step size; default max(n / exaggeration, 50) (Belkina et al. 2019). */
  learningRate?: number;
  /** Seed of the noise that parts equal points; default 0. */
  seed?: number;
  /** Called after every 50 steps with the number of steps done. */
  onProgress?: (done: number, total: number) => void;
}

/** Largest n for which all pairs are taken. */
export const MAX_POINTS = 20000;
const MOMENTUM_EARLY = 0.5;
const MOMENTUM_LATE = 0.8;
export const SLICE = 2048; // points j per slice of the repulsion
const POINTS = 16; // points i that an invocation of the repulsion takes
const WINDOW = 4096; // points j that one dispatch reads as a uniform buffer
const STEPS_PER_WAIT = 50;
/** Points all within this of the origin, where they began a hundred times as wide, have collapsed. */
const COLLAPSED = 1e-6;

/**
 * t-SNE (van der Maaten & Hinton 2008; METHOD, "Spectral-tSNE"): attraction over 3 × perplexity nearest neighbours, exact
 * repulsion over all pairs, early exaggeration, momentum and gains, started from the principal components. The map's t
 * distribution has ν = dimensions − 1 degrees of freedom (van der Maaten 2009; scikit-learn has the same).
 *
 * @param x n × d, Euclidean
 * @returns points n × dimensions and the Kullback–Leibler divergence reached
 * @throws RangeError for n below 4 or above 20,000, or rows that are not finite
 *
 * Cost: n² pairs per step; memory O(n · perplexity). Seeded, with a fixed order of reduction: equal input gives equal bits.
 *
 * @example
 * ```ts
 * import { closeGpu, openGpu, tsne } from "../../mod.ts";
 * const gpu = await openGpu();
 * const data = Float32Array.from({ length: 60 }, (_, i) => (i < 30 ? 0 : 10) + Math.sin(i * i));
 * const { points, kl } = await tsne(gpu, { data, rows: 20, cols: 3 }, { dimensions: 2, iterations: 100 });
 * if (points.rows !== 20 || !(kl >= 0)) throw new Error("20 points on a plane");
 * closeGpu(gpu);
 * ```
 */
export async function tsne(gpu: Gpu, x: Matrix, options: TsneOptions = {}): Promise<Tsne> {
  const { dimensions = 3, iterations = 350, exaggeration = 12, seed = 0, onProgress } = options;
  assertMatrix(x, "t-SNE input");
  const n = x.rows;
  if (n < 4 || n > MAX_POINTS) {
    throw new RangeError(
      `t-SNE takes 4 to ${MAX_POINTS} points, not ${n}: embed a sub-sample and propagate it.`,
    );
  }
  const bad = x.data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `t-SNE input: point ${Math.floor(bad / x.cols)} has ${x.data[bad]}: every value must be finite.`,
    );
  }
  const { perplexity, lowered } = perplexityFor(n, options.perplexity);
  const joint = await jointProbabilities(gpu, x, perplexity);
  const rate = options.learningRate ?? Math.max(n / exaggeration, 50);
  const early = Math.min(250, Math.floor(iterations / 4)), freedom = dimensions - 1;
  const buffers = workBuffers(gpu, n, joint.p.length), start = startPoints(x, dimensions, seed);
  const atRest = Float32Array.from({ length: n * 8 }, (_, i) => i % 8 < 4 ? 0 : 1);
  try {
    writeBuffer(gpu, buffers.y, start);
    writeBuffer(gpu, buffers.repulsion, new Float32Array(Math.ceil(n / 64) * 64 * 4));
    writeBuffer(gpu, buffers.rowStart, joint.rowStart);
    writeBuffer(gpu, buffers.joint, interleave(joint));
    writeBuffer(gpu, buffers.motion, atRest);
    let { y, next } = buffers, drawn = exaggeration;
    for (let done = 0; done < iterations; done++) {
      const isEarly = done < early;
      repel(gpu, y, buffers, n, freedom);
      step(gpu, y, next, buffers, n, {
        freedom,
        momentum: isEarly ? MOMENTUM_EARLY : MOMENTUM_LATE,
        rate,
        exaggeration: isEarly ? drawn : 1,
      });
      [y, next] = [next, y];
      if ((done + 1) % STEPS_PER_WAIT === 0) {
        const [bytes] = await readBuffers(gpu, [{ buffer: y, bytes: n * 16 }]);
        if (isEarly && isCollapsed(new Float32Array(bytes))) {
          drawn = 1; // where neighbours form no groups, exaggeration draws all points together: begin again without it
          writeBuffer(gpu, y, start);
          writeBuffer(gpu, buffers.motion, atRest);
        }
        onProgress?.(done + 1, iterations);
      }
    }
    repel(gpu, y, buffers, n, freedom);
    const [bytes, sums] = await readBuffers(gpu, [{ buffer: y, bytes: n * 16 }, {
      buffer: buffers.sums,
      bytes: 64 * 16,
    }]);
    const padded = new Float32Array(bytes);
    const z = sumOfLast(new Float32Array(sums));
    return {
      points: centred(padded, n, dimensions),
      kl: divergence(joint, padded, z, freedom),
      perplexity,
      ...(lowered && { lowered }),
      iterations,
    };
  } finally {
    for (const buffer of Object.values(buffers)) release(gpu, buffer);
  }
}

/** Whether all points have been drawn together. */
function isCollapsed(points: Float32Array): boolean {
  return points.every((value, at) => at % 4 === 3 || Math.abs(value) < COLLAPSED);
}

/** Forces and normaliser for points given on the host: what `tsne` computes at every step, for checking it. */
export async function repulsiveForces(
  gpu: Gpu,
  y: Float32Array,
  n: number,
  freedom = 1,
): Promise<{ forces: Float32Array; z: number }> {
  const buffers = workBuffers(gpu, n, 0);
  try {
    writeBuffer(gpu, buffers.y, y);
    writeBuffer(gpu, buffers.repulsion, new Float32Array(Math.ceil(n / 64) * 64 * 4));
    repel(gpu, buffers.y, buffers, n, freedom);
    const [forces, sums] = await readBuffers(gpu, [{ buffer: buffers.repulsion, bytes: n * 16 }, {
      buffer: buffers.sums,
      bytes: 1024,
    }]);
    return { forces: new Float32Array(forces), z: sumOfLast(new Float32Array(sums)) };
  } finally {
    for (const buffer of Object.values(buffers)) release(gpu, buffer);
  }
}

/** One step from a dense P given on the host, for checking it. */
export async function stepPoints(
  gpu: Gpu,
  y: Float32Array,
  n: number,
  p: Float64Array,
  update: Float32Array,
  gain: Float32Array,
  settings: StepSettings,
): Promise<{ y: Float32Array; update: Float32Array }> {
  const rowStart = Uint32Array.from({ length: n + 1 }, (_, i) => i * n);
  const joint = { rowStart, cols: Uint32Array.from(p, (_, at) => at % n), p: Float32Array.from(p) };
  const buffers = workBuffers(gpu, n, joint.p.length);
  try {
    writeBuffer(gpu, buffers.y, y);
    writeBuffer(gpu, buffers.repulsion, new Float32Array(Math.ceil(n / 64) * 64 * 4));
    writeBuffer(gpu, buffers.rowStart, rowStart);
    writeBuffer(gpu, buffers.joint, interleave(joint));
    writeBuffer(
      gpu,
      buffers.motion,
      Float32Array.from({ length: 8 * n }, (_, i) => (i % 8 < 4 ? update : gain)[4 * (i >> 3) + i % 4]),
    );
    repel(gpu, buffers.y, buffers, n, settings.freedom);
    step(gpu, buffers.y, buffers.next, buffers, n, settings);
    const [next, motion] = await readBuffers(gpu, [{ buffer: buffers.next, bytes: n * 16 }, {
      buffer: buffers.motion,
      bytes: n * 32,
    }]);
    return { y: new Float32Array(next), update: new Float32Array(motion).filter((_, i) => i % 8 < 4) };
  } finally {
    for (const buffer of Object.values(buffers)) release(gpu, buffer);
  }
}

/** Factors of one step of the descent. */
export interface StepSettings {
  momentum: number;
  rate: number;
  exaggeration: number;
  /** ν of the t distribution. */
  freedom: number;
}

type WorkBuffers = ReturnType<typeof workBuffers>;

function workBuffers(gpu: Gpu, n: number, pairs: number) {
  return {
    y: allocate(gpu, roundUp(n, WINDOW) * 16, "t-SNE points"),
    next: allocate(gpu, roundUp(n, WINDOW) * 16, "t-SNE points"),
    slabs: allocate(gpu, Math.ceil(n / SLICE) * n * 16, "t-SNE repulsion"),
    repulsion: allocate(gpu, Math.ceil(n / 64) * 64 * 16, "t-SNE repulsion"),
    sums: allocate(gpu, 64 * 16, "t-SNE normaliser"),
    rowStart: allocate(gpu, (n + 1) * 4, "joint probabilities"),
    joint: allocate(gpu, pairs * 8, "joint probabilities"),
    motion: allocate(gpu, n * 32, "t-SNE motion"),
  };
}

/** Moves every point by one step, from y to next. */
function step(
  gpu: Gpu,
  y: GPUBuffer,
  next: GPUBuffer,
  buffers: WorkBuffers,
  n: number,
  settings: StepSettings,
): void {
  dispatch(gpu, STEP, {
    buffers: [y, buffers.repulsion, buffers.sums, buffers.rowStart, buffers.joint, buffers.motion, next],
    params: { n, momentum: settings.momentum, rate: settings.rate, exaggeration: settings.exaggeration },
    overrides: { FREEDOM: settings.freedom },
    workgroups: [Math.ceil(n / 8)],
    sizes: `${n} points`,
  });
}

/** Σ of the fourth of every four values. */
function sumOfLast(values: Float32Array): number {
  return values.reduce((sum, v, i) => i % 4 === 3 ? sum + v : sum, 0);
}

/** Repulsive forces of all pairs and the partial sums of their normaliser. */
function repel(
  gpu: Gpu,
  y: GPUBuffer,
  { slabs, repulsion, sums }: WorkBuffers,
  n: number,
  freedom: number,
): void {
  const slices = Math.ceil(n / SLICE);
  for (let first = 0; first < n; first += WINDOW) {
    dispatch(gpu, REPULSION, {
      buffers: [
        y,
        { buffer: y, offset: first * 16, size: WINDOW * 16 },
        slices === 1 ? repulsion : slabs,
      ],
      params: { n, slice: SLICE, first },
      overrides: { FREEDOM: freedom },
      workgroups: [Math.ceil(n / POINTS / 8), Math.ceil(Math.min(WINDOW, n - first) / SLICE)],
      sizes: `${n} points`,
    });
  }
  if (slices > 1) sumSlabs(gpu, slabs, repulsion, n, slices);
  sumSlabs(gpu, repulsion, sums, 64, Math.ceil(n / 64));
}

/** The first principal components scaled to a standard deviation of 10⁻⁴, padded to 4 coordinates. */
function startPoints(x: Matrix, dimensions: number, seed: number): Float32Array {
  const { rows: n, cols: d, data } = x;
  const mean = new Float64Array(d);
  for (let i = 0; i < data.length; i++) mean[i % d] += data[i] / n;
  const covariance = new Float64Array(d * d);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < d; a++) {
      const va = data[i * d + a] - mean[a];
      for (let b = 0; b <= a; b++) covariance[a * d + b] += va * (data[i * d + b] - mean[b]) / n;
    }
  }
  for (let a = 0; a < d; a++) for (let b = 0; b < a; b++) covariance[b * d + a] = covariance[a * d + b];
  const { values, vectors } = symmetricEigen(covariance, d);
  const y = new Float32Array(n * 4);
  const noise = fillRandom(new Float32Array(n * 4), seededRandom(seed));
  for (let c = 0; c < dimensions; c++) {
    let largest = 0;
    for (let a = 0; a < d && c < d; a++) {
      if (Math.abs(vectors[a * d + c]) > Math.abs(largest) + 1e-9) largest = vectors[a * d + c];
    }
    const known = c < d && values[c] > 1e-12 * Math.max(values[0], 1e-30);
    const scale = known ? 1e-4 / Math.sqrt(values[0]) * Math.sign(largest || 1) : 0;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let a = 0; known && a < d; a++) sum += (data[i * d + a] - mean[a]) * vectors[a * d + c];
      y[i * 4 + c] = sum * scale + 1e-6 * noise[i * 4 + c]; // a little noise parts equal points
    }
  }
  return y;
}

function centred(padded: Float32Array, n: number, dimensions: number): Matrix {
  const data = new Float32Array(n * dimensions);
  for (let c = 0; c < dimensions; c++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += padded[4 * i + c] / n;
    for (let i = 0; i < n; i++) data[i * dimensions + c] = padded[4 * i + c] - mean;
  }
  return { data, rows: n, cols: dimensions };
}

/** KL(P‖Q) = Σ p_ij log(p_ij Z / q_ij), q_ij = 1 / (1 + ‖y_i − y_j‖²). */
function divergence({ rowStart, cols, p }: Joint, y: Float32Array, z: number, freedom: number): number {
  let sum = 0;
  for (let i = 0; i + 1 < rowStart.length; i++) {
    for (let at = rowStart[i]; at < rowStart[i + 1]; at++) {
      if (!(p[at] > 0)) continue;
      let squared = 0;
      for (let c = 0; c < 3; c++) squared += (y[4 * i + c] - y[4 * cols[at] + c]) ** 2;
      sum += p[at] * (Math.log(p[at] * z) + (freedom + 1) / 2 * Math.log1p(squared / freedom));
    }
  }
  return sum;
}
