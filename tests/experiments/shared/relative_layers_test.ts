import { assertEquals } from "@std/assert";
import { layerAxis, layerLike, layersLike } from "../../../src/experiments/shared/relative_layers.ts";

Deno.test("layerLike() gives the paper's layers of twelve, and what lies as deep in other models", () => {
  const of = [1, 2, 3, 4, 6, 9, 12];
  assertEquals(of.map((layer) => layerLike(layer, 12)), of);
  assertEquals(of.map((layer) => layerLike(layer, 24)), of.map((layer) => 2 * layer));
  assertEquals(of.map((layer) => layerLike(layer, 6)), [1, 1, 2, 2, 3, 5, 6]);
  assertEquals(of.map((layer) => layerLike(layer, 1)), [1, 1, 1, 1, 1, 1, 1]);
  assertEquals(layersLike([3, 6, 9, 12], 3), [1, 2, 3]);
  assertEquals(layerAxis([{ layer: 2 }, { layer: 3 }, { layer: 1 }]), ["L1", "L2", "L3"]);
});
