import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { subspaceOverlap } from "../../../src/experiments/brain_score/align_effect.ts";
import { signFlipTest } from "../../../src/statistics/sign_flip_test.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { testSeed } from "../../support/random.ts";

Deno.test("subspaceOverlap() is 1 for rotations, 0 for complements, and the mean squared cosine between", () => {
  const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
  const basis = (...columns: number[][]) => ({
    data: Float32Array.from(
      { length: 4 * columns.length },
      (_, at) => columns[at % columns.length][Math.floor(at / columns.length)],
    ),
    rows: 4,
    cols: columns.length,
  });
  const x = basis([1, 0, 0, 0], [0, 1, 0, 0]);
  assertAlmostEquals(subspaceOverlap(x, basis([c, s, 0, 0], [-s, c, 0, 0])), 1, 1e-6);
  assertAlmostEquals(subspaceOverlap(x, basis([0, 0, 1, 0], [0, 0, 0, 1])), 0, 1e-6);
  assertAlmostEquals(subspaceOverlap(x, basis([c, 0, s, 0], [0, 1, 0, 0])), (1 + c * c) / 2, 1e-6);
});

Deno.test("signFlipTest() is small for a clear difference and uniform for none", () => {
  const random = seededRandom(testSeed);
  const clear = Float64Array.from({ length: 30 }, () => 0.5 + random() - 0.5);
  assert(signFlipTest(clear, 1, 999) <= 0.005);
  const all = Array.from(
    { length: 200 },
    (_, run) => signFlipTest(Float64Array.from({ length: 20 }, () => random() - 0.5), run, 199),
  );
  const mean = all.reduce((sum, p) => sum + p, 0) / all.length;
  assert(Math.abs(mean - 0.5) < 0.1, `mean p ${mean}, seed ${testSeed}`);
  assertAlmostEquals(signFlipTest(new Float64Array(5), 1, 99), 1);
});

Deno.test("signFlipTest() equals the exact test of few differences", () => {
  // of the 8 sign patterns of 1, 2, 4 only the observed one reaches 7, and two reach 5 − with 1 flipped
  assertEquals(signFlipTest(Float64Array.of(1, 2, 4), 3), 1 / 8);
  assertEquals(signFlipTest(Float64Array.of(-1, 2, 4), 3), 2 / 8);
  assertEquals(signFlipTest([0.1, 0.2, 0.3, 0.1, 0.05], 0), 1 / 32); // five that agree: all 32 patterns
});
