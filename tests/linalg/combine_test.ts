import { closeGpu, openGpu } from "../../mod.ts";
import { combine } from "../../src/linalg/combine.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { combine as reference } from "../reference/combine.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("combine() equals the float64 reference, with the same bits whatever the panels", async (t) => {
  for (const [rows, cols] of [[1, 1], [3, 5], [16, 4], [257, 31], [8209, 131]]) {
    await t.step(`${rows} × ${cols}`, async () => {
      const [w, y, z] = [0, 1, 2].map((key) => randomMatrix(rows, cols, key));
      const results = [];
      for (const bytes of [Infinity, 2 ** 14, 2 ** 20]) {
        const small = withBindings(gpu, bytes);
        const [gw, gy, gz] = [w, y, z].map((x) => uploadMatrix(small, x, "term"));
        const out = allocateMatrix(small, rows, cols, "sum");
        combine(small, out, [0.5, gw], [-2, gy], [3, gz]);
        results.push((await downloadMatrix(small, out)).data);
        releaseMatrix(small, gw, gy, gz, out);
      }
      assertClose(results[0], reference([0.5, w.data], [-2, y.data], [3, z.data]), { relative: 1e-6, note });
      assertSameBits(results[1], results[0], note);
      assertSameBits(results[2], results[0], note);
    });
  }
});

Deno.test("combine() takes one or two terms, which may be the same matrix", async () => {
  const x = randomMatrix(13, 7);
  const gx = uploadMatrix(gpu, x, "term"), out = allocateMatrix(gpu, 13, 7, "sum");
  combine(gpu, out, [-1, gx]);
  assertSameBits((await downloadMatrix(gpu, out)).data, x.data.map((v) => -v), note);
  combine(gpu, out, [1, gx], [1, gx]);
  assertSameBits((await downloadMatrix(gpu, out)).data, x.data.map((v) => 2 * v), note);
  releaseMatrix(gpu, gx, out);
});
