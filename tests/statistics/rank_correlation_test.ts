import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { kendallTauA, rankingOf, spearman } from "../../src/statistics/rank_correlation.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import golden from "../golden/rank_correlation.json" with { type: "json" };
import { testSeed } from "../support/random.ts";

interface Case {
  name: string;
  x: number[];
  y: number[];
  weights?: number[];
  spearman: number;
  tau_a: number;
}

Deno.test("spearman() and kendallTauA() equal scipy's numbers, with ties and with repeated entries", async (t) => {
  for (const { name, x, y, weights, ...expected } of golden.cases as Case[]) {
    await t.step(name, () => {
      const [a, b] = [rankingOf(x), rankingOf(y)];
      assertAlmostEquals(spearman(a, b, weights), expected.spearman, 1e-12);
      assertAlmostEquals(kendallTauA(a, b, weights), expected.tau_a, 1e-12);
      assertAlmostEquals(kendallTauA(b, a, weights), expected.tau_a, 1e-12);
    });
  }
});

Deno.test("kendallTauA() equals a count of all pairs on fresh values", () => {
  const random = seededRandom(testSeed);
  const [x, y] = [0, 1].map(() => Array.from({ length: 211 }, () => Math.floor(40 * random())));
  const weights = x.map(() => Math.floor(3 * random()));
  const [xs, ys] = [x, y].map((values) => values.flatMap((value, i) => Array(weights[i]).fill(value)));
  let sum = 0;
  for (let i = 0; i < xs.length; i++) {
    for (let j = 0; j < i; j++) sum += Math.sign((xs[i] - xs[j]) * (ys[i] - ys[j]));
  }
  const expected = sum / (xs.length * (xs.length - 1) / 2);
  assertAlmostEquals(kendallTauA(rankingOf(x), rankingOf(y), weights), expected, 1e-12, `seed ${testSeed}`);
});

Deno.test("spearman() and kendallTauA() of a constant, of one entry and of none are 0", () => {
  for (const values of [[3, 3, 3], [1], []]) {
    const [constant, other] = [rankingOf(values), rankingOf(values.map((_, i) => i))];
    assertEquals([spearman(constant, other), kendallTauA(constant, other)], [0, 0]);
  }
});

Deno.test("rank correlations say in one sentence what is wrong", () => {
  assertThrows(() => rankingOf([1, NaN]), RangeError, "Value 1 is NaN: only numbers can be ranked.");
  assertThrows(
    () => spearman(rankingOf([1, 2]), rankingOf([1, 2, 3])),
    RangeError,
    "One side has 2 values, the other 3: they must be equal.",
  );
  assertThrows(
    () => kendallTauA(rankingOf([1]), rankingOf([1]), [1, 1]),
    RangeError,
    "One side has 1 values, the",
  );
});
