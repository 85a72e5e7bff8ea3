import { assert, assertEquals } from "@std/assert";
import { stretchColors } from "../../src/embed/stretch_colors.ts";

Deno.test("stretchColors() spreads every channel of a layer over 0 to 255, in order, and leaves what it is given", () => {
  const n = 101, colors = new Uint8Array(3 * n);
  for (let i = 0; i < n; i++) colors.set([100 + Math.floor(i / 10), 200 - Math.floor(i / 5), 77], 3 * i);
  const before = colors.slice(), found = stretchColors(colors);
  assertEquals(colors, before);
  const channel = (c: number) => Array.from({ length: n }, (_, i) => found[3 * i + c]);
  const [red, green, blue] = [0, 1, 2].map(channel);
  assertEquals([red[0], red[n - 1]], [0, 255]);
  assertEquals([green[0], green[n - 1]], [255, 0]);
  assert(red.every((value, i) => i === 0 || value >= red[i - 1]));
  assert(blue.every((value) => value === 128)); // a channel with one value tells nothing
});

Deno.test("stretchColors() clips the given share at either end", () => {
  const colors = new Uint8Array(300).fill(50);
  colors.set([0, 0, 0], 0);
  colors.set([250, 250, 250], 297);
  for (let i = 1; i < 99; i++) colors.fill(50 + i, 3 * i, 3 * i + 3);
  const found = stretchColors(colors, 0.02);
  assertEquals([...found.subarray(0, 3)], [0, 0, 0]);
  assertEquals([...found.subarray(297)], [255, 255, 255]);
  assert(found[150] > 100 && found[150] < 155, `${found[150]}`);
});
