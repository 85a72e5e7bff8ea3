import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, release, writeBuffer } from "../../src/gpu/mod.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { scaleRows } from "../../src/linalg/scale_rows.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { scaleRows as reference } from "../reference/scale_rows.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("scaleRows() equals the float64 reference on awkward shapes", async (t) => {
  for (const [rows, cols] of [[1, 1], [3, 5], [16, 64], [131, 67], [1031, 513]]) {
    await t.step(`${rows} × ${cols}`, async () => {
      const x = randomMatrix(rows, cols), s = randomMatrix(1, rows, 1).data;
      for (const bytes of [Infinity, 2 ** 15]) {
        const small = withBindings(gpu, bytes);
        const factors = allocate(small, rows * 4, "factors"), gx = uploadMatrix(small, x, "x");
        writeBuffer(small, factors, s);
        const out = scaleRows(small, gx, factors);
        const { data } = await downloadMatrix(small, out);
        assertClose(data, reference(x.data, s, cols), { relative: 1e-6, note: `seed ${testSeed}` });
        releaseMatrix(small, gx, out);
        release(small, factors);
      }
    });
  }
});
