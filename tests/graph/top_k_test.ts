import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, nearestNeighbors, openGpu } from "../../mod.ts";
import { randomMatrix } from "../support/random.ts";
import { squaredDistance } from "../reference/squared_distance.ts";
import { topK } from "../reference/top_k.ts";

Deno.test("nearestNeighbors() finds the same rows as sorting all distances", async (t) => {
  const gpu = await openGpu();
  for (
    const [n, m, d, k] of [[1, 1, 3, 1], [5, 7, 2, 7], [61, 127, 5, 3], [50, 300, 20, 128], [61, 4099, 4, 33]]
  ) {
    await t.step(`${n} queries, ${m} candidates, K = ${k}`, async () => {
      // Whole numbers: distances are exact in float32, so ranks and ties must agree exactly.
      const whole = (x: Float32Array) => x.map((v) => Math.round(4 * v));
      const x = randomMatrix(n, d), y = randomMatrix(m, d, 1);
      x.data = whole(x.data);
      y.data = whole(y.data);
      const found = await nearestNeighbors(gpu, x, y, { k, metric: "euclidean" });
      const expected = topK(squaredDistance(x.data, n, y.data, m, d), n, m, k);
      assertEquals([...found.indices], [...expected.indices]);
      assertEquals([...found.similarities], [...expected.values].map((v) => v + 0));
    });
  }
  closeGpu(gpu);
});

Deno.test("nearestNeighbors() leaves out the row itself when asked to", async () => {
  const gpu = await openGpu();
  const x = randomMatrix(37, 4);
  const { indices } = await nearestNeighbors(gpu, x, x, { k: 36, excludeSelf: true });
  for (let i = 0; i < 37; i++) {
    const others = [...indices.subarray(36 * i, 36 * (i + 1))].sort((a, b) => a - b);
    assertEquals(others, Array.from({ length: 37 }, (_, j) => j).filter((j) => j !== i));
  }
  closeGpu(gpu);
});

Deno.test("nearestNeighbors() refuses more neighbours than candidates", async () => {
  const gpu = await openGpu();
  const x = randomMatrix(5, 3);
  await assertRejects(
    () => nearestNeighbors(gpu, x, x, { k: 6 }),
    RangeError,
    "with 5 candidates, ask for 1 to 5",
  );
  closeGpu(gpu);
});

Deno.test("nearestNeighbors() is right when every candidate is nearer than all before it", async (t) => {
  const gpu = await openGpu();
  for (const [m, k] of [[20000, 100], [70000, 1], [300000, 3]]) {
    await t.step(`${m} candidates, K = ${k}`, async () => {
      const y = { data: Float32Array.from({ length: m }, (_, j) => m - j), rows: m, cols: 1 };
      const { indices } = await nearestNeighbors(gpu, { data: new Float32Array(1), rows: 1, cols: 1 }, y, {
        k,
        metric: "euclidean",
      });
      assertEquals([...indices], Array.from({ length: k }, (_, at) => m - 1 - at));
    });
  }
  closeGpu(gpu);
});
