import { assert } from "@std/assert";
import { closeGpu, openGpu, tsne } from "../mod.ts";
import { fillRandom, seededRandom } from "../src/linalg/random.ts";

Deno.test("tsne() spreads points without any groups, which exaggeration draws together at a small rate", async () => {
  const gpu = await openGpu();
  const x = { data: fillRandom(new Float32Array(400 * 50), seededRandom(1)), rows: 400, cols: 50 };
  for (const learningRate of [undefined, 3]) { // at 3 all points are within 1e-6 after 50 steps
    const { points, kl } = await tsne(gpu, x, { dimensions: 3, iterations: 400, learningRate });
    assert(kl < 1.9, `KL ${kl} at a rate of ${learningRate}: 2.3 where the points stay together`);
    assert(points.data.some((value) => Math.abs(value) > 3));
  }
  closeGpu(gpu);
});
