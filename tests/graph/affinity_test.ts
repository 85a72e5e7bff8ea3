import { assert, assertEquals, assertRejects } from "@std/assert";
import { affinity, closeGpu, degrees, type Matrix, openGpu } from "../../mod.ts";
import { VARIANTS, writeBuffer } from "../../src/gpu/mod.ts";
import {
  affinityBlock,
  affinityLessOne,
  releaseUnitRows,
  symmetricAffinity,
  uploadUnitRows,
} from "../../src/graph/affinity.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affinity as reference, affinityLessOne as affinityLessOneReference } from "../reference/affinity.ts";
import { rowSum } from "../reference/row_sum.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
const SHAPES = [[1, 1], [2, 1], [3, 5], [15, 4], [17, 31], [64, 64], [67, 129], [257, 19]];

/** The device by variant of the kernels. */
const devices = VARIANTS.map((variant) => ({ ...gpu, variant }));

Deno.test("affinity() equals the float64 reference on awkward shapes, every variant the others to the bit", async (t) => {
  const long = [[33, 5], [65, 5], [300, 1024], [61, 1030], [65, 2051], [130, 2051]];
  for (const [n, d] of [...SHAPES, ...long]) {
    await t.step(`${n} nodes, ${d} channels`, async () => {
      const x = randomMatrix(n, d), expected = reference(x.data, n, x.data, n, d);
      const relative = 1e-6 * Math.max(1, Math.sqrt(d / 64)); // d float32 products, up to 1024 one after the other
      const first = await affinity(gpu, x), sums = await degrees(gpu, x);
      assertEquals([first.rows, first.cols], [n, n]);
      for (const device of devices) {
        const { data } = await affinity(device, x), of = `${device.variant}, ${note}`;
        assertClose(data, expected, { relative, note: of });
        assertSameBits(data, first.data, of);
        if (device.variant === gpu.variant || n * n * d <= 2e5) { // panels are the host's doing, alike for all variants
          const small = await affinity(withBindings(device, 2 ** 16), x);
          assertSameBits(small.data, data, `small bindings, ${of}`);
        }
        assertSameBits(await degrees(device, x), sums, `degrees, ${of}`);
      }
    });
  }
});

Deno.test("affinityBlock() makes rows against other columns, every variant the same bits", async (t) => {
  const [n, m, first, count] = [90, 131, 7, 71];
  for (const d of [37, 537, 1537]) {
    await t.step(`${d} channels`, async () => {
      const x = randomMatrix(n, d), y = randomMatrix(m, d, 1), results = [];
      for (const device of devices) {
        const rows = uploadUnitRows(device, x), columns = uploadUnitRows(device, y, "columns", rows.centre);
        const out = allocateMatrix(device, count, m, "block");
        const target = { buffer: out.panels[0], stride: out.stride, row: 0 };
        affinityBlock(device, rows, first, count, columns, target);
        results.push((await downloadMatrix(device, out)).data);
        releaseUnitRows(device, rows, columns);
        releaseMatrix(device, out);
      }
      const expected = affinityLessOneReference(x.data.subarray(first * d), count, y.data, m, d);
      assertClose(results[0], expected, { relative: 1e-5, absolute: 1e-5, note });
      for (const result of results) assertSameBits(result, results[0], note);
    });
  }
});

Deno.test("symmetricAffinity() computes half and mirrors it: the bits of all of it, zeros in the padding, nothing behind", async (t) => {
  const small = [[1, 3], [5, 4], [31, 5], [32, 7], [35, 2]];
  for (const [n, d] of [...small, [67, 129], [200, 6], [257, 19], [451, 3], [301, 1024], [150, 2500]]) {
    await t.step(`${n} nodes, ${d} channels`, async () => {
      const unit = uploadUnitRows(gpu, randomMatrix(n, d)), results = [], padded = Math.ceil(n / 4) * 4;
      for (const device of devices.filter(({ variant }) => variant !== "shared")) {
        const out = allocateMatrix(device, n + 1, padded, "affinity, and a row to be left alone");
        writeBuffer(device, out.panels[0], new Float32Array((n + 1) * out.stride).fill(NaN));
        symmetricAffinity(device, unit, { buffer: out.panels[0], stride: out.stride });
        results.push((await downloadMatrix(device, out)).data);
        releaseMatrix(device, out);
      }
      releaseUnitRows(gpu, unit);
      assertSameBits(results[0], results[1], note);
      assert(results[0].slice(-padded).every(Number.isNaN), `the row behind, ${note}`);
    });
  }
});

Deno.test("affinity() is symmetric to the bit, at most 1, at least e⁻², and 1 on the diagonal", async () => {
  const n = 131;
  const x = randomMatrix(n, 7);
  x.data.copyWithin(7, 0, 7); // node 1 repeats node 0
  for (let k = 0; k < 7; k++) x.data[14 + k] = -x.data[k]; // node 2 is opposite to it
  const { data } = await affinity(gpu, x);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const value = data[i * n + j];
      assertEquals(value, data[j * n + i], `(${i}, ${j}), ${note}`);
      assert(value <= 1 && value >= Math.exp(-2) * (1 - 1e-6), `A(${i}, ${j}) is ${value}, ${note}`);
    }
    assertClose([data[i * n + i]], [1], { relative: 1e-6, note });
  }
  assertClose([data[1], data[2]], [1, Math.exp(-2)], { relative: 1e-6, note });
});

/** Rows that are hard to tell apart by their cosines. */
function nearlyParallel(n: number, d: number): [string, Matrix][] {
  const x = randomMatrix(n, d), base = randomMatrix(1, d, 1).data;
  const made = (value: (v: number, i: number, k: number) => number): Matrix => ({
    ...x,
    data: x.data.map((v, at) => value(v, Math.floor(at / d), at % d)),
  });
  return [
    ...[10, 1e3, 1e5].map((size): [string, Matrix] => [
      `a common channel of ${size}`,
      made((v, _, k) => k === 0 ? size : v),
    ]),
    ["a channel of 100 to 300", made((v, i, k) => k === 0 ? 100 + 200 * (i % 7) / 6 : v)],
    ...[1e-3, 1e-5].map((noise): [string, Matrix] => [
      `one vector and ${noise} of noise`,
      made((v, _, k) => base[k] + noise * v),
    ]),
  ];
}

Deno.test("affinityLessOne() keeps its digits where rows are nearly parallel, in every variant", async (t) => {
  const n = 70;
  for (const d of [3, 17, 768]) {
    for (const [name, x] of nearlyParallel(n, d)) {
      await t.step(`${name}, ${d} channels`, async () => {
        x.data.copyWithin(5 * d, 0, d); // node 5 repeats node 0
        const expected = affinityLessOneReference(x.data, n, x.data, n, d);
        for (const variant of VARIANTS) {
          const { data } = await affinityLessOne({ ...gpu, variant }, x);
          assertClose(data, expected, { relative: 2e-6, note: `${variant}, ${note}` });
          for (let i = 0; i < n; i++) {
            assertEquals([data[i * n + i], data[5 * n + i]], [0, data[i]], `${i}, ${variant}, ${note}`);
            for (let j = 0; j < i; j++) assertEquals(data[i * n + j], data[j * n + i], note);
          }
        }
      });
    }
  }
});

Deno.test("affinityLessOne() takes rows of several 100,000 channels in every variant", async () => {
  const [n, d] = [5, 300_001],
    x = randomMatrix(n, d),
    expected = affinityLessOneReference(x.data, n, x.data, n, d);
  for (const variant of VARIANTS) {
    const { data } = await affinityLessOne({ ...gpu, variant }, x);
    assertClose(data, expected, { relative: 2e-6, note: `${variant}, ${note}` });
  }
});

Deno.test("affinity() and degrees() give the same bits whatever the panels", async () => {
  const x = randomMatrix(257, 33);
  const whole = await affinity(gpu, x), sums = await degrees(gpu, x);
  for (const bytes of [2 ** 13, 2 ** 16]) {
    const small = withBindings(gpu, bytes);
    assertSameBits((await affinity(small, x)).data, whole.data, `bindings of ${bytes} bytes, ${note}`);
    assertSameBits(await degrees(small, x), sums, `degrees, bindings of ${bytes} bytes, ${note}`);
  }
});

Deno.test("degrees() equals the float64 reference", async (t) => {
  for (const [n, d] of SHAPES) {
    await t.step(`${n} nodes, ${d} channels`, async () => {
      const x = randomMatrix(n, d);
      const expected = rowSum(reference(x.data, n, x.data, n, d), n, n);
      assertClose(await degrees(gpu, x), expected, { relative: 1e-6, note });
    });
  }
});

Deno.test("affinityBlock() makes rows against other columns, and zeros in the padding", async (t) => {
  for (const [n, m, d, first, count] of [[9, 5, 3, 0, 9], [37, 61, 19, 13, 11], [70, 131, 8, 1, 64]]) {
    await t.step(`rows ${first} … ${first + count - 1} of ${n} against ${m}, ${d} channels`, async () => {
      const x = randomMatrix(n, d), y = randomMatrix(m, d, 1);
      for (const bytes of [Infinity, 2 ** 12]) {
        const small = withBindings(gpu, bytes);
        const rows = uploadUnitRows(small, x), columns = uploadUnitRows(small, y, "columns", rows.centre);
        const padded = allocateMatrix(gpu, count + 2, Math.ceil(m / 4) * 4, "block");
        const target = { buffer: padded.panels[0], stride: padded.stride, row: 2 };
        affinityBlock(small, rows, first, count, columns, target);
        const { data } = await downloadMatrix(gpu, padded);
        releaseUnitRows(gpu, rows, columns);
        releaseMatrix(gpu, padded);
        const expected = affinityLessOneReference(x.data.subarray(first * d), count, y.data, m, d);
        for (let i = 0; i < count; i++) {
          const row = data.subarray((i + 2) * padded.stride, (i + 3) * padded.stride);
          assertClose(row.subarray(0, m), expected.subarray(i * m, (i + 1) * m), {
            relative: 1e-5,
            absolute: 1e-5,
            note: `row ${i}, bindings of ${bytes} bytes, ${note}`,
          });
          assertEquals([...row.subarray(m)].map(Math.abs), new Array(padded.stride - m).fill(0), note);
        }
      }
    });
  }
});

Deno.test("affinity() names the node when a row is zero or not finite", async () => {
  const x = randomMatrix(6, 5);
  x.data.fill(0, 20, 25);
  await assertRejects(
    () => affinity(gpu, x),
    RangeError,
    "features: node 4 is a zero vector, which has no cosine with others",
  );
  x.data[12] = NaN;
  await assertRejects(() => degrees(gpu, x), RangeError, "features: node 2 has NaN in channel 2");
});
