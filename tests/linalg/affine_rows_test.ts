import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, release, writeBuffer } from "../../src/gpu/mod.ts";
import { addRow, affineRows, scaleRows, sumOfRows } from "../../src/linalg/affine_rows.ts";
import { downloadMatrices, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affineRows as reference } from "../reference/affine_rows.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("affineRows(), addRow(), scaleRows() and sumOfRows() equal the float64 reference on awkward shapes", async (t) => {
  for (const [rows, cols] of [[1, 1], [3, 5], [16, 64], [131, 67], [1031, 513]]) {
    await t.step(`${rows} × ${cols}`, async () => {
      const x = randomMatrix(rows, cols), row = randomMatrix(1, cols, 1), s = randomMatrix(1, rows, 2).data;
      const sums = new Float64Array(cols), ones = new Float32Array(rows).fill(1);
      x.data.forEach((value, at) => sums[at % cols] += 0.5 * value);
      for (const bytes of [Infinity, 2 ** 15]) {
        const small = withBindings(gpu, bytes), factors = allocate(small, rows * 4, "factors");
        const gx = uploadMatrix(small, x, "x"), gr = uploadMatrix(small, row, "row");
        writeBuffer(small, factors, s);
        const outs = [
          affineRows(small, gx, { row: gr, coefficient: -2, factors }),
          addRow(small, gx, gr, -2),
          scaleRows(small, gx, factors),
          sumOfRows(small, gx, 0.5),
        ];
        const [both, added, scaled, total] = await downloadMatrices(small, ...outs);
        const expected = (coefficient: number, by: Float32Array) =>
          reference(x.data, { row: row.data, coefficient, factors: by });
        assertClose(both.data, expected(-2, s), { relative: 1e-6, note });
        assertClose(added.data, expected(-2, ones), { relative: 1e-6, note });
        assertClose(scaled.data, expected(0, s), { relative: 1e-6, note });
        assertClose(total.data, sums, { relative: 1e-5, note });
        releaseMatrix(small, gx, gr, ...outs);
        release(small, factors);
      }
    });
  }
});
