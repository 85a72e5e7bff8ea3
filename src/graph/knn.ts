/** Nearest neighbours, exact: tiles of similarity, and a running list of the K largest per row. */
import distanceCode from "../../shaders/squared_distance.wgsl" with { type: "text" };
import topKCode from "../../shaders/top_k.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release } from "../gpu/mod.ts";
import {
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  type RowWindow,
  rowWindows,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { affinityBlock, tileFor, uploadScale, uploadUnitRows } from "./affinity.ts";

const SQUARED_DISTANCE: Kernel = { label: "squared_distance", code: distanceCode };
const TOP_K: Kernel = { label: "top_k", code: topKCode };

/** The K nearest of every query, nearest first. */
export interface Neighbors {
  /** n × K rows of the base. */
  indices: Uint32Array;
  /** n × K similarities: affinities exp(cos − 1), or negated squared distances. */
  similarities: Float32Array;
  /** K. */
  k: number;
}

/** Settings of `nearestNeighbors`. */
export interface NeighborOptions {
  /** Neighbours a query, 1 to 128 and at most the rows of the base. */
  k: number;
  /** "cosine": similarity exp(cos − 1); "euclidean": −‖x − y‖². Default "cosine". */
  metric?: "cosine" | "euclidean";
  /** Queries are the base itself, and a row is not its own neighbour. */
  excludeSelf?: boolean;
}

const MAX_K = 128;
/**
 * Columns that one dispatch of top_k looks at, in vec4: with every value entering a heap of 128 that is about 34,000
 * rounds of loops; the software adapter ends an invocation after 65,535.
 */
const QUADS = 1024;
/** Columns of distances per dispatch: the grid is at most 65,535 workgroups of 4 columns wide. */
const DISTANCE_COLUMNS = 2 ** 17;

/**
 * The K nearest rows of `base` for every row of `queries`, exact, ties to the lower row.
 *
 * @param queries n × d
 * @param base m × d
 * @returns indices and similarities, n × K, nearest first
 * @throws RangeError when K is out of range, widths differ, or (cosine) a row is zero
 *
 * Cost: 2 n m d operations; memory O((n + m) d + n K) and one tile, never n × m.
 */
export async function nearestNeighbors(
  gpu: Gpu,
  queries: Matrix,
  base: Matrix,
  options: NeighborOptions,
): Promise<Neighbors> {
  const { k, metric = "cosine", excludeSelf = false } = options;
  const available = base.rows - Number(excludeSelf);
  if (!(Number.isInteger(k) && k >= 1 && k <= Math.min(MAX_K, available))) {
    throw new RangeError(
      `k is ${k}: with ${available} candidates, ask for 1 to ${Math.min(MAX_K, available)} neighbours.`,
    );
  }
  if (queries.cols !== base.cols) {
    throw new RangeError(
      `Queries have ${queries.cols} channels and the base ${base.cols}: they must be equal.`,
    );
  }
  const upload = (x: Matrix, name: string) =>
    metric === "cosine" ? uploadUnitRows(gpu, x, name) : uploadMatrix(gpu, x, name);
  const y = upload(base, "base");
  const x = queries === base ? y : upload(queries, "queries");
  const tile = tileFor(gpu, base.rows);
  const lists = {
    values: allocate(gpu, tile.rows * k * 4, "neighbour list"),
    indices: allocate(gpu, tile.rows * k * 4, "neighbour list"),
  };
  const plain = metric === "cosine" ? uploadScale(gpu, Math.max(queries.rows, base.rows)) : null;
  const result = {
    indices: new Uint32Array(queries.rows * k),
    similarities: new Float32Array(queries.rows * k),
    k,
  };
  try {
    for (let first = 0; first < queries.rows; first += tile.rows) {
      const rows = Math.min(tile.rows, queries.rows - first);
      const target = { buffer: tile.buffer, stride: tile.stride, row: 0 };
      if (plain) affinityBlock(gpu, x, plain, first, rows, y, plain, target);
      else squaredDistances(gpu, x, first, rows, y, target);
      for (let quad = 0; quad < tile.stride / 4; quad += QUADS) {
        const end = Math.min(quad + QUADS, tile.stride / 4);
        dispatch(gpu, TOP_K, {
          buffers: [tile.buffer, lists.values, lists.indices],
          u32: [
            ...[rows, base.rows, tile.stride / 4, quad, end, k],
            ...[0, Number(excludeSelf), first, Number(quad === 0), Number(end === tile.stride / 4)],
          ],
          workgroups: [Math.ceil(rows / 8)],
          sizes: `${rows} × ${base.rows}, K = ${k}`,
        });
      }
      const bytes = rows * k * 4;
      const [values, indices] = await readBuffers(gpu, [{ buffer: lists.values, bytes }, {
        buffer: lists.indices,
        bytes,
      }]);
      result.similarities.set(new Float32Array(values), first * k);
      result.indices.set(new Uint32Array(indices), first * k);
    }
    return result;
  } finally {
    release(gpu, tile.buffer);
    release(gpu, lists.values);
    release(gpu, lists.indices);
    if (plain) release(gpu, plain.buffer);
    releaseMatrix(gpu, y, ...(x === y ? [] : [x]));
  }
}

/** −‖x_i − y_j‖² for rows [first, first + count) of x against all of y. */
export function squaredDistances(
  gpu: Gpu,
  x: GpuMatrix,
  first: number,
  count: number,
  y: GpuMatrix,
  out: { buffer: GPUBuffer; stride: number; row: number },
): void {
  for (const i of rowWindows(x, first, count)) {
    for (const j of columnWindows(y)) {
      dispatch(gpu, SQUARED_DISTANCE, {
        buffers: [i.buffer, j.buffer, out.buffer],
        u32: [
          ...[i.rows, j.rows, x.stride / 4, out.stride / 4],
          ...[i.panelRow, j.panelRow, out.row + i.first - first, j.first / 4],
        ],
        workgroups: [Math.ceil(i.rows / 64), Math.ceil(j.rows / 4)],
        sizes: `${i.rows} × ${j.rows} points, ${x.cols} coordinates`,
      });
    }
  }
}

/** The panels of y, cut so that one dispatch can take each. */
function columnWindows(y: GpuMatrix): RowWindow[] {
  const windows: RowWindow[] = [];
  for (let first = 0; first < y.rows; first += DISTANCE_COLUMNS) {
    windows.push(...rowWindows(y, first, Math.min(DISTANCE_COLUMNS, y.rows - first)));
  }
  return windows;
}
