/** Chosen rows of a matrix. */
import code from "../../shaders/pick_rows.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import { type GpuMatrix, rowWindows } from "./matrix.ts";

const PICK_ROWS: Kernel = { label: "pick_rows", code };
const WORKGROUP = 8;
/** Rows that an invocation copies of; the shader has the same. */
const EACH = 16;

/** Numbers of rows on the GPU. */
export interface RowChoice {
  /** u32, any order, repetitions allowed, all below the rows of the matrix they choose from. */
  buffer: GPUBuffer;
  /** The first that counts. */
  first: number;
  /** How many do. */
  count: number;
}

/**
 * Records out_r = x_chosen(r).
 *
 * @param x n × d on the GPU
 * @param out of its own, at least chosen.count × d; its first rows are written
 */
export function pickRows(gpu: Gpu, x: GpuMatrix, chosen: RowChoice, out: GpuMatrix): void {
  for (const to of rowWindows(out, 0, chosen.count)) {
    const groups = Math.ceil(to.rows / EACH), grid = Math.min(gpu.limits.workgroups, groups);
    for (const from of rowWindows(x)) {
      dispatch(gpu, PICK_ROWS, {
        buffers: [from.buffer, chosen.buffer, to.buffer],
        params: {
          rows: to.rows,
          stride: x.stride / 4,
          first: from.first,
          panelRows: from.rows,
          panelRow: from.panelRow,
          chosenFirst: chosen.first + to.first,
          grid,
        },
        overrides: { WORKGROUP },
        workgroups: [Math.ceil(x.stride / 4 / WORKGROUP), grid, Math.ceil(groups / grid)],
        sizes: `${to.rows} of ${x.rows} rows of ${x.stride}`,
      });
    }
  }
}
