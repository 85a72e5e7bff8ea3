/** The affinity of nodes, A_ij = exp(cos(v_i, v_j) − 1), made as E = A − 1, and its degrees. */
import code from "../../shaders/affinity.wgsl" with { type: "text" };
import texturesCode from "../../shaders/affinity_textures.wgsl" with { type: "text" };
import sharedCode from "../../shaders/affinity_shared.wgsl" with { type: "text" };
import halfCode from "../../shaders/half_squares.wgsl" with { type: "text" };
import rowSumCode from "../../shaders/row_sum.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release } from "../gpu/mod.ts";
import { centredUnitRows } from "../linalg/centred_rows.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  keepTexels,
  type Matrix,
  releaseMatrix,
  type RowTexels,
  rowView,
  type RowWindow,
  rowWindows,
  uploadMatrix,
  withTexels,
} from "../linalg/matrix.ts";

const AFFINITY: Kernel = { label: "affinity", code };
const AFFINITY_TEXTURES: Kernel = { label: "affinity_textures", code: texturesCode };
const AFFINITY_SHARED: Kernel = { label: "affinity_shared", code: sharedCode };
const HALF_SQUARES: Kernel = { label: "half_squares", code: halfCode };
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
export const LONGEST = 2 ** 15;
/** Vec4 whose products one dispatch adds up; half_squares has the same. */
export const SLICE = 256;

/** Nodes of graphs on the GPU: rows w_i = x̂_i − m, m the same for all, see `centredUnitRows`. */
export interface UnitRows {
  /** w, n × d, with |w_i − w_j|² / 2 = 1 − cos(x_i, x_j). */
  rows: GpuMatrix;
  /** h_i = |w_i|² / 2, one for every row of the panels. */
  halves: GPUBuffer;
  /** m, d values. */
  centre: Float64Array;
}

/** A part of an n × m matrix: rows of `stride` values in one buffer, from row `row` on. */
export interface AffinityTarget {
  buffer: GPUBuffer;
  stride: number;
  row: number;
  /** Added to E; 1: A itself. Default 0. */
  plus?: 0 | 1;
}

/** The row of a panel's first row among all rows of the panels. */
function halfRow({ rows }: UnitRows, window: RowWindow): number {
  return rows.offset + window.first;
}

/**
 * E = A − 1 for rows [first, first + count) of `nodes` against all rows of `columns`, written to rows [0, count) of `out`.
 *
 * @param nodes n × d
 * @param columns m × d, with the centre of `nodes`
 * @param out at least count × m, in one panel
 */
export function affinityBlock(
  gpu: Gpu,
  nodes: UnitRows,
  first: number,
  count: number,
  columns: UnitRows,
  out: AffinityTarget,
): void {
  const textures = takesTextures(gpu, count);
  for (const i of rowWindows(nodes.rows, first, count)) {
    const to = { ...out, row: out.row + i.first - first };
    for (const j of rowWindows(columns.rows)) {
      if (textures) texturesBlock(gpu, [nodes, i], [columns, j], to, false);
      else plainBlock(gpu, [nodes, i], [columns, j], to);
    }
  }
}

/** E of all nodes, n × n in one buffer; made by half where the variant of the kernels can. */
export function symmetricAffinity(gpu: Gpu, nodes: UnitRows, out: Omit<AffinityTarget, "row">): void {
  const { rows } = nodes, [window, ...more] = rowWindows(rows), to = { ...out, row: 0 };
  if (takesTextures(gpu, rows.rows) && more.length === 0) {
    texturesBlock(gpu, [nodes, window], [nodes, window], to, true);
  } else affinityBlock(gpu, nodes, 0, rows.rows, nodes, to);
}

function takesTextures(gpu: Gpu, rows: number): boolean {
  return gpu.variant === "textures" && rows >= FEW_ROWS;
}

/** Rows of one panel. */
type Part = [nodes: UnitRows, window: RowWindow];

/** What the dispatches of a block differ in, one for every 1024 channels. */
function slices({ stride }: GpuMatrix, plus: number) {
  return Array.from({ length: Math.ceil(stride / 4 / SLICE) }, (_, at) => {
    const begin = at * SLICE, end = Math.min(begin + SLICE, stride / 4);
    return {
      range: [begin, end],
      overrides: { ADDS: Number(begin > 0), FINISHES: Number(end === stride / 4), PLUS: plus },
    };
  });
}

function plainBlock(gpu: Gpu, [nodes, i]: Part, [columns, j]: Part, out: AffinityTarget): void {
  const shared = gpu.variant === "shared", { stride, cols } = nodes.rows;
  for (const { range, overrides } of slices(nodes.rows, out.plus ?? 0)) {
    dispatch(gpu, shared ? AFFINITY_SHARED : AFFINITY, {
      buffers: [i.buffer, j.buffer, nodes.halves, columns.halves, out.buffer],
      u32: [
        i.rows,
        j.rows,
        stride / 4,
        out.stride / 4,
        i.panelRow,
        j.panelRow,
        out.row,
        j.first / 4,
        halfRow(nodes, i),
        halfRow(columns, j),
        ...range,
      ],
      overrides,
      workgroups: shared
        ? [Math.ceil(i.rows / SHARED_BLOCK), Math.ceil(j.rows / SHARED_BLOCK)]
        : [Math.ceil(i.rows / 8 / WORKGROUP), Math.ceil(j.rows / 16)],
      sizes: `${i.rows} × ${j.rows} nodes, ${cols} channels`,
    });
  }
}

/** One window of rows against one of columns, both read as textures. */
function texturesBlock(
  gpu: Gpu,
  [nodes, i]: Part,
  [columns, j]: Part,
  out: AffinityTarget,
  mirror: boolean,
): void {
  const { stride, cols } = nodes.rows;
  const down = Math.ceil(i.rows / TEXTURES_BLOCK), along = Math.ceil(j.rows / TEXTURES_BLOCK);
  const panels = Math.ceil(along / WORKGROUP), width = Math.ceil(along / panels);
  const blocks = mirror ? Math.ceil(panels / 2) * (panels + 1) * width ** 2 : panels * width * down;
  const groups = Math.ceil(blocks / WORKGROUP);
  withTexels(gpu, i, nodes.rows, (left) => {
    const write = (right: RowTexels) => {
      for (const { range, overrides } of slices(nodes.rows, out.plus ?? 0)) {
        dispatch(gpu, AFFINITY_TEXTURES, {
          buffers: [left.texture, right.texture, nodes.halves, columns.halves, out.buffer],
          u32: [
            i.rows,
            j.rows,
            stride / 4,
            out.stride / 4,
            left.begin,
            right.begin,
            out.row,
            j.first / 4,
            panels,
            width,
            halfRow(nodes, i),
            halfRow(columns, j),
            ...range,
          ],
          overrides: { MIRROR: Number(mirror), WORKGROUP, ...overrides },
          workgroups: [Math.min(groups, ACROSS), Math.ceil(groups / ACROSS)],
          sizes: `${i.rows} × ${j.rows} nodes, ${cols} channels`,
        });
      }
    };
    if (mirror) write(left);
    else withTexels(gpu, j, columns.rows, write);
  });
}

/** Adds up the rows of a block into `sums`, from entry `block.first` on. */
export function rowSums(
  gpu: Gpu,
  block: RowWindow,
  stride: number,
  sums: GPUBuffer,
): void {
  for (let begin = 0; begin < stride / 4; begin += LONGEST) {
    dispatch(gpu, ROW_SUM, {
      buffers: [block.buffer, sums],
      u32: [block.rows, stride / 4, block.first, begin, Math.min(begin + LONGEST, stride / 4)],
      workgroups: [Math.ceil(block.rows / 16)],
      sizes: `${block.rows} rows of ${stride}`,
    });
  }
}

/**
 * Unit rows of host features, centred, on the GPU.
 *
 * @param centre that of nodes which these are to be compared with; default their mean
 * @throws RangeError naming the node that is a zero vector or not finite
 */
export function uploadUnitRows(gpu: Gpu, x: Matrix, name = "features", centre?: Float64Array): UnitRows {
  const centred = centredUnitRows(x, name, centre);
  return withHalves(gpu, uploadMatrix(gpu, centred.rows, name), centred.centre);
}

/** Rows that are on the GPU already with their h, which `releaseHalves` gives back. */
export function withHalves(
  gpu: Gpu,
  rows: GpuMatrix,
  centre: Float64Array = new Float64Array(rows.cols),
): UnitRows {
  const halves = allocate(gpu, (rows.offset + rows.rows) * 4, "half squares of rows");
  for (const { buffer, panelRow, first, rows: count } of rowWindows(rows)) {
    for (let begin = 0; begin < rows.stride / 4; begin += LONGEST) {
      dispatch(gpu, HALF_SQUARES, {
        buffers: [buffer, halves],
        u32: [
          count,
          rows.stride / 4,
          panelRow,
          rows.offset + first,
          begin,
          Math.min(begin + LONGEST, rows.stride / 4),
        ],
        workgroups: [Math.ceil(count / 16)],
        sizes: `${count} × ${rows.cols}`,
      });
    }
  }
  return { rows, halves, centre };
}

/** Rows [first, first + count) of nodes, sharing their memory; not to be released. */
export function unitRowsView(nodes: UnitRows, first: number, count: number): UnitRows {
  return { ...nodes, rows: rowView(nodes.rows, first, count) };
}

/** Nodes with a copy of their rows as textures, see `keepTexels`; free the copy with `releaseTexels`. */
export function keepUnitTexels(gpu: Gpu, nodes: UnitRows): UnitRows {
  return { ...nodes, rows: keepTexels(gpu, nodes.rows) };
}

/** Gives nodes' memory back for reuse. */
export function releaseUnitRows(gpu: Gpu, ...nodes: UnitRows[]): void {
  releaseMatrix(gpu, ...nodes.map(({ rows }) => rows));
  releaseHalves(gpu, ...nodes);
}

/** Gives h back, not the rows. */
export function releaseHalves(gpu: Gpu, ...nodes: UnitRows[]): void {
  for (const { halves } of nodes) release(gpu, halves);
}

/**
 * E_ij = A_ij − 1 for all pairs of rows: where A is 1 to float32's last digit E still tells pairs apart.
 *
 * @param x n × d
 * @returns n × n, values in [e⁻² − 1, 0], 0 on the diagonal
 */
export async function affinityLessOne(gpu: Gpu, x: Matrix): Promise<Matrix> {
  const nodes = uploadUnitRows(gpu, x);
  const out = allocateMatrix(gpu, x.rows, x.rows, "affinity");
  try {
    for (const { first, rows, buffer } of rowWindows(out)) {
      affinityBlock(gpu, nodes, first, rows, nodes, { buffer, stride: out.stride, row: 0 });
    }
    return await downloadMatrix(gpu, out);
  } finally {
    releaseUnitRows(gpu, nodes);
    releaseMatrix(gpu, out);
  }
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
  const a = await affinityLessOne(gpu, x);
  for (let at = 0; at < a.data.length; at++) a.data[at] += 1;
  return a;
}

/**
 * d_i = Σ_j A_ij, the degree of every node, without storing A.
 *
 * @param x n × d features
 * @returns n degrees, each in [1 + (n − 1) e⁻², n]
 * @throws RangeError naming the node that is a zero vector or not finite
 */
export async function degrees(gpu: Gpu, x: Matrix): Promise<Float32Array> {
  const nodes = uploadUnitRows(gpu, x);
  const sums = allocate(gpu, x.rows * 4, "row sums of E");
  const tile = tileFor(gpu, x.rows);
  try {
    for (let first = 0; first < x.rows; first += tile.rows) {
      const rows = Math.min(tile.rows, x.rows - first);
      affinityBlock(gpu, nodes, first, rows, nodes, { buffer: tile.buffer, stride: tile.stride, row: 0 });
      rowSums(gpu, { first, rows, buffer: tile.buffer, panelRow: 0 }, tile.stride, sums);
    }
    const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: x.rows * 4 }]);
    return new Float32Array(bytes).map((sum) => x.rows + sum);
  } finally {
    release(gpu, tile.buffer);
    release(gpu, sums);
    releaseUnitRows(gpu, nodes);
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
