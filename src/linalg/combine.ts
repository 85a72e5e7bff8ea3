/** Sums of GPU matrices. */
import code from "../../shaders/combine.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import { type GpuMatrix, rowWindows } from "./matrix.ts";

const COMBINE: Kernel = { label: "combine", code };
const WORKGROUP = 16;
const WIDTH = 2 ** 18;

/** A coefficient and the matrix it multiplies. */
export type Term = [coefficient: number, matrix: GpuMatrix];

/** out = Σ coefficient · matrix over one to three terms of equal shape; `out` may not be one of them. */
export function combine(
  gpu: Gpu,
  out: GpuMatrix,
  first: Term,
  second: Term = [0, first[1]],
  third: Term = [0, first[1]],
): void {
  const terms = [first, second, third], [alpha, beta, gamma] = terms.map(([coefficient]) => coefficient);
  for (const { buffer, rows, panelRow, first: row } of rowWindows(out)) {
    if (panelRow !== 0) continue;
    const size = rows * out.stride / 4;
    const width = Math.min(WIDTH, Math.ceil(size / WORKGROUP) * WORKGROUP);
    dispatch(gpu, COMBINE, {
      buffers: [...terms.map(([, matrix]) => matrix.panels[row / matrix.panelRows]), buffer],
      params: { size, width, alpha, beta, gamma },
      workgroups: [width / WORKGROUP, Math.ceil(size / width)],
      sizes: `${out.rows} × ${out.cols}`,
    });
  }
}
