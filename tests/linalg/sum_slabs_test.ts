import { closeGpu, openGpu } from "../../mod.ts";
import { sumSlabs } from "../../src/linalg/matmul.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { sumSlabs as reference } from "../reference/sum_slabs.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("sumSlabs() equals the float64 reference, from zero and on top of what is there", async (t) => {
  for (const [vectors, count] of [[1, 1], [1, 1021], [15, 2], [16, 3], [17, 7], [131, 64], [257, 1]]) {
    for (const accumulate of [false, true]) {
      await t.step(
        `${count} slabs of ${4 * vectors} values${accumulate ? ", accumulating" : ""}`,
        async () => {
          const slabs = randomMatrix(count, 4 * vectors), start = randomMatrix(1, 4 * vectors, 1);
          const input = uploadMatrix(gpu, slabs, "slabs"), out = uploadMatrix(gpu, start, "sum");
          sumSlabs(gpu, input.panels[0], out.panels[0], vectors, count, { accumulate });
          const { data } = await downloadMatrix(gpu, out);
          releaseMatrix(gpu, input, out);
          const expected = reference(slabs.data, 4 * vectors, count, accumulate ? start.data : undefined);
          assertClose(data, expected, { relative: 1e-5, note: `seed ${testSeed}` });
        },
      );
    }
  }
});
