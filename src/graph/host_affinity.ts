/** The affinity of small graphs in float64 on the host: nothing is compiled, sent or waited for. */
import { centredUnitRows } from "../linalg/centred_rows.ts";
import { combineRows } from "../linalg/combine_rows.ts";
import type { Matrix } from "../linalg/matrix.ts";

/** Rows that are made together, up to the diagonal of the last one. */
const ROWS = 64;

/**
 * E_ij = A_ij − 1 = expm1(w_i · w_j − ½ (|w_i|² + |w_j|²)), w the centred unit rows; exactly 0 where rows are equal.
 *
 * @param x n × d
 * @returns n × n, of which the lower triangle is made
 * @throws RangeError naming the node that is a zero vector or not finite
 *
 * Cost: ½ n² (d + 30) multiplications.
 */
export function hostAffinityLessOne(x: Matrix, name?: string): Float64Array {
  const { data, rows: n, cols: d } = centredUnitRows(x, name).rows, w = Float64Array.from(data);
  const turned = new Float64Array(d * n), e = new Float64Array(n * n), halves = new Float64Array(n);
  for (let i = 0; i < n; i++) for (let k = 0; k < d; k++) turned[k * n + i] = w[i * d + k];
  const channels = Array.from({ length: d }, (_, k) => k * n);
  for (let first = 0; first < n; first += ROWS) {
    const end = Math.min(n, first + ROWS), source = { data: turned, rows: channels, length: end };
    combineRows(w.subarray(first * d, end * d), source, { data: e, stride: n, first: first * n });
    for (let i = first; i < end; i++) {
      const half = halves[i] = e[i * n + i] / 2;
      for (let j = 0; j < i; j++) {
        e[i * n + j] = Math.expm1(Math.min(0, e[i * n + j] - (half + halves[j])));
      }
      e[i * n + i] = 0;
    }
  }
  return e;
}
