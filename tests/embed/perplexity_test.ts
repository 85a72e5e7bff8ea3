import { closeGpu, openGpu } from "../../mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { perplexity } from "../reference/perplexity.ts";
import { conditionalProbabilities } from "../../src/embed/joint_probabilities.ts";

Deno.test("conditionalProbabilities() meets the perplexity as the float64 reference does", async (t) => {
  const gpu = await openGpu();
  for (const [n, k, wanted, scale] of [[1, 4, 2, 1], [13, 10, 3, 1e-8], [67, 91, 30, 1], [67, 31, 10, 1e6]]) {
    await t.step(`${n} points, K = ${k}, perplexity ${wanted}, distances × ${scale}`, async () => {
      const distances = randomMatrix(n, k).data.map((v) => -(v * v) * scale);
      for (let i = 0; i < n; i++) distances.subarray(i * k, (i + 1) * k).sort().reverse();
      const p = await conditionalProbabilities(gpu, distances, k, wanted);
      assertClose(p, perplexity(distances, k, wanted), {
        relative: 1e-3,
        absolute: 1e-5,
        note: `seed ${testSeed}`,
      });
    });
  }
  closeGpu(gpu);
});
