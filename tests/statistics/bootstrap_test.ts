import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { bootstrapDraws, percentileInterval, quantileOf } from "../../src/statistics/bootstrap.ts";
import { fitStep, testStep } from "../../src/statistics/change_point.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { testSeed } from "../support/random.ts";

Deno.test("bootstrapDraws() draws the same units for the same seed, about 63 % of them at a time", () => {
  const draws = bootstrapDraws(500, 40, testSeed);
  assertEquals(draws, bootstrapDraws(500, 40, testSeed));
  const share = draws.reduce((sum, draw) => sum + new Set(draw).size / 500, 0) / draws.length;
  assert(Math.abs(share - (1 - 1 / Math.E)) < 0.02, `${share}, seed ${testSeed}`);
});

Deno.test("quantileOf() interpolates between neighbours and percentileInterval() leaves out both ends alike", () => {
  assertAlmostEquals(quantileOf([0, 10], 0.25), 2.5);
  assertEquals(quantileOf([7], 0.9), 7);
  const [low, high] = percentileInterval(Array.from({ length: 101 }, (_, i) => 100 - i), 0.9);
  assertAlmostEquals(low, 5);
  assertAlmostEquals(high, 95);
  assertThrows(() => quantileOf([], 0.5), RangeError, "at least one value");
});

Deno.test("percentileInterval() of bootstrapped means covers the true mean 95 times in a hundred", () => {
  const random = seededRandom(testSeed), n = 60, runs = 300;
  let covered = 0;
  for (let run = 0; run < runs; run++) {
    const values = Array.from({ length: n }, () => random());
    const means = bootstrapDraws(n, 200, testSeed + run).map((draw) =>
      draw.reduce((sum, i) => sum + values[i], 0) / n
    );
    const [low, high] = percentileInterval(means);
    if (low <= 0.5 && 0.5 <= high) covered++;
  }
  assert(covered / runs > 0.88 && covered / runs < 0.99, `${covered} of ${runs}, seed ${testSeed}`);
});

Deno.test("fitStep() finds a step where it is, prefers it to a line, and prefers a line where there is one", () => {
  const step = fitStep([0.5, 0.5, 0.5, 0.9, 0.9]);
  assertEquals(step.at, 3);
  assertAlmostEquals(step.jump, 0.4);
  assertAlmostEquals(step.error, 0);
  assert(step.lineError > 0.01);
  const line = fitStep([1, 2, 3, 4, 5, 6]);
  assertAlmostEquals(line.lineError, 0);
  assert(line.error > 1);
});

Deno.test("fitStep() knows no step downwards or on a level", () => {
  assertEquals(fitStep([3, 3, 1, 1]).at, 0);
  assertEquals(fitStep([2, 2, 2]).at, 0);
});

Deno.test("testStep() is sure of a step that all units share, at its place, and gives its height", () => {
  const random = seededRandom(testSeed);
  const units = Array.from(
    { length: 30 },
    () => Array.from({ length: 12 }, (_, i) => (i >= 4 ? 0.8 : 0.6) + 0.1 * random()),
  );
  const { at, p, stability, interval } = testStep(units, 0, 199);
  assertEquals([at, p, stability], [4, 1 / 200, 1], `seed ${testSeed}`);
  assert(interval[0] < 0.2 + 0.02 && interval[1] > 0.2 - 0.02, `${interval}, seed ${testSeed}`);
});

Deno.test("testStep() draws other units for another seed, and the same for the same", () => {
  const random = seededRandom(testSeed);
  const units = Array.from(
    { length: 9 },
    () => Array.from({ length: 6 }, (_, i) => Number(i >= 3) + random()),
  );
  const [one, other, again] = [1, 2, 1].map((seed) => testStep(units, seed, 99).interval);
  assertNotEquals(one, other);
  assertEquals(one, again);
});

Deno.test("testStep() without a step has a p that is uniform, though it looks at every place", () => {
  const random = seededRandom(testSeed);
  let small = 0;
  const runs = 200;
  for (let run = 0; run < runs; run++) {
    const units = Array.from({ length: 12 }, () => Array.from({ length: 8 }, random));
    if (testStep(units, run, 39).p <= 0.1) small++;
  }
  assert(small / runs < 0.19, `p ≤ 0.1 in ${small} of ${runs}, seed ${testSeed}`);
});
