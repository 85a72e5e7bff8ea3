/** Eigenvectors by gradient descent on mini-batches of nodes. */
import { unitRows64 } from "../../linalg/host_matrix.ts";
import { type Gpu, turnOfOthers } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { seededRandom, shuffle } from "../../linalg/random.ts";
import { assertRows } from "../../linalg/row_normalize.ts";
import { symmetricEigen } from "../../linalg/symmetric_eigen.ts";
import { assertKnown } from "../../linalg/check_options.ts";
import { fixSigns } from "../../linalg/fix_signs.ts";
import { METHOD_OPTIONS, type MethodOptions, type MethodResult } from "./eigenvector_method.ts";

/** Settings of `descendOnBatches`. */
export interface DescentOptions {
  /** Eigenvectors wanted, C. */
  components: number;
  /** Seed of the start and of the batches; default 0. */
  seed?: number;
  /** Nodes in a batch, b; default 256. */
  batch?: number;
  /** Passes over all nodes; default 120. */
  epochs?: number;
  /** Adam's step, at first; falls to 0 along half a cosine. Default 0.2. */
  rate?: number;
  /** Called after each epoch with the mean of its batches' objectives. */
  onEpoch?: (epoch: number, objective: number) => void;
}

/** Adam's averages (Kingma & Ba 2015) and their guard against division by 0. */
const BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;
/** Largest entry of the start: small, so that what is not an eigenvector has little to lose. */
const START = 0.1;
/** An eigenvalue below this share of the largest belongs to a column that descent has left empty. */
const EMPTY = 1e-12;

/**
 * Minimises the relaxed normalised cut with a soft orthogonality constraint over one free vector per node, on mini-batches:
 * gradient descent in place of an eigensolver as in Zhang, Yunis & Maire 2023 (arXiv 2312.06716), in the form whose
 * minima are the leading eigenvectors without a multiplier to choose (SpecNet2, Chen et al. 2022, arXiv 2206.06644):
 *
 * ‖M − Y Yᵀ‖² = ‖M‖² − 2 tr(Yᵀ M Y) + ‖Yᵀ Y‖², M = D^−½ A D^−½, minimal at Y = X Λ^½.
 *
 * A batch S of b nodes uses only M_SS, with degrees estimated as running means over a node's batches,
 * and moves its rows by Adam along a gradient whose mean over batches is that of all nodes. Batches partition the nodes anew every epoch. The result is
 * Y rotated so that its columns are orthogonal, and scaled.
 *
 * @param features n × d
 * @returns n × C vectors and the eigenvalues that YᵀY has
 * @throws RangeError when components exceed nodes, when there is nothing to descend on, or naming a node that is zero or not finite
 *
 * Pairs converge the sooner the larger λ and its distance to λ_{C+1}: of 2000 nodes' features
 * of a small masked autoencoder (λ₁ … λ₁₀ = 1 … 0.01), the default 120 epochs left angles of 2° up to the sixth and noise
 * from the eighth on; 300 epochs 1° up to the eighth.
 *
 * Cost: epochs · n · b · (d + 3 C) operations in float64 on the host; memory O(n (d + 3 C) + b²).
 */
export function descendOnBatches(features: Matrix, options: DescentOptions): MethodResult {
  assertKnown("descendOnBatches", options, {
    components: true,
    seed: true,
    batch: true,
    epochs: true,
    rate: true,
    onEpoch: true,
  });
  const epochs = descent(features, options);
  let next = epochs.next();
  while (!next.done) next = epochs.next();
  return next.value;
}

/** The same, epoch by epoch. */
function* descent(features: Matrix, options: DescentOptions): Generator<void, MethodResult> {
  const { components: c, seed = 0, batch = 256, epochs = 120, rate = 0.2, onEpoch } = options;
  assertRows(features, "features");
  const n = features.rows;
  if (!(Number.isInteger(c) && c >= 1 && c <= n)) {
    throw new RangeError(`components is ${c}: ${n} nodes have 1 to ${n} eigenvectors.`);
  }
  if (!(batch >= 2 && epochs >= 1 && rate > 0)) {
    throw new RangeError(
      `batch is ${batch}, epochs ${epochs}, rate ${rate}: descent needs 2 nodes, 1 pass and a step above 0 at least.`,
    );
  }
  const random = seededRandom(seed);
  const unit = unitRows64(features);
  const state = {
    y: Float64Array.from({ length: n * c }, () => 2 * START * (random() - 0.5)),
    mean: new Float64Array(n * c),
    square: new Float64Array(n * c),
    degrees: new Float64Array(n),
  };
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const batches = Math.max(1, Math.round(n / batch));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    shuffle(order, random);
    let objective = 0;
    for (let at = 0; at < batches; at++) {
      const nodes = order.subarray(Math.floor(at * n / batches), Math.floor((at + 1) * n / batches));
      const progress = (epoch - 1 + at / batches) / epochs;
      const step = rate * (1 + Math.cos(Math.PI * progress)) / 2;
      objective += stepOnBatch(unit, features.cols, nodes, state, c, epoch, step) / batches;
    }
    onEpoch?.(epoch, objective);
    yield;
  }
  return orthogonal(state.y, n, c);
}

/**
 * `descendOnBatches` with its defaults under the signature of all methods; `landmarks` is not used.
 *
 * @param _gpu not used: it runs on the host
 * @param features n × d, row-major float32
 * @param options components C, seed and signal
 * @returns n × C vectors and the eigenvalues that YᵀY has, largest first
 * @throws RangeError as `descendOnBatches`
 */
export async function minibatchGradient(
  _gpu: Gpu,
  features: Matrix,
  options: MethodOptions,
): Promise<MethodResult> {
  assertKnown("minibatchGradient", options, METHOD_OPTIONS);
  const { components, seed, signal } = options;
  const epochs = descent(features, { components, seed });
  let next = epochs.next();
  while (!next.done) {
    await turnOfOthers();
    signal?.throwIfAborted();
    next = epochs.next();
  }
  return next.value;
}

/** One free vector a node, Adam's averages of its gradients, and its degree over n. */
interface DescentState {
  y: Float64Array;
  mean: Float64Array;
  square: Float64Array;
  degrees: Float64Array;
}

/** One step of Adam on the rows of a batch; returns the batch's estimate of ‖M − Y Yᵀ‖² before it. */
function stepOnBatch(
  unit: Float64Array,
  d: number,
  nodes: Uint32Array,
  { y, mean, square, degrees }: DescentState,
  c: number,
  epoch: number,
  step: number,
): number {
  const b = nodes.length, n = degrees.length;
  // Of the n² pairs the n of a node with itself are too many in a batch, the others too few.
  const pairWeight = b > 1 ? b / (b - 1) * (n - 1) / n : 0, selfWeight = b / n;
  const a = batchAffinity(unit, d, nodes);
  for (let i = 0; i < b; i++) {
    let others = 0;
    for (let j = 0; j < b; j++) if (j !== i) others += a[i * b + j];
    const degree = (1 + others * pairWeight * (n / b)) / n;
    degrees[nodes[i]] += (degree - degrees[nodes[i]]) / epoch;
  }
  const own = new Float64Array(b * c), gradients = new Float64Array(b * c);
  for (let i = 0; i < b; i++) own.set(y.subarray(nodes[i] * c, (nodes[i] + 1) * c), i * c);
  let objective = 0;
  for (let i = 0; i < b; i++) {
    for (let j = 0; j <= i; j++) {
      let product = 0;
      for (let k = 0; k < c; k++) product += own[i * c + k] * own[j * c + k];
      const error = product - a[i * b + j] / Math.sqrt(degrees[nodes[i]] * degrees[nodes[j]]);
      const weighted = (i === j ? selfWeight : pairWeight) * error / b;
      objective += (i === j ? 1 : 2) * weighted * error / b;
      for (let k = 0; k < c; k++) gradients[i * c + k] += weighted * own[j * c + k];
      if (i === j) continue;
      for (let k = 0; k < c; k++) gradients[j * c + k] += weighted * own[i * c + k];
    }
  }
  const unbias1 = 1 - BETA1 ** epoch, unbias2 = 1 - BETA2 ** epoch;
  for (let i = 0; i < b; i++) {
    for (let k = 0; k < c; k++) {
      const at = nodes[i] * c + k, g = gradients[i * c + k];
      mean[at] += (1 - BETA1) * (g - mean[at]);
      square[at] += (1 - BETA2) * (g * g - square[at]);
      y[at] -= step * (mean[at] / unbias1) / (Math.sqrt(square[at] / unbias2) + EPSILON);
    }
  }
  return objective;
}

/** exp(cos − 1) of all pairs of a batch; four sums at a time, since each addition waits for the one before it. */
function batchAffinity(unit: Float64Array, d: number, nodes: Uint32Array): Float64Array {
  const b = nodes.length, a = new Float64Array(b * b);
  for (let i = 0; i < b; i++) {
    const own = nodes[i] * d;
    for (let j = 0; j <= i; j += 4) {
      // Past the end the last node again, whose sums are not kept.
      const [j0, j1, j2, j3] = [0, 1, 2, 3].map((k) => nodes[Math.min(j + k, i)] * d);
      let c0 = 0, c1 = 0, c2 = 0, c3 = 0;
      for (let k = 0; k < d; k++) {
        const value = unit[own + k];
        c0 += value * unit[j0 + k];
        c1 += value * unit[j1 + k];
        c2 += value * unit[j2 + k];
        c3 += value * unit[j3 + k];
      }
      const cosines = [c0, c1, c2, c3];
      for (let k = 0; k < 4 && j + k <= i; k++) {
        a[i * b + j + k] = a[(j + k) * b + i] = Math.exp(cosines[k] - 1);
      }
    }
  }
  return a;
}

/** Y U Σ^−½ / √n with YᵀY / n = U Σ Uᵀ. */
function orthogonal(y: Float64Array, n: number, c: number): MethodResult {
  const gram = new Float64Array(c * c);
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < c; r++) {
      for (let s = 0; s < c; s++) gram[r * c + s] += y[i * c + r] * y[i * c + s] / n;
    }
  }
  const { values, vectors } = symmetricEigen(gram, c);
  const data = new Float32Array(n * c);
  for (let k = 0; k < c; k++) {
    const scale = values[k] > EMPTY * values[0] ? 1 / Math.sqrt(values[k] * n) : 0;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let r = 0; r < c; r++) sum += y[i * c + r] * vectors[r * c + k];
      data[i * c + k] = sum * scale;
    }
  }
  const eigenvectors = { data, rows: n, cols: c };
  fixSigns(eigenvectors);
  return { eigenvectors, eigenvalues: values };
}
