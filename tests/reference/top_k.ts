/** The K largest of every row, descending, ties to the lower column, by sorting. */
export function topK(
  values: ArrayLike<number>,
  n: number,
  m: number,
  k: number,
  excludeSelf = false,
): { indices: Uint32Array; values: Float64Array } {
  const result = { indices: new Uint32Array(n * k), values: new Float64Array(n * k) };
  for (let i = 0; i < n; i++) {
    Array.from({ length: m }, (_, j) => j)
      .filter((j) => !(excludeSelf && j === i))
      .sort((a, b) => values[i * m + b] - values[i * m + a] || a - b)
      .slice(0, k)
      .forEach((j, at) => {
        result.indices[i * k + at] = j;
        result.values[i * k + at] = values[i * m + j];
      });
  }
  return result;
}
