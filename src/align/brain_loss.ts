/** How far predicted responses are from measured ones, METHOD (9). */
import code from "../../shaders/brain_loss.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import { type GpuMatrix, rowWindows } from "../linalg/matrix.ts";
import type { PartialLoss } from "./partial_loss.ts";

const BRAIN_LOSS: Kernel = { label: "brain_loss", code };
const WORKGROUP = 16;
const RUN = 64; // vec4 per invocation

/**
 * The loss of a batch, mean |Y − Ŷ| or its Huber form, and its gradient.
 *
 * @param prediction Z β, images × voxels; overwritten with ∂L/∂Ŷ
 * @param epsilon 1 × voxels
 * @param response Y, images × voxels
 * @param huber residual below which the loss is quadratic; 0: nowhere
 * @returns partial sums of the losses of all entries, to be divided by their number; release the buffer
 */
export function brainLoss(
  gpu: Gpu,
  prediction: GpuMatrix,
  epsilon: GpuMatrix,
  response: GpuMatrix,
  huber = 0,
): PartialLoss {
  const { rows, cols, stride } = prediction;
  const runs = Math.ceil(stride / 4 / RUN);
  const buffer = allocate(gpu, rows * runs * 4, "brain loss");
  rowWindows(prediction).forEach((window, panel) =>
    dispatch(gpu, BRAIN_LOSS, {
      buffers: [epsilon.panels[0], response.panels[panel], window.buffer, buffer],
      params: {
        rows: window.rows,
        stride: stride / 4,
        first: window.first * runs,
        scale: 1 / (rows * cols),
        beta: huber,
      },
      workgroups: [Math.ceil(window.rows / WORKGROUP), runs],
      sizes: `${rows} images × ${cols} voxels`,
    })
  );
  return { buffer, count: rows * runs };
}
