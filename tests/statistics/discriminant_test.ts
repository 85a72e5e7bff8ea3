import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { areaUnderCurve, separationByImage } from "../../src/statistics/discriminant.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { testSeed } from "../support/random.ts";

Deno.test("areaUnderCurve() is 1 in order, 0 in reverse, counts ties half, and is null of one kind alone", () => {
  assertEquals(areaUnderCurve([1, 2, 3, 4], [0, 0, 1, 1]), 1);
  assertEquals(areaUnderCurve([4, 3, 2, 1], [0, 0, 1, 1]), 0);
  assertEquals(areaUnderCurve([5, 5, 5], [0, 1, 0]), 0.5);
  // of the six pairs, figure wins four and ties one
  assertAlmostEquals(areaUnderCurve([1, 3, 2, 3, 5], [0, 0, 1, 1, 0]) ?? NaN, 2.5 / 6);
  assertEquals(areaUnderCurve([1, 2], [1, 1]), null);
});

Deno.test("areaUnderCurve() equals the share of pairs that are in order", () => {
  const random = seededRandom(testSeed), n = 60;
  const scores = Array.from({ length: n }, () => Math.floor(20 * random()));
  const labels = Array.from({ length: n }, (_, i) => i === 0 ? 1 : i === 1 ? 0 : Number(random() < 0.4));
  let won = 0, pairs = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (!labels[i] || labels[j]) continue;
      pairs++;
      won += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
    }
  }
  assertAlmostEquals(areaUnderCurve(scores, labels) ?? NaN, won / pairs, 1e-12, `seed ${testSeed}`);
});

/** Images whose figure differs from ground by `gap` along a direction hidden under ten times as much noise along another. */
function hiddenDirection(images: number, gap: number) {
  const random = seededRandom(testSeed), patches = 50, noise = () => random() + random() + random() - 1.5;
  const labels = Array.from({ length: images }, () => Uint8Array.from({ length: patches }, (_, p) => p % 2));
  const points = labels.map((own) => {
    const out: number[] = [];
    for (const label of own) {
      const loud = 10 * noise();
      out.push(loud, loud + gap * label + 0.1 * noise(), 7);
    }
    return out;
  });
  return { points, labels };
}

Deno.test("separationByImage() finds the direction under louder noise, past a constant coordinate", () => {
  const { points, labels } = hiddenDirection(8, 1);
  for (const area of separationByImage(points, labels, 3)) {
    assert(area !== null && area > 0.99, `${area}, seed ${testSeed}`);
  }
});

Deno.test("separationByImage() of nothing to separate stays at a half: an image never trains its own direction", () => {
  const { points, labels } = hiddenDirection(40, 0);
  const areas = separationByImage(points, labels, 3) as number[];
  const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
  assert(Math.abs(mean - 0.5) < 0.06, `${mean}, seed ${testSeed}`);
});

Deno.test("separationByImage() is null for an image without figure, and when no other image has any", () => {
  const { points, labels } = hiddenDirection(3, 1);
  labels[1].fill(0);
  assertEquals(separationByImage(points, labels, 3)[1], null);
  labels[0].fill(0);
  assertEquals(separationByImage(points, labels, 3)[2], null);
});
