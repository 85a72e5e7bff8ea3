/** Landmarks of the stage "eigenvectors", the same whoever chooses them. */
import type { Gpu } from "../gpu/mod.ts";
import {
  CANDIDATES_PER_LANDMARK,
  farthestCandidates,
  type LandmarkCandidates,
  mergeCandidates,
  rowNumbers,
  sampleLandmarks,
} from "../graph/landmarks.ts";
import { type NodeRange, type NodeSource, PANEL_ROWS } from "../graph/node_source.ts";
import type { RowNumbers } from "../linalg/random.ts";
import { cachedPart, readPart, writePart } from "./graph_parts.ts";
import type { PipelineOptions } from "./pipeline_options.ts";
import { rangeName } from "../graph/fowlkes.ts";
import type { FeatureManifest } from "../data/features/extract_parts.ts";

/** Candidates for landmarks are sought among this number of nodes at a time, … */
const BLOCK_ROWS = 4 * PANEL_ROWS;
/** … or among the nodes that have this number, since the first one of a block is far from nothing, … */
const MIN_CANDIDATES = 64;
/** … but no more: where they lie is held in memory, … */
const MAX_BLOCK_ROWS = 2 ** 22;
/** … unless there were more blocks than this. */
const MAX_BLOCKS = 2048;

/** What the stage "eigenvectors" works with. */
export interface GraphWork {
  gpu: Gpu;
  /** The stage's. */
  folder: string;
  manifests: FeatureManifest[];
  options: PipelineOptions;
}

/** The landmarks' rows, ascending; found where they have been chosen already. */
export async function chosenLandmarks(
  work: GraphWork,
  source: NodeSource,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<RowNumbers> {
  const { gpu, folder, options: { landmarks, sampling, seed } } = work;
  const rows = await cachedPart(folder, "landmarks", async () => {
    const chosen = sampling === "farthest"
      ? await farthestNodes(work, source, onProgress)
      : await sampleLandmarks(gpu, source, { count: Math.min(landmarks, source.rows), sampling, seed });
    return Float64Array.from(chosen);
  });
  return rowNumbers(rows);
}

/** Landmarks as farthest points: of every block of nodes, then of what blocks have found. */
async function farthestNodes(
  work: GraphWork,
  source: NodeSource,
  onProgress: (done: number, total: number) => void,
): Promise<RowNumbers> {
  const count = Math.min(work.options.landmarks, source.rows), blocks = candidateBlocks(source.rows, count);
  const found: (LandmarkCandidates & { first: number })[] = [];
  for (const [at, range] of blocks.entries()) {
    found.push({ first: range.first, ...await candidatesOf(work, source, range) });
    onProgress(at + 1, blocks.length);
  }
  return await mergeCandidates(work.gpu, found, count);
}

/** Ranges of nodes that candidates are sought in, whoever does. */
export function candidateBlocks(nodes: number, landmarks: number): NodeRange[] {
  const blocks = (rows: number) => Math.max(1, Math.ceil(rows / BLOCK_ROWS)) * BLOCK_ROWS;
  const wanted = blocks(MIN_CANDIDATES * nodes / (CANDIDATES_PER_LANDMARK * landmarks));
  const most = Math.max(Math.min(MAX_BLOCK_ROWS, wanted), blocks(nodes / MAX_BLOCKS));
  return Array.from({ length: Math.ceil(nodes / most) }, (_, at) => {
    const first = at * most;
    return { first, rows: Math.min(most, nodes - first) };
  });
}

/** A block's candidates, its share of four for every landmark or `MIN_CANDIDATES`; found now where they are not there. */
export async function candidatesOf(
  { gpu, folder, options }: GraphWork,
  source: NodeSource,
  range: NodeRange,
): Promise<LandmarkCandidates> {
  const name = rangeName("candidates", range), there = await readPart<Float64Array>(folder, name);
  if (there) {
    const [count, cols] = there.shape, rows = new Uint32Array(count);
    const points = { data: new Float32Array(count * (cols - 1)), rows: count, cols: cols - 1 };
    for (let i = 0; i < count; i++) {
      rows[i] = there.data[i * cols];
      points.data.set(there.data.subarray(i * cols + 1, (i + 1) * cols), i * (cols - 1));
    }
    return { rows, points };
  }
  const landmarks = Math.min(options.landmarks, source.rows);
  const share = Math.ceil(CANDIDATES_PER_LANDMARK * landmarks * range.rows / source.rows);
  const count = range.rows < MAX_BLOCK_ROWS ? share : Math.max(share, MIN_CANDIDATES);
  const { rows, points } = await farthestCandidates(gpu, source, range, { count, seed: options.seed });
  const cols = points.cols + 1, data = new Float64Array(rows.length * cols);
  rows.forEach((row, i) => {
    data[i * cols] = row;
    data.set(points.data.subarray(i * points.cols, (i + 1) * points.cols), i * cols + 1);
  });
  await writePart(folder, name, data, [rows.length, cols]);
  return { rows, points };
}
