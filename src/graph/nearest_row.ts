/** The one nearest row of a base, Euclidean: a product leaves a few candidates, of which float64 takes the nearest. */
import { type Gpu, readBuffers } from "../gpu/mod.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  assertMatrix,
  type GpuMatrix,
  keepTexels,
  type Matrix,
  releaseMatrix,
  releaseTexels,
  rowView,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { scaledBy, squarableFactor } from "../linalg/squarable.ts";
import { recordTopK, releaseRoom, roomForSearch } from "./knn.ts";

/** Rows of the base that float64 chooses among. */
const CANDIDATES = 4;
/** Rows and columns of scores that are made at a time. */
const TILE = { rows: 1024, columns: 4096 };
/** Unit roundoff of float32. */
const ROUNDOFF = 2 ** -24;

/** Finds nearest rows. */
export interface NearestRowSearch {
  /** n × C queries → n rows of the base, ties to the lower one. */
  find(queries: Matrix): Promise<Uint32Array>;
  /** Gives the GPU memory back. */
  release(): void;
}

/**
 * Uploads a base, once for any number of queries.
 *
 * With m the mean of the base, x′ = x − m and b′ = b − m, ‖x − b‖² = ‖x′‖² − 2 s, s = x′ · b′ − ‖b′‖² / 2. The GPU makes s in
 * float32 as the product of (x′, 1) and (b′, −‖b′‖² / 2) and leaves the largest; the host takes the nearest of these in
 * float64. Where rounding might hide a nearer one, it compares with all.
 *
 * @param base m × C, every value finite
 * @param rows most queries of one search
 *
 * Cost: 2 m (C + 1) operations a query on the GPU, half of what distances cost.
 */
export function openNearestRow(gpu: Gpu, base: Matrix, rows: number): NearestRowSearch {
  assertMatrix(base, "base");
  const factor = squarableFactor(base);
  return searchOf(gpu, scaledBy(base, factor), rows, factor);
}

/** @param factor what the base was multiplied by, as queries have to be */
function searchOf(gpu: Gpu, base: Matrix, rows: number, factor: number): NearestRowSearch {
  const { cols } = base, mean = columnMeans(base), own = centred(base, mean);
  const scored = withColumn({ data: own, rows: base.rows, cols }, (i) => -squaredNorm(own, i, cols) / 2);
  const y = keepTexels(gpu, uploadMatrix(gpu, scored, "base"));
  const k = Math.min(CANDIDATES, base.rows), room = roomForSearch(gpu, rows, base.rows, k, TILE);
  const record = (x: GpuMatrix) => {
    for (let at = 0; at < x.rows; at += room.tileRows) {
      const count = Math.min(room.tileRows, x.rows - at);
      for (let first = 0; first < y.rows; first += room.width) {
        const columns = Math.min(room.width, y.rows - first);
        const tile = {
          rows: count,
          cols: columns,
          stride: room.width,
          panelRows: room.tileRows,
          panels: [room.tile],
          offset: 0,
          label: "tile of scores",
        };
        multiply(gpu, rowView(x, at, count), rowView(y, first, columns), { transposeB: true, out: tile });
        recordTopK(gpu, room.tile, room.lists, {
          rows: count,
          cols: columns,
          stride: room.width / 4,
          k,
          firstCol: first,
          skipSelf: 0,
          selfRow: 0,
          begin: Number(first === 0),
          finish: Number(first + columns === y.rows),
          listRow: at,
        });
      }
    }
  };
  return {
    async find(queries) {
      const from = centred(scaledBy(queries, factor), mean), bytes = queries.rows * k * 4;
      const x = uploadMatrix(
        gpu,
        withColumn({ data: from, rows: queries.rows, cols }, () => 1),
        "queries",
      );
      record(x);
      releaseMatrix(gpu, x);
      const [values, indices] = await readBuffers(gpu, [
        { buffer: room.lists.values, bytes },
        { buffer: room.lists.indices, bytes },
      ]);
      const scores = new Float32Array(values), candidates = new Uint32Array(indices);
      return Uint32Array.from({ length: queries.rows }, (_, i) => {
        const some = candidates.subarray(i * k, (i + 1) * k), least = scores[(i + 1) * k - 1];
        const [nearest, square] = nearestOf(from, i, own, some, cols);
        const isSure = k === base.rows || othersBeyond(squaredNorm(from, i, cols), square, least, cols);
        return isSure ? nearest : nearestOf(from, i, own, everyRow(base.rows), cols)[0];
      });
    },
    release() {
      releaseRoom(gpu, room);
      releaseTexels(gpu, y);
      releaseMatrix(gpu, y);
    },
  };
}

/**
 * Whether all rows that score no more than `least` are farther than `nearest`. One that is not lies within
 * r = ‖x′‖ + its distance of the mean, where rounding moves a score by less than γ (‖x′‖ r + r² / 2).
 */
function othersBeyond(square: number, nearest: number, least: number, cols: number): boolean {
  const norm = Math.sqrt(square), reach = norm + Math.sqrt(nearest);
  const error = (cols + 8) * ROUNDOFF * (norm * reach + reach * reach / 2);
  return square - 2 * (least + error) > nearest;
}

/** The nearest of some rows in float64, and its squared distance. */
function nearestOf(
  x: Float64Array,
  i: number,
  base: Float64Array,
  rows: ArrayLike<number>,
  cols: number,
): [row: number, square: number] {
  let nearest = -1, best = Infinity;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at];
    let square = 0;
    for (let k = 0; k < cols; k++) square += (x[i * cols + k] - base[row * cols + k]) ** 2;
    if (square < best || square === best && row < nearest) [nearest, best] = [row, square];
  }
  return [nearest, best];
}

function everyRow(rows: number): Uint32Array {
  return Uint32Array.from({ length: rows }, (_, row) => row);
}

function columnMeans({ data, rows, cols }: Matrix): Float64Array {
  const means = new Float64Array(cols);
  for (let at = 0; at < data.length; at++) means[at % cols] += data[at] / rows;
  return means;
}

/** Rows less the means of a base's columns. */
function centred({ data, cols }: Matrix, means: Float64Array): Float64Array {
  const out = new Float64Array(data.length);
  for (let at = 0; at < out.length; at += cols) {
    for (let k = 0; k < cols; k++) out[at + k] = data[at + k] - means[k];
  }
  return out;
}

function squaredNorm(x: Float64Array, i: number, cols: number): number {
  let square = 0;
  for (let k = i * cols; k < (i + 1) * cols; k++) square += x[k] * x[k];
  return square;
}

/** Rows in float32 with a value behind each. */
function withColumn(
  { data, rows, cols }: { data: Float64Array; rows: number; cols: number },
  valueOf: (row: number) => number,
): Matrix {
  const out = new Float32Array(rows * (cols + 1));
  for (let i = 0; i < rows; i++) {
    out.set(data.subarray(i * cols, (i + 1) * cols), i * (cols + 1));
    out[i * (cols + 1) + cols] = valueOf(i);
  }
  return { data: out, rows, cols: cols + 1 };
}
