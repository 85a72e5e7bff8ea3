import { assert } from "@std/assert";
import { affinity, closeGpu, degrees, openGpu } from "../../mod.ts";
import {
  affinityBlock,
  releaseUnitRows,
  symmetricAffinity,
  uploadUnitRows,
} from "../../src/graph/affinity.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix } from "../../src/linalg/matrix.ts";
import { writeBuffer } from "../../src/gpu/mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affinityLessOne } from "../reference/affinity.ts";
import { affinityTextures as reference } from "../reference/affinity_textures.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const textures = { ...gpu, variant: "textures" as const };
const registers = { ...gpu, variant: "registers" as const };
const note = `seed ${testSeed}`;

Deno.test("affinity() with textures equals the float64 reference, and the other variant to the bit", async (t) => {
  for (const [n, d] of [[64, 1], [65, 5], [67, 129], [257, 19], [300, 1024], [61, 1030], [130, 2051]]) {
    await t.step(`${n} nodes, ${d} channels`, async () => {
      const x = randomMatrix(n, d);
      const { data } = await affinity(textures, x);
      const relative = 1e-6 * Math.max(1, Math.sqrt(d / 64)); // d float32 products, up to 1024 one after the other
      assertClose(data, reference(x.data, n, x.data, n, d), { relative, note });
      assertSameBits(data, (await affinity(registers, x)).data, note);
      assertSameBits(
        (await affinity(withBindings(textures, 2 ** 16), x)).data,
        data,
        `small bindings, ${note}`,
      );
      assertSameBits(await degrees(textures, x), await degrees(registers, x), note);
    });
  }
});

Deno.test("affinityBlock() with textures makes rows against other columns, as without", async () => {
  const [n, m, d, first, count] = [90, 131, 537, 7, 71];
  const x = randomMatrix(n, d), y = randomMatrix(m, d, 1), results = [];
  for (const variant of [textures, registers]) {
    const rows = uploadUnitRows(variant, x), columns = uploadUnitRows(variant, y, "columns", rows.centre);
    const out = allocateMatrix(variant, count, m, "block");
    const target = { buffer: out.panels[0], stride: out.stride, row: 0 };
    affinityBlock(variant, rows, first, count, columns, target);
    results.push((await downloadMatrix(variant, out)).data);
    releaseUnitRows(variant, rows, columns);
    releaseMatrix(variant, out);
  }
  const expected = affinityLessOne(x.data.subarray(first * d), count, y.data, m, d);
  assertClose(results[0], expected, { relative: 1e-5, note });
  assertSameBits(results[0], results[1], note);
});

Deno.test("symmetricAffinity() makes half and mirrors it: the bits of all of it, zeros in the padding, nothing behind", async (t) => {
  for (
    const [n, d] of [[1, 3], [5, 4], [31, 5], [32, 7], [35, 2], [67, 129], [200, 6], [257, 19], [451, 3], [
      301,
      1024,
    ], [150, 2500]]
  ) {
    await t.step(`${n} nodes, ${d} channels`, async () => {
      const unit = uploadUnitRows(textures, randomMatrix(n, d)), results = [];
      for (const variant of [textures, registers]) {
        const out = allocateMatrix(
          variant,
          n + 1,
          Math.ceil(n / 4) * 4,
          "affinity, and a row to be left alone",
        );
        writeBuffer(variant, out.panels[0], new Float32Array((n + 1) * out.stride).fill(NaN));
        symmetricAffinity(variant, unit, { buffer: out.panels[0], stride: out.stride });
        results.push((await downloadMatrix(variant, out)).data);
        releaseMatrix(variant, out);
      }
      releaseUnitRows(textures, unit);
      assertSameBits(results[0], results[1], note);
      assert(results[0].slice(-Math.ceil(n / 4) * 4).every(Number.isNaN), `the row behind, ${note}`);
    });
  }
});
