import { assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { farthestPoints } from "../../src/graph/farthest_point.ts";
import { releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { farthestPoints as reference } from "../reference/farthest_point.ts";

Deno.test("farthestPoints() takes the same points as the reference, ties and repeats included", async (t) => {
  const gpu = await openGpu();
  for (const [n, d, count] of [[1, 1, 1], [7, 3, 7], [61, 5, 60], [1031, 8, 40], [9001, 8, 25]]) {
    await t.step(`${count} of ${n} points in ${d} dimensions`, async () => {
      // Whole numbers: squared distances are exact in float32, and many are equal.
      const x = randomMatrix(n, 8);
      x.data = x.data.map((v, at) => at % 8 < d ? Math.round(3 * v) : 0);
      const points = uploadMatrix(gpu, x, "points");
      const start = testSeed % n;
      const taken = await farthestPoints(gpu, points, count, start);
      releaseMatrix(gpu, points);
      assertEquals([...taken], reference(x.data, n, 8, count, start), `seed ${testSeed}`);
    });
  }
  closeGpu(gpu);
});

Deno.test("farthestPoints() takes every point once where all are equal", async () => {
  const gpu = await openGpu();
  const points = uploadMatrix(gpu, { data: new Float32Array(400).fill(2), rows: 50, cols: 8 }, "points");
  const taken = await farthestPoints(gpu, points, 50, 3);
  assertEquals([...taken], [3, ...Array.from({ length: 50 }, (_, i) => i).filter((i) => i !== 3)]);
  closeGpu(gpu);
});
