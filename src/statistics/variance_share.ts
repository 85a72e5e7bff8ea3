/** How much of a variance lies between groups. */
import type { Matrix } from "../linalg/matrix.ts";

/**
 * η²: variance between groups over all variance (Fisher 1925), mean over columns.
 *
 * @param groups of every row, small whole numbers from 0
 * @param first column that counts; default 0, all columns
 */
export function shareBetween({ data, rows, cols }: Matrix, groups: ArrayLike<number>, first = 0): number {
  let count = 0;
  for (let i = 0; i < rows; i++) count = Math.max(count, groups[i] + 1);
  const sizes = new Float64Array(count);
  for (let i = 0; i < rows; i++) sizes[groups[i]]++;
  let share = 0;
  for (let c = first; c < cols; c++) {
    const sums = new Float64Array(count);
    let sum = 0, squares = 0;
    for (let i = 0; i < rows; i++) {
      const value = data[i * cols + c];
      sums[groups[i]] += value;
      sum += value;
      squares += value * value;
    }
    const mean = sum / rows;
    let between = 0;
    sums.forEach((own, g) => {
      if (sizes[g] > 0) between += sizes[g] * (own / sizes[g] - mean) ** 2;
    });
    share += between / (squares - rows * mean * mean) / (cols - first);
  }
  return share;
}
