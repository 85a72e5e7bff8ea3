/** The way back through the scaling of rows to unit length. */
import code from "../../shaders/row_normalize_gradient.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release } from "../gpu/mod.ts";
import { partsOfRows } from "./row_parts.ts";
import { allocateMatrix, type GpuMatrix, rowWindows } from "./matrix.ts";

const ROW_NORMALIZE_GRADIENT: Kernel = { label: "row_normalize_gradient", code };
const WORKGROUP = 16;
/** Steps of the kernel. */
const SUM = 1, PROJECT = 2;

/** ∂L/∂v from ∂L/∂v̂, v̂ = v / ‖v‖ row by row; no row of x is zero. */
export function rowNormalizeGradient(gpu: Gpu, x: GpuMatrix, gradient: GpuMatrix): GpuMatrix {
  const out = allocateMatrix(gpu, x.rows, x.cols, "gradient of rows");
  const parts = partsOfRows(x.stride / 4, [SUM, PROJECT]);
  rowWindows(x).forEach(({ buffer, rows }, panel) => {
    const sums = allocate(gpu, parts.length === 1 ? 8 : 8 * rows, "sums of rows");
    for (const part of parts) {
      dispatch(gpu, ROW_NORMALIZE_GRADIENT, {
        buffers: [buffer, gradient.panels[panel], out.panels[panel], sums],
        params: { rows, stride: x.stride / 4, ...part },
        workgroups: [Math.ceil(rows / WORKGROUP)],
        sizes: `${x.rows} × ${x.cols}`,
      });
    }
    release(gpu, sums);
  });
  return out;
}
