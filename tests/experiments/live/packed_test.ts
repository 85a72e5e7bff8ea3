import { assertEquals, assertThrows } from "@std/assert";
import { pack, unpack } from "../../../src/experiments/live/packed.ts";
import { openCortexFile, packCortex } from "../../../src/experiments/live/space.ts";

Deno.test("unpack() gives what pack() packed, of any kind and length, and says where a file is cut short", () => {
  const arrays = {
    odd: Uint8Array.of(1, 2, 3),
    none: new Float32Array(),
    float: Float32Array.of(-1.5, NaN),
    half: Int16Array.of(-2, 7, 9),
  };
  const bytes = pack({ words: "β, ü" }, arrays), whole = bytes.buffer;
  assertEquals(unpack(whole, "a.bin"), { about: { words: "β, ü" }, arrays });
  for (const length of [0, 3, 20, whole.byteLength - 3]) {
    assertThrows(
      () => unpack(whole.slice(0, length), "a.bin"),
      Error,
      "a.bin is cut short: write the folder again.",
    );
  }
});

Deno.test("openCortexFile() gives what packCortex() packed, with a surface and without", () => {
  const drawn = {
    rois: ["", "V1"],
    voxelRois: Uint8Array.of(1, 0, 1),
    sheet: [{ name: "left hemisphere", places: [{ x: 1, y: 2 }], labels: [] }],
    beta: { data: Float32Array.of(1, 2, 3, 4, 5, 6), rows: 2, cols: 3 },
  };
  const surface = {
    leftVoxels: 2,
    leftCut: 1,
    vertices: Uint16Array.of(3, 4, 5),
    inflated: Int16Array.of(1, -1),
    flat: Int16Array.of(9),
    sulc: Int8Array.of(-3),
    cut: Uint16Array.of(7, 8),
  };
  assertEquals(openCortexFile(packCortex(drawn).buffer), drawn);
  assertEquals(openCortexFile(packCortex({ ...drawn, surface }).buffer), { ...drawn, surface });
});
