/** Where a vector parts a graph best. */

/**
 * The split of x by one threshold with the smallest Ncut (Shi & Malik 2000), of all n − 1; `above` is 1 where x is larger.
 *
 * @param e E = A − 1 for weights A ≥ 0, n × n, symmetric; Ncut is the same for any multiple of A
 * @param sums of its rows
 * @param x n values, not all equal
 */
export function smallestCut(
  e: ArrayLike<number>,
  sums: Float64Array,
  x: Float64Array,
): { above: Uint8Array; ncut: number; threshold: number } {
  const n = x.length;
  const order = [...x.keys()].sort((i, j) => x[j] - x[i] || i - j);
  const volume = sums.reduce((sum, e) => sum + e, n * n);
  const linked = new Float64Array(n); // Σ of E to the tokens above
  let rest = 0, volumeAbove = 0, ncut = Infinity, count = 1;
  for (let taken = 1; taken < n; taken++) {
    const i = order[taken - 1];
    rest += sums[i] - 2 * linked[i] - e[i * n + i];
    volumeAbove += n + sums[i];
    for (let j = 0; j < n; j++) linked[j] += e[i * n + j];
    if (x[i] === x[order[taken]]) continue; // no threshold parts equal values
    const cut = taken * (n - taken) + rest;
    const value = cut / volumeAbove + cut / (volume - volumeAbove);
    if (value < ncut) [ncut, count] = [value, taken];
  }
  const above = new Uint8Array(n);
  for (let taken = 0; taken < count; taken++) above[order[taken]] = 1;
  return { above, ncut, threshold: (x[order[count - 1]] + x[order[count]]) / 2 };
}
