import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu, tsne } from "../../mod.ts";
import { randomMatrix } from "../support/random.ts";
import { fillRandom, seededRandom } from "../../src/linalg/random.ts";

Deno.test("tsne() spreads points without any groups, which exaggeration draws together", async () => {
  const gpu = await openGpu();
  const x = { data: fillRandom(new Float32Array(400 * 50), seededRandom(1)), rows: 400, cols: 50 };
  for (const exaggeration of [undefined, 4, 12]) { // at 4 and 12 all points are within 1e-6 after 50 steps
    const { points, kl } = await tsne(gpu, x, { dimensions: 3, iterations: 400, exaggeration });
    assert(kl < 1.9, `KL ${kl} at an exaggeration of ${exaggeration}: 2.3 where the points stay together`);
    assert(points.data.some((value) => Math.abs(value) > 3));
  }
  closeGpu(gpu);
});

Deno.test("tsne() refuses a perplexity that is none, and says where one had to be lower", async () => {
  const gpu = await openGpu();
  for (const perplexity of [0, 0.5, 1, -3, NaN, Infinity]) {
    await assertRejects(
      () => tsne(gpu, randomMatrix(50, 3), { perplexity }),
      RangeError,
      `t-SNE's perplexity is ${perplexity}: the number of neighbours that count must be finite and above 1`,
    );
  }
  const few = await tsne(gpu, randomMatrix(50, 3), { perplexity: 40, iterations: 1 });
  assertEquals([few.perplexity, few.lowered!.asked], [49 / 3, 40]);
  assertEquals(
    few.lowered!.reason,
    "t-SNE's perplexity is 16.3, not 40: 50 points allow at most 16.3, a third of the others.",
  );
  const many = await tsne(gpu, randomMatrix(400, 3), { perplexity: 100, iterations: 1 });
  assertEquals(
    many.lowered!.reason,
    "t-SNE's perplexity is 42.0, not 100: at most 42 is possible, whatever the number of points.",
  );
  assertEquals((await tsne(gpu, randomMatrix(400, 3), { iterations: 1 })).lowered, undefined);
  closeGpu(gpu);
});
