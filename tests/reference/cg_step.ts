/** One step of conjugate gradients for (λ I − M) z = b and one column, in float64. */
export function cgStep(
  { z, r, p, image, shift }: Record<"z" | "r" | "p" | "image", ArrayLike<number>> & { shift: number },
): Record<"z" | "r" | "p", Float64Array<ArrayBuffer>> & { square: number } {
  const q = Float64Array.from(p, (value, i) => shift * value - image[i]);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  };
  const before = dot(r, r), alpha = before / dot(p, q);
  const rest = Float64Array.from(r, (value, i) => value - alpha * q[i]);
  const square = dot(rest, rest);
  return {
    z: Float64Array.from(z, (value, i) => value + alpha * p[i]),
    r: rest,
    p: Float64Array.from(p, (value, i) => rest[i] + square / before * value),
    square,
  };
}
