import { assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../mod.ts";
import { release } from "../src/gpu/mod.ts";
import { affinityBlock, normalizeBlock, uploadScale, uploadUnitRows } from "../src/graph/affinity.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix, uploadMatrix } from "../src/linalg/matrix.ts";
import { assertClose } from "./assert_close.ts";
import { assertSameBits } from "./assert_same_bits.ts";
import { randomMatrix, testSeed } from "./random.ts";
import { normalizeAffinity } from "./reference/normalize_affinity.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

function scales(n: number) {
  const s = Float64Array.from(randomMatrix(1, n, 1).data), q = Float64Array.from(randomMatrix(1, n, 2).data);
  return { s, q, scale: uploadScale(gpu, n, s, q) };
}

Deno.test("normalizeBlock() equals the float64 reference on awkward shapes", async (t) => {
  for (const [rows, cols, first] of [[1, 1, 0], [3, 5, 2], [16, 256, 0], [17, 257, 100], [5, 1021, 1000]]) {
    await t.step(`${rows} × ${cols}, from node ${first}`, async () => {
      const a = randomMatrix(rows, cols);
      const { s, q, scale } = scales(cols);
      const block = uploadMatrix(gpu, a, "block");
      normalizeBlock(gpu, { first, rows, buffer: block.panels[0], panelRow: 0 }, cols, block.stride, scale);
      const stored = await downloadMatrix(gpu, { ...block, cols: block.stride });
      releaseMatrix(gpu, block);
      release(gpu, scale.buffer);
      const expected = normalizeAffinity(a.data, rows, cols, first, s, q);
      for (let i = 0; i < rows; i++) {
        const row = stored.data.subarray(i * block.stride, (i + 1) * block.stride);
        assertClose(row.subarray(0, cols), expected.subarray(i * cols, (i + 1) * cols), {
          relative: 1e-5,
          absolute: 1e-5,
          note: `row ${i}, ${note}`,
        });
        assertEquals([...row.subarray(cols)].map(Math.abs), new Array(block.stride - cols).fill(0));
      }
    });
  }
});

Deno.test("normalizeBlock() on a stored affinity gives the bits that affinityBlock() makes at once", async () => {
  const n = 131;
  const unit = uploadUnitRows(gpu, randomMatrix(n, 17));
  const plain = uploadScale(gpu, n), { scale } = scales(n);
  const at = allocateMatrix(gpu, n, n, "at once"), after = allocateMatrix(gpu, n, n, "stored");
  affinityBlock(gpu, unit, scale, 0, n, unit, scale, { buffer: at.panels[0], stride: at.stride, row: 0 });
  affinityBlock(gpu, unit, plain, 0, n, unit, plain, { buffer: after.panels[0], stride: at.stride, row: 0 });
  normalizeBlock(gpu, { first: 0, rows: n, buffer: after.panels[0], panelRow: 0 }, n, at.stride, scale);
  const [expected, actual] = [await downloadMatrix(gpu, at), await downloadMatrix(gpu, after)];
  releaseMatrix(gpu, unit, at, after);
  release(gpu, plain.buffer);
  release(gpu, scale.buffer);
  assertSameBits(actual.data, expected.data, note);
});
