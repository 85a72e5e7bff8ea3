/** Rows of a matrix with one row added to all, or each times its own factor. */
import code from "../../shaders/affine_rows.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import { multiply } from "./matmul.ts";
import { allocateMatrix, type GpuMatrix, releaseMatrix, rowWindows, uploadMatrix } from "./matrix.ts";

const AFFINE_ROWS: Kernel = { label: "affine_rows", code };
const WORKGROUP = 16;
const RUN = 64; // vec4 per invocation

/**
 * out_ic = s_i (x_ic + k r_c).
 *
 * @param x n × c
 * @param options `row`: r, 1 × c, default 0; `coefficient`: k, default 1; `factors`: float32 values, s from number `firstFactor`
 *   on, default 1; `out`: n × c in panels as x's, allocated when absent, never x itself
 */
export function affineRows(
  gpu: Gpu,
  x: GpuMatrix,
  { row, coefficient = 1, factors, firstFactor = 0, out }: {
    row?: GpuMatrix;
    coefficient?: number;
    factors?: GPUBuffer;
    firstFactor?: number;
    out?: GpuMatrix;
  },
): GpuMatrix {
  const to = out ?? allocateMatrix(gpu, x.rows, x.cols, x.label), targets = rowWindows(to);
  rowWindows(x).forEach(({ buffer, rows, first, panelRow }, panel) =>
    dispatch(gpu, AFFINE_ROWS, {
      buffers: [buffer, row?.panels[0] ?? buffer, factors ?? buffer, targets[panel].buffer],
      params: {
        rows,
        stride: x.stride / 4,
        coefficient,
        first: firstFactor + first,
        xRow: panelRow,
        outRow: targets[panel].panelRow,
      },
      overrides: { ADDS: Number(row !== undefined), SCALES: Number(factors !== undefined) },
      workgroups: [Math.ceil(rows / WORKGROUP), Math.ceil(x.stride / 4 / RUN)],
      sizes: `${x.rows} × ${x.cols}`,
    })
  );
  return to;
}

/** x + coefficient · row, the row (1 × cols) added to every row of x. */
export function addRow(gpu: Gpu, x: GpuMatrix, row: GpuMatrix, coefficient: number): GpuMatrix {
  return affineRows(gpu, x, { row, coefficient });
}

/** out_ic = s_i x_ic. */
export function scaleRows(gpu: Gpu, x: GpuMatrix, factors: GPUBuffer, out?: GpuMatrix): GpuMatrix {
  return affineRows(gpu, x, { factors, out });
}

/** coefficient · Σ_i x_i, the sum of the rows of x as one row. */
export function sumOfRows(gpu: Gpu, x: GpuMatrix, coefficient: number): GpuMatrix {
  const weights = new Float32Array(x.rows).fill(coefficient);
  const ones = uploadMatrix(gpu, { data: weights, rows: x.rows, cols: 1 }, "weights of rows");
  const sum = multiply(gpu, ones, x, { transposeA: true });
  releaseMatrix(gpu, ones);
  return sum;
}
