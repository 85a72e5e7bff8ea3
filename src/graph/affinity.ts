/** The affinity of nodes, A_ij = exp(cos(v_i, v_j) − 1), made as E = A − 1, and its degrees. */
import rowSumCode from "../../shaders/row_sum.wgsl" with { type: "text" };
import {
  allocate,
  dispatch,
  type Gpu,
  type Kernel,
  readBuffers,
  release,
  sync,
  type Variant,
} from "../gpu/mod.ts";
import { centredUnitRows } from "../linalg/centred_rows.ts";
import { assertKnown } from "../linalg/check_options.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  keepTexels,
  type Matrix,
  releaseMatrix,
  rowView,
  type RowWindow,
  rowWindows,
  uploadMatrix,
  withTexels,
} from "../linalg/matrix.ts";
import { ADD, NOTHING, type Part, recordProduct } from "../linalg/product.ts";

const ROW_SUM: Kernel = { label: "row_sum", code: rowSumCode };
const HALF_SQUARES: Kernel = { label: "half_squares", code: rowSumCode };
/** Blocks of fewer rows gain less from textures than making them costs. */
const FEW_ROWS = 64;
/** Most vec4 of a row in one dispatch: Mesa's software adapter silently ends an invocation's loops after 65535 rounds. */
export const LONGEST = 2 ** 15;
/** Vec4 whose products one dispatch adds up; row_sum has the same. */
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
  for (const i of rowWindows(nodes.rows, first, count)) {
    const to = { ...out, row: out.row + i.first - first };
    for (const j of rowWindows(columns.rows)) windowBlock(gpu, [nodes, i], [columns, j], to, count);
  }
}

/** E of all nodes, n × n in one buffer; computed by half where the variant of the kernels can. */
export function symmetricAffinity(gpu: Gpu, nodes: UnitRows, out: Omit<AffinityTarget, "row">): void {
  const { rows } = nodes, [window, ...more] = rowWindows(rows), to = { ...out, row: 0 };
  if (variantFor(gpu, rows.rows) === "textures" && more.length === 0) {
    windowBlock(gpu, [nodes, window], [nodes, window], to, rows.rows, true);
  } else affinityBlock(gpu, nodes, 0, rows.rows, nodes, to);
}

function variantFor(gpu: Gpu, rows: number): Variant {
  return gpu.variant === "textures" && rows < FEW_ROWS ? "registers" : gpu.variant;
}

/** Nodes, and rows of one of their panels. */
type Window = [nodes: UnitRows, window: RowWindow];

/** E of one window of rows against one of columns, in a dispatch for every 1024 channels. */
function windowBlock(
  gpu: Gpu,
  [nodes, i]: Window,
  [columns, j]: Window,
  out: AffinityTarget,
  count: number,
  mirror = false,
): void {
  const variant = variantFor(gpu, count), { stride } = nodes.rows;
  const write = (left: Part, right: Part) => {
    for (let col = 0; col < stride; col += 4 * SLICE) {
      const k = Math.min(4 * SLICE, stride - col);
      recordProduct(gpu, variant, {
        m: i.rows,
        k,
        n: j.rows,
        left: { ...left, col },
        right: { ...right, col },
        to: { buffer: out.buffer, row: out.row, col: j.first, stride: out.stride, label: "affinity" },
        transposeA: false,
        transposeB: true,
        slice: 4 * SLICE,
        held: col > 0 ? ADD : NOTHING,
        epilogue: {
          halves: [nodes.halves, columns.halves],
          first: [halfRow(nodes, i), halfRow(columns, j)],
          channels: nodes.rows.cols,
          finishes: col + k === stride,
          plus: out.plus ?? 0,
          mirror,
        },
      });
    }
  };
  withPart(gpu, variant, nodes, i, (left) => {
    if (mirror) write(left, left);
    else withPart(gpu, variant, columns, j, (right) => write(left, right));
  });
}

/** Passes a window of nodes on as a factor of products, as a texture where the variant reads those. */
function withPart(
  gpu: Gpu,
  variant: Variant,
  { rows }: UnitRows,
  window: RowWindow,
  use: (part: Part) => void,
): void {
  const { stride, label } = rows;
  const part = { buffer: window.buffer, row: window.panelRow, col: 0, stride, label };
  if (variant === "textures") withTexels(gpu, window, rows, (texels) => use({ ...part, texels }));
  else use(part);
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
      params: {
        rows: block.rows,
        stride: stride / 4,
        row: block.panelRow,
        outRow: block.first,
        begin,
        end: Math.min(begin + LONGEST, stride / 4),
      },
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
        params: {
          rows: count,
          stride: rows.stride / 4,
          row: panelRow,
          outRow: rows.offset + first,
          begin,
          end: Math.min(begin + LONGEST, rows.stride / 4),
        },
        overrides: { HALF_SQUARES: 1 },
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

/** Rows of an affinity that are recorded at a time where a signal may stop it. */
const STOP_ROWS = 1024;

/**
 * E_ij = A_ij − 1 for all pairs of rows: where A is 1 to float32's last digit E still tells pairs apart.
 *
 * @param x n × d
 * @param signal stops the work between blocks of rows
 * @returns n × n, values in [e⁻² − 1, 0], 0 on the diagonal
 */
export async function affinityLessOne(gpu: Gpu, x: Matrix, signal?: AbortSignal): Promise<Matrix> {
  const nodes = uploadUnitRows(gpu, x);
  const out = allocateMatrix(gpu, x.rows, x.rows, "affinity");
  try {
    for (const { first, rows, buffer } of rowWindows(out)) {
      for (let row = 0; row < rows; row += signal ? STOP_ROWS : rows) {
        if (signal && first + row > 0) await sync(gpu);
        signal?.throwIfAborted();
        const count = signal ? Math.min(STOP_ROWS, rows - row) : rows;
        affinityBlock(gpu, nodes, first + row, count, nodes, { buffer, stride: out.stride, row });
      }
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
 * @param options `signal`: stops the work, which then rejects with the signal's reason
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
export async function affinity(
  gpu: Gpu,
  x: Matrix,
  options: { signal?: AbortSignal } = {},
): Promise<Matrix> {
  assertKnown("affinity", options, { signal: true });
  const a = await affinityLessOne(gpu, x, options.signal);
  for (let at = 0; at < a.data.length; at++) a.data[at] += 1;
  return a;
}

/**
 * d_i = Σ_j A_ij, the degree of every node, without storing A.
 *
 * @param x n × d features
 * @param options `signal`: stops the work, which then rejects with its reason
 * @returns n degrees, each in [1 + (n − 1) e⁻², n]
 * @throws RangeError naming the node that is a zero vector or not finite
 */
export async function degrees(
  gpu: Gpu,
  x: Matrix,
  options: { signal?: AbortSignal } = {},
): Promise<Float32Array> {
  assertKnown("degrees", options, { signal: true });
  const { signal } = options, nodes = uploadUnitRows(gpu, x);
  const sums = allocate(gpu, x.rows * 4, "row sums of E");
  const tile = tileFor(gpu, x.rows);
  try {
    for (let first = 0; first < x.rows; first += tile.rows) {
      if (signal && first > 0) await sync(gpu);
      signal?.throwIfAborted();
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
