import { closeGpu, openGpu } from "../../mod.ts";
import { repulsiveForces } from "../../src/embed/exact_repulsion.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { tsneRepulsion } from "../reference/tsne_repulsion.ts";

Deno.test("repulsiveForces() equals the float64 reference over one and several slices and windows", async (t) => {
  const gpu = await openGpu();
  for (const n of [1, 2, 67, 1009, 2500, 5003]) {
    await t.step(`${n} points`, async () => {
      const y = randomMatrix(n, 4).data.map((v, i) => i % 4 === 3 ? 0 : v);
      for (const freedom of [1, 2]) {
        const { forces, z } = await repulsiveForces(gpu, y, n, freedom);
        const expected = tsneRepulsion(y, n, freedom);
        const note = `${freedom} degrees of freedom, seed ${testSeed}`;
        assertClose(forces, expected, { relative: 1e-4, absolute: 1e-4, note });
        const total = expected.reduce((sum, v, i) => i % 4 === 3 ? sum + v : sum, 0);
        assertClose([z], [total], { relative: 1e-5, absolute: 1e-6 });
      }
    });
  }
  closeGpu(gpu);
});
