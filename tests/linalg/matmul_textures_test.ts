import { closeGpu, matmul, openGpu } from "../../mod.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { downloadMatrix, releaseMatrix, rowView, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { productScale } from "../reference/matmul.ts";
import { matmulTextures as reference } from "../reference/matmul_textures.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const textures = { ...gpu, variant: "textures" as const };
const registers = { ...gpu, variant: "registers" as const };
const SHAPES = [
  [1, 1, 1],
  [3, 1031, 5],
  [1, 2100, 300],
  [300, 1, 2100],
  [7, 2311, 33],
  [45, 61, 311],
  [139, 1031, 4],
  [131, 251, 17],
  [128, 64, 64],
  [257, 512, 32],
  [141, 1025, 19],
  [149, 2053, 67],
  [157, 61, 2100],
];
const note = `seed ${testSeed}`;

Deno.test("matmul() with textures equals the float64 reference, and the other variant to the bit", async (t) => {
  for (const [m, k, n] of SHAPES) {
    for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false], [true, true]]) {
      const name = `${m} × ${k}${transposeA ? " (transposed)" : ""} by ${k} × ${n}`;
      await t.step(`${name}${transposeB ? " (transposed)" : ""}`, async () => {
        const a = transposeA ? randomMatrix(k, m) : randomMatrix(m, k);
        const b = transposeB ? randomMatrix(n, k, 1) : randomMatrix(k, n, 1),
          options = { transposeA, transposeB };
        const { data } = await matmul(textures, a, b, options);
        const shape = [m, k, n, transposeA, transposeB] as const;
        const rounding = { relative: 1e-6, scale: productScale(a.data, b.data, ...shape) };
        assertClose(data, reference(a.data, b.data, ...shape), { ...rounding, note });
        assertSameBits(data, (await matmul(registers, a, b, options)).data, note);
        const small = (await matmul(withBindings(textures, 2 ** 16), a, b, options)).data;
        const isSplit = transposeA && !transposeB && k >= 1024; // panels of fewer than 512 rows change its order
        if (isSplit) assertClose(small, data, { ...rounding, note: `small bindings, ${note}` });
        else assertSameBits(small, data, `small bindings, ${note}`);
      });
    }
  }
});

Deno.test("multiply() with textures takes rows of a larger matrix, and adds to what is there", async () => {
  const [m, k, n] = [171, 1100, 37];
  const results = [];
  for (const variant of [textures, registers]) {
    const a = uploadMatrix(variant, randomMatrix(m + 9, k), "A"),
      b = uploadMatrix(variant, randomMatrix(k + 8, n, 1), "B");
    const out = uploadMatrix(variant, randomMatrix(m, n, 2), "C");
    multiply(variant, rowView(a, 5, m), rowView(b, 8, k), { out, accumulate: true });
    results.push((await downloadMatrix(variant, out)).data);
    releaseMatrix(variant, a, b, out);
  }
  const a = randomMatrix(m + 9, k).data.subarray(5 * k), b = randomMatrix(k + 8, n, 1).data.subarray(8 * n);
  const c = randomMatrix(m, n, 2).data;
  const expected = reference(a.subarray(0, m * k), b, m, k, n).map((value, at) => value + c[at]);
  assertClose(results[0], expected, { relative: 1e-5, note });
  assertSameBits(results[0], results[1], note);
});

Deno.test("multiply() with textures takes more blocks than a row of the grid has", async () => {
  const rows = 16 * 8 * 2 ** 15 + 3, a = randomMatrix(rows, 1), factor = -1.75;
  const left = uploadMatrix(textures, a, "A");
  const right = uploadMatrix(textures, { data: new Float32Array([factor]), rows: 1, cols: 1 }, "B");
  const { data } = await downloadMatrix(textures, multiply(textures, left, right));
  assertSameBits(data, a.data.map((value) => value * factor), note);
});
