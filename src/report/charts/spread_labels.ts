/**
 * Moves labels apart so that none overlaps another, each as near to its line as the others allow.
 * @param wanted Position in pixels where each label would like to be.
 * @param gap Least distance between two labels in pixels.
 * @param end Length of the axis in pixels; labels stay in [0, end] as long as they fit.
 * @returns Positions in the order of `wanted`.
 */
export function spreadLabels(wanted: readonly number[], gap: number, end: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const placed = [...wanted];
  order.forEach((label, rank) => {
    if (rank > 0) placed[label] = Math.max(placed[label], placed[order[rank - 1]] + gap);
  });
  let limit = end;
  for (const label of order.toReversed()) {
    placed[label] = Math.min(placed[label], limit);
    limit = placed[label] - gap;
  }
  return placed;
}
