import { assert, assertAlmostEquals } from "@std/assert";
import { etaSquared } from "../../../src/experiments/colors/compute.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { testSeed } from "../../support/random.ts";

Deno.test("etaSquared() is 1 where groups differ alone, 0 where they are equal, and the share between", () => {
  assertAlmostEquals(etaSquared([0, 0, 6, 6], 1, [0, 0, 1, 1]), 1);
  assertAlmostEquals(etaSquared([0, 6, 0, 6], 1, [0, 0, 1, 1]), 0);
  // between 4 · 1², within 2 · 1² on each side
  assertAlmostEquals(etaSquared([0, 2, 2, 4], 1, [0, 0, 1, 1]), 4 / 8);
  assertAlmostEquals(etaSquared([0, 5, 0, 5, 6, 5, 6, 5], 2, [0, 0, 1, 1]), 1);
  assertAlmostEquals(etaSquared([3, 3, 3], 1, [0, 1, 2]), 0);
});

Deno.test("etaSquared() of random groups is (groups − 1) / (points − 1) on average", () => {
  const random = seededRandom(testSeed), n = 60, groups = 10;
  let sum = 0;
  for (let run = 0; run < 300; run++) {
    sum += etaSquared(
      Array.from({ length: n }, () => random()),
      1,
      Array.from({ length: n }, (_, i) => i % groups),
    );
  }
  assert(Math.abs(sum / 300 - (groups - 1) / (n - 1)) < 0.02, `${sum / 300}, seed ${testSeed}`);
});
