/** Columns of B, k × n (stored n × k when transposed), block by block of 32: value (row, c) of block b at [b][row][c], depth rows. */
export function packColumns(
  b: ArrayLike<number>,
  k: number,
  n: number,
  depth: number,
  transpose = false,
): Float64Array {
  const blocks = Math.ceil(n / 32);
  const packed = new Float64Array(blocks * depth * 32);
  for (let row = 0; row < k; row++) {
    for (let col = 0; col < n; col++) {
      const block = Math.floor(col / 32);
      packed[(block * depth + row) * 32 + col % 32] = transpose ? b[col * k + row] : b[row * n + col];
    }
  }
  return packed;
}
