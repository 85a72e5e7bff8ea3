/** Angles between subspaces. */
import type { Matrix } from "../../mod.ts";
import { matmul } from "../reference/matmul.ts";
import { symmetricEigen } from "../reference/symmetric_eigen.ts";

/** The first `count` columns of x, as float64 values. */
export function leadingColumns(x: Matrix, count: number): Float64Array {
  return Float64Array.from(
    { length: x.rows * count },
    (_, at) => x.data[Math.floor(at / count) * x.cols + at % count],
  );
}

/**
 * The largest principal angle, in radians, between the spans of the orthonormal columns of a and of b, both n × c: the
 * sine is the largest singular value of b − a (aᵀ b).
 */
export function largestPrincipalAngle(a: Float64Array, b: Float64Array, n: number, c: number): number {
  const within = matmul(a, matmul(a, b, c, n, c, true), n, c, c);
  const outside = b.map((v, at) => v - within[at]);
  const { values } = symmetricEigen(matmul(outside, outside, c, n, c, true), c);
  return Math.asin(Math.min(1, Math.sqrt(Math.max(0, values[0]))));
}
