/** One step of AdamW in float64: the new value and running means. */
export function adamw(
  { value, gradient, first, second }: Record<"value" | "gradient" | "first" | "second", ArrayLike<number>>,
  { rate, decay, step }: { rate: number; decay: number; step: number },
): Record<"value" | "first" | "second", Float64Array<ArrayBuffer>> {
  const m = Float64Array.from(first, (old, i) => 0.9 * old + 0.1 * gradient[i]);
  const v = Float64Array.from(second, (old, i) => 0.999 * old + 0.001 * gradient[i] ** 2);
  const moved = Float64Array.from(value, (w, i) => {
    const towards = m[i] / (1 - 0.9 ** step) / (Math.sqrt(v[i] / (1 - 0.999 ** step)) + 1e-8);
    return w - rate * (towards + decay * w);
  });
  return { value: moved, first: m, second: v };
}
