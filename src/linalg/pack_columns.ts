/** Columns of a matrix in blocks that kernels read as uniform buffers. */
import code from "../../shaders/pack_columns.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release } from "../gpu/mod.ts";

const PACK: Kernel = { label: "pack_columns", code };
const WORKGROUP = 8;
/** Bytes of a slice: what every adapter allows a uniform binding to be. */
const SLICE_BYTES = 65536;
/** Slices packed at a time: 8 MiB. */
const MOST_SLICES = 128;

/** Columns of a block. */
export type BlockWidth = 16 | 32;

/** Most rows that a block can have: one block then fills a slice. */
export function deepestBlock(width: BlockWidth): number {
  return SLICE_BYTES / 4 / width;
}

/** A part of op(B) in the panel that holds it. */
export interface ColumnSource {
  buffer: GPUBuffer;
  /** First stored row and column. */
  row: number;
  col: number;
  /** Values of a stored row. */
  stride: number;
  /** Rows of op(B), at most `deepestBlock(width)`. */
  k: number;
  /** Columns of op(B). */
  n: number;
  /** Whether op(B) = Bᵀ. */
  transpose: boolean;
  /** Columns of a block. */
  width: BlockWidth;
}

/** Blocks of columns that one dispatch can read. */
export interface ColumnSlice {
  binding: GPUBufferBinding;
  /** First column of the slice. */
  first: number;
  /** Columns from `first` to the end of op(B). */
  columns: number;
  /** Blocks in this slice. */
  blocks: number;
  /** Rows of a block: k rounded up to a multiple of 4. */
  depth: number;
}

/** Packs the columns of op(B) and tells `use` every slice; the slices are gone when this returns. */
export function withPackedColumns(gpu: Gpu, source: ColumnSource, use: (slice: ColumnSlice) => void): void {
  const { buffer, row, col, stride, k, n, transpose, width } = source;
  const depth = Math.ceil(k / 4) * 4, perSlice = Math.floor(deepestBlock(width) / depth);
  const most = MOST_SLICES * perSlice * width;
  for (let first = 0; first < n; first += most) {
    const columns = Math.min(most, n - first), blocks = Math.ceil(columns / width);
    const slices = Math.ceil(blocks / perSlice);
    const packed = allocate(gpu, slices * SLICE_BYTES, "packed columns");
    dispatch(gpu, PACK, {
      buffers: [buffer, packed],
      u32: [
        ...[columns, k, depth, stride / 4],
        ...(transpose ? [row + first, col / 4] : [row, (col + first) / 4]),
        perSlice,
      ],
      overrides: { TRANSPOSE: Number(transpose), QUADS: width / 4, WORKGROUP },
      workgroups: [Math.ceil(depth / 4 / WORKGROUP), width / 4 * blocks],
      sizes: `${k} × ${columns}`,
    });
    for (let slice = 0; slice < slices; slice++) {
      const at = slice * perSlice * width;
      use({
        binding: { buffer: packed, offset: slice * SLICE_BYTES, size: SLICE_BYTES },
        first: first + at,
        columns: n - first - at,
        blocks: Math.min(perSlice, blocks - slice * perSlice),
        depth,
      });
    }
    release(gpu, packed);
  }
}
