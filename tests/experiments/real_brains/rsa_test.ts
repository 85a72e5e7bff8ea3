import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { rankingOf, spearman } from "../../../src/statistics/rank_correlation.ts";
import { readKriegeskorte92 } from "../../../src/data/datasets/kriegeskorte92.ts";
import { betweenBrains } from "../../../src/experiments/real_brains/rsa_by_layer.ts";
import { compareDissimilarities, dissimilarities } from "../../../src/experiments/real_brains/rsa.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { assertClose } from "../../support/assert_close.ts";
import { randomMatrix, testSeed } from "../../support/random.ts";
import { realData } from "../../support/real_data.ts";

const note = `seed ${testSeed}`;

Deno.test("dissimilarities() is 1 − Pearson's r of every pair, in the order of the upper triangle", () => {
  const data = Float32Array.from([1, 2, 3, 10, 20, 30, 3, 2, 1, 1, 0, 1]);
  const found = dissimilarities({ data, rows: 4, cols: 3 });
  assertClose(found, [0, 2, 1, 2, 1, 1], { relative: 1e-12 });
});

Deno.test("compareDissimilarities() gives 1 for any rising map, −1 for a falling one, and about 0 for chance", () => {
  const a = dissimilarities(randomMatrix(30, 12)), b = dissimilarities(randomMatrix(30, 12, 1));
  const same = compareDissimilarities(a, a.map((value) => value ** 3), { resamples: 50 });
  assertAlmostEquals(same.spearman.low, 1, 1e-12);
  assertAlmostEquals(same.kendall.value, 1, 1e-12);
  assert(same.kendall.low > 0.9 && same.kendall.low < 1); // pairs drawn twice are ties, which τ_a counts against
  assertAlmostEquals(compareDissimilarities(a, a.map((v) => -v), { resamples: 5 }).spearman.high, -1, 1e-12);
  const { spearman, kendall } = compareDissimilarities(a, b, { resamples: 300 });
  assert(Math.abs(spearman.value) < 0.4 && Math.abs(kendall.value) < 0.3, note);
  for (const { value, low, high } of [spearman, kendall]) assert(low < value && value < high, note);
});

Deno.test("compareDissimilarities() resamples pictures: a pair counts as often as both were drawn", () => {
  const n = 9, seed = 3, a = dissimilarities(randomMatrix(n, 5)), b = dissimilarities(randomMatrix(n, 5, 1));
  const { spearman: found } = compareDissimilarities(a, b, { resamples: 1, seed });
  const random = seededRandom(seed), drawn = Array.from({ length: n }, () => Math.floor(random() * n));
  const at = (i: number, j: number) => i * n - i * (i + 1) / 2 + j - i - 1; // of pair i < j
  const places: number[] = [];
  for (const [k, one] of drawn.entries()) {
    for (const other of drawn.slice(k + 1)) {
      if (one !== other) places.push(at(Math.min(one, other), Math.max(one, other)));
    }
  }
  const ranked = (values: Float64Array) => rankingOf(places.map((place) => values[place]));
  assertAlmostEquals(found.low, spearman(ranked(a), ranked(b)), 1e-12, note);
});

Deno.test("compareDissimilarities() is the same for the same seed, and its intervals shrink with more stimuli", () => {
  const widths = [20, 80].map((n) => {
    const a = dissimilarities(randomMatrix(n, 6)), b = dissimilarities(randomMatrix(n, 6, 1));
    const one = compareDissimilarities(a, b, { resamples: 200, seed: 5 });
    assertEquals(compareDissimilarities(a, b, { resamples: 200, seed: 5 }), one);
    return one.spearman.high - one.spearman.low;
  });
  assert(widths[1] < 0.8 * widths[0], `${widths}, ${note}`);
});

Deno.test("representational similarity says in one sentence what is wrong", () => {
  const flat = { data: Float32Array.from([1, 2, 3, 3]), rows: 2, cols: 2 };
  assertThrows(() => dissimilarities(flat), RangeError, "Pattern 1 is constant or not finite");
  const five = new Float64Array(5);
  assertThrows(
    () => compareDissimilarities(five, five),
    RangeError,
    "5 dissimilarities are not those of all pairs",
  );
});

const folder = realData("kriegeskorte92");

Deno.test({
  name: "human and monkey IT find the same pictures alike",
  ignore: folder === undefined,
  async fn() {
    const data = await readKriegeskorte92(folder!);
    assertEquals([data.images.length, data.human.length, data.monkey.length], [92, 4186, 4186]);
    const { spearman, kendall } = betweenBrains(data, { resamples: 200 });
    assert(spearman.low > 0.3 && kendall.low > 0.2, JSON.stringify({ spearman, kendall }));
    assert(kendall.value < spearman.value && spearman.high < 0.8);
  },
});
