/** Fresh inputs for every run of the tests. */
import type { Matrix } from "../../mod.ts";
import { seededRandom } from "../../src/linalg/random.ts";

/** Where fresh inputs start: $ALIGNEDCUT_TEST_SEED, else the time. */
export const testSeed = Number(Deno.env.get("ALIGNEDCUT_TEST_SEED") ?? Date.now() % 1e9);

/** rows × cols values, uniform in [−1, 1), one in a hundred ten times as large; `key` parts matrices of one test. */
export function randomMatrix(rows: number, cols: number, key = 0): Matrix {
  const random = seededRandom(testSeed + 7919 * key);
  const data = Float32Array.from(
    { length: rows * cols },
    () => (2 * random() - 1) * (random() < 0.01 ? 10 : 1),
  );
  return { data, rows, cols };
}
