import { assertAlmostEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { brainLoss } from "../../src/align/brain_loss.ts";
import { total } from "../../src/align/partial_loss.ts";
import { release } from "../../src/gpu/mod.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { centralDifference } from "../support/central_difference.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { brainLoss as reference } from "../reference/brain_loss.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

for (const huber of [0, 0.1]) {
  Deno.test(`brainLoss() and its gradient equal the float64 reference, huber ${huber}`, async (t) => {
    for (const [images, voxels] of [[1, 1], [3, 5], [17, 257], [64, 1031]]) {
      await t.step(`${images} × ${voxels}`, async () => {
        const [prediction, epsilon, response] = [[images, voxels], [1, voxels], [images, voxels]]
          .map(([rows, cols], key) => randomMatrix(rows, cols, key));
        const expected = reference(prediction.data, epsilon.data, response.data, huber);
        for (const bytes of [Infinity, 2 ** 15]) {
          const small = withBindings(gpu, bytes);
          const [p, e, y] = [prediction, epsilon, response].map((x) => uploadMatrix(small, x, "operand"));
          const parts = brainLoss(small, p, e, y, huber);
          assertAlmostEquals(
            await total(small, parts) / (images * voxels),
            expected.loss,
            1e-5 * expected.loss,
          );
          assertClose((await downloadMatrix(small, p)).data, expected.gradient, { relative: 1e-4, note });
          release(small, parts.buffer);
          releaseMatrix(small, p, e, y);
        }
      });
    }
  });

  Deno.test(`the reference's gradient equals central differences, huber ${huber}`, () => {
    const [p, e, y] = [[5, 7], [1, 7], [5, 7]].map(([rows, cols], key) => randomMatrix(rows, cols, key).data);
    const { gradient } = reference(p, e, y, huber);
    const differences = centralDifference((x) => reference(x, e, y, huber).loss, p, 1e-7);
    assertClose(gradient, differences, { relative: 1e-6, note });
  });
}
