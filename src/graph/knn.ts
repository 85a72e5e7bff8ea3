/** Nearest neighbours, exact: tiles of similarity, and a running list of the K largest per row. */
import distanceCode from "../../shaders/squared_distance.wgsl" with { type: "text" };
import topKCode from "../../shaders/top_k.wgsl" with { type: "text" };
import {
  allocate,
  dispatch,
  type Gpu,
  halvings,
  type Kernel,
  readBuffers,
  release,
  retryOnOutOfMemory,
} from "../gpu/mod.ts";
import {
  assertMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
  rowView,
  type RowWindow,
  rowWindows,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { centredUnitRows } from "../linalg/centred_rows.ts";
import { assertChoice, assertKnown } from "../linalg/check_options.ts";
import { scaledBy, squarableFactor } from "../linalg/squarable.ts";
import { assertFiniteRows } from "./cluster_labels.ts";
import { rankedExactly } from "./rank_exactly.ts";
import { affinityBlock, releaseHalves, type UnitRows, unitRowsView, withHalves } from "./affinity.ts";

const SQUARED_DISTANCE: Kernel = { label: "squared_distance", code: distanceCode };
const TOP_K: Kernel = { label: "top_k", code: topKCode };
const TOP_K_SHORT: Kernel = { label: "top_k_short", code: topKCode };

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
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export const MAX_K = 128;
/** Neighbours found beyond K, among which float64 ranks: float32's rounding may exchange some. */
const SPARE = 4;
/** Longest list that top_k keeps in registers. */
const SHORT_K = 32;
/** Rows that are searched between two waits. */
const PANEL_ROWS = 4096;
/** Multiplications between two looks at a signal that may stop the search. */
const STOPPED_WITHIN = 2 ** 34;
/**
 * Rows and columns (a multiple of 4) of a tile: on the software adapter 1 MiB, which stays in a core's cache; elsewhere
 * enough rows to fill the device. With every value entering a heap of 128, top_k takes about 34,000 rounds of loops for
 * 4096 columns; the software adapter ends an invocation after 65,535.
 */
export const TILE = { software: { rows: 512, columns: 512 }, hardware: { rows: 4096, columns: 2048 } };
/** Vec4 of rows whose differences one dispatch adds up. */
export const DISTANCE_SLICE = 256;
/** Columns of distances per dispatch: the grid is at most 65,535 workgroups of 4 columns wide. */
const DISTANCE_COLUMNS = 2 ** 17;

/**
 * The K nearest rows of `base` for every row of `queries`, exact, ties to the lower row: the largest cos(q_i, b_j), as METHOD (4) wants it,
 * or the least ‖q_i − b_j‖.
 *
 * @param queries n × d
 * @param base m × d
 * @returns indices and similarities, n × K, nearest first
 * @throws RangeError when K is out of range, widths differ, or naming a row that is not finite or (cosine) zero
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
  assertKnown("nearestNeighbors", options, { k: true, metric: true, excludeSelf: true, signal: true });
  const found = await nearestByDistance(gpu, queries, base, options);
  if (options.metric === "euclidean") return found;
  return { ...found, similarities: found.similarities.map((negated) => Math.exp(negated / 2)) };
}

/**
 * The same with similarities −|x̂ − ŷ|² for "cosine", too: float32 tells them apart where affinities are 1 but for rounding.
 *
 * Unit rows are centred in float64 and compared by their differences, and the K nearest and four more ranked in float64 once
 * more: neighbours that are nearly parallel, or share a large
 * channel, are ranked as float64 ranks them.
 */
export async function nearestByDistance(
  gpu: Gpu,
  queries: Matrix,
  base: Matrix,
  options: NeighborOptions,
): Promise<Neighbors> {
  const { k, metric = "cosine", excludeSelf = false, signal } = options;
  assertMatrix(queries, "queries");
  assertMatrix(base, "base");
  assertChoice("metric", metric, ["cosine", "euclidean"]);
  assertNeighborCount(k, base.rows - Number(excludeSelf));
  if (excludeSelf && queries.rows !== base.rows) {
    throw new RangeError(
      `excludeSelf takes the base itself for queries: these are ${queries.rows} rows, the base ${base.rows}.`,
    );
  }
  if (queries.cols !== base.cols) {
    throw new RangeError(
      `Queries have ${queries.cols} channels and the base ${base.cols}: they must be equal.`,
    );
  }
  const most = signal ? Math.max(64, Math.floor(STOPPED_WITHIN / base.data.length)) : PANEL_ROWS;
  const search = (queries: Matrix, base: Matrix, k: number) =>
    retryOnOutOfMemory(
      gpu,
      halvings(Math.min(queries.rows, PANEL_ROWS, most)),
      (rows) => searchByPanels(gpu, queries, base, { k, metric: "euclidean", excludeSelf, signal, rows }),
    );
  if (metric === "euclidean") return await nearestInRange(queries, base, (from, to) => search(from, to, k));
  const unit = centredUnitRows(base, "base");
  const from = queries === base ? unit.rows : centredUnitRows(queries, "queries", unit.centre).rows;
  const more = Math.min(k + SPARE, MAX_K, base.rows - Number(excludeSelf));
  return rankedExactly(queries, base, await search(from, unit.rows, more), k);
}

/** An Euclidean search of values of any size. */
async function nearestInRange(
  queries: Matrix,
  base: Matrix,
  search: (queries: Matrix, base: Matrix) => Promise<Neighbors>,
): Promise<Neighbors> {
  assertFiniteRows(base, "base");
  if (queries !== base) assertFiniteRows(queries, "queries");
  const factor = squarableFactor(queries, base);
  if (factor === 1) return await search(queries, base);
  const to = scaledBy(base, factor), from = queries === base ? to : scaledBy(queries, factor);
  const found = await search(from, to);
  return { ...found, similarities: found.similarities.map((value) => value / factor / factor) };
}

async function searchByPanels(
  gpu: Gpu,
  queries: Matrix,
  base: Matrix,
  options: NeighborOptions & { rows: number },
): Promise<Neighbors> {
  const { k, rows: panelRows } = options;
  using search = openSearch(gpu, base, options);
  const result = {
    indices: new Uint32Array(queries.rows * k),
    similarities: new Float32Array(queries.rows * k),
    k,
  };
  const x = queries === base ? search.base : uploadMatrix(gpu, queries, "queries");
  try {
    for (let first = 0; first < queries.rows; first += panelRows) {
      options.signal?.throwIfAborted();
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
  }
}

/**
 * Checks K.
 *
 * @throws RangeError "k, the number of neighbours, is 6: with 5 candidates, ask for 1 to 5."
 */
export function assertNeighborCount(k: number, available: number): void {
  if (Number.isInteger(k) && k >= 1 && k <= Math.min(MAX_K, available)) return;
  const most = Math.min(MAX_K, available);
  throw new RangeError(
    most < 1
      ? `There is no candidate for a neighbour: give more rows.`
      : `k, the number of neighbours, is ${k}: with ${available} candidates, ask for 1 to ${most}.`,
  );
}

/** Neighbour lists on the GPU, K a row, nearest first. */
export interface NeighborLists {
  /** cos − 1 as exp(cos − 1) − 1 ("cosine"), which float32 resolves near 0, or −‖x − y‖². */
  values: GPUBuffer;
  /** Rows of the base, u32. */
  indices: GPUBuffer;
}

/** A base on the GPU, ready to be searched panel by panel. */
export interface NeighborSearch {
  /** The base as it was uploaded: centred unit rows for "cosine". */
  base: GpuMatrix;
  /** Uploads rows to be searched for, as the base was; to be released. */
  upload(x: Matrix, name: string): GpuMatrix;
  /**
   * Records the search for rows [first, first + count) of x, which is on the GPU as `upload` has it. The lists hold
   * until the next call.
   */
  record(x: GpuMatrix, first: number, count: number): NeighborLists;
  /** Gives the GPU memory back. */
  [Symbol.dispose](): void;
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
  const centred = metric === "cosine" ? centredUnitRows(base, "base") : undefined;
  const y = uploadMatrix(gpu, centred?.rows ?? base, "base");
  const room = roomForSearch(gpu, rows, base.rows, k);
  return {
    base: y,
    upload: (x, name) => uploadMatrix(gpu, centred ? centredUnitRows(x, name, centred.centre).rows : x, name),
    record(x, first, count) {
      recordSearch(gpu, room, rowView(x, first, count), y, {
        k,
        metric,
        selfRow: excludeSelf ? first : undefined,
      });
      return room.lists;
    },
    [Symbol.dispose]() {
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
export function roomForSearch(
  gpu: Gpu,
  rows: number,
  candidates: number,
  k: number,
  shape = TILE[gpu.adapter.software ? "software" : "hardware"],
): SearchRoom {
  const width = Math.min(roundUp(candidates, 4), shape.columns);
  const most = Math.max(8, Math.floor(gpu.limits.bindingBytes / (4 * width)));
  const tileRows = Math.min(rows, shape.rows, most);
  return {
    tileRows,
    width,
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
 * Records the search for all rows of x among all rows of y, both on the GPU (for "cosine" unit rows, less one centre); the lists lie at
 * the beginning of the room's.
 *
 * @param options `selfRow`: the row of y that x begins with, where no row may find itself; `unit`: x with its h, where that is there
 * already
 */
export function recordSearch(
  gpu: Gpu,
  { tile, tileRows, width: widest, lists }: SearchRoom,
  x: GpuMatrix,
  y: GpuMatrix,
  options: Pick<NeighborOptions, "k" | "metric"> & { selfRow?: number; unit?: UnitRows },
): void {
  const { k, metric = "cosine", selfRow, unit } = options, width = Math.min(roundUp(y.rows, 4), widest);
  const made = metric === "cosine" ? [...(unit ? [] : [x]), y].map((rows) => withHalves(gpu, rows)) : [];
  const nodes = unit ? [unit, ...made] : made;
  for (let at = 0; at < x.rows; at += tileRows) {
    const rows = Math.min(tileRows, x.rows - at);
    for (let column = 0; column < y.rows; column += width) {
      const columns = Math.min(width, y.rows - column);
      const target = { buffer: tile, stride: width, row: 0 };
      if (metric === "cosine") {
        affinityBlock(gpu, nodes[0], at, rows, unitRowsView(nodes[1], column, columns), target);
      } else squaredDistances(gpu, x, at, rows, rowView(y, column, columns), target);
      recordTopK(gpu, tile, lists, {
        rows,
        cols: columns,
        stride: width / 4,
        k,
        firstCol: column,
        skipSelf: Number(selfRow !== undefined),
        selfRow: (selfRow ?? 0) + at,
        begin: Number(column === 0),
        finish: Number(column + width >= y.rows),
        listRow: at,
      });
    }
  }
  releaseHalves(gpu, ...made);
}

/** Records that the lists take the K largest of a tile's rows; `params` are those of shaders/top_k.wgsl. */
export function recordTopK(
  gpu: Gpu,
  tile: GPUBuffer,
  { values, indices }: NeighborLists,
  params: Record<string, number>,
): void {
  const { rows, cols, k } = params, isShort = k <= SHORT_K, workgroup = isShort ? 16 : 8;
  dispatch(gpu, isShort ? TOP_K_SHORT : TOP_K, {
    buffers: [tile, values, indices],
    params,
    overrides: { SHORT: Number(isShort), WORKGROUP: workgroup },
    workgroups: [Math.ceil(rows / workgroup)],
    sizes: `${rows} × ${cols}, K = ${k}`,
  });
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
      for (let begin = 0; begin < x.stride / 4; begin += DISTANCE_SLICE) {
        dispatch(gpu, SQUARED_DISTANCE, {
          buffers: [i.buffer, j.buffer, out.buffer],
          params: {
            rows: i.rows,
            cols: j.rows,
            depth: x.stride / 4,
            outStride: out.stride / 4,
            xRow: i.panelRow,
            yRow: j.panelRow,
            outRow: out.row + i.first - first,
            outCol: j.first / 4,
            begin,
            end: Math.min(begin + DISTANCE_SLICE, x.stride / 4),
          },
          workgroups: [Math.ceil(i.rows / 64), Math.ceil(j.rows / 4)],
          sizes: `${i.rows} × ${j.rows} points, ${x.cols} coordinates`,
        });
      }
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
