import { closeGpu, openGpu } from "../../mod.ts";
import { rowNormalizeGradient } from "../../src/linalg/row_normalize.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { centralDifference } from "../support/central_difference.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { rowNormalize } from "../reference/row_normalize.ts";
import { rowNormalizeGradient as reference } from "../reference/row_normalize_gradient.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("rowNormalizeGradient() equals the float64 reference on awkward shapes", async (t) => {
  for (const [n, d] of [[1, 2], [2, 4], [17, 31], [509, 129]]) {
    await t.step(`${n} × ${d}`, async () => {
      const x = randomMatrix(n, d), g = randomMatrix(n, d, 1);
      for (const bytes of [Infinity, 2 ** 15]) {
        const small = withBindings(gpu, bytes);
        const gx = uploadMatrix(small, x, "v"), gg = uploadMatrix(small, g, "gradient");
        const out = rowNormalizeGradient(small, gx, gg);
        const { data } = await downloadMatrix(small, out);
        assertClose(data, reference(x.data, g.data, n, d), { relative: 1e-5, note });
        releaseMatrix(small, gx, gg, out);
      }
    });
  }
});

Deno.test("the reference of rowNormalizeGradient equals central differences", () => {
  const n = 4, d = 5, x = randomMatrix(n, d).data, g = randomMatrix(n, d, 1).data;
  const loss = (v: Float64Array) => rowNormalize(v, n, d).reduce((sum, value, at) => sum + value * g[at], 0);
  assertClose(reference(x, g, n, d), centralDifference(loss, x), { relative: 1e-6, note });
});
