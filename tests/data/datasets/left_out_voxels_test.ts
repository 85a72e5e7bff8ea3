import { assertEquals } from "@std/assert";
import { VoxelScan } from "../../../src/data/datasets/left_out_voxels.ts";

Deno.test("VoxelScan.add() finds the image that was not measured, and what stands there instead", () => {
  /** 4 images × voxels, no two values alike. */
  const responses = (voxels: number) => Float32Array.from({ length: 4 * voxels }, (_, i) => Math.sin(i));
  for (
    const [value, has] of [[NaN, "no finite response"], [
      0,
      "the same response, 0, of all 17 voxels",
    ]] as const
  ) {
    const data = responses(17).fill(value, 2 * 17, 3 * 17);
    assertEquals(new VoxelScan(17).add(data), { row: 2, has });
    assertEquals(new VoxelScan(17).add(data.with(2 * 17 + 5, 1)), undefined);
  }
  // Few neurons may all be silent at once.
  assertEquals(new VoxelScan(16).add(responses(16).fill(0, 32, 48)), undefined);
});
