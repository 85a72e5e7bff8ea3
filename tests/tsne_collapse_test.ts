import { assert } from "@std/assert";
import { closeGpu, openGpu, tsne } from "../mod.ts";
import { randomMatrix } from "./random.ts";

Deno.test("tsne() spreads points without any groups, which exaggeration would draw together", async () => {
  const gpu = await openGpu();
  const { points, kl } = await tsne(gpu, randomMatrix(1200, 20), { dimensions: 3, iterations: 1000 });
  assert(kl < 2.5, `KL ${kl}: 2.8 where the points were drawn together`);
  assert(points.data.some((value) => Math.abs(value) > 10));
  closeGpu(gpu);
});
