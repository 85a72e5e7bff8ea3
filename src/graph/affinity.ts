/** The affinity of nodes, A_ij = exp(cos(v_i, v_j) − 1), and its degrees. */
import code from "../../shaders/affinity.wgsl" with { type: "text" };
import texturesCode from "../../shaders/affinity_textures.wgsl" with { type: "text" };
import sharedCode from "../../shaders/affinity_shared.wgsl" with { type: "text" };
import rowSumCode from "../../shaders/row_sum.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release } from "../gpu/mod.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  type RowTexels,
  type RowWindow,
  rowWindows,
  uploadMatrix,
  withTexels,
} from "../linalg/matrix.ts";
import { assertRows, normalizeRows } from "../linalg/row_normalize.ts";

const AFFINITY: Kernel = { label: "affinity", code };
const AFFINITY_TEXTURES: Kernel = { label: "affinity_textures", code: texturesCode };
const AFFINITY_SHARED: Kernel = { label: "affinity_shared", code: sharedCode };
const ROW_SUM: Kernel = { label: "row_sum", code: rowSumCode };
const WORKGROUP = 8;
/** Rows and columns that a workgroup of the shared variant makes. */
const SHARED_BLOCK = 64;
/** Rows and columns that an invocation of the variant with textures makes. */
const TEXTURES_BLOCK = 16;
/** Workgroups of it in a row of the grid. */
const ACROSS = 2 ** 15;
/** Blocks of fewer rows gain less from textures than making them costs. */
const FEW_ROWS = 64;
/** Most vec4 of a row in one dispatch: Mesa's software adapter silently ends an invocation's loops after 65535 rounds. */
const LONGEST = 2 ** 15;

/** A part of an n × m affinity: rows of `stride` values in one buffer, from row `row` on. */
export interface AffinityTarget {
  buffer: GPUBuffer;
  stride: number;
  row: number;
}

/**
 * A for rows [first, first + count) of `unit` against all rows of `columns`, written to rows [0, count) of `out`.
 *
 * @param unit rows of length 1, n × d
 * @param columns rows of length 1, m × d
 * @param out at least count × m, in one panel
 */
export function affinityBlock(
  gpu: Gpu,
  unit: GpuMatrix,
  first: number,
  count: number,
  columns: GpuMatrix,
  out: AffinityTarget,
): void {
  const textures = takesTextures(gpu, count);
  for (const i of rowWindows(unit, first, count)) {
    const to = { ...out, row: out.row + i.first - first };
    for (const j of rowWindows(columns)) {
      if (textures) texturesBlock(gpu, unit, i, j, to, false);
      else plainBlock(gpu, unit, i, j, to);
    }
  }
}

/** A of all nodes, n × n in one buffer; made by half where the variant of the kernels can. */
export function symmetricAffinity(gpu: Gpu, unit: GpuMatrix, out: Omit<AffinityTarget, "row">): void {
  const [window, ...more] = rowWindows(unit), to = { ...out, row: 0 };
  const textures = takesTextures(gpu, unit.rows);
  if (textures && more.length === 0) texturesBlock(gpu, unit, window, window, to, true);
  else affinityBlock(gpu, unit, 0, unit.rows, unit, to);
}

function takesTextures(gpu: Gpu, rows: number): boolean {
  return gpu.variant === "textures" && rows >= FEW_ROWS;
}

function plainBlock(gpu: Gpu, unit: GpuMatrix, i: RowWindow, j: RowWindow, out: AffinityTarget): void {
  const shared = gpu.variant === "shared";
  dispatch(gpu, shared ? AFFINITY_SHARED : AFFINITY, {
    buffers: [i.buffer, j.buffer, out.buffer],
    u32: [i.rows, j.rows, unit.stride, out.stride / 4, i.panelRow, j.panelRow, out.row, j.first / 4],
    workgroups: shared
      ? [Math.ceil(i.rows / SHARED_BLOCK), Math.ceil(j.rows / SHARED_BLOCK)]
      : [Math.ceil(i.rows / 8 / WORKGROUP), Math.ceil(j.rows / 16)],
    sizes: `${i.rows} × ${j.rows} nodes, ${unit.cols} channels`,
  });
}

/** One window of rows against one of columns, both read as textures. */
function texturesBlock(
  gpu: Gpu,
  unit: GpuMatrix,
  i: RowWindow,
  j: RowWindow,
  out: AffinityTarget,
  mirror: boolean,
): void {
  const down = Math.ceil(i.rows / TEXTURES_BLOCK), along = Math.ceil(j.rows / TEXTURES_BLOCK);
  const panels = Math.ceil(along / WORKGROUP), width = Math.ceil(along / panels);
  const blocks = mirror ? Math.ceil(panels / 2) * (panels + 1) * width ** 2 : panels * width * down;
  const groups = Math.ceil(blocks / WORKGROUP);
  withTexels(gpu, i, unit, (left) => {
    const write = (right: RowTexels) =>
      dispatch(gpu, AFFINITY_TEXTURES, {
        buffers: [left.texture, right.texture, out.buffer],
        u32: [
          ...[i.rows, j.rows, unit.stride / 4, out.stride / 4],
          ...[left.begin, right.begin, out.row, j.first / 4, panels, width],
        ],
        overrides: { MIRROR: Number(mirror), WORKGROUP },
        workgroups: [Math.min(groups, ACROSS), Math.ceil(groups / ACROSS)],
        sizes: `${i.rows} × ${j.rows} nodes, ${unit.cols} channels`,
      });
    if (mirror) write(left);
    else withTexels(gpu, j, unit, write);
  });
}

/** Adds up the rows of a block of affinity into `degrees`, from `firstNode` on. */
export function rowSums(
  gpu: Gpu,
  block: RowWindow,
  stride: number,
  degrees: GPUBuffer,
): void {
  for (let begin = 0; begin < stride / 4; begin += LONGEST) {
    dispatch(gpu, ROW_SUM, {
      buffers: [block.buffer, degrees],
      u32: [block.rows, stride / 4, block.first, begin, Math.min(begin + LONGEST, stride / 4)],
      workgroups: [Math.ceil(block.rows / 16)],
      sizes: `${block.rows} rows of ${stride}`,
    });
  }
}

/** Unit rows of checked host features, on the GPU. */
export function uploadUnitRows(gpu: Gpu, x: Matrix, name = "features"): GpuMatrix {
  assertRows(x, name);
  const raw = uploadMatrix(gpu, x, name);
  const unit = normalizeRows(gpu, raw);
  releaseMatrix(gpu, raw);
  return unit;
}

/**
 * A_ij = exp(cos(x_i, x_j) − 1) for all pairs of rows (METHOD, "Spectral clustering").
 *
 * @param x n × d features, unitless
 * @returns n × n, values in [e⁻², 1], 1 on the diagonal
 * @throws RangeError naming the node that is a zero vector or not finite
 *
 * Cost: 2 n² d operations and n² values; `normalizedCut` needs neither.
 *
 * @example
 * ```ts
 * import { affinity, closeGpu, openGpu } from "../../mod.ts";
 * const gpu = await openGpu();
 * const a = await affinity(gpu, { data: new Float32Array([1, 0, 0, 2]), rows: 2, cols: 2 });
 * if (Math.abs(a.data[1] - Math.exp(-1)) > 1e-6) throw new Error("orthogonal rows have affinity e⁻¹");
 * closeGpu(gpu);
 * ```
 */
export async function affinity(gpu: Gpu, x: Matrix): Promise<Matrix> {
  const unit = uploadUnitRows(gpu, x);
  const out = allocateMatrix(gpu, x.rows, x.rows, "affinity");
  try {
    for (const { first, rows, buffer } of rowWindows(out)) {
      affinityBlock(gpu, unit, first, rows, unit, { buffer, stride: out.stride, row: 0 });
    }
    return await downloadMatrix(gpu, out);
  } finally {
    releaseMatrix(gpu, unit, out);
  }
}

/**
 * d_i = Σ_j A_ij, the degree of every node, without storing A.
 *
 * @param x n × d features
 * @returns n degrees, each in [1 + (n − 1) e⁻², n]
 * @throws RangeError naming the node that is a zero vector or not finite
 */
export async function degrees(gpu: Gpu, x: Matrix): Promise<Float32Array> {
  const unit = uploadUnitRows(gpu, x);
  const sums = allocate(gpu, x.rows * 4, "degrees");
  const tile = tileFor(gpu, x.rows);
  try {
    for (let first = 0; first < x.rows; first += tile.rows) {
      const rows = Math.min(tile.rows, x.rows - first);
      affinityBlock(gpu, unit, first, rows, unit, {
        buffer: tile.buffer,
        stride: tile.stride,
        row: 0,
      });
      rowSums(gpu, { first, rows, buffer: tile.buffer, panelRow: 0 }, tile.stride, sums);
    }
    const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: x.rows * 4 }]);
    return new Float32Array(bytes);
  } finally {
    release(gpu, tile.buffer);
    release(gpu, sums);
    releaseMatrix(gpu, unit);
  }
}

/** Room for a few whole rows of an affinity that is made, used and dropped. */
export interface Tile {
  buffer: GPUBuffer;
  rows: number;
  stride: number;
}

const TILE_BYTES = 32 * 2 ** 20;

/** A tile of rows against `cols` columns: at most 32 MiB and one binding, at least 8 rows. */
export function tileFor(gpu: Gpu, cols: number): Tile {
  const stride = Math.ceil(cols / 4) * 4;
  const most = Math.floor(Math.min(TILE_BYTES, gpu.limits.bindingBytes) / (4 * stride));
  const rows = Math.min(cols, Math.max(1, most >= 8 ? Math.floor(most / 8) * 8 : most));
  if (most < 1) {
    throw new RangeError(
      `A row of ${cols} affinities does not fit one storage binding of ${gpu.limits.bindingBytes} bytes: use landmarks.`,
    );
  }
  return { buffer: allocate(gpu, rows * stride * 4, "affinity tile"), rows, stride };
}
