/** Matrix products in WGSL. */
import code from "../../shaders/matmul.wgsl" with { type: "text" };
import sharedCode from "../../shaders/matmul_shared.wgsl" with { type: "text" };
import texturesCode from "../../shaders/matmul_textures.wgsl" with { type: "text" };
import sumCode from "../../shaders/sum_slabs.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release } from "../gpu/mod.ts";
import {
  allocateMatrix,
  assertMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
  uploadMatrix,
  withTexels,
} from "./matrix.ts";

const MATMUL: Kernel = { label: "matmul", code };
const MATMUL_TEXTURES: Kernel = { label: "matmul_textures", code: texturesCode };
const MATMUL_SHARED: Kernel = { label: "matmul_shared", code: sharedCode };
const SUM_SLABS: Kernel = { label: "sum_slabs", code: sumCode };

const WORKGROUP = 8;
/** Inner extent of a slice when a long reduction onto a small result is split. */
const SLICE = 512;
/** A product with fewer register blocks than this is split along k: too few invocations to fill a device otherwise. */
const FEW_BLOCKS = 64;

/** Rows and columns that a workgroup of the shared variant makes. */
const SHARED_BLOCK = 64;
/** Rows and columns that an invocation of the variant with textures makes. */
const TEXTURES_BLOCK = 16;
/** Workgroups of it in a row of the grid. */
const ACROSS = 2 ** 15;
/** Products of fewer operations gain less from textures than making them costs, unless k is split. */
const FEW_OPERATIONS = 2 ** 19;

/** Which operands are read transposed. */
export interface MatmulOptions {
  /** Use Aᵀ. */
  transposeA?: boolean;
  /** Use Bᵀ. */
  transposeB?: boolean;
}

/** Largest inner extent of a dispatch: Mesa's software adapter silently ends an invocation's loops after 65535 rounds. */
const LONGEST = 2 ** 17;

/** Cuts [0, total) wherever a panel of one of the matrices ends, into ranges of at most `longest`. */
function cuts(total: number, longest: number, ...matrices: GpuMatrix[]): { first: number; count: number }[] {
  const ranges = [];
  for (let first = 0; first < total;) {
    const ends = matrices.map(({ panelRows, offset }) =>
      (Math.floor((first + offset) / panelRows) + 1) * panelRows - offset
    );
    const end = Math.min(total, first + longest, ...ends);
    ranges.push({ first, count: end - first });
    first = end;
  }
  return ranges;
}

/**
 * C = op(A) · op(B) for matrices on the GPU, written to `out` (allocated when absent), or added to it with `accumulate`.
 *
 * Panels of any operand are looped over; the sum over k runs in one fixed order whatever the panels are. A product so
 * small that k is split into slices of 512 keeps that order as long as panels hold 512 rows, as they do on every adapter
 * for rows of up to 65536 values.
 */
export function multiply(
  gpu: Gpu,
  a: GpuMatrix,
  b: GpuMatrix,
  { transposeA = false, transposeB = false, out, accumulate = false }: MatmulOptions & {
    out?: GpuMatrix;
    accumulate?: boolean;
  } = {},
): GpuMatrix {
  const m = transposeA ? a.cols : a.rows;
  const n = transposeB ? b.rows : b.cols;
  const k = transposeA ? a.rows : a.cols;
  const kOfB = transposeB ? b.cols : b.rows;
  if (k !== kOfB) {
    throw new RangeError(
      `matmul: A${transposeA ? "ᵀ" : ""} is ${m} × ${k} and B${
        transposeB ? "ᵀ" : ""
      } is ${kOfB} × ${n}: the inner sizes differ.`,
    );
  }
  const c = out ?? allocateMatrix(gpu, m, n, `${a.label} · ${b.label}`);
  const blocks = Math.ceil(m / 8) * Math.ceil(n / 16);
  const split = blocks < FEW_BLOCKS && k >= 2 * SLICE && transposeA && !transposeB && c.panels.length === 1 &&
    c.offset === 0;
  const mRanges = cuts(m, m, c, ...(transposeA ? [] : [a]));
  const nRanges = transposeB ? cuts(n, n, b) : [{ first: 0, count: n }];
  const kRanges = cuts(k, LONGEST, ...(transposeA ? [a] : []), ...(transposeB ? [] : [b]));
  const isWorthIt = gpu.variant === "textures" && (split || m * n * k >= FEW_OPERATIONS);
  const run = isWorthIt ? multiplyTextures : multiplyBuffers;
  const options = { transposeA, transposeB };

  for (const mr of mRanges) {
    for (const nr of nRanges) {
      for (const kr of kRanges) {
        const left = partOf(a, transposeA ? kr.first : mr.first, transposeA ? mr.first : kr.first);
        const right = partOf(b, transposeB ? nr.first : kr.first, transposeB ? kr.first : nr.first);
        const to = partOf(c, mr.first, nr.first), size = { m: mr.count, k: kr.count, n: nr.count };
        if (!split) {
          const slice = roundUp(kr.count, 4);
          run(gpu, { ...options, ...size, slice, left, right, to, accumulate: accumulate || kr.first > 0 });
          continue;
        }
        const slabBytes = mr.count * c.stride * 4;
        const slabs = Math.max(1, Math.floor(gpu.limits.bindingBytes / slabBytes));
        for (let first = 0; first < kr.count; first += slabs * SLICE) {
          const k = Math.min(slabs * SLICE, kr.count - first), slices = Math.ceil(k / SLICE);
          const scratch = allocate(gpu, slices * slabBytes, "slabs of a split product");
          run(gpu, {
            ...{ ...options, ...size, k, slice: SLICE, accumulate: false },
            left: { ...left, row: left.row + first },
            right: { ...right, row: right.row + first },
            to: { ...to, buffer: scratch, row: 0, col: 0 },
          });
          sumSlabs(gpu, scratch, to.buffer, slabBytes / 16, slices, accumulate || kr.first + first > 0);
          release(gpu, scratch);
        }
      }
    }
  }
  return c;
}

/** Part of a matrix within one panel: stored row and column where it begins, values of a stored row. */
interface Part {
  buffer: GPUBuffer;
  row: number;
  col: number;
  stride: number;
  texels?: GPUTexture;
  label: string;
}

/** The part of a matrix from `row` and `col` on, in the panel that holds it. */
function partOf(
  { panels, panelRows, offset, stride, texels, label }: GpuMatrix,
  row: number,
  col: number,
): Part {
  const stored = row + offset, panel = Math.floor(stored / panelRows);
  return {
    buffer: panels[panel],
    row: stored % panelRows,
    col,
    stride,
    texels: texels?.[panel],
    label,
  };
}

/** A product of parts: `to` ← op(left) · op(right), m × k by k × n, or added to it; k in slices of one slab of `to` each. */
interface Product {
  m: number;
  k: number;
  n: number;
  left: Part;
  right: Part;
  to: Part;
  transposeA: boolean;
  transposeB: boolean;
  slice: number;
  accumulate: boolean;
}

function multiplyBuffers(gpu: Gpu, product: Product): void {
  const { m, k, n, left, right, to, transposeA, transposeB, slice, accumulate } = product;
  const shared = gpu.variant === "shared", block = SHARED_BLOCK;
  const transposed = { TRANSPOSE_A: Number(transposeA), TRANSPOSE_B: Number(transposeB) };
  dispatch(gpu, shared ? MATMUL_SHARED : MATMUL, {
    buffers: [left.buffer, right.buffer, to.buffer],
    u32: [
      ...[m, n, k, slice, left.stride / 4, right.stride / 4, to.stride / 4],
      ...[left.row, right.row, to.row, left.col / 4, right.col / 4, to.col / 4, Number(accumulate)],
    ],
    overrides: shared ? transposed : { ...transposed, WORKGROUP },
    workgroups: shared
      ? [Math.ceil(m / block), Math.ceil(n / block), Math.ceil(k / slice)]
      : [Math.ceil(m / 8 / WORKGROUP), Math.ceil(n / 16), Math.ceil(k / slice)],
    sizes: `${m} × ${k} by ${k} × ${n}`,
  });
}

function multiplyTextures(gpu: Gpu, product: Product): void {
  const { m, k, n, left, right, to, transposeA, transposeB, slice, accumulate } = product;
  const rest = k % 4 > 0 && transposeA && !transposeB;
  const down = Math.ceil(m / TEXTURES_BLOCK), along = Math.ceil(n / TEXTURES_BLOCK);
  const panels = Math.ceil(along / WORKGROUP), width = Math.ceil(along / panels);
  const groups = Math.ceil(panels * width * down * Math.ceil(k / slice) / WORKGROUP);
  withTexels(gpu, { ...left, panelRow: left.row, rows: transposeA ? k : m }, left, (a) => {
    withTexels(gpu, { ...right, panelRow: right.row, rows: transposeB ? n : k }, right, (b) => {
      dispatch(gpu, MATMUL_TEXTURES, {
        buffers: [a.texture, b.texture, to.buffer],
        u32: [
          ...[m, n, k, slice, left.stride / 4, right.stride / 4, to.stride / 4],
          ...[a.begin + left.col / 4, b.begin + right.col / 4, (to.row * to.stride + to.col) / 4],
          Number(accumulate),
        ],
        overrides: {
          ...{ TRANSPOSE_A: Number(transposeA), TRANSPOSE_B: Number(transposeB) },
          ...{ REST: Number(rest), WORKGROUP },
        },
        workgroups: [Math.min(groups, ACROSS), Math.ceil(groups / ACROSS)],
        sizes: `${m} × ${k} by ${k} × ${n}`,
      });
    });
  });
}

/** out = Σ slabs, each of `size` vec4, in fixed order; with `accumulate` added to what out holds. */
export function sumSlabs(
  gpu: Gpu,
  slabs: GPUBuffer,
  out: GPUBuffer,
  size: number,
  count: number,
  accumulate = false,
): void {
  dispatch(gpu, SUM_SLABS, {
    buffers: [slabs, out],
    u32: [size, count, Number(accumulate)],
    workgroups: [Math.ceil(size / 16)],
    sizes: `${count} slabs of ${4 * size} values`,
  });
}

/**
 * C = op(A) · op(B), op(X) = X or Xᵀ, in float32 on the GPU.
 *
 * @param a m × k (k × m with `transposeA`), row-major, any unit
 * @param b k × n (n × k with `transposeB`)
 * @returns C, m × n; every value summed over k in a fixed order, the same bits on every run
 * @throws RangeError when the inner sizes differ; TypeError when an operand is no matrix
 *
 * Cost: 2 m n k operations, memory of the three matrices.
 *
 * @example
 * ```ts
 * import { closeGpu, matmul, openGpu } from "../../mod.ts";
 * const gpu = await openGpu();
 * const a = { data: new Float32Array([1, 2, 3, 4]), rows: 2, cols: 2 };
 * const c = await matmul(gpu, a, a, { transposeB: true });
 * if (c.data.join() !== "5,11,11,25") throw new Error(`A Aᵀ is ${c.data}`);
 * closeGpu(gpu);
 * ```
 */
export async function matmul(gpu: Gpu, a: Matrix, b: Matrix, options: MatmulOptions = {}): Promise<Matrix> {
  assertMatrix(a, "A");
  assertMatrix(b, "B");
  const operands: GpuMatrix[] = [];
  try {
    operands.push(uploadMatrix(gpu, a, "A"));
    operands.push(uploadMatrix(gpu, b, "B"));
    operands.push(multiply(gpu, operands[0], operands[1], options));
    return await downloadMatrix(gpu, operands[2]);
  } finally {
    releaseMatrix(gpu, ...operands);
  }
}
