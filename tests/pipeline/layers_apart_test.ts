import { assert, assertEquals } from "@std/assert";
import { layersApart, MAX_BETWEEN_LAYERS } from "../../src/pipeline/layers_apart.ts";

const slots = [0, 4].map((first, i) => ({ model: "m", layer: i + 1, first }));
const eigenvectors = (...second: number[]) => ({
  data: Float32Array.from(second.flatMap((value, i) => [i < 4 ? 0 : 9, value])),
  rows: second.length,
  cols: 2,
});

Deno.test("layersApart() names the share between layers, its limit and the remedy, and is silent where layers meet", () => {
  assertEquals(layersApart({ eigenvectors: eigenvectors(1, 2, 3, 4, 1, 2, 3, 4), slots }, "ridge"), null);
  const apart = { eigenvectors: eigenvectors(0, 2, 0, 2, 4, 6, 4, 6), slots };
  const line = layersApart(apart, "ridge")!;
  assert(
    line.startsWith("80 % of the variance of the graph's eigenvectors lies between layers, more than 15 %"),
  );
  assert(line.includes("compare colors and segments within a layer only"));
  assert(line.endsWith("fit the alignment on responses to images like those of the graph"));
  assert(layersApart(apart, "paper")!.endsWith("--alignment ridge brings them together"));
  assertEquals(MAX_BETWEEN_LAYERS, 0.15);
});
