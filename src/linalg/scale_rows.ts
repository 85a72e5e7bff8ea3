/** Rows of a matrix, each times its own factor. */
import code from "../../shaders/scale_rows.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import { allocateMatrix, type GpuMatrix, rowWindows } from "./matrix.ts";

const SCALE_ROWS: Kernel = { label: "scale_rows", code };
const WORKGROUP = 16;
const RUN = 64; // vec4 per invocation

/**
 * out_ic = s_i x_ic.
 *
 * @param x n × c
 * @param factors float32 values, s from number `firstFactor` on
 * @param out n × c in panels as x's; allocated when absent, never x itself
 */
export function scaleRows(
  gpu: Gpu,
  x: GpuMatrix,
  factors: GPUBuffer,
  { out, firstFactor = 0 }: { out?: GpuMatrix; firstFactor?: number } = {},
): GpuMatrix {
  const to = out ?? allocateMatrix(gpu, x.rows, x.cols, x.label);
  const targets = rowWindows(to);
  rowWindows(x).forEach(({ buffer, rows, first, panelRow }, panel) =>
    dispatch(gpu, SCALE_ROWS, {
      buffers: [buffer, factors, targets[panel].buffer],
      params: {
        rows,
        stride: x.stride / 4,
        first: firstFactor + first,
        xRow: panelRow,
        outRow: targets[panel].panelRow,
      },
      workgroups: [Math.ceil(rows / WORKGROUP), Math.ceil(x.stride / 4 / RUN)],
      sizes: `${x.rows} × ${x.cols}`,
    })
  );
  return to;
}
