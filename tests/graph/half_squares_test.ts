import { closeGpu, openGpu } from "../../mod.ts";
import { readBuffers, release } from "../../src/gpu/mod.ts";
import { releaseHalves, withHalves } from "../../src/graph/affinity.ts";
import { releaseMatrix, rowView, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { halfSquares as reference } from "../reference/half_squares.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("half_squares equals the float64 reference for rows of any length, to the same bits in panels", async (t) => {
  for (
    const [n, d] of [[1, 1], [2, 3], [17, 255], [33, 1024], [16, 1025], [5, 4099], [3, 140_001], [2, 300_000]]
  ) {
    await t.step(`${n} × ${d}`, async () => {
      const x = randomMatrix(n, d), expected = reference(x.data, n, d), found = [];
      for (const on of [gpu, withBindings(gpu, 2 ** 14)]) {
        if (on !== gpu && d > 1000) continue;
        const rows = uploadMatrix(on, x, "rows"), unit = withHalves(on, rows);
        const [bytes] = await readBuffers(on, [{ buffer: unit.halves, bytes: 4 * n }]);
        found.push(new Float32Array(bytes));
        releaseHalves(on, unit);
        releaseMatrix(on, rows);
      }
      for (let i = 0; i < n; i++) assertClose([found[0][i]], [expected[i]], { relative: 2e-6, note });
      if (found.length > 1) assertSameBits(found[1], found[0], note);
    });
  }
});

Deno.test("withHalves() of a view counts rows as the whole does", async () => {
  const x = randomMatrix(20, 7), rows = uploadMatrix(gpu, x, "rows");
  const { halves } = withHalves(gpu, rowView(rows, 5, 9));
  const [bytes] = await readBuffers(gpu, [{ buffer: halves, bytes: 4 * 14 }]);
  assertClose(new Float32Array(bytes).subarray(5), reference(x.data.subarray(35), 9, 7), {
    relative: 1e-6,
    note,
  });
  release(gpu, halves);
  releaseMatrix(gpu, rows);
});
