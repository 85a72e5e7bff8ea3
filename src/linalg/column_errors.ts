/** Squared differences of two matrices, column by column. */
import code from "../../shaders/residual_squares.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release, writeBuffer } from "../gpu/mod.ts";
import { sumSlabs } from "./matmul.ts";
import { allocateMatrix, type GpuMatrix, rowWindows } from "./matrix.ts";

const RESIDUAL: Kernel = { label: "residual_squares", code };
const WORKGROUP = 8;
const RUN = 64; // rows per invocation

/**
 * Σ_i (x_ic − y_ic)² of every column c, in float32: rows in runs of 64, then the runs, both in fixed order.
 *
 * @param x rows × cols
 * @param y of the same shape
 * @returns 1 × cols; to be released
 */
export function columnErrors(gpu: Gpu, x: GpuMatrix, y: GpuMatrix): GpuMatrix {
  const { rows, cols, stride } = x;
  const windows = rowWindows(x);
  const runsOf = ({ rows }: { rows: number }) => Math.ceil(rows / RUN);
  const runs = windows.reduce((sum, window) => sum + runsOf(window), 0);
  const parts = allocate(gpu, runs * stride * 4, "parts of squared differences");
  const ones = allocate(gpu, stride * 4, "ones");
  writeBuffer(gpu, ones, new Float32Array(stride).fill(1));
  const out = allocateMatrix(gpu, 1, cols, "squared differences");
  let run = 0;
  windows.forEach((window, panel) => {
    dispatch(gpu, RESIDUAL, {
      buffers: [window.buffer, y.panels[panel], ones, parts],
      params: { rows: window.rows, stride: stride / 4, outRun: run },
      workgroups: [Math.ceil(runsOf(window) / WORKGROUP), stride / 4],
      sizes: `${rows} × ${cols}`,
    });
    run += runsOf(window);
  });
  sumSlabs(gpu, parts, out.panels[0], stride / 4, runs);
  release(gpu, parts);
  release(gpu, ones);
  return out;
}
