/** Nodes around cluster centres. */
import type { Matrix } from "../../mod.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";

/** n nodes of d channels, node i around centre i mod `groups`, the centres' spread being 1. */
export function clusteredNodes(n: number, d: number, groups: number, noise: number, seed: number): Matrix {
  const random = seededRandom(seed);
  const centres = fillRandom(new Float32Array(groups * d), random);
  const data = fillRandom(new Float32Array(n * d), random);
  for (let at = 0; at < data.length; at++) {
    data[at] = centres[(Math.floor(at / d) % groups) * d + at % d] + noise * data[at];
  }
  return { data, rows: n, cols: d };
}
