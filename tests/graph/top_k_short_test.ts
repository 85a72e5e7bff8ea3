import { assertEquals } from "@std/assert";
import { closeGpu, nearestNeighbors, openGpu } from "../../mod.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { squaredDistance } from "../reference/squared_distance.ts";
import { topK } from "../reference/top_k.ts";
import { withBindings } from "../support/simulated_limits.ts";

Deno.test("nearestNeighbors() of up to 32 finds the same rows as sorting, whatever the blocks, ties included", async (t) => {
  const all = await openGpu();
  for (const bindingBytes of [2 ** 16, Infinity]) {
    const gpu = withBindings(all, bindingBytes);
    for (
      const [n, m, k] of [[1, 1, 1], [3, 2053, 1], [17, 33, 31], [61, 2047, 32], [30, 4099, 5], [9, 6151, 32]]
    ) {
      await t.step(`${n} queries, ${m} candidates, K = ${k}, bindings of ${bindingBytes} bytes`, async () => {
        // Whole numbers: distances are exact in float32, and many are equal.
        const whole = (key: number, rows: number) => {
          const x = randomMatrix(rows, 3, key);
          return { ...x, data: x.data.map((v) => Math.round(3 * v)) };
        };
        const x = whole(0, n), y = whole(1, m);
        const found = await nearestNeighbors(gpu, x, y, { k, metric: "euclidean" });
        const expected = topK(squaredDistance(x.data, n, y.data, m, 3), n, m, k);
        assertEquals([...found.indices], [...expected.indices], `seed ${testSeed}`);
        assertEquals([...found.similarities], [...expected.values].map((v) => v + 0));
      });
    }
  }
  closeGpu(all);
});

Deno.test("nearestNeighbors() of up to 32 leaves out the row itself in every block", async () => {
  const gpu = await openGpu();
  const x = randomMatrix(4200, 2);
  x.data = x.data.map((v) => Math.round(v)); // nearly all rows have equals
  const { indices } = await nearestNeighbors(gpu, x, x, { k: 7, metric: "euclidean", excludeSelf: true });
  const own = indices.findIndex((row, at) => row === Math.floor(at / 7));
  assertEquals(own, -1, `seed ${testSeed}`);
  closeGpu(gpu);
});
