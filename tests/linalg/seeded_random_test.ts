import { assert, assertAlmostEquals } from "@std/assert";
import { fillRandom, sampleIndices, seededRandom } from "../../src/linalg/random.ts";

Deno.test("fillRandom() has mean 0 and variance 1", () => {
  const values = fillRandom(new Float32Array(100_000), seededRandom(1));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assertAlmostEquals(mean, 0, 0.02);
  assertAlmostEquals(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length, 1, 0.02);
});

Deno.test("sampleIndices() draws every index equally often", () => {
  const random = seededRandom(2), counts = new Uint32Array(10);
  for (let run = 0; run < 5000; run++) for (const index of sampleIndices(10, 3, random)) counts[index]++;
  assert(counts.every((count) => Math.abs(count - 1500) < 150), `${counts}`);
});
