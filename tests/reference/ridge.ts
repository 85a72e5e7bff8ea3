/** Ridge regression in float64, voxel by voxel. */
import { solveCholesky } from "./cholesky.ts";

/** Row-major images × columns. */
export interface Table {
  data: ArrayLike<number>;
  rows: number;
  cols: number;
}

/** (ZᵀZ + λI)⁻¹ Zᵀ(y − ȳ) on the standardised features of `rows`, as a function of images in raw units. */
export function ridge(
  x: Table,
  y: Table,
  rows: number[],
  lambda: number,
): (image: ArrayLike<number>) => Float64Array {
  const d = x.cols, n = rows.length;
  const columnOf = (table: Table, c: number) => rows.map((row) => table.data[row * table.cols + c]);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / n;
  const means = Array.from({ length: d }, (_, c) => mean(columnOf(x, c)));
  const spreads = means.map((m, c) => Math.sqrt(mean(columnOf(x, c).map((value) => (value - m) ** 2))));
  const z = means.map((m, c) => columnOf(x, c).map((value) => spreads[c] > 0 ? (value - m) / spreads[c] : 0));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const system = z.flatMap((zi, i) => z.map((zj, j) => dot(zi, zj) + (i === j ? lambda : 0)));
  const centers = Array.from({ length: y.cols }, (_, v) => mean(columnOf(y, v)));
  const right = z.flatMap((zi) =>
    centers.map((center, v) => dot(zi, columnOf(y, v).map((value) => value - center)))
  );
  const w = solveCholesky(system, right, d, y.cols);
  return (image) =>
    Float64Array.from(centers, (center, v) => {
      let sum = center;
      for (let c = 0; c < d; c++) {
        if (spreads[c] > 0) sum += (image[c] - means[c]) / spreads[c] * w[c * y.cols + v];
      }
      return sum;
    });
}
