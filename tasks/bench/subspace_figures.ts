/** How far a subspace is from the exact one. */
import type { Matrix } from "../../src/linalg/matrix.ts";
import { columnBasis, principalAngles } from "../../src/linalg/principal_angles.ts";

/**
 * Compares the spans of all columns.
 *
 * @param exact, found n × C each
 * @returns the cosine of the largest principal angle, that angle in degrees, and the root mean square of all sines (0: the
 * same subspace, 1: nothing in common)
 */
export function subspaceFigures(exact: Matrix, found: Matrix): Record<string, number> {
  const angles = principalAngles(columnBasis(exact), columnBasis(found), exact.cols);
  const largest = Math.max(...angles);
  const sines = angles.reduce((sum, angle) => sum + Math.sin(angle) ** 2, 0);
  return {
    cosine: Math.cos(largest),
    angle: largest * 180 / Math.PI,
    sine: Math.sqrt(sines / angles.length),
  };
}
