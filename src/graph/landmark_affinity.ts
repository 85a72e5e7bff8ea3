/** Affinities of nodes to landmarks, panel by panel on the GPU, and their sums over ranges of nodes. */
import { allocate, type Gpu, halvings, release, retryOnOutOfMemory, writeBuffer } from "../gpu/mod.ts";
import { affineRows, sumOfRows } from "../linalg/affine_rows.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadAndRelease,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
} from "../linalg/matrix.ts";
import { uploadSmall } from "../linalg/orthonormalize.ts";
import { affinityBlock, releaseUnitRows, type UnitRows, uploadUnitRows } from "./affinity.ts";
import { type NodeRange, nodesOf, type NodeSource, PANEL_ROWS, readPanels } from "./node_source.ts";

/** Bytes of affinity made at a time, in one binding. */
const BLOCK_BYTES = 2 ** 24;
/** Panels that are summed up in float32 before they are added in float64, … */
const BLOCK_PANELS = 8;
/** … or more of them, so that no graph has more ranges than this. */
const MAX_BLOCKS = 2048;

/**
 * Ranges of nodes that sums are made of, whoever makes them: whole panels, a function of N alone, so that the sum of all
 * ranges in their order is the same to the last bit on one machine and on many.
 */
export function sumBlocks(nodes: number): NodeRange[] {
  const panels = Math.ceil(nodes / PANEL_ROWS);
  const most = PANEL_ROWS * Math.max(BLOCK_PANELS, Math.ceil(panels / MAX_BLOCKS));
  return Array.from({ length: Math.ceil(nodes / most) }, (_, at) => {
    const first = at * most;
    return { first, rows: Math.min(most, nodes - first) };
  });
}

/** Adds up what blocks have, in float64 and in their order. */
export async function sumInOrder(
  blocks: readonly NodeRange[],
  partOf: (block: NodeRange) => Promise<Float64Array>,
): Promise<Float64Array> {
  let sum: Float64Array | null = null;
  for (const block of blocks) {
    const part = await partOf(block);
    if (!sum) sum = part.slice();
    else for (let at = 0; at < sum.length; at++) sum[at] += part[at];
  }
  return sum!;
}

/** Landmarks on the GPU. */
export interface Landmarks {
  unit: UnitRows;
  /** Rows of affinity to them that are made at a time. */
  rowsAtATime: number;
}

export function openLandmarks(gpu: Gpu, features: Matrix): Landmarks {
  const bytes = Math.min(BLOCK_BYTES, gpu.limits.bindingBytes), row = 4 * roundUp(features.rows, 4);
  return {
    unit: uploadUnitRows(gpu, features, "landmarks"),
    rowsAtATime: Math.max(8, Math.floor(bytes / row / 8) * 8),
  };
}

export function unitRows(gpu: Gpu, landmarks: Landmarks, features: Matrix): UnitRows {
  return uploadUnitRows(gpu, features, "panel of features", landmarks.unit.centre);
}

/** Makes the affinities of a panel to the landmarks, less 1, block by block, and hands each to `use`. */
export function affinities(
  gpu: Gpu,
  { unit: landmarks, rowsAtATime }: Landmarks,
  { rows: unit, ...nodes }: UnitRows,
  use: (block: GpuMatrix, first: number) => GpuMatrix,
): GpuMatrix[] {
  const results = [];
  const block = allocateMatrix(
    gpu,
    Math.min(rowsAtATime, unit.rows),
    landmarks.rows.rows,
    "affinity to landmarks",
  );
  const target = { buffer: block.panels[0], stride: block.stride, row: 0 };
  for (let first = 0; first < unit.rows; first += rowsAtATime) {
    const rows = Math.min(rowsAtATime, unit.rows - first);
    affinityBlock(gpu, { rows: unit, ...nodes }, first, rows, landmarks, target);
    results.push(use({ ...block, rows }, first));
  }
  releaseMatrix(gpu, block);
  return results;
}

/** Called after each panel of a range with how many of its nodes have been read. */
type OnNodes = (nodes: number) => void;

/** Works on the nodes of a range panel by panel; where the device has no memory for a panel, again with half of one. */
async function overPanels(
  gpu: Gpu,
  source: NodeSource,
  range: NodeRange,
  features: Matrix,
  onNodes: OnNodes,
  open: (landmarks: Landmarks) => {
    panel(unit: UnitRows, isFirst: boolean): Promise<void>;
    end(): Promise<Float64Array>;
    release(): void;
  },
): Promise<Float64Array> {
  return await retryOnOutOfMemory(gpu, halvings(PANEL_ROWS), async (rows) => {
    const landmarks = openLandmarks(gpu, features), work = open(landmarks);
    try {
      for await (const { first, features } of readPanels(nodesOf(source, range), rows)) {
        const unit = unitRows(gpu, landmarks, features);
        await work.panel(unit, first === 0);
        releaseUnitRows(gpu, unit);
        onNodes(first + features.rows);
      }
      return await work.end();
    } finally {
      work.release();
      releaseUnitRows(gpu, landmarks.unit);
    }
  });
}

/**
 * Σ b_i over the nodes of a range, b_i the affinities of node i to the m landmarks.
 *
 * @param features of the landmarks, m × d
 * @returns m sums, of panels in float32 and of these in float64
 */
export function affinitySums(
  gpu: Gpu,
  source: NodeSource,
  range: NodeRange,
  features: Matrix,
  onNodes: OnNodes = () => {},
): Promise<Float64Array> {
  return overPanels(gpu, source, range, features, onNodes, (landmarks) => {
    const sums = new Float64Array(features.rows).fill(range.rows);
    return {
      async panel(unit) {
        const parts = await downloadAndRelease(
          gpu,
          affinities(gpu, landmarks, unit, (b) => sumOfRows(gpu, b, 1)),
        );
        for (const { data } of parts) {
          for (let k = 0; k < sums.length; k++) sums[k] += data[k];
        }
      },
      end: () => Promise.resolve(sums),
      release() {},
    };
  });
}

/** What degrees and products are made with. */
export interface Weights {
  /** A^−½, m × rank. */
  root: Float64Array;
  rank: number;
  /** A⁻¹ Σ b, m: a node's degree is b · q, … */
  q: Float64Array;
  /** … but no less than this. */
  least: number;
}

/**
 * Σ f_iᵀ f_i / d_i over the nodes of a range, with f_i = b_i A^−½ and d_i = b_i · q.
 *
 * @param features of the landmarks, m × d
 * @returns rank × rank, summed over the range in float32
 */
export function affinityProducts(
  gpu: Gpu,
  source: NodeSource,
  range: NodeRange,
  features: Matrix,
  { root, rank, q, least }: Weights,
  onNodes: OnNodes = () => {},
): Promise<Float64Array> {
  return overPanels(gpu, source, range, features, onNodes, (landmarks) => {
    const m = features.rows, total = columnSums(q, 1)[0];
    const weights = uploadSmall(gpu, q, m, 1, "weights of degrees");
    const small = uploadSmall(gpu, root, m, rank, "A^−½");
    const ones = uploadSmall(gpu, columnSums(root, rank), 1, rank, "1ᵀ A^−½");
    const gram = allocateMatrix(gpu, rank, rank, "Σ fᵀ f / d");
    return {
      async panel(unit, isFirst) {
        const parts = await downloadAndRelease(
          gpu,
          affinities(gpu, landmarks, unit, (b) => multiply(gpu, b, weights)),
        );
        const degrees = parts.flatMap(({ data }) => Array.from(data, (value) => value + total));
        const inverseRoots = allocate(gpu, unit.rows.rows * 4, "d^−½");
        writeBuffer(
          gpu,
          inverseRoots,
          Float32Array.from(degrees, (d) => 1 / Math.sqrt(Math.max(d, least))),
        );
        let accumulate = !isFirst;
        affinities(gpu, landmarks, unit, (b, firstFactor) => {
          const rest = multiply(gpu, b, small);
          const scaled = affineRows(gpu, rest, { row: ones, factors: inverseRoots, firstFactor });
          multiply(gpu, scaled, scaled, { transposeA: true, out: gram, accumulate });
          accumulate = true;
          releaseMatrix(gpu, rest, scaled);
          return gram;
        });
        release(gpu, inverseRoots);
      },
      end: async () => Float64Array.from((await downloadMatrix(gpu, gram)).data),
      release: () => releaseMatrix(gpu, weights, small, ones, gram),
    };
  });
}

/** Σ_i x_ij of every column. */
export function columnSums(x: ArrayLike<number>, cols: number): Float64Array {
  const sums = new Float64Array(cols);
  for (let at = 0; at < x.length; at++) sums[at % cols] += x[at];
  return sums;
}
