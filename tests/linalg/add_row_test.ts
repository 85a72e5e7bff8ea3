import { closeGpu, openGpu } from "../../mod.ts";
import { addRow, sumOfRows } from "../../src/linalg/add_row.ts";
import { downloadMatrices, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { addRow as reference } from "../reference/add_row.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("addRow() and sumOfRows() equal the float64 reference on awkward shapes", async (t) => {
  for (const [rows, cols] of [[1, 1], [3, 5], [16, 64], [131, 67], [1031, 513]]) {
    await t.step(`${rows} × ${cols}`, async () => {
      const x = randomMatrix(rows, cols), row = randomMatrix(1, cols, 1);
      const sums = new Float64Array(cols);
      x.data.forEach((value, at) => sums[at % cols] += 0.5 * value);
      for (const bytes of [Infinity, 2 ** 15]) {
        const small = withBindings(gpu, bytes);
        const gx = uploadMatrix(small, x, "x"), gr = uploadMatrix(small, row, "row");
        const out = addRow(small, gx, gr, -2), sum = sumOfRows(small, gx, 0.5);
        const [found, total] = await downloadMatrices(small, out, sum);
        assertClose(found.data, reference(x.data, row.data, -2), { relative: 1e-6, note });
        assertClose(total.data, sums, { relative: 1e-5, note });
        releaseMatrix(small, gx, gr, out, sum);
      }
    });
  }
});
