import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { rowSums } from "../../src/graph/affinity.ts";
import { releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { rowSum } from "../reference/row_sum.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("rowSums() equals the float64 reference and leaves other rows' sums alone", async (t) => {
  const shapes = [[1, 1, 0], [2, 3, 1], [15, 255, 0], [16, 256, 5], [17, 257, 3], [131, 1021, 7], [
    3,
    20011,
    0,
  ]];
  for (const [rows, cols, first] of shapes) {
    await t.step(`${rows} × ${cols}, first row ${first}`, async () => {
      const x = randomMatrix(rows, cols);
      const block = uploadMatrix(gpu, x, "block");
      const sums = allocate(gpu, 4 * (first + rows + 1), "sums");
      writeBuffer(gpu, sums, new Float32Array(first + rows + 1).fill(-7));
      rowSums(gpu, { first, rows, buffer: block.panels[0], panelRow: 0 }, block.stride, sums);
      const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: 4 * (first + rows + 1) }]);
      release(gpu, sums);
      releaseMatrix(gpu, block);
      const expected = [...new Array(first).fill(-7), ...rowSum(x.data, rows, cols), -7];
      assertClose(new Float32Array(bytes), expected, { relative: 1e-5, note: `seed ${testSeed}` });
    });
  }
});

Deno.test("rowSums() keeps a long row of equal values to a few ulps", async () => {
  const cols = 300_001;
  const block = uploadMatrix(gpu, { data: new Float32Array(cols).fill(0.9), rows: 1, cols }, "block");
  const sums = allocate(gpu, 4, "sums");
  rowSums(gpu, { first: 0, rows: 1, buffer: block.panels[0], panelRow: 0 }, block.stride, sums);
  const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: 4 }]);
  release(gpu, sums);
  releaseMatrix(gpu, block);
  assertClose(new Float32Array(bytes), [cols * Math.fround(0.9)], { relative: 5e-6 });
});
