/** The neighbourhoods of t-SNE: conditional probabilities of one perplexity, made symmetric. */
import perplexityCode from "../../shaders/perplexity.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import { ivfNeighbors } from "../graph/ivf_neighbors.ts";
import { nearestNeighbors } from "../graph/knn.ts";
import type { Matrix } from "../linalg/matrix.ts";

const PERPLEXITY: Kernel = { label: "perplexity", code: perplexityCode };

/** The symmetric joint probabilities, row by row. */
export interface Joint {
  rowStart: Uint32Array;
  cols: Uint32Array;
  p: Float32Array;
}

/**
 * The perplexity that n points take.
 *
 * @throws RangeError "t-SNE's perplexity is 0.5: …"
 */
export function perplexityFor(n: number, asked = 30): Pick<Tsne, "perplexity" | "lowered"> {
  if (!(Number.isFinite(asked) && asked > 1)) {
    throw new RangeError(
      `t-SNE's perplexity is ${asked}: the number of neighbours that count must be finite and above 1, usually 5 to 40.`,
    );
  }
  const most = Math.min((n - 1) / 3, MAX_PERPLEXITY);
  if (asked <= most) return { perplexity: asked };
  const reason = most < MAX_PERPLEXITY
    ? `${n} points allow at most ${most.toFixed(1)}, a third of the others`
    : `at most ${MAX_PERPLEXITY} is possible, whatever the number of points`;
  return {
    perplexity: most,
    lowered: { asked, reason: `t-SNE's perplexity is ${most.toFixed(1)}, not ${asked}: ${reason}.` },
  };
}

/**
 * p_ij = (p_{j|i} + p_{i|j}) / 2n over nearest neighbours.
 *
 * @param approximate nearly all of the nearest, by an inverted file, whose cost grows with n and not with n²
 */
export async function jointProbabilities(
  gpu: Gpu,
  x: Matrix,
  perplexity: number,
  approximate = false,
): Promise<Joint> {
  const n = x.rows;
  const k = Math.min(n - 1, Math.floor(3 * perplexity) + 1);
  const { indices, similarities } = approximate
    ? await ivfNeighbors(gpu, x, k)
    : await nearestNeighbors(gpu, x, x, { k, metric: "euclidean", excludeSelf: true });
  return symmetrize(indices, await conditionalProbabilities(gpu, similarities, k, perplexity), n, k);
}

/**
 * p_{j|i} over the K nearest of every point, with entropy log(perplexity).
 *
 * @param similarities n × K values −d², nearest first
 * @returns n × K, every row summing to 1
 */
export async function conditionalProbabilities(
  gpu: Gpu,
  similarities: Float32Array,
  k: number,
  perplexity: number,
): Promise<Float32Array> {
  const n = similarities.length / k;
  if (k > MAX_NEIGHBORS) {
    throw new RangeError(`k is ${k}: t-SNE looks at 1 to ${MAX_NEIGHBORS} neighbours a point.`);
  }
  const distances = allocate(gpu, n * k * 4, "neighbour distances");
  const conditional = allocate(gpu, n * k * 4, "conditional probabilities");
  writeBuffer(gpu, distances, similarities);
  dispatch(gpu, PERPLEXITY, {
    buffers: [distances, conditional],
    params: { rows: n, k, logPerplexity: Math.log(perplexity) },
    workgroups: [Math.ceil(n / 8)],
    sizes: `${n} points, K = ${k}`,
  });
  const [bytes] = await readBuffers(gpu, [{ buffer: conditional, bytes: n * k * 4 }]);
  release(gpu, distances);
  release(gpu, conditional);
  return new Float32Array(bytes);
}

/** Rows of (column, value), each by ascending column. */
interface Rows {
  start: Uint32Array;
  cols: Uint32Array;
  values: Float32Array;
}

function symmetrize(indices: Uint32Array, p: Float32Array, n: number, k: number): Joint {
  const start = Uint32Array.from({ length: n + 1 }, (_, i) => i * k);
  const backward = transposed({ start, cols: indices, values: p }, n), forward = transposed(backward, n);
  const cols = new Uint32Array(2 * n * k), joint = new Float32Array(2 * n * k);
  const rowStart = new Uint32Array(n + 1);
  let count = 0;
  for (let i = 0; i < n; i++) {
    let a = forward.start[i], b = backward.start[i];
    const endA = forward.start[i + 1], endB = backward.start[i + 1];
    while (a < endA || b < endB) {
      const j = a < endA ? forward.cols[a] : n, l = b < endB ? backward.cols[b] : n;
      const there = j <= l ? forward.values[a++] / (2 * n) : 0,
        back = l <= j ? backward.values[b++] / (2 * n) : 0;
      cols[count] = Math.min(j, l);
      joint[count++] = there + back;
    }
    rowStart[i + 1] = count;
  }
  return { rowStart, cols: cols.slice(0, count), p: joint.slice(0, count) };
}

/** Columns as rows. */
function transposed({ start, cols, values }: Rows, n: number): Rows {
  const out = {
    start: new Uint32Array(n + 1),
    cols: new Uint32Array(cols.length),
    values: new Float32Array(cols.length),
  };
  for (const j of cols) out.start[j + 1]++;
  for (let j = 0; j < n; j++) out.start[j + 1] += out.start[j];
  const next = out.start.slice();
  for (let i = 0; i < n; i++) {
    for (let at = start[i]; at < start[i + 1]; at++) {
      const to = next[cols[at]]++;
      out.cols[to] = i;
      out.values[to] = values[at];
    }
  }
  return out;
}

/** Three times as many neighbours fit the neighbour list. */
const MAX_PERPLEXITY = 42;

/** Neighbours whose probabilities an invocation brings to a perplexity. */
export const MAX_NEIGHBORS = 512;

/** The map and how good it is. */
export interface Tsne {
  /** n × dimensions, unitless, centred. */
  points: Matrix;
  /** KL(P‖Q), nats. */
  kl: number;
  /** Perplexity used. */
  perplexity: number;
  /** Where that is lower than what was asked for: what was asked for, and why it could not be. */
  lowered?: { asked: number; reason: string };
  /** Steps taken. */
  iterations: number;
}
