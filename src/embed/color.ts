/** Colors from a three-dimensional map. */
import { assertNumber } from "../linalg/check_options.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";

/**
 * AlignedCut colors: each of the three coordinates scaled to [0, 255] between two of its quantiles and read as R, G, B
 * (METHOD, "Spectral-tSNE and AlignedCut color").
 *
 * @param points n × 3
 * @param quantile share of points clipped at either end of a coordinate; default 0.01
 * @returns n × 3 bytes, RGB
 * @throws RangeError when there are not three coordinates, one is not finite, or the quantile is not from 0 to below 0.5
 */
export function colorsFromPoints(points: Matrix, quantile = 0.01): Uint8Array {
  assertMatrix(points, "points");
  if (points.cols !== 3) throw new RangeError(`Colors need points of 3 coordinates, not ${points.cols}.`);
  assertNumber("quantile", quantile, "a share from 0 to below 0.5", (share) => share >= 0 && share < 0.5);
  const { data, rows } = points, wrong = data.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new RangeError(
      `Point ${Math.floor(wrong / 3)} has ${data[wrong]}: a color needs finite coordinates.`,
    );
  }
  const colors = new Uint8Array(rows * 3);
  for (let c = 0; c < 3; c++) {
    const sorted = Float32Array.from({ length: rows }, (_, i) => data[3 * i + c]).sort();
    const low = sorted[Math.floor(quantile * (rows - 1))],
      high = sorted[Math.ceil((1 - quantile) * (rows - 1))];
    const scale = high > low ? 255 / (high - low) : 0;
    for (let i = 0; i < rows; i++) {
      colors[3 * i + c] = scale
        ? Math.round(Math.min(255, Math.max(0, (data[3 * i + c] - low) * scale)))
        : 128;
    }
  }
  return colors;
}
