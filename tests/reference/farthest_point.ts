/** Farthest point sampling of n × d points, ties to the lowest number, in float64. */
export function farthestPoints(
  points: ArrayLike<number>,
  n: number,
  d: number,
  count: number,
  start: number,
): number[] {
  const nearest = new Float64Array(n).fill(Infinity);
  const taken: number[] = [];
  for (let next = start; taken.length < count;) {
    taken.push(next);
    nearest[next] = -1;
    for (let i = 0; i < n; i++) {
      let squares = 0;
      for (let k = 0; k < d; k++) squares += (points[i * d + k] - points[next * d + k]) ** 2;
      nearest[i] = Math.min(nearest[i], squares);
    }
    next = nearest.indexOf(Math.max(...nearest));
  }
  return taken;
}
