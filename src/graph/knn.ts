/** Nearest neighbours, exact: tiles of similarity, and a running list of the K largest per row. */
import distanceCode from "../../shaders/squared_distance.wgsl" with { type: "text" };
import topKCode from "../../shaders/top_k.wgsl" with { type: "text" };
import topKShortCode from "../../shaders/top_k_short.wgsl" with { type: "text" };
import {
  allocate,
  dispatch,
  firstThatFits,
  type Gpu,
  halves,
  type Kernel,
  readBuffers,
  release,
} from "../gpu/mod.ts";
import {
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
  rowView,
  type RowWindow,
  rowWindows,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { assertRows, normalizeRows } from "../linalg/row_normalize.ts";
import { affinityBlock, releaseHalves, unitRowsView, withHalves } from "./affinity.ts";

const SQUARED_DISTANCE: Kernel = { label: "squared_distance", code: distanceCode };
const TOP_K: Kernel = { label: "top_k", code: topKCode };
const TOP_K_SHORT: Kernel = { label: "top_k_short", code: topKShortCode };

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
/** Longest list that top_k_short keeps in registers. */
const SHORT_K = 32;
/** Rows that are searched between two waits. */
const PANEL_ROWS = 4096;
/**
 * Rows and columns (a multiple of 4) of a tile: on the software adapter 1 MiB, which stays in a core's cache; elsewhere
 * enough rows to fill the device. With every value entering a heap of 128, top_k takes about 34,000 rounds of loops for
 * 4096 columns; the software adapter ends an invocation after 65,535.
 */
const TILE = { software: { rows: 512, columns: 512 }, hardware: { rows: 4096, columns: 2048 } };
/** Columns of distances per dispatch: the grid is at most 65,535 workgroups of 4 columns wide. */
const DISTANCE_COLUMNS = 2 ** 17;

/**
 * The K nearest rows of `base` for every row of `queries`, exact, ties to the lower row: the largest cos(q_i, b_j), as METHOD (4) wants it,
 * or the least ‖q_i − b_j‖.
 *
 * @param queries n × d
 * @param base m × d
 * @returns indices and similarities, n × K, nearest first
 * @throws RangeError when K is out of range, widths differ, or (cosine) a row is zero
 *
 * Cost: 2 n m d operations; memory O((n + m) d + n K) and one tile, never n × m; panels of fewer queries where the device
 * has no memory for them.
 */
export async function nearestNeighbors(
  gpu: Gpu,
  queries: Matrix,
  base: Matrix,
  options: NeighborOptions,
): Promise<Neighbors> {
  const { k, metric = "cosine", excludeSelf = false } = options;
  if (queries.cols !== base.cols) {
    throw new RangeError(
      `Queries have ${queries.cols} channels and the base ${base.cols}: they must be equal.`,
    );
  }
  return await firstThatFits(
    gpu,
    halves(Math.min(queries.rows, PANEL_ROWS)),
    (rows) => searchByPanels(gpu, queries, base, { k, metric, excludeSelf, rows }),
  );
}

async function searchByPanels(
  gpu: Gpu,
  queries: Matrix,
  base: Matrix,
  options: Required<NeighborOptions> & { rows: number },
): Promise<Neighbors> {
  const { k, metric, rows: panelRows } = options;
  const search = openSearch(gpu, base, options);
  const result = {
    indices: new Uint32Array(queries.rows * k),
    similarities: new Float32Array(queries.rows * k),
    k,
  };
  const x = queries === base ? search.base : uploadFor(gpu, queries, "queries", metric);
  try {
    for (let first = 0; first < queries.rows; first += panelRows) {
      const rows = Math.min(panelRows, queries.rows - first);
      const lists = search.record(x, first, rows);
      const bytes = rows * k * 4;
      const [values, indices] = await readBuffers(gpu, [
        { buffer: lists.values, bytes },
        { buffer: lists.indices, bytes },
      ]);
      result.similarities.set(new Float32Array(values), first * k);
      result.indices.set(new Uint32Array(indices), first * k);
    }
    return result;
  } finally {
    if (x !== search.base) releaseMatrix(gpu, x);
    search.release();
  }
}

/**
 * Checks K.
 *
 * @throws RangeError "k is 6: with 5 candidates, ask for 1 to 5 neighbours."
 */
export function assertNeighborCount(k: number, available: number): void {
  if (Number.isInteger(k) && k >= 1 && k <= Math.min(MAX_K, available)) return;
  throw new RangeError(
    `k is ${k}: with ${available} candidates, ask for 1 to ${Math.min(MAX_K, available)} neighbours.`,
  );
}

/** Neighbour lists on the GPU, K a row, nearest first. */
export interface NeighborLists {
  /** Similarities, float32. */
  values: GPUBuffer;
  /** Rows of the base, u32. */
  indices: GPUBuffer;
}

/** A base on the GPU, ready to be searched panel by panel. */
export interface NeighborSearch {
  /** The base as it was uploaded: unit rows for "cosine". */
  base: GpuMatrix;
  /**
   * Records the search for rows [first, first + count) of x, which is on the GPU (unit rows for "cosine"). The lists hold
   * until the next call.
   */
  record(x: GpuMatrix, first: number, count: number): NeighborLists;
  /** Gives the GPU memory back. */
  release(): void;
}

/**
 * Uploads a base, once for any number of searches.
 *
 * @param options as for `nearestNeighbors`; `rows`: the most rows of one search
 * @throws RangeError when K is out of range, or naming the row that is zero (cosine)
 */
export function openSearch(
  gpu: Gpu,
  base: Matrix,
  { k, metric = "cosine", excludeSelf = false, rows }: NeighborOptions & { rows: number },
): NeighborSearch {
  assertNeighborCount(k, base.rows - Number(excludeSelf));
  const y = uploadFor(gpu, base, "base", metric);
  const room = roomForSearch(gpu, rows, base.rows, k);
  return {
    base: y,
    record(x, first, count) {
      recordSearch(gpu, room, rowView(x, first, count), y, {
        ...{ k, metric },
        selfRow: excludeSelf ? first : undefined,
      });
      return room.lists;
    },
    release() {
      releaseRoom(gpu, room);
      releaseMatrix(gpu, y);
    },
  };
}

/** What a search works in, and what it finds. */
export interface SearchRoom {
  tile: GPUBuffer;
  tileRows: number;
  /** Columns of the tile, a multiple of 4. */
  width: number;
  lists: NeighborLists;
}

/** Makes room for searches of at most `rows` queries in at most `candidates` rows of a base. */
export function roomForSearch(gpu: Gpu, rows: number, candidates: number, k: number): SearchRoom {
  const shape = TILE[gpu.adapter.software ? "software" : "hardware"];
  const width = Math.min(roundUp(candidates, 4), shape.columns);
  const most = Math.max(8, Math.floor(gpu.limits.bindingBytes / (4 * width)));
  const tileRows = Math.min(rows, shape.rows, most);
  return {
    ...{ tileRows, width },
    tile: allocate(gpu, tileRows * width * 4, "tile of similarities"),
    lists: {
      values: allocate(gpu, rows * k * 4, "neighbour lists"),
      indices: allocate(gpu, rows * k * 4, "neighbour lists"),
    },
  };
}

/** Gives the room back. */
export function releaseRoom(gpu: Gpu, { tile, lists }: SearchRoom): void {
  for (const buffer of [tile, lists.values, lists.indices]) release(gpu, buffer);
}

/**
 * Records the search for all rows of x among all rows of y, both on the GPU (unit rows for "cosine"); the lists lie at
 * the beginning of the room's.
 *
 * @param options `selfRow`: the row of y that x begins with, where no row may find itself
 */
export function recordSearch(
  gpu: Gpu,
  { tile, tileRows, width: widest, lists }: SearchRoom,
  x: GpuMatrix,
  y: GpuMatrix,
  { k, metric = "cosine", selfRow }: { k: number; metric?: "cosine" | "euclidean"; selfRow?: number },
): void {
  const width = Math.min(roundUp(y.rows, 4), widest);
  const unit = metric === "cosine" ? [x, y].map((rows) => withHalves(gpu, rows)) : [];
  for (let at = 0; at < x.rows; at += tileRows) {
    const rows = Math.min(tileRows, x.rows - at);
    for (let column = 0; column < y.rows; column += width) {
      const columns = Math.min(width, y.rows - column);
      const target = { buffer: tile, stride: width, row: 0, plus: 1 } as const;
      if (metric === "cosine") {
        affinityBlock(gpu, unit[0], at, rows, unitRowsView(unit[1], column, columns), target);
      } else squaredDistances(gpu, x, at, rows, rowView(y, column, columns), target);
      const begin = Number(column === 0), finish = Number(column + width >= y.rows);
      const self = [Number(selfRow !== undefined), (selfRow ?? 0) + at];
      const short = k <= SHORT_K;
      dispatch(gpu, short ? TOP_K_SHORT : TOP_K, {
        buffers: [tile, lists.values, lists.indices],
        u32: short
          ? [rows, columns, width / 4, k, column, ...self, begin, at]
          : [rows, columns, width / 4, 0, Math.ceil(columns / 4), k, column, ...self, begin, finish, at],
        workgroups: [Math.ceil(rows / (short ? 16 : 8))],
        sizes: `${rows} × ${columns}, K = ${k}`,
      });
    }
  }
  releaseHalves(gpu, ...unit);
}

function uploadFor(gpu: Gpu, x: Matrix, name: string, metric: "cosine" | "euclidean"): GpuMatrix {
  if (metric === "euclidean") return uploadMatrix(gpu, x, name);
  assertRows(x, name);
  const raw = uploadMatrix(gpu, x, name), unit = normalizeRows(gpu, raw);
  releaseMatrix(gpu, raw);
  return unit;
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
