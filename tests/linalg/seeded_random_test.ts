import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { fillRandom, sampleIndices, sampleRows, seededRandom } from "../../src/linalg/random.ts";

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

Deno.test("sampleRows() draws different rows of any number of nodes, spread over all, without passing them", () => {
  for (const n of [2 ** 24 + 1, 2 ** 32 + 1, 70_920_000_000]) {
    const rows = sampleRows(n, 3000, seededRandom(2));
    assertEquals([...rows], [...new Set(rows)].sort((a, b) => a - b));
    assertEquals(rows, sampleRows(n, 3000, seededRandom(2)));
    const below = rows.filter((row) => row < n / 2).length;
    assert(rows.at(-1)! < n && Math.abs(below - 1500) < 200, `${below} of 3000 in the lower half of ${n}`);
    assert(
      n < 2 ** 25 || rows.some((row) => row % 1024 === 1 || row % 1024 === 1023),
      "low bits are drawn, too",
    );
  }
});
