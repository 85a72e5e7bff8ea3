import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../../../mod.ts";
import { finerMaps, interpolate } from "../../../src/experiments/shared/finer_maps.ts";
import { sceneImages } from "../../../src/synthetic/scene_images.ts";
import { assertClose } from "../../support/assert_close.ts";

Deno.test("interpolate() is linear between the centres of patches, and constant outside them", () => {
  const grid = { rows: 2, cols: 2 };
  const { data, rows, cols } = interpolate({ data: Float32Array.of(0, 4, 8, 12), rows: 4, cols: 1 }, grid, 2);
  assertEquals([rows, cols], [16, 1]);
  assertClose(data, [0, 1, 3, 4, 2, 3, 5, 6, 6, 7, 9, 10, 8, 9, 11, 12], { relative: 1e-6 });
});

Deno.test("finerMaps() scores the model's own patches, finer ones and those interpolated, below the grid's ceiling", async () => {
  const gpu = await openGpu();
  try {
    const images = sceneImages(2, 0), options = { layer: 9, shifts: [1, 2] };
    const scores = await finerMaps(gpu, "dino_tiny", images, options);
    assertEquals(scores.map(({ grid, interpolated }) => [grid.rows, interpolated]), [
      [14, false],
      [28, false],
      [28, true],
    ]);
    for (const { oracle, ceiling, twoWay } of scores) {
      assert(oracle > 0.3 && oracle <= ceiling && ceiling <= 1, `${oracle}, ceiling ${ceiling}`);
      assert(twoWay === null || twoWay <= ceiling);
    }
    assert(scores[1].ceiling > scores[0].ceiling);
    assertEquals(scores.map(({ p }) => p === null), [true, false, false]);
    await assertRejects(
      () => finerMaps(gpu, "dino_tiny", images, { ...options, layer: 13 }),
      RangeError,
      "has layers 1 to 12, not 13.",
    );
  } finally {
    closeGpu(gpu);
  }
});
