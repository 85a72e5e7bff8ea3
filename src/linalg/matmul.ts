/** Matrix products in WGSL. */
import code from "../../shaders/matmul.wgsl" with { type: "text" };
import sharedCode from "../../shaders/matmul_shared.wgsl" with { type: "text" };
import texturesCode from "../../shaders/matmul_textures.wgsl" with { type: "text" };
import sumCode from "../../shaders/sum_slabs.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release, unusedTexture } from "../gpu/mod.ts";
import {
  allocateMatrix,
  assertMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
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
/** Products of fewer rows do not fill a workgroup of it. */
const FEW_ROWS = WORKGROUP * TEXTURES_BLOCK;

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

/** Panel and row within it where row `row` of a matrix lies. */
function place(matrix: GpuMatrix, row: number): Place {
  const stored = row + matrix.offset, panel = Math.floor(stored / matrix.panelRows);
  return { buffer: matrix.panels[panel], row: stored % matrix.panelRows, texels: matrix.texels?.[panel] };
}

/** A row of a matrix in its panel. */
interface Place {
  buffer: GPUBuffer;
  row: number;
  texels?: GPUTexture;
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
  const textures = a.bits === 16 || (gpu.variant === "textures" && !split && m >= FEW_ROWS);
  const shared = gpu.variant === "shared";
  const transposed = { TRANSPOSE_A: Number(transposeA), TRANSPOSE_B: Number(transposeB) };

  for (const mr of mRanges) {
    for (const nr of nRanges) {
      for (const kr of kRanges) {
        const pa = place(a, transposeA ? kr.first : mr.first);
        const pb = place(b, transposeB ? nr.first : kr.first);
        const pc = place(c, mr.first);
        const sizes = `${mr.count} × ${kr.count} by ${kr.count} × ${nr.count}`;
        const grid = shared
          ? [Math.ceil(mr.count / SHARED_BLOCK), Math.ceil(nr.count / SHARED_BLOCK)] as const
          : [Math.ceil(mr.count / 8 / WORKGROUP), Math.ceil(nr.count / 16)] as const;
        const aCol = (transposeA ? mr.first : kr.first) / 4;
        const bCol = (transposeB ? kr.first : nr.first) / 4;
        if (textures) {
          multiplyTextures(
            gpu,
            [mr.count, kr.count, nr.count],
            { ...pa, col: 4 * aCol, stride: a.stride, bits: a.bits, label: a.label },
            { ...pb, col: 4 * bCol, stride: b.stride, label: b.label },
            { ...pc, col: nr.first, stride: c.stride, label: c.label },
            { transposeA, transposeB, accumulate: accumulate || kr.first > 0 },
          );
          continue;
        }
        const run = (
          kFirst: number,
          kCount: number,
          slice: number,
          target: GPUBuffer,
          cRow: number,
          cCol: number,
          add: number,
        ) =>
          dispatch(gpu, shared ? MATMUL_SHARED : MATMUL, {
            buffers: [pa.buffer, pb.buffer, target],
            u32: [
              ...[mr.count, nr.count, kCount, slice],
              ...[a.stride / 4, b.stride / 4, c.stride / 4],
              pa.row + (transposeA ? kFirst : 0),
              pb.row + (transposeB ? 0 : kFirst),
              cRow,
              aCol + (transposeA ? 0 : kFirst / 4),
              bCol + (transposeB ? kFirst / 4 : 0),
              cCol,
              add,
            ],
            overrides: shared ? transposed : { ...transposed, WORKGROUP },
            workgroups: [grid[0], grid[1], Math.ceil(kCount / slice)],
            sizes,
          });
        if (!split) {
          run(
            0,
            kr.count,
            Math.ceil(kr.count / 4) * 4,
            pc.buffer,
            pc.row,
            nr.first / 4,
            Number(accumulate || kr.first > 0),
          );
          continue;
        }
        const slabBytes = mr.count * c.stride * 4;
        const slabs = Math.max(1, Math.floor(gpu.limits.bindingBytes / slabBytes));
        for (let first = 0; first < kr.count; first += slabs * SLICE) {
          const count = Math.min(slabs * SLICE, kr.count - first);
          const slices = Math.ceil(count / SLICE);
          const scratch = allocate(gpu, slices * slabBytes, "slabs of a split product");
          run(first, count, SLICE, scratch, 0, 0, 0);
          sumSlabs(gpu, scratch, pc.buffer, slabBytes / 16, slices, accumulate || kr.first + first > 0);
          release(gpu, scratch);
        }
      }
    }
  }
  return c;
}

/** Part of a matrix within one panel: stored row and column where it begins, values of a stored row. */
interface Part extends Place {
  col: number;
  stride: number;
  bits?: 16;
  label: string;
}

/** C = op(A) · op(B), or C + op(A) · op(B), of parts that are read as textures. */
function multiplyTextures(
  gpu: Gpu,
  [m, k, n]: [m: number, k: number, n: number],
  a: Part,
  b: Part,
  c: Part,
  { transposeA, transposeB, accumulate }: Required<MatmulOptions> & { accumulate: boolean },
): void {
  const overrides = {
    ...{ TRANSPOSE_A: Number(transposeA), TRANSPOSE_B: Number(transposeB) },
    ...{ SIXTEEN: Number(a.bits === 16), REST: Number(k % 4 > 0 && transposeA && !transposeB), WORKGROUP },
  };
  withTexels(gpu, { ...a, panelRow: a.row, rows: transposeA ? k : m }, a, (left) => {
    withTexels(gpu, { ...b, panelRow: b.row, rows: transposeB ? n : k }, b, (right) => {
      const unused = unusedTexture(gpu, a.bits === 16 ? "rgba32float" : "rgba16uint");
      const operands = a.bits === 16 ? [unused, left.texture] : [left.texture, unused];
      dispatch(gpu, MATMUL_TEXTURES, {
        buffers: [...operands, right.texture, c.buffer],
        u32: [
          ...[m, n, k, a.stride / 4, b.stride / 4, c.stride / 4],
          ...[
            left.begin + a.col / 4,
            right.begin + b.col / 4,
            (c.row * c.stride + c.col) / 4,
            Number(accumulate),
          ],
        ],
        overrides,
        workgroups: [Math.ceil(m / FEW_ROWS), Math.ceil(n / TEXTURES_BLOCK)],
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
