/** AdamW on the GPU. */
import code from "../../shaders/adamw.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";
import {
  allocateMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowWindows,
  uploadMatrix,
} from "../linalg/matrix.ts";

const ADAMW: Kernel = { label: "adamw", code };
const WORKGROUP = 64;
const WIDTH = 2 ** 18;

/** Decay rates of the running means (Kingma & Ba 2015). */
export const BETAS = [0.9, 0.999] as const;

/** A trained matrix with its gradient and running means, all of one shape. */
export interface Parameter {
  value: GpuMatrix;
  gradient: GpuMatrix;
  first: GpuMatrix;
  second: GpuMatrix;
  /** Decoupled weight decay. */
  decay: number;
}

/** A parameter that starts at `value`, with running means 0 or as given. */
export function createParameter(
  gpu: Gpu,
  value: Matrix,
  decay: number,
  label: string,
  moments?: [Matrix, Matrix],
): Parameter {
  const zero = () => ({ ...value, data: new Float32Array(value.data.length) });
  const [first, second] = moments ?? [zero(), zero()];
  return {
    value: uploadMatrix(gpu, value, label),
    gradient: allocateMatrix(gpu, value.rows, value.cols, `gradient of ${label}`),
    first: uploadMatrix(gpu, first, `mean gradient of ${label}`),
    second: uploadMatrix(gpu, second, `mean square of ${label}`),
    decay,
  };
}

/** Gives a parameter's four matrices back. */
export function releaseParameter(gpu: Gpu, { value, gradient, first, second }: Parameter): void {
  releaseMatrix(gpu, value, gradient, first, second);
}

/**
 * One step down the gradient.
 *
 * @param step 1 for the first
 */
export function adamwStep(gpu: Gpu, parameter: Parameter, rate: number, step: number): void {
  const { value, gradient, first, second, decay } = parameter, [beta1, beta2] = BETAS;
  rowWindows(value).forEach(({ rows }, panel) => {
    const size = rows * value.stride / 4;
    const width = Math.min(WIDTH, Math.ceil(size / WORKGROUP) * WORKGROUP);
    dispatch(gpu, ADAMW, {
      buffers: [gradient, value, first, second].map(({ panels }) => panels[panel]),
      params: {
        size,
        width,
        rate,
        beta1,
        beta2,
        rest1: 1 - beta1,
        rest2: 1 - beta2,
        decay,
        correction1: 1 - beta1 ** step,
        correction2: 1 - beta2 ** step,
      },
      overrides: { WORKGROUP },
      workgroups: [width / WORKGROUP, Math.ceil(size / width)],
      sizes: `${value.rows} × ${value.cols}`,
    });
  });
}
