import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, matmul, type Matrix, normalizedCut, openGpu } from "../../mod.ts";
import { VARIANTS } from "../../src/gpu/mod.ts";
import { multiply } from "../../src/linalg/matmul.ts";
import { downloadMatrix, releaseMatrix, rowView, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul as reference, productScale } from "../reference/matmul.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const TRANSPOSES = [[false, false], [false, true], [true, false], [true, true]];
const BLOCKS_OF_8_BY_16 = [[8, 4, 16], [64, 64, 64], [65, 33, 67], [128, 5, 17]];
const AWKWARD = [[1, 1, 1], [1, 7, 1], [2, 1, 3], [13, 17, 19], [7, 131, 2], [127, 3, 61]];
/** Share of |A| |B| that rounding may take: 17 ulps, where errors of k ≤ 5,000 products add up to some. */
const ROUNDING = 1e-6;
const LONG = [[1, 1024, 1], [7, 1031, 5], [33, 2053, 20], [63, 1536, 1], [3, 4999, 40]];

function operands(
  m: number,
  k: number,
  n: number,
  transposeA: boolean,
  transposeB: boolean,
): [Matrix, Matrix] {
  const a = transposeA ? randomMatrix(k, m) : randomMatrix(m, k);
  const b = transposeB ? randomMatrix(n, k, 1) : randomMatrix(k, n, 1);
  return [a, b];
}

function name(m: number, k: number, n: number, transposeA: boolean, transposeB: boolean): string {
  return `${m} × ${k}${transposeA ? " (transposed)" : ""} by ${k} × ${n}${transposeB ? " (transposed)" : ""}`;
}

Deno.test("matmul() equals the float64 reference on awkward shapes, for all transposes", async (t) => {
  for (const [m, k, n] of [...BLOCKS_OF_8_BY_16, ...AWKWARD, ...LONG]) {
    for (const [transposeA, transposeB] of TRANSPOSES) {
      await t.step(name(m, k, n, transposeA, transposeB), async () => {
        const [a, b] = operands(m, k, n, transposeA, transposeB);
        const c = await matmul(gpu, a, b, { transposeA, transposeB });
        assertEquals([c.rows, c.cols], [m, n]);
        const expected = reference(a.data, b.data, m, k, n, transposeA, transposeB);
        const scale = productScale(a.data, b.data, m, k, n, transposeA, transposeB);
        assertClose(c.data, expected, { relative: ROUNDING, scale, note: `seed ${testSeed}` });
      });
    }
  }
});

/** The device by variant of the kernels. */
const devices = VARIANTS.map((variant) => ({ ...gpu, variant }));
/** Blocks of 16 × 16 and 64 × 64, and sizes around them; k beyond a run, and beyond two. */
const BLOCKS = [[64, 16, 64], [65, 17, 67], [97, 131, 61], [41, 1031, 19], [7, 61, 300], [128, 64, 64]];
const WIDE = [[3, 1031, 5], [1, 2100, 300], [300, 1, 2100], [7, 2311, 33], [45, 61, 311], [139, 1031, 4]];
const TALL = [[131, 251, 17], [257, 512, 32], [141, 1025, 19], [149, 2053, 67], [157, 61, 2100]];

Deno.test("matmul() equals the float64 reference in every variant, the others to the bit", async (t) => {
  for (const [m, k, n] of [[1, 1, 1], [3, 2, 5], ...BLOCKS, ...WIDE, ...TALL]) {
    for (const [transposeA, transposeB] of TRANSPOSES) {
      await t.step(name(m, k, n, transposeA, transposeB), async () => {
        const [a, b] = operands(m, k, n, transposeA, transposeB), options = { transposeA, transposeB };
        const expected = reference(a.data, b.data, m, k, n, transposeA, transposeB);
        const scale = productScale(a.data, b.data, m, k, n, transposeA, transposeB);
        const first = await matmul(gpu, a, b, options);
        for (const device of devices) {
          const note = `${device.variant}, seed ${testSeed}`, { data } = await matmul(device, a, b, options);
          assertClose(data, expected, { relative: ROUNDING, scale, note });
          assertSameBits(data, first.data, note);
          // Panels are the host's doing, alike for all variants: the others are held to them on the smaller shapes.
          if (device.variant !== gpu.variant && m * k * n > 2e5) continue;
          const small = (await matmul(withBindings(device, 2 ** 16), a, b, options)).data;
          const isSplit = transposeA && !transposeB && k >= 1024; // panels of fewer than 512 rows change its order
          if (isSplit) {
            assertClose(small, data, { relative: ROUNDING, scale, note: `small bindings, ${note}` });
          } else assertSameBits(small, data, `small bindings, ${note}`);
        }
      });
    }
  }
});

Deno.test("multiply() takes rows of a larger matrix, and adds to what is there, in every variant", async (t) => {
  for (const [m, k, n] of [[71, 110, 37], [171, 1100, 37]]) {
    await t.step(name(m, k, n, false, false), async () => {
      const a = randomMatrix(m + 9, k), b = randomMatrix(k + 8, n, 1), c = randomMatrix(m, n, 2);
      const product = reference(a.data.subarray(5 * k), b.data.subarray(8 * n), m, k, n);
      const expected = product.map((value, at) => value + c.data[at]), results = [];
      for (const device of devices) {
        const [left, right, out] = [a, b, c].map((x) => uploadMatrix(device, x, "operand"));
        multiply(device, rowView(left, 5, m), rowView(right, 8, k), { out, accumulate: true });
        results.push((await downloadMatrix(device, out)).data);
        releaseMatrix(device, left, right, out);
      }
      assertClose(results[0], expected, { relative: 1e-5, note: `seed ${testSeed}` });
      for (const result of results) assertSameBits(result, results[0], `seed ${testSeed}`);
    });
  }
});

Deno.test("multiply() takes more blocks than a row of the grid has", async () => {
  const rows = 16 * 8 * 2 ** 15 + 3, a = randomMatrix(rows, 1), factor = -1.75;
  for (const device of devices.filter(({ variant }) => variant !== "shared")) {
    const left = uploadMatrix(device, a, "A");
    const right = uploadMatrix(device, { data: new Float32Array([factor]), rows: 1, cols: 1 }, "B");
    const product = multiply(device, left, right), { data } = await downloadMatrix(device, product);
    releaseMatrix(device, left, right, product);
    assertSameBits(data, a.data.map((value) => value * factor), `${device.variant}, seed ${testSeed}`);
  }
});

Deno.test("normalizedCut() gives the same bits in every variant", async () => {
  const x = randomMatrix(401, 9), results = [];
  for (const device of devices) {
    results.push((await normalizedCut(device, x, { components: 5 })).eigenvectors);
  }
  for (const { data } of results) assertSameBits(data, results[0].data, `seed ${testSeed}`);
});

Deno.test("matmul() gives the same bits whatever the panels, if one holds 512 rows where the sum is split", async (t) => {
  const shapes = [[65, 33, 67], [127, 131, 61], [300, 40, 9], [40, 300, 300], ...LONG];
  for (const [m, k, n] of shapes) {
    for (const [transposeA, transposeB] of TRANSPOSES) {
      const [a, b] = operands(m, k, n, transposeA, transposeB);
      const rowBytes = 4 * (Math.max(a.cols, b.cols, n) + 3);
      const split = transposeA && !transposeB && k >= 1024;
      const bindings = [2 ** 12, 2 ** 14, 2 ** 16, 2 ** 20].filter((bytes) => bytes >= 4 * rowBytes);
      await t.step(`${name(m, k, n, transposeA, transposeB)}, bindings of ${bindings} bytes`, async () => {
        const whole = await matmul(gpu, a, b, { transposeA, transposeB });
        const scale = productScale(a.data, b.data, m, k, n, transposeA, transposeB);
        for (const bytes of bindings) {
          const panels = await matmul(withBindings(gpu, bytes), a, b, { transposeA, transposeB });
          const note = `bindings of ${bytes} bytes, seed ${testSeed}`;
          if (!split || bytes >= 512 * rowBytes) assertSameBits(panels.data, whole.data, note);
          else assertClose(panels.data, whole.data, { relative: ROUNDING, scale, note });
        }
      });
    }
  }
});

Deno.test("matmul() adds up 400000 products, more rounds than the software adapter allows a loop", async () => {
  const k = 400_000;
  const ones = { data: new Float32Array(k).fill(1), rows: 1, cols: k };
  const { data } = await matmul(gpu, ones, ones, { transposeB: true });
  assertEquals([...data], [k]);
});

const COLS = 31;
const ROWS = Math.ceil(gpu.limits.bindingBytes / (4 * COLS)) + 1000;

Deno.test({
  name: "matmul() takes a matrix larger than the largest storage binding of the adapter",
  ignore: gpu.limits.bindingBytes > 2 ** 28,
  async fn() {
    const a = { data: new Float32Array(ROWS * COLS), rows: ROWS, cols: COLS };
    for (let i = 0; i < a.data.length; i++) a.data[i] = (i * 7919) % 251 - 125;
    const b = randomMatrix(COLS, 2);
    const c = await matmul(gpu, a, b);
    for (const first of [0, Math.floor(ROWS / 2), ROWS - 1100, ROWS - 100]) {
      const rows = a.data.subarray(first * COLS, (first + 100) * COLS);
      assertClose(c.data.subarray(first * 2, (first + 100) * 2), reference(rows, b.data, 100, COLS, 2), {
        relative: 1e-5,
        note: `rows from ${first}, seed ${testSeed}`,
      });
    }
  },
});

Deno.test("multiply() adds to what is there when asked to, also where the sum is split", async (t) => {
  for (const [m, k, n, transposeA] of [[13, 17, 19, false], [7, 1031, 5, true]] as const) {
    await t.step(name(m, k, n, transposeA, false), async () => {
      const [a, b] = operands(m, k, n, transposeA, false), c = randomMatrix(m, n, 2);
      const [ga, gb, out] = [a, b, c].map((x) => uploadMatrix(gpu, x, "operand"));
      multiply(gpu, ga, gb, { transposeA, out, accumulate: true });
      const { data } = await downloadMatrix(gpu, out);
      releaseMatrix(gpu, ga, gb, out);
      const expected = reference(a.data, b.data, m, k, n, transposeA).map((v, at) => v + c.data[at]);
      assertClose(data, expected, { relative: 1e-5, note: `seed ${testSeed}` });
    });
  }
});

Deno.test("matmul() lets NaN and infinities through to the values they touch, and to no others", async () => {
  const a = { data: new Float32Array([NaN, 1, 2, Infinity, 1, 1]), rows: 3, cols: 2 };
  const b = { data: new Float32Array([1, 2]), rows: 2, cols: 1 };
  const c = await matmul(gpu, a, b);
  assertEquals([...c.data], [NaN, Infinity, 3]);
  const last = { data: new Float32Array([1, Infinity]), rows: 2, cols: 1 }; // multiplied by the padding, it were NaN
  assertEquals([...(await matmul(gpu, a, last)).data], [NaN, Infinity, Infinity]);
});

Deno.test("matmul() says which inner sizes differ", async () => {
  await assertRejects(
    () => matmul(gpu, randomMatrix(3, 4), randomMatrix(3, 5), { transposeB: true }),
    RangeError,
    "matmul: A is 3 × 4 and Bᵀ is 5 × 3: the inner sizes differ.",
  );
});

Deno.test("matmul() says which operand is no matrix", async () => {
  const a = randomMatrix(2, 2);
  await assertRejects(
    () => matmul(gpu, { ...a, data: [1, 2, 3, 4] as unknown as Float32Array }, a),
    TypeError,
    "A is not a matrix: expected { data: Float32Array, rows, cols }.",
  );
  await assertRejects(
    () => matmul(gpu, a, { ...a, rows: 3 }),
    RangeError,
    "B holds 4 values: 3 × 2 needs 6.",
  );
  await assertRejects(
    () => matmul(gpu, a, { data: new Float32Array(0), rows: 2, cols: 0 }),
    RangeError,
    "B is 2 × 0: rows and columns must be positive whole numbers.",
  );
});
