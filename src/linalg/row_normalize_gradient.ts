/** The way back through the scaling of rows to unit length. */
import code from "../../shaders/row_normalize_gradient.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import { allocateMatrix, type GpuMatrix, rowWindows } from "./matrix.ts";

const ROW_NORMALIZE_GRADIENT: Kernel = { label: "row_normalize_gradient", code };
const WORKGROUP = 16;

/** ∂L/∂v from ∂L/∂v̂, v̂ = v / ‖v‖ row by row; no row of x is zero. */
export function rowNormalizeGradient(gpu: Gpu, x: GpuMatrix, gradient: GpuMatrix): GpuMatrix {
  const out = allocateMatrix(gpu, x.rows, x.cols, "gradient of rows");
  rowWindows(x).forEach(({ buffer, rows }, panel) =>
    dispatch(gpu, ROW_NORMALIZE_GRADIENT, {
      buffers: [buffer, gradient.panels[panel], out.panels[panel]],
      u32: [rows, x.stride / 4],
      workgroups: [Math.ceil(rows / WORKGROUP)],
      sizes: `${x.rows} × ${x.cols}`,
    })
  );
  return out;
}
