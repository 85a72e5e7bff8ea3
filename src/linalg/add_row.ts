/** One row added to all rows of a matrix. */
import code from "../../shaders/add_row.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import { multiply } from "./matmul.ts";
import { allocateMatrix, type GpuMatrix, releaseMatrix, rowWindows, uploadMatrix } from "./matrix.ts";

const ADD_ROW: Kernel = { label: "add_row", code };
const WORKGROUP = 16;
const RUN = 64; // vec4 per invocation

/** x + coefficient · row, the row (1 × cols) added to every row of x. */
export function addRow(gpu: Gpu, x: GpuMatrix, row: GpuMatrix, coefficient: number): GpuMatrix {
  const out = allocateMatrix(gpu, x.rows, x.cols, x.label);
  rowWindows(x).forEach(({ buffer, rows }, panel) =>
    dispatch(gpu, ADD_ROW, {
      buffers: [buffer, row.panels[0], out.panels[panel]],
      params: { rows, stride: x.stride / 4, coefficient },
      workgroups: [Math.ceil(rows / WORKGROUP), Math.ceil(x.stride / 4 / RUN)],
      sizes: `${x.rows} × ${x.cols}`,
    })
  );
  return out;
}

/** coefficient · Σ_i x_i, the sum of the rows of x as one row. */
export function sumOfRows(gpu: Gpu, x: GpuMatrix, coefficient: number): GpuMatrix {
  const weights = new Float32Array(x.rows).fill(coefficient);
  const ones = uploadMatrix(gpu, { data: weights, rows: x.rows, cols: 1 }, "weights of rows");
  const sum = multiply(gpu, ones, x, { transposeA: true });
  releaseMatrix(gpu, ones);
  return sum;
}
