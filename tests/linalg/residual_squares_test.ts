import { closeGpu, openGpu } from "../../mod.ts";
import { releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { residualSquares } from "../reference/residual_squares.ts";
import { withBindings } from "../support/simulated_limits.ts";
import { residualNorms } from "../../src/linalg/ritz_residuals.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("residualNorms() equals the float64 reference on awkward shapes and panels", async (t) => {
  for (const [n, c] of [[1, 1], [63, 3], [64, 16], [65, 17], [509, 5], [1031, 31], [2053, 48]]) {
    for (const bytes of [Infinity, 2 ** 16, 2 ** 14]) {
      await t.step(`${n} × ${c}, bindings of ${bytes} bytes`, async () => {
        const small = withBindings(gpu, bytes);
        const x = randomMatrix(n, c), mx = randomMatrix(n, c, 1);
        const lambda = Float64Array.from(randomMatrix(1, c, 2).data);
        const gx = uploadMatrix(small, x, "x"), gmx = uploadMatrix(small, mx, "M x");
        const norms = await residualNorms(small, gx, gmx, lambda);
        releaseMatrix(small, gx, gmx);
        const expected = residualSquares(mx.data, x.data, lambda, n, c).map(Math.sqrt);
        assertClose(norms, expected, { relative: 1e-5, note: `seed ${testSeed}` });
      });
    }
  }
});
