import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { brainScore } from "../../src/align/brain_score.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const column = (...values: number[]) => ({ data: Float32Array.from(values), rows: values.length, cols: 1 });

Deno.test("brainScore() is Pearson's r, by hand: any scale, sign and offset", () => {
  // Σ (x − 2.5)(y − 2.75) = 4.5, Σ (x − 2.5)² = 5, Σ (y − 2.75)² = 4.75
  const r = 4.5 / Math.sqrt(5 * 4.75);
  const x = column(1, 2, 3, 4);
  assertAlmostEquals(brainScore(x, column(1, 3, 3, 4)).r[0], r, 1e-12);
  assertAlmostEquals(brainScore(column(1001, 1002, 1003, 1004), column(1, 3, 3, 4)).r[0], r, 1e-12);
  assertAlmostEquals(brainScore(column(-2, -4, -6, -8), column(1, 3, 3, 4)).r[0], -r, 1e-12);
  assertAlmostEquals(brainScore(x, x).r[0], 1, 1e-15);
});

Deno.test("brainScore() keeps its digits beside a large offset, and stays within ±1", () => {
  const x = randomMatrix(50, 31), y = randomMatrix(50, 31, 1);
  const shifted = { ...x, data: x.data.map((value) => Math.round(value * 64) / 64) };
  const far = { ...shifted, data: shifted.data.map((value) => value + 65536) };
  const near = brainScore(shifted, y);
  brainScore(far, y).r.forEach((r, v) => assertAlmostEquals(r, near.r[v], 1e-9, `seed ${testSeed}`));
  assert(brainScore(y, y).r.every((r) => Math.abs(r) <= 1 + 1e-12));
});

Deno.test("brainScore() gives a constant prediction 0 and counts it", () => {
  const measured = { data: new Float32Array([1, 5, 2, 6, 4, 7]), rows: 3, cols: 2 };
  const predicted = { data: new Float32Array([0.1, 5, 0.1, 6, 0.1, 7]), rows: 3, cols: 2 };
  const rois = new Map([["V1", new Uint32Array([0, 1])], ["FFA", new Uint32Array([1])], [
    "none",
    new Uint32Array(),
  ]]);
  const { r, mean, constant, rois: scores } = brainScore(predicted, measured, { rois });
  assertEquals(r[0], 0);
  assertAlmostEquals(r[1], 1, 1e-12);
  assertEquals(constant, 1);
  assertAlmostEquals(mean, 0.5, 1e-12);
  assertAlmostEquals(scores.get("V1")!.mean, 0.5, 1e-12);
  assertAlmostEquals(scores.get("V1")!.standardError, 0.5, 1e-12); // sd √½ over √2
  assertEquals([scores.get("FFA")!.standardError, scores.has("none"), scores.get("V1")!.voxels], [
    0,
    false,
    2,
  ]);
});

Deno.test("brainScore() divides by the root of the noise ceiling, which noise brings the truth to", () => {
  const images = 4000, random = seededRandom(testSeed), noiseCeiling = Float32Array.of(0.25, 0.64, 0);
  const truth = { data: new Float32Array(images * 3), rows: images, cols: 3 };
  const measured = { ...truth, data: new Float32Array(images * 3) };
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  for (let at = 0; at < truth.data.length; at++) {
    const signal = noiseCeiling[at % 3];
    truth.data[at] = normal();
    measured.data[at] = Math.sqrt(signal) * truth.data[at] + Math.sqrt(1 - signal) * normal();
  }
  const rois = new Map([["all", new Uint32Array([0, 1, 2])], ["noise", new Uint32Array([2])]]);
  const { r, normalized, rois: scores } = brainScore(truth, measured, { rois, noiseCeiling });
  assertAlmostEquals(r[0], 0.5, 0.06, `seed ${testSeed}`);
  assertAlmostEquals(normalized![0], r[0] / 0.5, 1e-6);
  assertAlmostEquals(normalized![1], 1, 0.06, `seed ${testSeed}`);
  assertEquals(normalized![2], NaN);
  assertAlmostEquals(scores.get("all")!.normalized!, (normalized![0] + normalized![1]) / 2, 1e-12);
  assertEquals(scores.get("noise")!.normalized, undefined);
});

Deno.test("brainScore() says in one sentence what is wrong", () => {
  const x = randomMatrix(4, 3), bad = { ...x, data: x.data.with(7, Infinity) };
  const cases: [() => unknown, string][] = [
    [() => brainScore(x, randomMatrix(4, 2)), "predicted is 4 × 3, measured 4 × 2: they must be equal."],
    [() => brainScore(randomMatrix(1, 3), randomMatrix(1, 3)), "There is one image: a correlation"],
    [() => brainScore(x, bad), "measured holds Infinity in image 2, voxel 1: every value must be finite."],
    [() => brainScore(x, x, { rois: new Map([["V1", new Uint32Array([3])]]) }), "The region V1 has voxel 3"],
    [
      () => brainScore(x, x, { noiseCeiling: new Float32Array(2) }),
      "noiseCeiling has 2 voxels, the responses 3",
    ],
    [
      () => brainScore(x, x, { noiseCeiling: Float32Array.of(1, 36, 1) }),
      "The noise ceiling of voxel 1 is 36: give r²",
    ],
  ];
  for (const [run, message] of cases) assertThrows(run, RangeError, message);
});
