import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { kendallTauA, rankingOf, spearman } from "../../src/statistics/rank_correlation.ts";
import { readKriegeskorte92 } from "../../src/data/datasets/kriegeskorte92.ts";
import { betweenBrains } from "../../src/experiments/real_brains/rsa_by_layer.ts";
import { type Agreement, noiseCeiling, rdm, rsa } from "../../src/statistics/rsa.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import golden from "../golden/rsa.json" with { type: "json" };
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { realData } from "../support/real_data.ts";

const patterns = (rows: number[][]) => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  cols: rows[0].length,
});
const subjects = golden.subjects.map((subject) => rdm(patterns(subject)));
const note = `seed ${testSeed}`;

Deno.test("rdm(), rsa() and noiseCeiling() are rsatoolbox's numbers, for one subject and for several", () => {
  const model = rdm(patterns(golden.model)), once = { resamples: 0 };
  assertClose(model, golden.rdm, { relative: 1e-12 });
  const cases: [Agreement, { spearman: number; kendall: number }][] = [
    [rsa(model, subjects[0], once), golden.one_subject],
    [rsa(model, subjects, once), golden.all_subjects],
    [noiseCeiling(subjects, { ...once, average: "ranks" }).lower, golden.ceiling.lower],
    [noiseCeiling(subjects, { ...once, average: "ranks" }).upper, golden.ceiling.upper],
  ];
  for (const [{ spearman, kendall }, expected] of cases) {
    assertAlmostEquals(spearman.value, expected.spearman, 1e-12);
    assertAlmostEquals(kendall.value, expected.kendall, 1e-12);
    assertEquals([spearman.low, spearman.high], [spearman.value, spearman.value]);
  }
});

Deno.test("resampled stimuli count as in rsatoolbox: pairs of one with itself are left out", () => {
  const n = golden.model.length, times = new Uint32Array(n), weights: number[] = [];
  for (const stimulus of golden.drawn) times[stimulus]++;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) weights.push(times[i] * times[j]);
  const model = rankingOf(rdm(patterns(golden.model))), { resampled } = golden;
  const mean = (of: typeof spearman) =>
    subjects.reduce((sum, subject) => sum + of(model, rankingOf(subject), weights), 0) / subjects.length;
  assertAlmostEquals(mean(spearman), resampled.spearman, 1e-12);
  assertAlmostEquals(mean(kendallTauA), resampled.kendall, 1e-12);
});

Deno.test("noiseCeiling() of one pattern with noise of each subject's own: lower below upper, both rising with less noise", () => {
  const n = 24, shared = randomMatrix(n, 40);
  const ceilings = [2, 0.5].map((noise) => {
    const brains = [1, 2, 3, 4, 5].map((key) => {
      const own = randomMatrix(n, 40, key);
      return rdm({ ...shared, data: shared.data.map((value, at) => value + noise * own.data[at]) });
    });
    const { lower, upper } = noiseCeiling(brains, { resamples: 40 });
    const truth = rsa(rdm(shared), brains, { resamples: 0 }).spearman.value;
    assert(lower.spearman.value < truth && truth < upper.spearman.value, `${truth}, ${note}`);
    assert(lower.spearman.low < lower.spearman.value && lower.spearman.value < lower.spearman.high, note);
    return lower.spearman.value;
  });
  assert(ceilings[1] > ceilings[0] + 0.1, `${ceilings}, ${note}`);
  assertThrows(
    () => noiseCeiling([subjects[0]]),
    RangeError,
    "There is 1 subject: a noise ceiling needs at least 2.",
  );
});

Deno.test("rdm() is 1 − Pearson's r of every pair, in the order of the upper triangle", () => {
  const data = Float32Array.from([1, 2, 3, 10, 20, 30, 3, 2, 1, 1, 0, 1]);
  const found = rdm({ data, rows: 4, cols: 3 });
  assertClose(found, [0, 2, 1, 2, 1, 1], { relative: 1e-12 });
});

Deno.test("rsa() gives 1 for any rising map, −1 for a falling one, and about 0 for chance", () => {
  const a = rdm(randomMatrix(30, 12)), b = rdm(randomMatrix(30, 12, 1));
  const same = rsa(a, a.map((value) => value ** 3), { resamples: 50 });
  assertAlmostEquals(same.spearman.low, 1, 1e-12);
  assertAlmostEquals(same.kendall.value, 1, 1e-12);
  assert(same.kendall.low > 0.9 && same.kendall.low < 1); // pairs drawn twice are ties, which τ_a counts against
  assertAlmostEquals(rsa(a, a.map((v) => -v), { resamples: 5 }).spearman.high, -1, 1e-12);
  const { spearman, kendall } = rsa(a, b, { resamples: 300 });
  assert(Math.abs(spearman.value) < 0.4 && Math.abs(kendall.value) < 0.3, note);
  for (const { value, low, high } of [spearman, kendall]) assert(low < value && value < high, note);
});

Deno.test("rsa() resamples pictures: a pair counts as often as both were drawn", () => {
  const n = 9, seed = 3, a = rdm(randomMatrix(n, 5)), b = rdm(randomMatrix(n, 5, 1));
  const { spearman: found } = rsa(a, b, { resamples: 1, seed });
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

Deno.test("rsa() is the same for the same seed, and its intervals shrink with more stimuli", () => {
  const widths = [20, 80].map((n) => {
    const a = rdm(randomMatrix(n, 6)), b = rdm(randomMatrix(n, 6, 1));
    const one = rsa(a, b, { resamples: 200, seed: 5 });
    assertEquals(rsa(a, b, { resamples: 200, seed: 5 }), one);
    return one.spearman.high - one.spearman.low;
  });
  assert(widths[1] < 0.8 * widths[0], `${widths}, ${note}`);
});

Deno.test("a whole matrix of 6 stimuli does not pass for the 36 pairs of 9", () => {
  const upper = rdm(randomMatrix(9, 5)), six = rdm(randomMatrix(6, 5)), whole: number[] = Array(36).fill(0);
  for (let i = 0, at = 0; i < 6; i++) {
    for (let j = i + 1; j < 6; j++, at++) [whole[6 * i + j], whole[6 * j + i]] = [six[at], six[at] + 1e-9];
  }
  const sentence = "These 36 values are a whole matrix of 6 × 6: give the 15 of its upper triangle alone";
  assertThrows(() => rsa(whole, upper), RangeError, sentence);
  assertThrows(() => rsa(upper, [upper, whole]), RangeError, sentence);
  assertThrows(() => noiseCeiling([whole, whole]), RangeError, sentence);
  const others = [upper, upper.with(3, Infinity), upper.map(() => 0), whole.with(1, 9), whole.with(7, 9)];
  for (const values of others) rsa(values, upper, { resamples: 0 });
});

Deno.test("representational similarity says in one sentence what is wrong", () => {
  const flat = { data: Float32Array.from([1, 2, 3, 3]), rows: 2, cols: 2 };
  assertThrows(() => rdm(flat), RangeError, "Pattern 1 is constant or not finite");
  const five = new Float64Array(5);
  assertThrows(
    () => rsa(five, five),
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

Deno.test({
  name:
    "the noise ceiling of human IT is the one published with the data: 0.379 to 0.661, of ranks as rsatoolbox has it",
  ignore: realData("kriegeskorte92_more") === undefined || folder === undefined,
  async fn() {
    const { subjects } = await readKriegeskorte92(folder!);
    assertEquals(subjects?.length, 4);
    for (const [average, low, high] of [["values", 0.379, 0.661], ["ranks", 0.372, 0.666]] as const) {
      const { lower, upper } = noiseCeiling(subjects!, { average, resamples: 0 });
      assertAlmostEquals(lower.spearman.value, low, 0.0005);
      assertAlmostEquals(upper.spearman.value, high, 0.0005);
    }
  },
});
