/** The quadratic B-spline b(t), in float64. */
export function spline(t: number): number {
  const distance = Math.abs(t);
  if (distance <= 0.5) return 0.75 - distance ** 2;
  return distance <= 1.5 ? 0.5 * (1.5 - distance) ** 2 : 0;
}

/** charge_ab = Σ_i b(x_i − a) b(y_i − b), row-major; places are (x, y) in steps of the grid. */
export function tsneSpread(places: [number, number][], nodes: number): Float64Array {
  return Float64Array.from({ length: nodes * nodes }, (_, at) => {
    const row = Math.floor(at / nodes), col = at % nodes;
    return places.reduce((sum, [x, y]) => sum + spline(x - col) * spline(y - row), 0);
  });
}
