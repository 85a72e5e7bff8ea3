/** t-SNE of few points in float64 on the host: nothing is compiled, sent or waited for. */
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import { portableExp, portableLog } from "../linalg/portable_math.ts";
import { SOFTEST } from "./descent.ts";
import { perplexityFor, type Tsne } from "./joint_probabilities.ts";
import {
  assertPoints,
  centred,
  divergence,
  earlySteps,
  isCollapsed,
  MOMENTUM,
  ratesFor,
  STEPS,
  type TsneOptions,
} from "./tsne.ts";
import { startPoints } from "./tsne_start.ts";

/** Points up to which the host takes less time than a software adapter does for launching its kernels. */
export const MAX_HOST_POINTS = 400;
const STEPS_PER_CHECK = 50;
/** Bisections of β, and how near to its entropy a row comes. */
const BISECTIONS = 200, TOLERANCE = 1e-10;

/**
 * `tsne` in float64: the same neighbourhoods, start and steps; of eigenvectors, with `start: "columns"`, nearly always the
 * same map to a hundredth of its width.
 *
 * @param x n × d, n at most 400
 * @param options as of `tsne`
 * @returns as of `tsne`; equal input gives points of equal bits, in Deno and in every browser
 * @throws RangeError for n below 4, or rows that are not finite
 *
 * Cost: n² / 2 pairs per step, about 10 ns each.
 */
export function hostTsne(x: Matrix, options: TsneOptions = {}): Tsne {
  const { dimensions = 3, iterations = STEPS[dimensions], exaggeration = 1, seed = 0, onProgress, signal } =
    options;
  assertMatrix(x, "t-SNE input");
  assertPoints(x, dimensions);
  if (x.rows > MAX_HOST_POINTS) {
    throw new RangeError(
      `t-SNE of ${x.rows} points takes WebGPU, which is not there: without it at most ${MAX_HOST_POINTS}.`,
    );
  }
  const n = x.rows, { perplexity, lowered } = perplexityFor(n, options.perplexity), freedom = dimensions - 1;
  const p = jointProbabilities(x, perplexity),
    start = Float64Array.from(startPoints(x, dimensions, seed, options.start));
  const rates = ratesFor(n, freedom, exaggeration, options.learningRate), early = earlySteps(iterations);
  const y = start.slice(), stiff = new Float64Array(n), update = new Float64Array(4 * n);
  const pull = new Float64Array(4 * n), push = new Float64Array(4 * n), factor = 2 * (freedom + 1) / freedom;
  let drawn = exaggeration;
  for (let done = 0; done < iterations; done++) {
    const isEarly = done < early, attraction = isEarly ? drawn : 1;
    const momentum = isEarly ? MOMENTUM.early : MOMENTUM.late, rate = isEarly ? rates.early : rates.late;
    const z = forces(y, p, n, freedom, pull, push, stiff);
    for (let at = 0; at < 4 * n; at++) {
      const gradient = factor * (attraction * pull[at] - push[at] / z);
      update[at] = momentum * update[at] - rate / Math.max(SOFTEST, n * stiff[at >> 2]) * gradient;
      y[at] += update[at];
    }
    if ((done + 1) % STEPS_PER_CHECK !== 0) continue;
    signal?.throwIfAborted();
    if (isEarly && isCollapsed(y)) {
      drawn = 1; // as in `tsne`
      y.set(start);
      update.fill(0);
    }
    onProgress?.(done + 1, iterations);
  }
  const z = forces(y, p, n, freedom, pull, push, stiff), padded = Float32Array.from(y);
  const rowStart = Uint32Array.from({ length: n + 1 }, (_, i) => i * n);
  const joint = { rowStart, cols: Uint32Array.from(p, (_, at) => at % n), p: Float32Array.from(p) };
  return {
    points: centred(padded, n, dimensions),
    kl: divergence(joint, padded, z, freedom),
    perplexity,
    ...(lowered && { lowered }),
    iterations,
  };
}

/**
 * Σ_j p_ij t (y_i − y_j) and Σ_j w t (y_i − y_j), t = 1 / (1 + ‖y_i − y_j‖² / ν), w = t^((ν+1)/2).
 *
 * @param y n × 4
 * @returns Z = Σ w over all pairs, both ways
 */
function forces(
  y: Float64Array,
  p: Float64Array,
  n: number,
  freedom: number,
  pull: Float64Array,
  push: Float64Array,
  stiff: Float64Array,
): number {
  pull.fill(0);
  push.fill(0);
  stiff.fill(0);
  let z = 0;
  for (let i = 0; i < n; i++) {
    const a = 4 * i, y0 = y[a], y1 = y[a + 1], y2 = y[a + 2];
    let pull0 = 0, pull1 = 0, pull2 = 0, push0 = 0, push1 = 0, push2 = 0;
    for (let j = 0; j < i; j++) {
      const b = 4 * j, d0 = y0 - y[b], d1 = y1 - y[b + 1], d2 = y2 - y[b + 2];
      const t = 1 / (1 + (d0 * d0 + d1 * d1 + d2 * d2) / freedom);
      const w = freedom === 1 ? t : t * Math.sqrt(t), together = p[i * n + j] * t, apart = w * t;
      z += w;
      stiff[i] += together;
      stiff[j] += together;
      pull0 += together * d0;
      pull1 += together * d1;
      pull2 += together * d2;
      push0 += apart * d0;
      push1 += apart * d1;
      push2 += apart * d2;
      pull[b] -= together * d0;
      pull[b + 1] -= together * d1;
      pull[b + 2] -= together * d2;
      push[b] -= apart * d0;
      push[b + 1] -= apart * d1;
      push[b + 2] -= apart * d2;
    }
    pull[a] += pull0;
    pull[a + 1] += pull1;
    pull[a + 2] += pull2;
    push[a] += push0;
    push[a + 1] += push1;
    push[a + 2] += push2;
  }
  return 2 * z;
}

/** p_ij = (p_{j|i} + p_{i|j}) / 2n over 3 × perplexity nearest neighbours, dense: n × n. */
function jointProbabilities({ data, rows: n, cols }: Matrix, perplexity: number): Float64Array {
  const k = Math.min(n - 1, Math.floor(3 * perplexity) + 1), joint = new Float64Array(n * n);
  const squares = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let c = 0; c < cols; c++) {
        const apart = data[i * cols + c] - data[j * cols + c];
        sum += apart * apart;
      }
      squares[i * n + j] = squares[j * n + i] = sum;
    }
  }
  for (let i = 0; i < n; i++) {
    const own = squares.subarray(i * n, (i + 1) * n);
    const nearest = [...own.keys()].filter((j) => j !== i).sort((a, b) => own[a] - own[b] || a - b).slice(
      0,
      k,
    );
    const row = conditional(nearest.map((j) => own[j] - own[nearest[0]]), portableLog(perplexity));
    nearest.forEach((j, at) => {
      joint[i * n + j] += row[at] / (2 * n);
      joint[j * n + i] += row[at] / (2 * n);
    });
  }
  return joint;
}

/** exp(−β d²) scaled to a sum of 1, β such that the entropy is the one wanted. */
function conditional(squares: readonly number[], entropy: number): number[] {
  const mean = Math.max(squares.reduce((sum, d) => sum + d, 0) / squares.length, 1e-30);
  let beta = 1, low = 0, high = Infinity, row: number[] = [];
  for (let step = 0; step < BISECTIONS; step++) {
    row = squares.map((d) => portableExp(-beta * d / mean));
    const sum = row.reduce((a, b) => a + b, 0);
    const moment = row.reduce((a, e, at) => a + e * squares[at] / mean, 0);
    const excess = portableLog(sum) + beta * moment / sum - entropy;
    row = row.map((e) => e / sum);
    if (Math.abs(excess) < TOLERANCE) break;
    if (excess > 0) [low, beta] = [beta, high === Infinity ? 2 * beta : (beta + high) / 2];
    else [high, beta] = [beta, (low + beta) / 2];
  }
  return row;
}
