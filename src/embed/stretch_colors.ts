/** Colors within a layer. */

/**
 * Stretches each of the three channels of some colors over all of 0 to 255, between two quantiles: colors of one layer in the
 * joint map, which may all be near each other there, told apart. Equal colors then mean the same within that layer only.
 *
 * @param colors n × 3 bytes, RGB, of one layer; stays as it is
 * @param quantile share of nodes clipped at either end of a channel; default 0.01
 * @returns n × 3 bytes; a channel with one value becomes 128
 */
export function stretchColors(colors: Uint8Array, quantile = 0.01): Uint8Array {
  const n = colors.length / 3, stretched = new Uint8Array(colors.length);
  for (let c = 0; c < 3; c++) {
    const sorted = Uint8Array.from({ length: n }, (_, i) => colors[3 * i + c]).sort();
    const low = sorted[Math.floor(quantile * (n - 1))], high = sorted[Math.ceil((1 - quantile) * (n - 1))];
    for (let i = 0; i < n; i++) {
      const share = high > low ? (colors[3 * i + c] - low) / (high - low) : 128 / 255;
      stretched[3 * i + c] = Math.round(255 * Math.min(1, Math.max(0, share)));
    }
  }
  return stretched;
}
