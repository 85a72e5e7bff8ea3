import { assert, assertAlmostEquals } from "@std/assert";
import { contentVariance } from "../../src/statistics/content_variance.ts";

const GRID = { rows: 8, cols: 8 }, IMAGES = 4;

/** Maps whose gray is a function of image, row and column. */
function maps(valueOf: (image: number, row: number, col: number) => number): Uint8Array {
  return Uint8Array.from({ length: IMAGES * 64 * 3 }, (_, i) => {
    const cell = Math.floor(i / 3);
    return Math.round(128 + 100 * valueOf(Math.floor(cell / 64), Math.floor(cell % 64 / 8), cell % 8));
  });
}

Deno.test("contentVariance() is large for areas of their own, and near zero for place, image, flat maps and noise", () => {
  const of = (valueOf: (image: number, row: number, col: number) => number) =>
    contentVariance(maps(valueOf), IMAGES, GRID);
  const areas = of((image, row, col) => (image % 2 === 0 ? row : col) < 4 ? 1 : -1);
  assert(areas.share > 0.3, `${areas.share}`);
  assertAlmostEquals(of((_, row, col) => (row - col) / 8).variance, 0, 1e-6, "place");
  assertAlmostEquals(of((image) => image / 4).variance, 0, 1e-6, "image");
  assertAlmostEquals(of(() => 0.5).share, 0, 1e-12, "flat");
  const noise = of((image, row, col) => Math.sin(1e4 * Math.sin(image * 64 + row * 8 + col + 1)));
  assert(Math.abs(noise.share) < 0.15, `noise ${noise.share}`);
});

Deno.test("contentVariance() of one image alone sees its areas", () => {
  const half = maps((_, row) => row < 4 ? 1 : -1).subarray(0, 3 * 64);
  assert(contentVariance(half, 1, GRID).share > 0.8);
});
