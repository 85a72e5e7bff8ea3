/** Choosing the landmarks of a large graph. */
import { assertKnown } from "../linalg/check_options.ts";
import { takeRows } from "../linalg/host_matrix.ts";
import type { Gpu } from "../gpu/mod.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type Matrix,
  releaseMatrix,
  uploadMatrix,
} from "../linalg/matrix.ts";
import {
  type Random,
  randomMatrix,
  type RowNumbers,
  sampleIndices,
  sampleRows,
  seededRandom,
} from "../linalg/random.ts";
import { normalizeRows } from "../linalg/row_normalize.ts";
import { FARTHEST_POINT_DIMENSIONS, farthestPoints } from "./farthest_point.ts";
import { nodesOf, type NodeSource, type Panel, readChosen, readPanels } from "./node_source.ts";

/** "farthest": spread over the features; "uniform": at random; "stratified": at random, in proportion from every stratum. */
export type Sampling = "farthest" | "uniform" | "stratified";

/** Settings of `sampleLandmarks`. */
export interface LandmarkOptions {
  /** Landmarks to choose, m, 1 to N. */
  count: number;
  /** How; default "farthest". */
  sampling?: Sampling;
  /** Seed; default 0. */
  seed?: number;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Farthest points are sought among this many nodes a landmark, … */
export const CANDIDATES_PER_LANDMARK = 4;
/** … and among no fewer than this. */
const MIN_CANDIDATES = 20000;

/**
 * Chooses landmarks among the nodes of a graph (METHOD, "Nyström-like approximation", step 1).
 *
 * "farthest" draws max(4 m, 20,000) nodes in proportion from every stratum, scales them to unit length, projects them on
 * 8 random directions and takes farthest points there, on the GPU.
 *
 * @param source N nodes
 * @returns m different rows of the source, ascending
 * @throws RangeError "landmarks is 9, but features has only 5 nodes …"
 *
 * Cost: "uniform" reads nothing, "stratified" asks for N strata, "farthest" reads the candidates and takes 8 m
 * operations for each; memory O(m + d).
 *
 * @example
 * ```ts
 * import { closeGpu, matrixSource, openGpu, sampleLandmarks } from "../../mod.ts";
 * const gpu = await openGpu();
 * const data = new Float32Array([1, 0, 1, 0.01, 1, 0.02, 0, 1]);
 * const nodes = matrixSource({ data, rows: 4, cols: 2 });
 * const landmarks = await sampleLandmarks(gpu, nodes, { count: 2 });
 * if (landmarks[1] !== 3) throw new Error("the last node is far from the others");
 * closeGpu(gpu);
 * ```
 */
export async function sampleLandmarks(
  gpu: Gpu,
  source: NodeSource,
  options: LandmarkOptions,
): Promise<RowNumbers> {
  assertKnown("sampleLandmarks", options, { count: true, sampling: true, seed: true, signal: true });
  const { count, sampling = "farthest", seed = 0, signal } = options;
  const { rows, name = "features" } = source;
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new RangeError(`landmarks is ${count}: ask for a whole number, 1 or more.`);
  }
  if (count > rows) {
    throw new RangeError(
      `landmarks is ${count}, but ${name} has only ${rows} nodes: ask for at most ${rows}.`,
    );
  }
  const random = seededRandom(seed);
  switch (sampling) {
    case "uniform":
      return sampleRows(rows, count, random);
    case "stratified":
      return stratifiedIndices(source, count, random);
    case "farthest":
      return await farthestLandmarks(gpu, source, count, random, signal);
    default:
      throw new RangeError(`sampling is "${sampling}": choose "farthest", "uniform" or "stratified".`);
  }
}

/** `count` rows, from every stratum in proportion to its size up to rounding, ascending. */
function stratifiedIndices({ rows, strata }: NodeSource, count: number, random: Random): Uint32Array {
  if (!strata) return sampleIndices(rows, count, random);
  const left = new Map<number, number>(); // nodes of the stratum not yet seen
  for (let i = 0; i < rows; i++) left.set(strata(i), (left.get(strata(i)) ?? 0) + 1);
  const wanted = shareOut(left, count / rows, count, random);
  const chosen = new Uint32Array(count);
  for (let i = 0, taken = 0; i < rows; i++) {
    const stratum = strata(i), of = left.get(stratum)!, want = wanted.get(stratum)!;
    left.set(stratum, of - 1);
    if (random() * of >= want) continue;
    wanted.set(stratum, want - 1);
    chosen[taken++] = i;
  }
  return chosen;
}

/** Whole numbers near share × size that add up to `total`: rounded down, then one more for the largest remainders. */
function shareOut(
  sizes: Map<number, number>,
  share: number,
  total: number,
  random: Random,
): Map<number, number> {
  const shares = [...sizes].map(([stratum, size]) => {
    const whole = Math.floor(size * share);
    return { stratum, whole, remainder: size * share - whole, tie: random() };
  });
  let missing = total - shares.reduce((sum, { whole }) => sum + whole, 0);
  shares.sort((a, b) => b.remainder - a.remainder || a.tie - b.tie);
  return new Map(shares.map(({ stratum, whole }) => [stratum, whole + Number(missing-- > 0)]));
}

async function farthestLandmarks(
  gpu: Gpu,
  source: NodeSource,
  count: number,
  random: Random,
  signal?: AbortSignal,
): Promise<Uint32Array> {
  const most = Math.min(source.rows, Math.max(CANDIDATES_PER_LANDMARK * count, MIN_CANDIDATES));
  const candidates = stratifiedIndices(source, most, random);
  if (most === count) return candidates;
  const points = await projected(gpu, readChosen(source, candidates), most, source.cols, random, signal);
  const taken = await farthestOf(gpu, points, count, Math.floor(random() * most));
  return taken.map((at) => candidates[at]).sort();
}

/** Candidates out of a range of nodes, for `mergeCandidates`. */
export interface LandmarkCandidates {
  /** Their rows, counted from the range's first, in the order of taking. */
  rows: Uint32Array;
  /** Where they lie: unit features on eight random directions, the same for all ranges of a seed. */
  points: Matrix;
}

/**
 * Farthest points among the nodes of a range, beginning with its first; what ranges have found is joined by
 * `mergeCandidates`, so that no process looks at all nodes.
 *
 * @param range rows of the source
 * @param options candidates wanted (or all nodes, where they are fewer), and the seed of the directions
 * @throws RangeError naming the node that is a zero vector or not finite
 *
 * Cost: reads the range once; 16 d operations a node, and 8 for each of its candidates.
 */
export async function farthestCandidates(
  gpu: Gpu,
  source: NodeSource,
  range: { first: number; rows: number },
  { count, seed }: { count: number; seed: number },
): Promise<LandmarkCandidates> {
  const { rows } = range, panels = readPanels(nodesOf(source, range));
  const points = await projected(gpu, panels, rows, source.cols, seededRandom(seed));
  const taken = await farthestOf(gpu, points, Math.min(count, rows), 0);
  return { rows: taken, points: takeRows(points, taken) };
}

/**
 * Farthest points among the candidates of all ranges, beginning with the first.
 *
 * @param parts by range, with the range's first row
 * @param count landmarks wanted, at most the candidates
 * @returns rows of the source, ascending
 */
export async function mergeCandidates(
  gpu: Gpu,
  parts: (LandmarkCandidates & { first: number })[],
  count: number,
): Promise<RowNumbers> {
  const cols = FARTHEST_POINT_DIMENSIONS, total = parts.reduce((sum, { rows }) => sum + rows.length, 0);
  const all = new Float64Array(total), points = { data: new Float32Array(total * cols), rows: total, cols };
  let at = 0;
  for (const { first, rows, points: { data } } of parts) {
    points.data.set(data, at * cols);
    for (const row of rows) {
      all[at++] = first + row;
    }
  }
  const taken = await farthestOf(gpu, points, count, 0);
  return rowNumbers(Float64Array.from(taken, (i) => all[i]).sort());
}

/** Whole numbers, ascending, in 32 bits where these are enough. */
export function rowNumbers(rows: Float64Array): RowNumbers {
  return (rows.at(-1) ?? 0) < 2 ** 32 ? Uint32Array.from(rows) : rows;
}

async function farthestOf(gpu: Gpu, points: Matrix, count: number, start: number): Promise<Uint32Array> {
  const uploaded = uploadMatrix(gpu, points, "candidates");
  try {
    return await farthestPoints(gpu, uploaded, count, start);
  } finally {
    releaseMatrix(gpu, uploaded);
  }
}

/** Unit features of nodes, projected on random directions. */
async function projected(
  gpu: Gpu,
  panels: AsyncIterable<Panel>,
  rows: number,
  channels: number,
  random: Random,
  signal?: AbortSignal,
): Promise<Matrix> {
  const dimensions = FARTHEST_POINT_DIMENSIONS;
  const directions = uploadMatrix(gpu, randomMatrix(channels, dimensions, random), "random directions");
  const out = { data: new Float32Array(rows * dimensions), rows, cols: dimensions };
  try {
    for await (const { first, features } of panels) {
      signal?.throwIfAborted();
      const raw = uploadMatrix(gpu, features, "candidates");
      const unit = normalizeRows(gpu, raw);
      const points = allocateMatrix(gpu, features.rows, dimensions, "projected candidates");
      multiply(gpu, unit, directions, { out: points });
      out.data.set((await downloadMatrix(gpu, points)).data, first * dimensions);
      releaseMatrix(gpu, raw, unit, points);
    }
    return out;
  } finally {
    releaseMatrix(gpu, directions);
  }
}
