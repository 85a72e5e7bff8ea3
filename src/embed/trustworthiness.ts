/** How faithful a map's neighbourhoods are. */
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";

/**
 * Trustworthiness of a map (Venna & Kaski 2001): 1 minus the normalised rank by which points intrude into the map's
 * neighbourhoods without being near in the original space. 1 is perfect, about 0.5 is chance.
 * T = 1 − 2 / (n k (2n − 3k − 1)) Σ_i Σ_{j ∈ U_i} (r_ij − k), with U_i the k nearest of i in the map that are not among its k
 * nearest in the original, and r_ij the rank of j there.
 *
 * @param x n × d original points, Euclidean
 * @param y n × c their map
 * @param k neighbourhood size, below n / 2; default 5
 * @returns a number in [0, 1]
 * @throws RangeError "The map has 9 points and the original 10: …"; when k is not whole or not below n / 2, or a value is not finite
 *
 * Cost: n² distances and n sorts, on the host in float64: take a sub-sample beyond a few thousand points.
 */
export function trustworthiness(x: Matrix, y: Matrix, k = 5): number {
  assertMatrix(x, "original points");
  assertMatrix(y, "map");
  const n = x.rows;
  if (y.rows !== n) {
    throw new RangeError(`The map has ${y.rows} points and the original ${n}: they must be the same points.`);
  }
  if (!(Number.isInteger(k) && k >= 1 && k < n / 2)) {
    throw new RangeError(`k is ${k}: trustworthiness of ${n} points needs a whole k, 1 ≤ k < ${n / 2}.`);
  }
  for (const [name, { data, cols }] of [["original points", x], ["map", y]] as const) {
    const wrong = data.findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) continue;
    throw new RangeError(
      `${name}: point ${Math.floor(wrong / cols)} has ${data[wrong]}; every value must be finite.`,
    );
  }
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  const rank = new Uint32Array(n);
  let penalty = 0;
  for (let i = 0; i < n; i++) {
    const far = squaredDistancesFrom(x, i), near = squaredDistancesFrom(y, i);
    far[i] = near[i] = -1;
    order.slice().sort((a, b) => far[a] - far[b] || a - b).forEach((j, r) => rank[j] = r);
    for (const j of order.slice().sort((a, b) => near[a] - near[b] || a - b).subarray(1, k + 1)) {
      penalty += Math.max(0, rank[j] - k);
    }
  }
  return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty;
}

function squaredDistancesFrom({ data, rows, cols }: Matrix, i: number): Float64Array {
  const out = new Float64Array(rows);
  for (let j = 0; j < rows; j++) {
    for (let c = 0; c < cols; c++) out[j] += (data[i * cols + c] - data[j * cols + c]) ** 2;
  }
  return out;
}
