/** t-SNE in two or three dimensions on the GPU: repulsion over all pairs, or interpolated on a grid. */
import { type Gpu, readBuffers, release } from "../gpu/mod.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { assertChoice, assertKnown, assertNumber, assertWhole } from "../linalg/check_options.ts";
import { scaledBy, squarableFactor } from "../linalg/squarable.ts";
import { closeDescent, type Descent, openDescent, rest, step } from "./descent.ts";
import { type Forces, normalizer, repelAllPairs, roomForForces } from "./exact_repulsion.ts";
import { extentOf, openGridRepulsion } from "./grid_repulsion.ts";
import { type Joint, jointProbabilities, perplexityFor, type Tsne } from "./joint_probabilities.ts";
import { startPoints } from "./tsne_start.ts";

/** Settings of `tsne`. */
export interface TsneOptions {
  /** 2 or 3; default 3. */
  dimensions?: 2 | 3;
  /** Effective number of neighbours, at most 42; default 30, lowered where there are too few points. */
  perplexity?: number;
  /**
   * Steps in all, the first quarter (250 at most) with the early rate; default 250 in three dimensions, 350 in two,
   * 750 in two with more than 8,000 points.
   */
  iterations?: number;
  /** Factor on the attraction in the early steps; default 1: the start is where exaggeration leads. */
  exaggeration?: number;
  /**
   * Step size of a point of average attraction; default n ν / (2 (ν + 1)), ν = dimensions − 1, divided by the exaggeration
   * in the early steps, times 1.5 in the others.
   */
  learningRate?: number;
  /**
   * Where points begin: "principal" (default), along the leading principal components; "columns", along the columns of x behind
   * the first (along it where it is alone), for eigenvectors: the principal components of orthonormal columns have one variance,
   * so that last bits decide which lead.
   */
  start?: "principal" | "columns";
  /** Seed of the noise that parts equal points; default 0. */
  seed?: number;
  /** Called after every 50 steps with the number of steps done. */
  onProgress?: (done: number, total: number) => void;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The names of `TsneOptions`. */
export const TSNE_OPTIONS: Record<keyof TsneOptions, true> = {
  dimensions: true,
  perplexity: true,
  iterations: true,
  exaggeration: true,
  learningRate: true,
  start: true,
  seed: true,
  onProgress: true,
  signal: true,
};

/** Most points in two dimensions, whose repulsion is interpolated. */
export const MAX_POINTS = 250_000;
/** Most points in three dimensions, where repulsion is over all pairs. */
export const MAX_POINTS_3D = 20_000;
/** Up to here all pairs take less time than a grid, by the cost of the kernels on the software adapter. */
const MAX_PAIRWISE = 8000;
/** Steps by dimensions, and of more points than go in pairs: then the divergence is below scikit-learn's and openTSNE's on mixtures. */
export const STEPS = { 2: 350, 3: 250, grid: 750 };
/** Momentum of the early steps and of the others. */
export const MOMENTUM = { early: 0.5, late: 0.9 };
const STEPS_PER_WAIT = 50;
/** Points all within this of one another, where they began a hundred times as wide, have collapsed. */
const COLLAPSED = 1e-6;

/**
 * t-SNE (van der Maaten & Hinton 2008; METHOD, "Spectral-tSNE"): attraction over 3 × perplexity nearest neighbours, repulsion
 * over all pairs, early exaggeration and momentum, started from the principal components. The map's t distribution has
 * ν = dimensions − 1 degrees of freedom (van der Maaten 2009; scikit-learn has the same). There are no gains, and the steps are
 * small enough not to swing: a change in the last bits of x changes the map's, and not the map (docs/method.md).
 *
 * In two dimensions, more than 8,000 points repel each other by forces interpolated on a grid and convolved by Fourier transforms
 * (Linderman et al. 2019), within 3 % of the exact ones (root mean square).
 *
 * @param x n × d, Euclidean
 * @returns points n × dimensions and the Kullback–Leibler divergence reached
 * @throws RangeError for n below 4, above 250,000 in two dimensions or 20,000 in three, rows that are not finite, or an option
 *   outside its range
 *
 * Cost: n² pairs per step up to 8,000 points and in three dimensions, else proportional to n and the area of the map; memory
 * O(n · perplexity). Seeded, with a fixed order of reduction: equal input gives equal bits.
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
  assertKnown("tsne", options, TSNE_OPTIONS);
  const { dimensions = 3, exaggeration = 1, seed = 0, onProgress, signal } = options;
  assertMatrix(x, "t-SNE input");
  assertOptions(options);
  assertPoints(x, dimensions);
  x = scaledBy(x, squarableFactor(x)); // the map does not depend on the unit
  const { iterations = STEPS[isPairwise(x.rows, dimensions) ? dimensions : "grid"] } = options;
  const n = x.rows, { perplexity, lowered } = perplexityFor(n, options.perplexity);
  const joint = await jointProbabilities(gpu, x, perplexity, !isPairwise(n, dimensions));
  const early = earlySteps(iterations), freedom = dimensions - 1;
  const rates = ratesFor(n, freedom, exaggeration, options.learningRate);
  const start = startPoints(x, dimensions, seed, options.start), room = roomForForces(gpu, n);
  const descent = openDescent(gpu, joint, start), repulsion = openRepulsion(gpu, n, dimensions);
  try {
    let drawn = exaggeration, y = start;
    for (let done = 0; done < iterations; done++) {
      const isEarly = done < early;
      await repulsion.repel(descent, room, y);
      step(gpu, descent, room, n, {
        freedom,
        momentum: isEarly ? MOMENTUM.early : MOMENTUM.late,
        rate: isEarly ? rates.early : rates.late,
        exaggeration: isEarly ? drawn : 1,
      });
      const isWaiting = (done + 1) % STEPS_PER_WAIT === 0;
      if (isWaiting || repulsion.needsPoints) y = await readPoints(gpu, descent, n);
      if (!isWaiting) continue;
      signal?.throwIfAborted();
      if (isEarly && isCollapsed(y)) {
        drawn = 1; // where neighbours form no groups, exaggeration draws all points together: begin again without it
        rest(gpu, descent, y = start);
      }
      onProgress?.(done + 1, iterations);
    }
    const padded = await readPoints(gpu, descent, n);
    await repulsion.repel(descent, room, padded);
    const [sums] = await readBuffers(gpu, [{ buffer: room.sums, bytes: 64 * 16 }]);
    return {
      points: centred(padded, n, dimensions),
      kl: divergence(joint, padded, normalizer(sums), freedom),
      perplexity,
      ...(lowered && { lowered }),
      iterations,
    };
  } finally {
    closeDescent(gpu, descent);
    repulsion.release();
    for (const buffer of [room.forces, room.sums]) release(gpu, buffer);
  }
}

function assertOptions(
  { dimensions = 3, iterations = 1, exaggeration = 1, learningRate = 1, start = "principal" }: TsneOptions,
): void {
  assertChoice("dimensions", dimensions, [2, 3]);
  assertChoice("start", start, ["principal", "columns"]);
  assertWhole("iterations", iterations, 0);
  assertNumber("exaggeration", exaggeration, "a factor, 1 or more (1: none)", (factor) => factor >= 1);
  assertNumber("learningRate", learningRate, "a number above 0", (rate) => rate > 0);
}

/**
 * Step sizes, early and late, of a point of average attraction: as far as it is from its neighbours on average in an early step, 1.5
 * times as far in a late one. Twice would swing.
 */
export function ratesFor(
  n: number,
  freedom: number,
  exaggeration: number,
  learningRate?: number,
): { early: number; late: number } {
  const average = n * freedom / (2 * (freedom + 1));
  return { early: learningRate ?? average / exaggeration, late: learningRate ?? 1.5 * average };
}

/** Steps with exaggerated attraction. */
export function earlySteps(iterations: number): number {
  return Math.min(250, Math.floor(iterations / 4));
}

/** @throws RangeError for too few or too many points, or naming one that is not finite */
export function assertPoints({ data, rows: n, cols }: Matrix, dimensions: number): void {
  const most = dimensions === 2 ? MAX_POINTS : MAX_POINTS_3D;
  if (n < 4 || n > most) {
    throw new RangeError(
      `t-SNE takes 4 to ${most} points in ${dimensions} dimensions, not ${n}: embed a sub-sample and propagate it.`,
    );
  }
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `t-SNE input: point ${Math.floor(bad / cols)} has ${data[bad]}: every value must be finite.`,
    );
  }
}

/** How points repel each other, step after step. */
interface Repulsion {
  /** Whether `repel` needs to know where the points are. */
  needsPoints: boolean;
  repel(descent: Descent, room: Forces, points: Float32Array): Promise<void>;
  release(): void;
}

/** Whether all pairs are looked at, for neighbours and for repulsion. */
function isPairwise(n: number, dimensions: 2 | 3): boolean {
  return dimensions === 3 || n <= MAX_PAIRWISE;
}

function openRepulsion(gpu: Gpu, n: number, dimensions: 2 | 3): Repulsion {
  if (isPairwise(n, dimensions)) {
    return {
      needsPoints: false,
      repel: ({ y }, room) => Promise.resolve(repelAllPairs(gpu, y, room, n, dimensions - 1)),
      release() {},
    };
  }
  const grid = openGridRepulsion(gpu, n);
  return {
    needsPoints: true,
    repel: ({ y }, room, points) => grid.repel(y, extentOf(points), room),
    release: () => grid.release(),
  };
}

async function readPoints(gpu: Gpu, { y }: Descent, n: number): Promise<Float32Array> {
  const [bytes] = await readBuffers(gpu, [{ buffer: y, bytes: n * 16 }]);
  return new Float32Array(bytes);
}

/** Whether all points have been drawn together. */
export function isCollapsed(points: Float32Array | Float64Array): boolean {
  return points.every((value, at) => Math.abs(value - points[at % 4]) < COLLAPSED);
}

export function centred(padded: Float32Array, n: number, dimensions: number): Matrix {
  const data = new Float32Array(n * dimensions);
  for (let c = 0; c < dimensions; c++) {
    let mean = 0;
    for (let i = 0; i < n; i++) mean += padded[4 * i + c] / n;
    for (let i = 0; i < n; i++) data[i * dimensions + c] = padded[4 * i + c] - mean;
  }
  return { data, rows: n, cols: dimensions };
}

/** KL(P‖Q) = Σ p_ij log(p_ij Z / q_ij), q_ij = 1 / (1 + ‖y_i − y_j‖²); y is n × 4. */
export function divergence(
  { rowStart, cols, p }: Joint,
  y: Float32Array,
  z: number,
  freedom: number,
): number {
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
