import { assert, assertEquals } from "@std/assert";
import { freePlace as place } from "../../src/report/charts/free_place.ts";

/** Of lines without intervals and without padding. */
const freePlace = (label: Parameters<typeof place>[0], lines: number[][], width: number) =>
  place(label, lines.map((line) => line.map((y) => [y])), width, 0);

Deno.test("freePlace() starts at the left where nothing is near, and moves where a line is", () => {
  const label = { y: 100, width: 60, height: 280 };
  assertEquals(freePlace(label, [[200, 200, 200, 200]], 300), { x: 4, dy: -8 });
  assertEquals(freePlace(label, [], 300), { x: 4, dy: -8 });
  assertEquals(freePlace(label, [[80, 90, 90, 90]], 300)?.dy, 10);
  const { x } = freePlace(label, [[100, 100, 200, 200, 200, 200, 200]], 300)!;
  assert(x > 100, `${x}`);
  assert(freePlace(label, [[50, 200, 200, 200, 200, 200, 200]], 300)!.x > 4); // a steep line crosses the label
});

Deno.test("freePlace() keeps a label inside the chart", () => {
  assertEquals(freePlace({ y: 4, width: 60, height: 280 }, [[30, 30, 30]], 300)?.dy, 10);
  assertEquals(freePlace({ y: 100, width: 200, height: 280 }, [[100, 100, 0, 0]], 300), undefined);
});

Deno.test("freePlace() keeps clear of intervals, and says where there is no place", () => {
  const label = { y: 100, width: 60, height: 280 };
  assertEquals(freePlace(label, [[101, 101, 101, 101]], 300), undefined);
  assertEquals(place(label, [Array(4).fill([200, 60, 220])], 300, 0.15), undefined);
  assertEquals(place(label, [Array(4).fill([200, 130, 220])], 300, 0.15), { x: 4, dy: -8 });
});
