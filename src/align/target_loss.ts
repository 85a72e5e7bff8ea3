/** L_target, which keeps every slot near where its own target has put it. */
import { takeColumns } from "../linalg/host_matrix.ts";
import type { Gpu } from "../gpu/mod.ts";
import { combine } from "../linalg/combine.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowView,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { type AlignSlot, slotOffset } from "./model.ts";

/** What L_target is taken from; free it with `releaseTarget`. */
export interface Target {
  /** W⁰, Σ D_l × D′. */
  start: GpuMatrix;
  /** Per slot 2 λ P_lᵀP_l / (L ‖P_l W_l⁰‖²), D_l × D_l. */
  grams: GpuMatrix[];
}

/** Gives a target's buffers back for reuse. */
export function releaseTarget(gpu: Gpu, { start, grams }: Target): void {
  releaseMatrix(gpu, start, ...grams);
}

/**
 * L_target = (λ/L) Σ_l ‖P_l (W_l − W_l⁰)‖² / ‖P_l W_l⁰‖² over L slots.
 *
 * @param pooled images × Σ D_l, all training images
 * @param w W⁰
 * @param weight λ
 */
export async function openTarget(
  gpu: Gpu,
  slots: AlignSlot[],
  pooled: Matrix,
  w: Matrix,
  weight: number,
): Promise<Target> {
  const grams: GpuMatrix[] = [], start = uploadMatrix(gpu, w, "start"), { rows } = pooled;
  for (const [l, { width, name }] of slots.entries()) {
    const first = slotOffset(slots, l), { data: own } = takeColumns(pooled, first, first + width);
    const p = uploadMatrix(gpu, { data: own, rows, cols: width }, `pooled features of ${name}`);
    const product = multiply(gpu, p, rowView(start, first, width));
    const { data } = await downloadMatrix(gpu, product).finally(() => releaseMatrix(gpu, p, product));
    const squares = data.reduce((sum, value) => sum + value * value, 0);
    const factor = Math.sqrt(2 * weight / (slots.length * (squares || 1)));
    const scaled = uploadMatrix(gpu, { data: own.map((value) => value * factor), rows, cols: width }, name);
    grams.push(multiply(gpu, scaled, scaled, { transposeA: true }));
    releaseMatrix(gpu, scaled);
  }
  return { start, grams };
}

/** Adds the gradient of L_target to that of W. */
export function targetGradient(
  gpu: Gpu,
  { start, grams }: Target,
  slots: AlignSlot[],
  w: GpuMatrix,
  gradient: GpuMatrix,
): void {
  const moved = allocateMatrix(gpu, start.rows, start.cols, "W − W⁰");
  combine(gpu, moved, [1, w], [-1, start]);
  slots.forEach(({ width }, l) => {
    const first = slotOffset(slots, l);
    multiply(gpu, grams[l], rowView(moved, first, width), {
      out: rowView(gradient, first, width),
      accumulate: true,
    });
  });
  releaseMatrix(gpu, moved);
}
