import { assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { chargeScale, layOut } from "../../src/embed/grid_kernels.ts";
import { rootsOfUnity } from "../../src/linalg/fft.ts";
import { tsneCharges } from "../reference/tsne_charges.ts";
import { assertClose } from "../support/assert_close.ts";
import { testSeed } from "../support/random.ts";
import { seededRandom } from "../../src/linalg/random.ts";

Deno.test("layOut() equals the reference, and clears the charges", async (t) => {
  const gpu = await openGpu(), random = seededRandom(testSeed);
  for (const nodes of [2, 6, 13, 64]) {
    await t.step(`${nodes} × ${nodes} nodes`, async () => {
      const n = 1000, values = Uint32Array.from({ length: nodes * nodes }, () => 2 ** 32 * random());
      const charges = allocate(gpu, values.byteLength, "charges"), roots = rootsOfUnity(gpu, 2 * nodes);
      const field = allocate(gpu, 32 * nodes * nodes, "field");
      writeBuffer(gpu, charges, values);
      layOut(gpu, charges, roots.buffer, field, { n, nodes });
      const [cleared, found] = await readBuffers(gpu, [
        { buffer: charges, bytes: values.byteLength },
        { buffer: field, bytes: 32 * nodes * nodes },
      ]);
      assertEquals(new Uint32Array(cleared), new Uint32Array(nodes * nodes));
      const left = new Float32Array(found).filter((_, at) => (at >> 2) % (2 * nodes) < nodes);
      assertClose(left, tsneCharges(values, nodes, chargeScale(n)), {
        relative: 1e-6,
        note: `seed ${testSeed}`,
      });
      for (const buffer of [charges, roots.buffer, field]) release(gpu, buffer);
    });
  }
  closeGpu(gpu);
});
