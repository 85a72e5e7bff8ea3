/** Matrix products in WGSL. */
import sumCode from "../../shaders/sum_slabs.wgsl" with { type: "text" };
import {
  allocate,
  dispatch,
  type Gpu,
  type Kernel,
  release,
  releaseTexture,
  textureOf,
  type Variant,
} from "../gpu/mod.ts";
import { assertKnown } from "./check_options.ts";
import {
  allocateMatrix,
  assertMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  roundUp,
  uploadMatrix,
} from "./matrix.ts";
import { ADD, BEGUN, EARLIER, NOTHING, type Part, recordProduct, RUN } from "./product.ts";

const SUM_SLABS: Kernel = { label: "sum_slabs", code: sumCode };

/** Steps of k whose runs are added up by themselves. */
export const GROUP = 64 * RUN;
/** Slabs that are added up in a dispatch: Mesa's software adapter silently ends an invocation's loops after 65535 rounds in all. */
export const MAX_SLABS = 2 ** 15;
const SUM_WORKGROUP = 16;
/** Invocations in a row of the grid that adds slabs up. */
const SUM_WIDTH = 2 ** 18;
/** A product of fewer register blocks is made in slabs, a run each: too few invocations to fill a device otherwise. */
const FEW_BLOCKS = 64;

/** Products of fewer operations gain less from textures than making them costs, unless k is split. */
const FEW_OPERATIONS = 2 ** 19;

/** Which operands are read transposed. */
export interface MatmulOptions {
  /** Use Aᵀ. */
  transposeA?: boolean;
  /** Use Bᵀ. */
  transposeB?: boolean;
}

/** A range of rows, columns or steps of k. */
interface Range {
  first: number;
  count: number;
}

/** Cuts [first, first + count) wherever a panel of one of the matrices ends, and at multiples of `step`. */
function cuts({ first, count }: Range, step: number, ...matrices: GpuMatrix[]): Range[] {
  const ranges = [], total = first + count;
  for (let at = first; at < total;) {
    const ends = matrices.map(({ panelRows, offset }) =>
      (Math.floor((at + offset) / panelRows) + 1) * panelRows - offset
    );
    const end = Math.min(total, (Math.floor(at / step) + 1) * step, ...ends);
    ranges.push({ first: at, count: end - at });
    at = end;
  }
  return ranges;
}

/**
 * C = op(A) · op(B) for matrices on the GPU, written to `out` (allocated when absent), or added to it with `accumulate`.
 *
 * Order of reduction: four steps of k together, 128 of these one after the other in a run of 512 steps; runs ascending, in
 * groups of 64 where there are more, each summed by itself; then the groups, and last what `out` holds. Neither the panels of
 * the operands nor the variant of the kernels changes a bit of it.
 *
 * @throws RangeError when the inner sizes differ
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
  const isWorthIt = a.texels || b.texels || m * n * k >= FEW_OPERATIONS || isSmallAndLong(m, k, n);
  const variant = gpu.variant === "textures" && !isWorthIt ? "registers" : gpu.variant;
  const product: WholeProduct = { a, b, c, transposeA, transposeB, accumulate, m, n, k, variant };
  for (const rows of cuts({ first: 0, count: m }, m, c, ...(transposeA ? [] : [a]))) {
    multiplyRows(gpu, product, rows);
  }
  return c;
}

function isSmallAndLong(m: number, k: number, n: number): boolean {
  return k >= 2 * RUN && Math.ceil(m / 8) * Math.ceil(n / 16) < FEW_BLOCKS;
}

/** A product of matrices, and the variant of the kernel that computes it. */
interface WholeProduct {
  a: GpuMatrix;
  b: GpuMatrix;
  c: GpuMatrix;
  transposeA: boolean;
  transposeB: boolean;
  accumulate: boolean;
  m: number;
  n: number;
  k: number;
  variant: Variant;
}

/** Panels along k. */
function panelsAlongK({ a, b, transposeA, transposeB }: WholeProduct): GpuMatrix[] {
  return [...(transposeA ? [a] : []), ...(transposeB ? [] : [b])];
}

/** Rows of C that lie in one panel of it and of A. */
function multiplyRows(gpu: Gpu, product: WholeProduct, rows: Range): void {
  const { a, b, c, transposeA, transposeB, accumulate, k, n, variant } = product;
  const columns = transposeB ? cuts({ first: 0, count: n }, n, b) : [{ first: 0, count: n }];
  const target = partOf(c, rows.first, 0), size = rows.count * c.stride / 4;
  const scratch = new Map<string, Part>();
  const scratchPart = (label: string, slabs = 1): Part => {
    const known = scratch.get(label);
    if (known) return known;
    const part = { buffer: allocate(gpu, 16 * size * slabs, label), row: 0, col: 0, stride: c.stride, label };
    scratch.set(label, part);
    return part;
  };
  const isTwiceRead = variant === "textures" && k > RUN;
  const left = partOf(a, transposeA ? 0 : rows.first, transposeA ? rows.first : 0);
  const held: Part & { own?: GPUTexture } = isTwiceRead && !transposeA
    ? withOwnTexels(gpu, left, rows.count)
    : left;
  const rights = columns.map(({ first, count }): Part & { own?: GPUTexture } => {
    const right = partOf(b, transposeB ? first : 0, 0);
    return isTwiceRead && transposeB ? withOwnTexels(gpu, right, count) : right;
  });
  const multiplyPart = (part: Range, to: Part, holds: number, slice = roundUp(part.count, 4)) =>
    columns.forEach((column, at) =>
      recordProduct(gpu, variant, {
        transposeA,
        transposeB,
        m: rows.count,
        k: part.count,
        n: column.count,
        slice,
        left: transposeA ? partOf(a, part.first, rows.first) : { ...held, col: part.first },
        right: transposeB ? { ...rights[at], col: part.first } : partOf(b, part.first, column.first),
        to: { ...to, col: to.col + column.first },
        held: holds,
      })
    );
  const slabs = slabsOf(gpu, product, rows.count);
  for (let group = 0; group < k; group += GROUP) {
    const parts = partsOfGroup({ first: group, count: Math.min(GROUP, k - group) }, product);
    const isAdded = accumulate || group > 0, isApart = isAdded && parts.length > 1;
    if (slabs > 1 && parts.every((part) => isWhole(part, k))) {
      const to = scratchPart("slabs of a product", slabs);
      let used = 0;
      for (const part of parts) {
        multiplyPart(part, { ...to, row: used * rows.count }, NOTHING, RUN);
        used += Math.ceil(part.count / RUN);
      }
      addUp(gpu, to, used, target, size, isAdded);
      continue;
    }
    const sum = isApart ? scratchPart("group of a product") : target;
    let holds = !isApart && isAdded ? ADD : NOTHING;
    for (const part of parts) {
      if (isWhole(part, k)) multiplyPart(part, sum, holds);
      else { // a panel ends within the run
        const begun = scratchPart("run of a product"), end = part.first + part.count;
        multiplyPart(part, begun, part.first % RUN === 0 ? NOTHING : BEGUN);
        if (end % RUN > 0 && end < k) continue;
        addUp(gpu, begun, 1, sum, size, holds !== NOTHING);
      }
      holds = EARLIER;
    }
    if (isApart) addUp(gpu, sum, 1, target, size, isAdded);
  }
  for (const { buffer } of scratch.values()) release(gpu, buffer);
  for (const { own } of [held, ...rights]) if (own) releaseTexture(gpu, own);
}

/** Slabs, one a run, that a group of a product is made in at once; 1 where its runs come one after the other. */
function slabsOf(gpu: Gpu, { c, k, m, n }: WholeProduct, rows: number): number {
  const slabs = Math.ceil(Math.min(k, GROUP) / RUN);
  return isSmallAndLong(m, k, n) && slabs * rows * c.stride * 4 <= gpu.limits.bindingBytes ? slabs : 1;
}

/** Whether a part of k is made of whole runs. */
function isWhole({ first, count }: Range, k: number): boolean {
  return first % RUN === 0 && ((first + count) % RUN === 0 || first + count === k);
}

/** The steps of k of a group, panel by panel: whole runs of a panel as one, and what of a run lies before or behind them. */
function partsOfGroup(group: Range, product: WholeProduct): Range[] {
  return cuts(group, GROUP, ...panelsAlongK(product)).flatMap((panel) => {
    const parts = cuts(panel, RUN), whole = parts.filter((part) => isWhole(part, product.k));
    if (whole.length < 2) return parts;
    const count = whole.reduce((sum, part) => sum + part.count, 0), { first } = whole[0];
    return [
      ...parts.filter((part) => part.first < first),
      { first, count },
      ...parts.filter((part) => part.first >= first + count),
    ];
  });
}

/** to ← Σ slabs, or to + Σ slabs, `size` vec4 of parts of equal shape. */
function addUp(gpu: Gpu, slabs: Part, count: number, to: Part, size: number, accumulate: boolean): void {
  sumSlabs(gpu, slabs.buffer, to.buffer, size, count, { accumulate, begin: to.row * to.stride / 4 });
}

/** The part of a matrix from `row` and `col` on, in the panel that holds it. */
function partOf(
  { panels, panelRows, offset, stride, texels, label }: GpuMatrix,
  row: number,
  col: number,
): Part {
  if (col % 4 > 0) {
    throw new RangeError(
      `${label}: a product cannot begin in column ${col}, no multiple of 4, where a panel of its other factor ends: give ` +
        `that factor rows of its own.`,
    );
  }
  const panel = Math.floor((row + offset) / panelRows), panelRow = (row + offset) % panelRows;
  const texture = texels?.[panel];
  return {
    buffer: panels[panel],
    row: panelRow,
    col,
    stride,
    texels: texture && { texture, begin: panelRow * stride / 4 },
    label,
  };
}

/** A part with a texture of its rows, for products that read it more than once; one that has a texture is left as it is. */
function withOwnTexels(gpu: Gpu, part: Part, rows: number): Part & { own?: GPUTexture } {
  if (part.texels) return part;
  const { buffer, row, stride, label } = part;
  const own = textureOf(gpu, buffer, row * stride / 4, rows * stride / 4, label);
  return { ...part, texels: { texture: own, begin: 0 }, own };
}

/** out = Σ slabs, each of `size` vec4, in runs of 64 and fixed order; from vec4 `begin` of out on, or added to what it holds. */
export function sumSlabs(
  gpu: Gpu,
  slabs: GPUBuffer,
  out: GPUBuffer,
  size: number,
  count: number,
  { accumulate = false, begin = 0 }: { accumulate?: boolean; begin?: number } = {},
): void {
  const width = Math.min(SUM_WIDTH, roundUp(size, SUM_WORKGROUP));
  for (let first = 0; first < count; first += MAX_SLABS) {
    dispatch(gpu, SUM_SLABS, {
      buffers: [slabs, out],
      params: {
        size,
        width,
        first,
        end: Math.min(first + MAX_SLABS, count),
        begin,
        accumulate: Number(accumulate || first > 0),
      },
      overrides: { WORKGROUP: SUM_WORKGROUP },
      workgroups: [width / SUM_WORKGROUP, Math.ceil(size / width)],
      sizes: `${count} slabs of ${4 * size} values`,
    });
  }
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
  assertKnown("matmul", options, { transposeA: true, transposeB: true });
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
