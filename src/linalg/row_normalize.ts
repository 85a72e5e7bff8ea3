/** Rows scaled to unit length, and the way back. */
import code from "../../shaders/row_normalize.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, release } from "../gpu/mod.ts";
import {
  allocateMatrix,
  assertMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowWindows,
  uploadMatrix,
} from "./matrix.ts";
import { partsOfRows } from "./row_parts.ts";

const ROW_NORMALIZE: Kernel = { label: "row_normalize", code };
const ROW_NORMALIZE_GRADIENT: Kernel = { label: "row_normalize_gradient", code };
const WORKGROUP = 16;
/** Steps of the kernel. */
const LARGEST = 1, SUM = 2, STORE = 4;
/** Rows whose largest magnitude lies below this have no direction in float32: the GPU may flush them to zero. */
const SMALLEST = 2 ** -126;

/**
 * Checks that every row has a direction.
 *
 * @throws RangeError naming the node (row): "node 7 has NaN in channel 3 …" "node 7 is a zero vector …" or "node 7 has no
 *   value above 1.0e-40: that is subnormal …"
 */
export function assertRows(x: Matrix, name = "features", firstNode = 0): void {
  assertMatrix(x, name);
  const { data, rows, cols } = x;
  for (let i = 0; i < rows; i++) {
    let largest = 0;
    for (let k = i * cols; k < (i + 1) * cols; k++) {
      const magnitude = Math.abs(data[k]);
      if (!(magnitude <= 3.5e38)) {
        throw new RangeError(
          `${name}: node ${firstNode + i} has ${data[k]} in channel ${
            k - i * cols
          }; every value must be finite: check how it was extracted.`,
        );
      }
      if (magnitude > largest) largest = magnitude;
    }
    if (largest > 0 && largest < SMALLEST) {
      throw new RangeError(
        `${name}: node ${firstNode + i} has no value above ${
          largest.toExponential(1)
        }: that is subnormal in float32, which ` +
          `GPUs may take for zero: scale all features up.`,
      );
    }
    if (largest === 0) {
      throw new RangeError(
        `${name}: node ${
          firstNode + i
        } is a zero vector, which has no cosine with others: leave it out or check how it was extracted.`,
      );
    }
  }
}

/** x̂_i = x_i / ‖x_i‖ on the GPU; x must have passed `assertRows`. */
export function normalizeRows(gpu: Gpu, x: GpuMatrix): GpuMatrix {
  return recordSteps(gpu, x, "unit rows", [LARGEST, SUM, STORE]);
}

/** ∂L/∂v from ∂L/∂v̂, v̂ = v / ‖v‖ row by row; no row of x is zero. */
export function rowNormalizeGradient(gpu: Gpu, x: GpuMatrix, gradient: GpuMatrix): GpuMatrix {
  return recordSteps(gpu, x, "gradient of rows", [SUM, STORE], gradient);
}

function recordSteps(
  gpu: Gpu,
  x: GpuMatrix,
  label: string,
  steps: number[],
  gradient?: GpuMatrix,
): GpuMatrix {
  const out = allocateMatrix(gpu, x.rows, x.cols, label), parts = partsOfRows(x.stride / 4, steps);
  rowWindows(x).forEach(({ buffer, rows }, panel) => {
    const sums = allocate(gpu, parts.length === 1 ? 8 : 8 * rows, "sums of rows");
    for (const part of parts) {
      dispatch(gpu, gradient ? ROW_NORMALIZE_GRADIENT : ROW_NORMALIZE, {
        buffers: [buffer, gradient?.panels[panel] ?? buffer, out.panels[panel], sums],
        params: { rows, stride: x.stride / 4, ...part },
        overrides: { GRADIENT: Number(gradient !== undefined) },
        workgroups: [Math.ceil(rows / WORKGROUP)],
        sizes: `${x.rows} × ${x.cols}`,
      });
    }
    release(gpu, sums);
  });
  return out;
}

/**
 * x̂_i = x_i / ‖x_i‖: scales every row to unit length, on the GPU, so that x̂_i · x̂_j is the cosine of METHOD's affinity.
 *
 * @param x n × d, any unit; values below 2⁻¹²⁶ count as 0 on devices that have no subnormal numbers
 * @returns n × d with rows of length 1
 * @throws RangeError naming the first row that is zero or not finite
 */
export async function rowNormalize(gpu: Gpu, x: Matrix): Promise<Matrix> {
  assertRows(x, "rows");
  const raw = uploadMatrix(gpu, x, "rows");
  const unit = normalizeRows(gpu, raw);
  try {
    return await downloadMatrix(gpu, unit);
  } finally {
    releaseMatrix(gpu, raw, unit);
  }
}
