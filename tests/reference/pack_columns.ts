/** Columns of B, k × n (stored n × k when transposed), block by block of `width`: value (row, c) of block b at [b][row][c], depth rows. */
export function packColumns(
  b: ArrayLike<number>,
  k: number,
  n: number,
  depth: number,
  width: number,
  transpose = false,
): Float64Array {
  const blocks = Math.ceil(n / width);
  const packed = new Float64Array(blocks * depth * width);
  for (let row = 0; row < k; row++) {
    for (let col = 0; col < n; col++) {
      const block = Math.floor(col / width);
      packed[(block * depth + row) * width + col % width] = transpose ? b[col * k + row] : b[row * n + col];
    }
  }
  return packed;
}
