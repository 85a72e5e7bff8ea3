/** Nodes in clusters, so that their eigenvectors have gaps. */
import type { Matrix } from "../../mod.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";
import { testSeed } from "./random.ts";

/** n × d features around `clusters` directions, of lengths 0.5 to 2, with normal noise of size `spread`. */
export function clusteredMatrix(n: number, d: number, clusters: number, spread: number, key = 0): Matrix {
  const random = seededRandom(testSeed + 7919 * key);
  const centers = fillRandom(new Float32Array(clusters * d), random);
  const noise = fillRandom(new Float32Array(n * d), random);
  const data = new Float32Array(n * d);
  for (let i = 0; i < n; i++) {
    const length = 0.5 + 1.5 * random(), cluster = i % clusters;
    for (let k = 0; k < d; k++) {
      data[i * d + k] = length * (centers[cluster * d + k] + spread * noise[i * d + k]);
    }
  }
  return { data, rows: n, cols: d };
}
