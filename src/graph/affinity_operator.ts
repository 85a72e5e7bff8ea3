/** The normalised affinity as an operator on blocks: stored, or made tile by tile at every application. */
import { allocate, type Gpu, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  keepTexels,
  releaseMatrix,
  releaseTexels,
  roundUp,
  rowView,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { scaleRows } from "../linalg/scale_rows.ts";
import type { SymmetricOperator } from "../linalg/subspace_iteration.ts";
import { affinityBlock, rowSums, symmetricAffinity, tileFor } from "./affinity.ts";

/** How the operator keeps the affinity. */
export type Storage = "stored" | "tiled";

/** The operator M′ = D^−½ A D^−½ − q qᵀ, q = D^½ 1 / ‖D^½ 1‖ being the first eigenvector, known exactly. */
export interface AffinityOperator extends SymmetricOperator {
  storage: Storage;
  /** d_i = Σ_j A_ij. */
  degrees: Float64Array;
  /** The first eigenvector of D^−½ A D^−½, whose eigenvalue is 1. */
  first: Float64Array;
  release(): void;
}

/** Settings of the operator. */
export interface AffinityOperatorOptions {
  /**
   * "stored", or "tiled": made again at every application.
   * Default: "stored" where all of A takes at most 128 MiB, else "tiled".
   */
  storage?: Storage;
}

/** How large the tiles of "tiled" are. */
export interface TileSize {
  /** Bytes; default 16 MiB. The last bits of eigenvectors depend on it. */
  tileBytes?: number;
}

/** Bytes that a stored affinity takes unless told otherwise. */
export const DEFAULT_BUDGET = 2 ** 27;
/** Bytes of a tile unless told otherwise. */
const TILE_BYTES = 2 ** 24;

/** out ← A x for n × c blocks; x and out differ. */
type ApplyAffinity = (x: GpuMatrix, out: GpuMatrix) => void;

/** A, ready to be applied. */
interface Affinity {
  apply: ApplyAffinity;
  degrees: Float64Array;
  release(): void;
}

/**
 * Builds the operator of a graph's unit features, degrees included.
 *
 * Tiles are those on and above the diagonal; each serves its transpose, too, so that an application makes half of A. What
 * a tile holds depends on n alone where a storage binding takes 16 MiB, as every WebGPU adapter's does.
 *
 * @param unit n × d unit rows
 * @returns the operator; memory O(n²) when stored, else O(n · d)
 */
export async function affinityOperator(
  gpu: Gpu,
  unit: GpuMatrix,
  options: AffinityOperatorOptions & TileSize = {},
): Promise<AffinityOperator> {
  const n = unit.rows, bytes = 4 * n * roundUp(n, 4);
  const storage = options.storage ?? (bytes <= DEFAULT_BUDGET ? "stored" : "tiled");
  const affinity = storage === "tiled"
    ? await tiledAffinity(gpu, unit, options.tileBytes)
    : bytes <= gpu.limits.bindingBytes
    ? await wholeAffinity(gpu, unit)
    : await panelledAffinity(gpu, unit);
  return operator(gpu, storage, affinity);
}

/** A of a graph whose affinity fits one buffer. */
async function wholeAffinity(gpu: Gpu, unit: GpuMatrix): Promise<Affinity> {
  const n = unit.rows, stride = roundUp(n, 4);
  const buffer = allocate(gpu, 4 * n * stride, "affinity"), sums = allocate(gpu, n * 4, "degrees");
  try {
    symmetricAffinity(gpu, unit, { buffer, stride });
    rowSums(gpu, { first: 0, rows: n, buffer, panelRow: 0 }, stride, sums);
    const degrees = await readDegrees(gpu, sums, n);
    const a = keepTexels(gpu, tileMatrix(buffer, n, n));
    return {
      apply: (x, out) => void multiply(gpu, a, x, { out }),
      degrees,
      release() {
        releaseTexels(gpu, a);
        release(gpu, buffer);
      },
    };
  } catch (error) {
    release(gpu, buffer);
    throw error;
  } finally {
    release(gpu, sums);
  }
}

/** A in panels of whole rows. */
async function panelledAffinity(gpu: Gpu, unit: GpuMatrix): Promise<Affinity> {
  const n = unit.rows, sums = allocate(gpu, n * 4, "degrees"), panels: GPUBuffer[] = [];
  const { rows: most, stride, buffer } = tileFor(gpu, n);
  release(gpu, buffer);
  const releasePanels = () => panels.forEach((panel) => release(gpu, panel));
  try {
    for (let first = 0; first < n; first += most) {
      const rows = Math.min(most, n - first), panel = allocate(gpu, rows * stride * 4, "affinity panel");
      panels.push(panel);
      affinityBlock(gpu, unit, first, rows, unit, { buffer: panel, stride, row: 0 });
      rowSums(gpu, { first, rows, buffer: panel, panelRow: 0 }, stride, sums);
    }
    return {
      apply(x, out) {
        panels.forEach((panel, i) => {
          const rows = Math.min(most, n - i * most);
          multiply(gpu, tileMatrix(panel, rows, n), x, { out: rowView(out, i * most, rows) });
        });
      },
      degrees: await readDegrees(gpu, sums, n),
      release: releasePanels,
    };
  } catch (error) {
    releasePanels();
    throw error;
  } finally {
    release(gpu, sums);
  }
}

/** A made by tiles on and above the diagonal, each used for itself and its transpose, then dropped. */
async function tiledAffinity(gpu: Gpu, unit: GpuMatrix, tileBytes = TILE_BYTES): Promise<Affinity> {
  const n = unit.rows, steps = tilesOf(n, Math.min(tileBytes, gpu.limits.bindingBytes));
  const buffer = allocate(gpu, Math.max(...steps.map(({ bytes }) => bytes)), "affinity tile");
  const features = keepTexels(gpu, unit);
  const apply: ApplyAffinity = (columns, out) => {
    const x = keepTexels(gpu, columns);
    for (const { row, rows, col, cols } of steps) {
      const target = { buffer, stride: roundUp(cols, 4), row: 0 };
      affinityBlock(gpu, features, row, rows, rowView(features, col, cols), target);
      const tile = keepTexels(gpu, tileMatrix(buffer, rows, cols));
      multiply(gpu, tile, rowView(x, col, cols), {
        out: rowView(out, row, rows),
        accumulate: row > 0 || col > row,
      });
      if (col > row) {
        const options = { transposeA: true, out: rowView(out, col, cols), accumulate: row > 0 };
        multiply(gpu, tile, rowView(x, row, rows), options);
      }
      releaseTexels(gpu, tile);
    }
    releaseTexels(gpu, x);
  };
  const free = () => {
    releaseTexels(gpu, features);
    release(gpu, buffer);
  };
  const ones = uploadMatrix(gpu, { data: new Float32Array(n).fill(1), rows: n, cols: 1 }, "ones");
  const sums = allocateMatrix(gpu, n, 1, "degrees");
  try {
    apply(ones, sums);
    const { data } = await downloadMatrix(gpu, sums);
    return { apply, degrees: Float64Array.from(data), release: free };
  } catch (error) {
    free();
    throw error;
  } finally {
    releaseMatrix(gpu, ones, sums);
  }
}

/** Part of A. */
interface Tile {
  row: number;
  rows: number;
  col: number;
  cols: number;
  bytes: number;
}

/**
 * Tiles that cover all on and above the diagonal, squares on it: strips of rows, each cut behind its square where it is
 * longer than `most` bytes allow.
 */
export function tilesOf(n: number, most: number): Tile[] {
  const tiles: Tile[] = [];
  const tile = (row: number, rows: number, col: number, cols: number) =>
    tiles.push({ row, rows, col, cols, bytes: 4 * rows * roundUp(cols, 4) });
  const square = Math.max(8, Math.floor(Math.sqrt(most / 4) / 8) * 8);
  for (let row = 0; row < n;) {
    const wide = Math.floor(most / 4 / roundUp(n - row, 4) / 128) * 128; // whole workgroups of rows
    const rows = Math.min(n - row, Math.max(Math.min(square, LEAST_ROWS), Math.min(square, wide)));
    tile(row, rows, row, rows);
    const cols = Math.max(4, Math.floor(most / 4 / rows / 4) * 4);
    for (let col = row + rows; col < n; col += cols) tile(row, rows, col, Math.min(cols, n - col));
    row += rows;
  }
  return tiles;
}

/** Strips of fewer rows are cut instead of made lower. */
const LEAST_ROWS = 512;

async function readDegrees(gpu: Gpu, sums: GPUBuffer, n: number): Promise<Float64Array> {
  const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: n * 4 }]);
  return Float64Array.from(new Float32Array(bytes));
}

function tileMatrix(buffer: GPUBuffer, rows: number, cols: number): GpuMatrix {
  const stride = roundUp(cols, 4);
  return { rows, cols, stride, panelRows: rows, panels: [buffer], offset: 0, label: "affinity" };
}

function operator(gpu: Gpu, storage: Storage, affinity: Affinity): AffinityOperator {
  const { degrees } = affinity, n = degrees.length;
  const volume = degrees.reduce((sum, d) => sum + d, 0);
  const first = degrees.map((d) => Math.sqrt(d / volume));
  const column = (values: Float64Array, label: string) =>
    uploadMatrix(gpu, { data: Float32Array.from(values), rows: n, cols: 1 }, label);
  const known = column(first, "first eigenvector"),
    minus = column(first.map((v) => -v), "− first eigenvector");
  const inverseRoots = allocate(gpu, n * 4, "d^−½");
  writeBuffer(gpu, inverseRoots, Float32Array.from(degrees, (d) => 1 / Math.sqrt(d)));
  return {
    ...{ size: n, storage, degrees, first },
    apply(x, out) {
      const scaled = scaleRows(gpu, x, inverseRoots), image = allocateMatrix(gpu, n, x.cols, "A D^−½ x");
      affinity.apply(scaled, image);
      const share = multiply(gpu, known, x, { transposeA: true });
      scaleRows(gpu, image, inverseRoots, { out });
      multiply(gpu, minus, share, { out, accumulate: true });
      releaseMatrix(gpu, scaled, image, share);
    },
    release() {
      affinity.release();
      release(gpu, inverseRoots);
      releaseMatrix(gpu, known, minus);
    },
  };
}
