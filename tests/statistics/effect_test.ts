import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { bootstrapEffect, permutationEffect, signFlipEffect, weakest } from "../../src/statistics/effect.ts";

Deno.test("signFlipEffect() of five that agree has p 1/32 and their range; what was not asked does not count", () => {
  assertEquals(signFlipEffect([1, 2, NaN, 3, 4, 5], 0), {
    effect: 3,
    low: 1,
    high: 5,
    p: 1 / 32,
    n: 5,
    exact: true,
  });
  assertEquals(signFlipEffect([NaN], 0), { effect: 0, low: 0, high: 0, p: 1, n: 0 });
});

Deno.test("signFlipEffect() of many has the bootstrapped interval of their mean", () => {
  const { effect, low, high, exact } = signFlipEffect(Array.from({ length: 100 }, (_, i) => i % 2), 0);
  assertEquals([effect, exact], [0.5, undefined]);
  for (const [end, expected] of [[low, 0.4], [high, 0.6]]) assertAlmostEquals(end, expected, 0.03);
});

Deno.test("bootstrapEffect() counts resamples not above 0, and one more", () => {
  const { p, low, high, effect } = bootstrapEffect(2, [-1, 0, 1, 2, 3, 4, 5, 6, 7], 20);
  assertEquals([effect, p], [2, 3 / 10]);
  assert(low > -1 && low < 0 && high > 6 && high < 7);
});

Deno.test("permutationEffect() subtracts chance, and counts permutations that reach the statistic exactly", () => {
  const { effect, low, high, p } = permutationEffect(5, [1, 2, 3, 5], 20);
  assertEquals([effect, p], [5 - 11 / 4, 2 / 5]);
  assert(low < effect && effect < high);
});

Deno.test("weakest() is the effect with the largest p, of equal ones the smaller", () => {
  const of = (effect: number, p: number) => ({ effect, low: 0, high: 0, p, n: 9 });
  assertEquals(weakest([of(1, 0.1), of(2, 0.3), of(3, 0.2)]).effect, 2);
  assertEquals(weakest([of(3, 0.1), of(2, 0.1)]).effect, 2);
});
