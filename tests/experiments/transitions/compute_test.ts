import { UnsuitableData } from "../../../src/experiments/shared/unsuitable_data.ts";
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  circleOf,
  conceptCircles,
  countTransitions,
  extremeCells,
  proportions,
  rowChiSquare,
  shiftMask,
  transitions,
} from "../../../src/experiments/transitions/compute.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { testSeed } from "../../support/random.ts";
import { walkingPipeline } from "../../support/walking_pipeline.ts";

Deno.test("conceptCircles() start near the mean and take the farthest place each time", () => {
  const places: [number, number][] = [[0, 0], [0, 0], [1, 0], [-10, 0], [0, 8]];
  const { centres, radius } = conceptCircles(places, 3, 2);
  assertEquals(centres, [[0, 0], [-10, 0], [0, 8]]);
  assertEquals(radius, 2);
  assertThrows(() => conceptCircles(places, 5), UnsuitableData, "The layer has 4 different places");
});

Deno.test("conceptCircles() take in three of four patches by default", () => {
  const random = seededRandom(testSeed);
  const places = Array.from({ length: 400 }, (): [number, number] => [random(), random()]);
  const { centres, radius } = conceptCircles(places, 5);
  const inside = places.filter((place) => circleOf(place, centres, radius) < 5).length;
  assertAlmostEquals(inside / 400, 0.75, 0.01, `seed ${testSeed}`);
});

Deno.test("circleOf() is the nearest of the circles that hold a place, or none", () => {
  const centres: [number, number][] = [[0, 0], [3, 0]];
  assertEquals([[1, 0], [2, 0], [5, 0], [5.1, 0]].map(([x, y]) => circleOf([x, y], centres, 2)), [
    0,
    1,
    1,
    2,
  ]);
});

Deno.test("countTransitions() and proportions() count from, to, and what falls outside", () => {
  const [ground, figure] = countTransitions(
    [Uint8Array.of(0, 0, 0, 1, 2)],
    [Uint8Array.of(0, 1, 2, 1, 0)],
    [Uint8Array.of(1, 1, 1, 0, 0)],
    2,
  );
  assertEquals([...figure], [1, 1, 1, 0, 0, 0]);
  assertEquals([...ground], [0, 0, 0, 0, 1, 0]);
  assertEquals(proportions(figure, 2), { rows: [[1 / 3, 1 / 3], null], patches: [3, 0] });
});

Deno.test("rowChiSquare() is Pearson's, 0 of equal proportions, and passes over circles that one kind never visits", () => {
  assertAlmostEquals(rowChiSquare(Uint32Array.of(10, 30), Uint32Array.of(20, 60), 1), 0);
  // 2 × 2 table 10 30 / 30 10: n (ad − bc)² / (r₁ r₂ c₁ c₂)
  assertAlmostEquals(
    rowChiSquare(Uint32Array.of(10, 30), Uint32Array.of(30, 10), 1),
    80 * (100 - 900) ** 2 / 40 ** 4,
  );
  assertEquals(rowChiSquare(Uint32Array.of(5, 5), Uint32Array.of(0, 0), 1), 0);
});

Deno.test("extremeCells() are the leads of either kind, where both have patches enough", () => {
  const figure = Uint32Array.of(80, 10, 10, 2, 0, 0), ground = Uint32Array.of(30, 60, 10, 0, 50, 0);
  const { figureMore, groundMore } = extremeCells(figure, ground, 2);
  assertEquals(figureMore, { from: 0, to: 0, figure: 0.8, ground: 0.3 });
  assertEquals(groundMore, { from: 0, to: 1, figure: 0.1, ground: 0.6 });
  assertEquals(extremeCells(ground.map(() => 0), ground, 2), { figureMore: null, groundMore: null });
});

Deno.test("shiftMask() moves a mask around the grid and keeps all of it", () => {
  const mask = Uint8Array.of(1, 1, 0, 0, 0, 0);
  assertEquals([...shiftMask(mask, 2, 3, 1, 0)], [0, 0, 0, 1, 1, 0]);
  assertEquals([...shiftMask(mask, 2, 3, 0, 2)], [1, 0, 1, 0, 0, 0]);
  assertEquals([...shiftMask(mask, 2, 3, 0, 0)], [...mask]);
  assertEquals([...shiftMask(Uint8Array.of(1, 0, 0), 3, 1, 1, 0)], [0, 1, 0]);
});

Deno.test("transitions() tell figure from ground where figure leaves, and not where it stays", async () => {
  const pipeline = walkingPipeline({ partsAt: { "clip-parts": 4, stays: Infinity } });
  const parted = await transitions(pipeline, { seed: 0 });
  assertEquals([parted.model, parted.from.layer, parted.to.layer], ["clip-parts", 3, 4]);
  assertEquals([parted.shifted.p, parted.exchanged.p], [0.001, 0.001], `seed ${testSeed}`);
  const stayed = await transitions(pipeline, { model: "stays", seed: 0 });
  assert(Math.max(stayed.shifted.p, stayed.exchanged.p) > 0.001, `seed ${testSeed}`);
  assert(stayed.chiSquare < parted.chiSquare / 3, `seed ${testSeed}`);
});

Deno.test("transitions() say which model or layer is missing", async () => {
  const pipeline = walkingPipeline({ partsAt: { dino: 2 } });
  await assertRejects(
    () => transitions(pipeline, { model: "clip", seed: 0 }),
    Error,
    "There is no model clip: choose one of dino.",
  );
  await assertRejects(
    () => transitions(pipeline, { model: "dino", layers: [5, 6], seed: 0 }),
    Error,
    "The model dino has no layer 6",
  );
});
