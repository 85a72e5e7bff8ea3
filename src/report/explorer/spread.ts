/** Samples that are spread evenly. */

/** `count` of n indices, evenly spread, ascending. */
export function spread(count: number, n: number): number[] {
  return Array.from({ length: Math.min(count, n) }, (_, i) => Math.floor(i * n / Math.min(count, n)));
}
