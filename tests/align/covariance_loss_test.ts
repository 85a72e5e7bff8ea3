import { assertAlmostEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { channelLosses } from "../../src/align/covariance_loss.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { centralDifference } from "../support/central_difference.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { channelLosses as reference } from "../reference/covariance_loss.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("channelLosses() and its gradient equal the float64 reference", async (t) => {
  for (const [n, d] of [[1, 1], [2, 3], [37, 17], [256, 96], [131, 259]]) {
    await t.step(`${n} nodes × ${d} channels`, async () => {
      const v = randomMatrix(n, d);
      v.data = v.data.map((value, at) => value + (at % d) / d); // means that differ from 0
      for (const bytes of [Infinity, 2 ** 16]) {
        const small = withBindings(gpu, bytes);
        for (const weights of [{ zero: 1, covariance: 0 }, { zero: 0.3, covariance: 2 }]) {
          const gv = uploadMatrix(small, v, "V′");
          const found = await channelLosses(small, gv, weights), expected = reference(v.data, n, d, weights);
          assertAlmostEquals(found.zero, expected.zero, 1e-5 * expected.zero);
          assertAlmostEquals(found.covariance, expected.covariance, 1e-4 * expected.covariance + 1e-12);
          const gradient = await downloadMatrix(small, found.gradient);
          assertClose(gradient.data, expected.gradient, { relative: 1e-3, note });
          releaseMatrix(small, gv, found.gradient);
        }
      }
    });
  }
});

Deno.test("the reference's gradient of L_zero and L_cov equals central differences", () => {
  const n = 11, d = 5, v = randomMatrix(n, d).data, weights = { zero: 0.7, covariance: 1.3 };
  const loss = (x: Float64Array) => {
    const { zero, covariance } = reference(x, n, d, weights);
    return weights.zero * zero + weights.covariance * covariance;
  };
  assertClose(reference(v, n, d, weights).gradient, centralDifference(loss, v), { relative: 1e-6, note });
});
