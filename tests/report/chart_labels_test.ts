import { assert, assertEquals } from "@std/assert";
import { freePlace } from "../../src/report/charts/free_place.ts";

Deno.test("freePlace() starts at the left where nothing is near, and moves where a line is", () => {
  const label = { y: 100, width: 60, height: 280 };
  assertEquals(freePlace(label, [[200, 200, 200, 200]], 300), { x: 4, dy: -8 });
  assertEquals(freePlace(label, [], 300), { x: 4, dy: -8 });
  assertEquals(freePlace(label, [[80, 90, 90, 90]], 300).dy, 10);
  const { x } = freePlace(label, [[100, 100, 200, 200, 200, 200, 200]], 300);
  assert(x > 100, `${x}`);
  assert(freePlace(label, [[50, 200, 200, 200, 200, 200, 200]], 300).x > 4); // a steep line crosses the label
});

Deno.test("freePlace() keeps a label inside the chart", () => {
  const { dy } = freePlace({ y: 4, width: 60, height: 280 }, [[8, 8, 8], [30, 30, 30]], 300);
  assertEquals(dy, 10);
  const { x } = freePlace({ y: 100, width: 200, height: 280 }, [[100, 100, 0, 0]], 300);
  assert(x + 200 <= 300, `${x}`);
});
