/** KL(P‖Q) of a map and its gradient by the definition, over a dense symmetric P that sums to 1, in float64. */
import { tsneRepulsion } from "./tsne_repulsion.ts";

/** KL(P‖Q) = Σ p_ij log(p_ij / q_ij); y is n × 4, p n × n. */
export function divergence(p: ArrayLike<number>, y: ArrayLike<number>, n: number, freedom = 1): number {
  const repulsion = tsneRepulsion(y, n, freedom);
  let z = 0, sum = 0;
  for (let i = 0; i < n; i++) z += repulsion[4 * i + 3];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const pij = p[i * n + j];
      if (i === j || !(pij > 0)) continue;
      let squared = 0;
      for (let c = 0; c < 3; c++) squared += (y[4 * i + c] - y[4 * j + c]) ** 2;
      sum += pij * Math.log(pij * z * (1 + squared / freedom) ** ((freedom + 1) / 2));
    }
  }
  return sum;
}

/** One step with momentum, of a size by the stiffness of each point's attraction: the new y and update, each n × 4. */
export function tsneStep(
  y: ArrayLike<number>,
  n: number,
  p: ArrayLike<number>,
  update: ArrayLike<number>,
  settings: { momentum: number; rate: number; exaggeration: number; freedom?: number },
  softest: number,
): { y: Float64Array; update: Float64Array } {
  const { exaggeration, freedom = 1 } = settings;
  const gradient = tsneGradient(y, n, p, exaggeration, freedom);
  const next = { y: Float64Array.from(y), update: new Float64Array(4 * n) };
  for (let i = 0; i < n; i++) {
    let stiffness = 0;
    for (let j = 0; j < n; j++) {
      let squared = 0;
      for (let c = 0; c < 3; c++) squared += (y[4 * i + c] - y[4 * j + c]) ** 2;
      stiffness += n * p[i * n + j] / (1 + squared / freedom);
    }
    for (let at = 4 * i; at < 4 * i + 4; at++) {
      next.update[at] = settings.momentum * update[at] -
        settings.rate / Math.max(softest, stiffness) * gradient[at];
      next.y[at] += next.update[at];
    }
  }
  return next;
}

/** ∂KL/∂y with the attraction multiplied by `exaggeration`. */
export function tsneGradient(
  y: ArrayLike<number>,
  n: number,
  p: ArrayLike<number>,
  exaggeration = 1,
  freedom = 1,
): Float64Array {
  const repulsion = tsneRepulsion(y, n, freedom), factor = 2 * (freedom + 1) / freedom;
  let z = 0;
  for (let i = 0; i < n; i++) z += repulsion[4 * i + 3];
  const gradient = new Float64Array(4 * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let squared = 0;
      for (let c = 0; c < 3; c++) squared += (y[4 * i + c] - y[4 * j + c]) ** 2;
      for (let c = 0; c < 3; c++) {
        gradient[4 * i + c] += factor * exaggeration * p[i * n + j] * (y[4 * i + c] - y[4 * j + c]) /
          (1 + squared / freedom);
      }
    }
    for (let c = 0; c < 3; c++) gradient[4 * i + c] -= factor * repulsion[4 * i + c] / z;
  }
  return gradient;
}
