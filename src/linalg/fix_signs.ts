/** Signs of eigenvectors. */

/**
 * Fixes the sign of every column in place: its sum is made ≥ 0; a sum that is only rounding counts as a tie, broken by
 * the first entry that is not.
 */
export function fixSigns(x: { data: Float32Array | Float64Array; cols: number }): void {
  for (let c = 0; c < x.cols; c++) {
    let sum = 0, magnitude = 0, largest = 0;
    for (let i = c; i < x.data.length; i += x.cols) {
      sum += x.data[i];
      magnitude += Math.abs(x.data[i]);
      largest = Math.max(largest, Math.abs(x.data[i]));
    }
    let sign = sum;
    if (Math.abs(sum) <= 1e-5 * magnitude) {
      for (let i = c; i < x.data.length; i += x.cols) {
        if (Math.abs(x.data[i]) > 1e-3 * largest) {
          sign = x.data[i];
          break;
        }
      }
    }
    if (sign < 0) { for (let i = c; i < x.data.length; i += x.cols) x.data[i] = -x.data[i]; }
  }
}
