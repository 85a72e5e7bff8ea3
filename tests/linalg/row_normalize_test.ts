import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu, rowNormalize } from "../../mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { rowNormalize as reference } from "../reference/row_normalize.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("rowNormalize() equals the float64 reference on awkward shapes", async (t) => {
  for (const [n, d] of [[1, 1], [1, 5], [2, 4], [15, 3], [16, 16], [17, 31], [131, 67], [509, 129]]) {
    await t.step(`${n} × ${d}`, async () => {
      const x = randomMatrix(n, d);
      const unit = await rowNormalize(gpu, x);
      assertEquals([unit.rows, unit.cols], [n, d]);
      assertClose(unit.data, reference(x.data, n, d), { relative: 1e-6, note: `seed ${testSeed}` });
    });
  }
});

Deno.test("rowNormalize() keeps directions at scales whose squares leave float32", async (t) => {
  const smallest = 2 ** -126, pair = { data: Float32Array.of(smallest / 2, 2 * smallest), rows: 1, cols: 2 };
  const keepsSubnormals = (await rowNormalize(gpu, pair)).data[0] > 0; // SwiftShader takes them for 0
  for (const scale of [1e-37, 1e-30, 1e-20, 1e20, 1e30]) {
    await t.step(`× ${scale}`, async () => {
      const x = randomMatrix(7, 13);
      x.data = x.data.map((v) => v * scale);
      const { data } = await rowNormalize(gpu, x);
      const counted = x.data.map((v) => keepsSubnormals || Math.abs(v) >= smallest ? v : 0);
      assertClose(data, reference(counted, 7, 13), { relative: 1e-6, note: `seed ${testSeed}` });
    });
  }
});

Deno.test("rowNormalize() gives the same bits whatever the panels", async () => {
  const x = randomMatrix(997, 35);
  const { data } = await rowNormalize(gpu, x);
  for (const bytes of [2 ** 12, 2 ** 16]) {
    const panels = await rowNormalize(withBindings(gpu, bytes), x);
    assertSameBits(panels.data, data, `bindings of ${bytes} bytes, seed ${testSeed}`);
  }
});

Deno.test("rowNormalize() names the row that has no direction", async () => {
  const bad = (at: number, value: number) => {
    const x = randomMatrix(9, 4);
    x.data[at] = value;
    return x;
  };
  const zero = randomMatrix(9, 4);
  zero.data.fill(0, 20, 24);
  await assertRejects(() => rowNormalize(gpu, zero), RangeError, "rows: node 5 is a zero vector");
  await assertRejects(() => rowNormalize(gpu, bad(31, NaN)), RangeError, "rows: node 7 has NaN in channel 3");
  await assertRejects(
    () => rowNormalize(gpu, bad(0, Infinity)),
    RangeError,
    "rows: node 0 has Infinity in channel 0",
  );
  await assertRejects(
    () => rowNormalize(gpu, bad(35, -Infinity)),
    RangeError,
    "rows: node 8 has -Infinity in channel 3",
  );
});

Deno.test("rowNormalize() says that a row is subnormal, not that it is zero", async () => {
  const x = randomMatrix(3, 4);
  x.data.fill(1e-40, 4, 8);
  await assertRejects(
    () => rowNormalize(gpu, x),
    RangeError,
    "rows: node 1 has no value above 1.0e-40: that is subnormal in float32",
  );
});
