import { affinity, closeGpu, openGpu } from "../../mod.ts";
import { affinityBlock, releaseUnitRows, uploadUnitRows } from "../../src/graph/affinity.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affinityShared as reference } from "../reference/affinity_shared.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const shared = { ...gpu, variant: "shared" as const };
const registers = { ...gpu, variant: "registers" as const };
const note = `seed ${testSeed}`;

Deno.test("affinity() in shared memory equals the float64 reference, and the other variant to the bit", async (t) => {
  for (const [n, d] of [[1, 1], [33, 5], [64, 16], [67, 129], [257, 19], [300, 1024], [65, 2051]]) {
    await t.step(`${n} nodes, ${d} channels`, async () => {
      const x = randomMatrix(n, d);
      const { data } = await affinity(shared, x);
      const relative = 1e-6 * Math.max(1, Math.sqrt(d / 64)); // d float32 products, up to 1024 one after the other
      assertClose(data, reference(x.data, n, x.data, n, d), { relative, note });
      assertSameBits(data, (await affinity(registers, x)).data, note);
      assertSameBits(
        (await affinity(withBindings(shared, 2 ** 16), x)).data,
        data,
        `small bindings, ${note}`,
      );
    });
  }
});

Deno.test("affinityBlock() in shared memory makes rows against other columns, as without", async () => {
  const [n, m, d, first, count] = [90, 131, 37, 7, 71];
  const x = randomMatrix(n, d), y = randomMatrix(m, d, 1), results = [];
  for (const variant of [shared, registers]) {
    const rows = uploadUnitRows(variant, x), columns = uploadUnitRows(variant, y, "columns", rows.centre);
    const out = allocateMatrix(variant, count, m, "block");
    affinityBlock(variant, rows, first, count, columns, {
      buffer: out.panels[0],
      stride: out.stride,
      row: 0,
    });
    results.push((await downloadMatrix(variant, out)).data);
    releaseUnitRows(variant, rows, columns);
    releaseMatrix(variant, out);
  }
  assertSameBits(results[0], results[1], note);
});
