import { closeGpu, matmul, normalizedCut, openGpu } from "../../mod.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { downloadMatrix, releaseMatrix, rowView, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { productScale } from "../reference/matmul.ts";
import { matmulShared as reference } from "../reference/matmul_shared.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const shared = { ...gpu, variant: "shared" as const }, registers = { ...gpu, variant: "registers" as const };
const SHAPES = [[1, 1, 1], [3, 2, 5], [64, 16, 64], [65, 17, 67], [97, 131, 61], [41, 1031, 19], [
  7,
  61,
  300,
]];
const note = `seed ${testSeed}`;

Deno.test("matmul() in shared memory equals the float64 reference, and the other variant to the bit", async (t) => {
  for (const [m, k, n] of SHAPES) {
    for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false], [true, true]]) {
      const name = `${m} × ${k}${transposeA ? " (transposed)" : ""} by ${k} × ${n}`;
      await t.step(`${name}${transposeB ? " (transposed)" : ""}`, async () => {
        const a = transposeA ? randomMatrix(k, m) : randomMatrix(m, k);
        const b = transposeB ? randomMatrix(n, k, 1) : randomMatrix(k, n, 1);
        const options = { transposeA, transposeB }, { data } = await matmul(shared, a, b, options);
        const expected = reference(a.data, b.data, m, k, n, transposeA, transposeB);
        const scale = productScale(a.data, b.data, m, k, n, transposeA, transposeB);
        assertClose(data, expected, { relative: 1e-6, scale, note });
        assertSameBits(data, (await matmul(registers, a, b, options)).data, note);
        if (transposeA && !transposeB && k >= 1024) return; // panels of fewer than 512 rows change its order
        assertSameBits((await matmul(withBindings(shared, 2 ** 16), a, b, options)).data, data, note);
      });
    }
  }
});

Deno.test("multiply() in shared memory takes rows of a larger matrix, and adds to what is there", async () => {
  const [m, k, n] = [71, 110, 37], results = [];
  for (const variant of [shared, registers]) {
    const a = uploadMatrix(variant, randomMatrix(m + 9, k), "A");
    const b = uploadMatrix(variant, randomMatrix(k + 8, n, 1), "B");
    const out = uploadMatrix(variant, randomMatrix(m, n, 2), "C");
    multiply(variant, rowView(a, 5, m), rowView(b, 8, k), { out, accumulate: true });
    results.push((await downloadMatrix(variant, out)).data);
    releaseMatrix(variant, a, b, out);
  }
  assertSameBits(results[0], results[1], note);
});

Deno.test("normalizedCut() gives the same bits in shared memory as in registers", async () => {
  const x = randomMatrix(401, 9),
    cut = (on: typeof shared | typeof registers) => normalizedCut(on, x, { components: 5 });
  assertSameBits((await cut(shared)).eigenvectors.data, (await cut(registers)).eigenvectors.data, note);
});
