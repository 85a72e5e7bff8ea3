/** The normalised affinity as an operator on blocks: stored, or made tile by tile at every application. */
import { allocate, type Gpu, release, writeBuffer } from "../gpu/mod.ts";
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
import { scaleRows } from "../linalg/affine_rows.ts";
import { affinityBlock, keepUnitTexels, symmetricAffinity, type UnitRows, unitRowsView } from "./affinity.ts";
import { type AppliedBlock, joined, type SymmetricOperator } from "../linalg/ritz_pairs.ts";

/** How the operator stores the affinity. */
export type Storage = "stored" | "tiled";

/** The operator M′ = D^−½ A D^−½ − q qᵀ, q = D^½ 1 / ‖D^½ 1‖ being the first eigenvector, known exactly. */
export interface AffinityOperator extends SymmetricOperator {
  storage: Storage;
  /** d_i = Σ_j A_ij. */
  degrees: Float64Array;
  /** The first eigenvector of D^−½ A D^−½, whose eigenvalue is 1. */
  first: Float64Array;
  /** D^½ [start, 1], where a start was given, and its image; to be released by who takes it. */
  begun?: AppliedBlock;
  release(): void;
}

/** Settings of the operator. */
export interface AffinityOperatorOptions {
  /**
   * "stored", or "tiled": made again at every application.
   * Default: "stored" where half of A takes at most 128 MiB, about 8,000 nodes, else "tiled".
   */
  storage?: Storage;
}

/** Where a solver is to start. */
export interface OperatorStart {
  /** n × c columns X to which E is applied as degrees are made: D^½ X and its image then cost no application. Released. */
  start?: GpuMatrix;
}

/** How large the tiles of "tiled" are. */
export interface TileSize {
  /** Bytes; default 16 MiB. The last bits of eigenvectors depend on it. */
  tileBytes?: number;
}

/** Bytes that a stored affinity takes by default. */
const DEFAULT_BUDGET = 2 ** 27;
/** Bytes of a tile by default. */
const TILE_BYTES = 2 ** 24;

/** out ← E x for n × c blocks, E = A − 1; x and out differ. */
type ApplyAffinity = (x: GpuMatrix, out: GpuMatrix) => void;

/** E, ready to be applied. */
interface Affinity {
  apply: ApplyAffinity;
  release(): void;
}

/**
 * Builds the operator of a graph's unit features, degrees included.
 *
 * Tiles are those on and above the diagonal; each serves its transpose, too, so that half of A is stored, or made by an
 * application. What a tile holds depends on n alone where a storage binding takes 16 MiB, as every WebGPU adapter's does.
 *
 * @param nodes n × d
 * @returns the operator; memory O(n²) when stored, else O(n · d)
 */
export async function affinityOperator(
  gpu: Gpu,
  nodes: UnitRows,
  options: AffinityOperatorOptions & TileSize & OperatorStart = {},
): Promise<AffinityOperator> {
  const n = nodes.rows.rows;
  const tiles = tilesOf(n, Math.min(options.tileBytes ?? TILE_BYTES, gpu.limits.bindingBytes));
  const bytes = tiles.reduce((sum, tile) => sum + tile.bytes, 0);
  const storage = options.storage ?? (bytes <= DEFAULT_BUDGET ? "stored" : "tiled");
  const ones = uploadMatrix(gpu, { data: new Float32Array(n).fill(1), rows: n, cols: 1 }, "ones");
  const columns = options.start ? joined(gpu, [options.start, ones]) : ones;
  const image = allocateMatrix(gpu, n, columns.cols, "E · columns");
  let affinity: Affinity | undefined;
  try {
    if (options.start) releaseMatrix(gpu, options.start, ones);
    affinity = tiledAffinity(gpu, nodes, tiles, storage === "stored");
    affinity.apply(columns, image);
    const { data, cols } = await downloadMatrix(gpu, image);
    const sums = Float64Array.from({ length: n }, (_, i) => data[i * cols + cols - 1]);
    return operator(gpu, storage, affinity, sums, options.start ? [columns, image] : undefined);
  } catch (error) {
    affinity?.release();
    throw error;
  } finally {
    releaseMatrix(gpu, columns, image);
  }
}

/**
 * E as tiles on and above the diagonal, each used for itself and its transpose: kept where E is stored, else made, used and
 * dropped one after the other. Where the kernels read textures, a kept tile is nothing else.
 */
function tiledAffinity(gpu: Gpu, nodes: UnitRows, steps: Tile[], isStored: boolean): Affinity {
  const sharesBuffer = !isStored || gpu.variant === "textures";
  const buffers: GPUBuffer[] = [], kept: GpuMatrix[] = [];
  const features = keepUnitTexels(gpu, nodes);
  const bufferOf = (bytes: number) => {
    if (!sharesBuffer || buffers.length === 0) buffers.push(allocate(gpu, bytes, "affinity tile"));
    return buffers.at(-1)!;
  };
  const largest = Math.max(...steps.map(({ bytes }) => bytes));
  const make = ({ row, rows, col, cols, bytes }: Tile): GpuMatrix => {
    const stride = roundUp(cols, 4), buffer = bufferOf(sharesBuffer ? largest : bytes);
    if (row === col) symmetricAffinity(gpu, unitRowsView(features, row, rows), { buffer, stride });
    else {
      const target = { buffer, stride, row: 0 };
      affinityBlock(gpu, features, row, rows, unitRowsView(features, col, cols), target);
    }
    return keepTexels(gpu, tileMatrix(buffer, rows, cols));
  };
  return {
    apply(columns, out) {
      const x = keepTexels(gpu, columns);
      steps.forEach((step, at) => {
        const { row, rows, col, cols } = step;
        const tile = kept[at] ?? make(step);
        if (isStored) kept[at] = tile;
        multiply(gpu, tile, rowView(x, col, cols), {
          out: rowView(out, row, rows),
          accumulate: row > 0 || col > row,
        });
        if (col > row) {
          const options = { transposeA: true, out: rowView(out, col, cols), accumulate: row > 0 };
          multiply(gpu, tile, rowView(x, row, rows), options);
        }
        if (!isStored) releaseTexels(gpu, tile);
      });
      releaseTexels(gpu, x);
    },
    release() {
      releaseTexels(gpu, features.rows, ...kept);
      buffers.forEach((buffer) => release(gpu, buffer));
    },
  };
}

/** Part of E. */
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
    const rows = Math.min(n - row, Math.max(Math.min(square, MIN_ROWS), Math.min(square, wide)));
    tile(row, rows, row, rows);
    const cols = Math.max(4, Math.floor(most / 4 / rows / 4) * 4);
    for (let col = row + rows; col < n; col += cols) tile(row, rows, col, Math.min(cols, n - col));
    row += rows;
  }
  return tiles;
}

/** Strips of fewer rows are cut instead of made lower. */
const MIN_ROWS = 512;

function tileMatrix(buffer: GPUBuffer, rows: number, cols: number): GpuMatrix {
  const stride = roundUp(cols, 4);
  return { rows, cols, stride, panelRows: rows, panels: [buffer], offset: 0, label: "affinity" };
}

/** Roundings to float32 that add up in a product with E, as measured; see `floorOf`. */
const ROUNDINGS = 4;
/** Residuals below this are lost when they are squared in float32. */
const SMALLEST_FLOOR = 1e-16;

/**
 * M′ of E and its row sums e = E 1: with d = n + e, vol = n² + Σ e, s = D^−½ 1 and q = D^½ 1 / √vol,
 *
 *   M′ = D^−½ E D^−½ + s sᵀ − q qᵀ = D^−½ E D^−½ + ½ (u vᵀ + v uᵀ), u = s − q, v = s + q,
 *
 * and u_i = d_i^−½ (vol − d_i²) / (√vol (√vol + d_i)), where n² cancels: vol − d_i² = Σ e − 2 n e_i − e_i². So every term is
 * as small as E is, and what float32 rounds off M′ is small beside it, however near to 1 all of A is.
 *
 * @param applied X and E X, of which D^½ X and M′ D^½ X are made
 */
function operator(
  gpu: Gpu,
  storage: Storage,
  affinity: Affinity,
  sums: Float64Array,
  applied?: [x: GpuMatrix, image: GpuMatrix],
): AffinityOperator {
  const n = sums.length;
  const total = sums.reduce((sum, e) => sum + e, 0), length = Math.sqrt(n * n + total);
  const degrees = sums.map((e) => n + e), roots = degrees.map((d) => 1 / Math.sqrt(d));
  const first = degrees.map((d) => Math.sqrt(d) / length);
  const u = sums.map((e, i) => roots[i] * (total - 2 * n * e - e * e) / (length * (length + degrees[i])) / 2);
  const v = roots.map((s, i) => s + first[i]);
  const pairs = (left: Float64Array, right: Float64Array, label: string) => {
    const data = new Float32Array(2 * n);
    for (let i = 0; i < n; i++) [data[2 * i], data[2 * i + 1]] = [left[i], right[i]];
    return uploadMatrix(gpu, { data, rows: n, cols: 2 }, label);
  };
  const left = pairs(u, v, "deflation"), right = pairs(v, u, "deflation");
  const inverseRoots = allocate(gpu, n * 4, "d^−½");
  writeBuffer(gpu, inverseRoots, Float32Array.from(roots));
  /** out ← M′ x, given E D^−½ x. */
  const finish = (x: GpuMatrix, image: GpuMatrix, out?: GpuMatrix) => {
    const share = multiply(gpu, right, x, { transposeA: true }),
      to = scaleRows(gpu, image, inverseRoots, out);
    multiply(gpu, left, share, { out: to, accumulate: true });
    releaseMatrix(gpu, share);
    return to;
  };
  const begin = ([x, image]: [GpuMatrix, GpuMatrix]): AppliedBlock => {
    const factors = allocate(gpu, n * 4, "d^½");
    writeBuffer(gpu, factors, Float32Array.from(degrees, Math.sqrt));
    const vectors = scaleRows(gpu, x, factors);
    release(gpu, factors);
    return { vectors, images: finish(vectors, image) };
  };
  return {
    size: n,
    storage,
    degrees,
    first,
    floor: floorOf(sums, degrees),
    begun: applied && begin(applied),
    apply(x, out) {
      const scaled = scaleRows(gpu, x, inverseRoots), image = allocateMatrix(gpu, n, x.cols, "E D^−½ x");
      affinity.apply(scaled, image);
      finish(x, image, out);
      releaseMatrix(gpu, scaled, image);
    },
    release() {
      affinity.release();
      release(gpu, inverseRoots);
      releaseMatrix(gpu, left, right);
    },
  };
}

/**
 * The residual ‖M′ x − λ x‖ that float32 does not tell from 0: some roundings of what M′ x is made of. Entry i of
 * D^−½ |E| D^−½ x adds up terms of about |e_i| / d_i together for a unit vector x that is spread over all nodes.
 */
export function floorOf(sums: Float64Array, degrees: Float64Array): number {
  const squares = sums.reduce((sum, e, i) => sum + (e / degrees[i]) ** 2, 0);
  return Math.max(SMALLEST_FLOOR, ROUNDINGS * 2 ** -24 * Math.sqrt(squares / sums.length));
}
