/** One dispatch of a product of parts of matrices, in the variant of the kernel that the device runs fastest. */
import code from "../../shaders/matmul.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel, readingTextures, type Variant } from "../gpu/mod.ts";
import { type RowTexels, withTexels } from "./matrix.ts";

const KERNELS: Record<Variant, Kernel> = {
  registers: { label: "matmul", code, isLarge: true },
  textures: { label: "matmul_textures", code: readingTextures(code, "a", "b"), isLarge: true },
  shared: { label: "matmul_shared", code, entryPoint: "main_shared" },
};
const AFFINITY_KERNELS: Record<Variant, Kernel> = {
  registers: { ...KERNELS.registers, label: "affinity" },
  textures: { ...KERNELS.textures, label: "affinity_textures" },
  shared: { ...KERNELS.shared, label: "affinity_shared" },
};

const WORKGROUP = 8;
/** Rows and columns that an invocation computes; in the shared variant a workgroup. */
const BLOCK = 16, SHARED_BLOCK = 64;
/** Workgroups in a row of the grid. */
const ACROSS = 2 ** 15;
/** What C holds before a dispatch: nothing, what the product is added to, the sum of the first part of a run, or that of earlier runs. */
export const NOTHING = 0, ADD = 1, BEGUN = 2, EARLIER = 3;
/** Steps of k in a run, which is summed by itself. */
export const RUN = 512;

/** Part of a matrix within one panel: stored row and column where it begins, values of a stored row. */
export interface Part {
  buffer: GPUBuffer;
  row: number;
  col: number;
  stride: number;
  /** The panel as a texture, where there is one, and where `row` begins in it. */
  texels?: RowTexels;
  label: string;
}

/** What makes affinities less 1 of the products of nodes w_i and w_j, see `affinityBlock`. */
export interface Epilogue {
  /** h of the rows and of the columns. */
  halves: [GPUBuffer, GPUBuffer];
  /** The entries of them where the parts begin. */
  first: [number, number];
  /** Channels of a node, for error messages. */
  channels: number;
  /** Whether these are the last channels, so that E can be made of the sums. */
  finishes: boolean;
  /** Added to E. */
  plus: 0 | 1;
  /** Rows and columns are the same nodes: half of E is computed, and mirrored. Textures and registers only. */
  mirror: boolean;
}

/** A product of parts: `to` ← op(left) · op(right), m × k by k × n, or added to it; k in slices of one slab of `to` each. */
export interface Product {
  m: number;
  k: number;
  n: number;
  left: Part;
  right: Part;
  to: Part;
  transposeA: boolean;
  transposeB: boolean;
  slice: number;
  /** What `to` holds: NOTHING, ADD, BEGUN or EARLIER. */
  held: number;
  epilogue?: Epilogue;
}

/** Vec4 of its buffer where a part begins. */
function beginOf({ row, col, stride }: Part): number {
  return (row * stride + col) / 4;
}

/** Records a product in a variant of the kernel. All give the same bits. */
export function recordProduct(gpu: Gpu, variant: Variant, product: Product): void {
  const { m, k, n, left, right, transposeA, transposeB } = product;
  if (variant !== "textures") {
    const operands: Operand[] = [left, right].map((part) => ({ data: part.buffer, begin: beginOf(part) }));
    return record(gpu, variant, product, operands);
  }
  withPartTexels(gpu, left, transposeA ? k : m, (a) => {
    withPartTexels(gpu, right, transposeB ? n : k, (b) => record(gpu, variant, product, [a, b]));
  });
}

/** What a kernel reads an operand from, and the vec4 of it where the operand begins. */
interface Operand {
  data: GPUBuffer | GPUTexture;
  begin: number;
}

/** Passes rows of a part on as a texture. */
function withPartTexels(gpu: Gpu, part: Part, rows: number, use: (operand: Operand) => void): void {
  const { row, col, texels } = part;
  const pass = ({ texture, begin }: RowTexels) => use({ data: texture, begin: begin + col / 4 });
  if (texels) pass(texels);
  else withTexels(gpu, { buffer: part.buffer, panelRow: row, rows }, part, pass);
}

function record(gpu: Gpu, variant: Variant, product: Product, [a, b]: Operand[]): void {
  const { m, k, n, left, right, to, transposeA, transposeB, slice, held, epilogue } = product;
  const [halfI, halfJ] = epilogue?.halves ?? [left.buffer, right.buffer];
  dispatch(gpu, (epilogue ? AFFINITY_KERNELS : KERNELS)[variant], {
    buffers: [a.data, b.data, halfI, halfJ, to.buffer],
    params: {
      m,
      n,
      k,
      slice,
      aStride: left.stride / 4,
      bStride: right.stride / 4,
      cStride: to.stride / 4,
      aBegin: a.begin,
      bBegin: b.begin,
      cBegin: beginOf(to),
      halfI: epilogue?.first[0] ?? 0,
      halfJ: epilogue?.first[1] ?? 0,
      ...panelsOf(n),
    },
    overrides: {
      TRANSPOSE_A: Number(transposeA),
      TRANSPOSE_B: Number(transposeB),
      HELD: held,
      ...(variant === "shared" ? {} : { WORKGROUP, HAS_REST: Number(zeroesRest(variant, product)) }),
      ...(epilogue ? epilogueOverrides(epilogue, slice) : {}),
    },
    workgroups: variant === "shared"
      ? [Math.ceil(m / SHARED_BLOCK), Math.ceil(n / SHARED_BLOCK), Math.ceil(k / slice)]
      : grid(product),
    sizes: epilogue ? `${m} × ${n} nodes, ${epilogue.channels} channels` : `${m} × ${k} by ${k} × ${n}`,
  });
}

/** Whether what is read beyond k is zeroed; textures leave out the cases that only matter for 0 · ∞, where zeroing costs 5 %. */
function zeroesRest(variant: Variant, { k, transposeA, transposeB }: Product): boolean {
  return k % 4 > 0 && (variant === "textures" ? transposeA && !transposeB : transposeA || !transposeB);
}

function epilogueOverrides({ finishes, plus, mirror }: Epilogue, run: number): Record<string, number> {
  return { IN_TURN: 1, FINISHES: Number(finishes), PLUS: plus, MIRROR: Number(mirror), RUN: run };
}

/** Panels of up to a workgroup of blocks of columns, all of one width. */
function panelsOf(n: number): { panels: number; width: number } {
  const along = Math.ceil(n / BLOCK), panels = Math.ceil(along / WORKGROUP);
  return { panels, width: Math.ceil(along / panels) };
}

/** Workgroups for all blocks of a product, numbered as the kernel does it. */
function grid({ m, n, k, slice, epilogue }: Product): [number, number] {
  const { panels, width } = panelsOf(n);
  const blocks = epilogue?.mirror
    ? Math.ceil(panels / 2) * (panels + 1) * width ** 2
    : panels * width * Math.ceil(m / BLOCK);
  const groups = Math.ceil(blocks / WORKGROUP) * Math.ceil(k / slice);
  return [Math.min(groups, ACROSS), Math.ceil(groups / ACROSS)];
}
