import { affinity, closeGpu, degrees, openGpu } from "../mod.ts";
import { affinityBlock, uploadScale, uploadUnitRows } from "../src/graph/affinity.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix } from "../src/linalg/matrix.ts";
import { release } from "../src/gpu/mod.ts";
import { assertClose } from "./assert_close.ts";
import { assertSameBits } from "./assert_same_bits.ts";
import { randomMatrix, testSeed } from "./random.ts";
import { affinityPacked as reference } from "./reference/affinity_packed.ts";
import { withBindings } from "./simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const packed = { ...gpu, variant: "packed" as const };
const registers = { ...gpu, variant: "registers" as const };
const note = `seed ${testSeed}`;

Deno.test("affinity() with packed columns equals the float64 reference, and the other variant to the bit", async (t) => {
  for (const [n, d] of [[32, 1], [33, 5], [67, 129], [257, 19], [300, 1024], [61, 1030]]) {
    await t.step(`${n} nodes, ${d} channels`, async () => {
      const x = randomMatrix(n, d);
      const { data } = await affinity(packed, x);
      const relative = 1e-6 * Math.max(1, Math.sqrt(d / 64)); // d float32 sums, one after the other
      assertClose(data, reference(x.data, n, x.data, n, d), { relative, note });
      assertSameBits(data, (await affinity(registers, x)).data, note);
      assertSameBits(
        (await affinity(withBindings(packed, 2 ** 16), x)).data,
        data,
        `small bindings, ${note}`,
      );
      assertSameBits(await degrees(packed, x), await degrees(registers, x), note);
    });
  }
});

Deno.test("affinityBlock() with packed columns makes scaled rows against other columns, as without", async () => {
  const [n, m, d, first, count] = [90, 131, 37, 7, 71];
  const x = randomMatrix(n, d), y = randomMatrix(m, d, 1);
  const random = (count: number, key: number) => Float64Array.from(randomMatrix(1, count, key).data);
  const results = [];
  for (const variant of [packed, registers]) {
    const rows = uploadUnitRows(variant, x), columns = uploadUnitRows(variant, y);
    const scale = uploadScale(variant, n, random(n, 2), random(n, 3));
    const columnScale = uploadScale(variant, m, random(m, 4), random(m, 5));
    const out = allocateMatrix(variant, count, m, "block");
    const target = { buffer: out.panels[0], stride: out.stride, row: 0 };
    affinityBlock(variant, rows, scale, first, count, columns, columnScale, target);
    results.push((await downloadMatrix(variant, out)).data);
    releaseMatrix(variant, rows, columns, out);
    release(variant, scale.buffer);
    release(variant, columnScale.buffer);
  }
  const cosines = reference(x.data, n, y.data, m, d);
  const [s, q, sy, qy] = [random(n, 2), random(n, 3), random(m, 4), random(m, 5)];
  const expected = Float64Array.from({ length: count * m }, (_, at) => {
    const i = first + Math.floor(at / m), j = at % m;
    return s[i] * sy[j] * cosines[i * m + j] - q[i] * qy[j];
  });
  assertClose(results[0], expected, { relative: 1e-5, note });
  assertSameBits(results[0], results[1], note);
});
