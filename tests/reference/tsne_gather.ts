/** Σ_ab b(x_i − a) b(y_i − b) F_ab for every place (x, y), in float64; `field` has (re, im) of nodes × nodes, row-major. */
import { spline } from "./tsne_spread.ts";

export function tsneGather(
  places: [number, number][],
  field: ArrayLike<number>,
  nodes: number,
): Float64Array {
  const out = new Float64Array(places.length * 2);
  places.forEach(([x, y], i) => {
    for (let at = 0; at < nodes * nodes; at++) {
      const weight = spline(x - at % nodes) * spline(y - Math.floor(at / nodes));
      out[2 * i] += weight * field[2 * at];
      out[2 * i + 1] += weight * field[2 * at + 1];
    }
  });
  return out;
}
