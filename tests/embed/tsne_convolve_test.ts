import { closeGpu, openGpu } from "../../mod.ts";
import { allocate, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { convolve } from "../../src/embed/grid_kernels.ts";
import { tsneConvolve } from "../reference/tsne_convolve.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

Deno.test("convolve() multiplies complex numbers and sums |ĉ|² k̂, as the reference does", async (t) => {
  const gpu = await openGpu(), note = `seed ${testSeed}`;
  for (const [rows, cols] of [[1, 1], [7, 13], [33, 64], [64, 9]]) {
    await t.step(`${rows} × ${cols}`, async () => {
      const c = randomMatrix(rows * cols, 4),
        g = randomMatrix(rows * cols, 4, 1),
        k = randomMatrix(rows * cols, 2, 2);
      const count = Math.ceil(rows / 32) * cols, own = 0.25;
      const [field, forces, kernel, parts] = [16, 16, 8, 16].map((bytes) =>
        allocate(gpu, bytes * rows * cols, "field")
      );
      writeBuffer(gpu, field, c.data);
      writeBuffer(gpu, forces, g.data);
      writeBuffer(gpu, kernel, k.data);
      convolve(gpu, field, { forces, kernel }, parts, { rows, cols, own });
      const [product, sums] = await readBuffers(gpu, [
        { buffer: field, bytes: 16 * rows * cols },
        { buffer: parts, bytes: 16 * count },
      ]);
      const expected = tsneConvolve(c.data, g.data, k.data);
      assertClose(new Float32Array(product), expected.product, { relative: 1e-6, note });
      const sum = new Float32Array(sums).reduce(
        (total, value, at) => at % 4 === 3 ? total + value : total,
        0,
      );
      const scale = k.data.reduce((total, _, at) => total + c.data[2 * at] ** 2 + c.data[2 * at + 1] ** 2, 0);
      assertClose([sum], [expected.sum - own * count], { relative: 1e-5, scale, note });
      for (const buffer of [field, forces, kernel, parts]) release(gpu, buffer);
    });
  }
  closeGpu(gpu);
});
