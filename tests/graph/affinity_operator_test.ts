import { assert, assertEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { VARIANTS } from "../../src/gpu/mod.ts";
import { releaseUnitRows, uploadUnitRows } from "../../src/graph/affinity.ts";
import { affinityOperator } from "../../src/graph/affinity_operator.ts";
import { allocateMatrix, downloadMatrices, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { deflatedAffinity, normalizedAffinity } from "../reference/normalized_cut.ts";
import { matmul } from "../reference/matmul.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("affinityOperator() makes D^½ [X, 1] and its image as it makes degrees, as float64 has them", async (t) => {
  for (const [n, d, c] of [[5, 1, 1], [67, 129, 3], [131, 17, 16], [301, 5, 47]]) {
    for (const storage of ["stored", "tiled"] as const) {
      await t.step(`${n} × ${d}, ${c} columns, ${storage}`, async () => {
        const x = randomMatrix(n, d), columns = randomMatrix(n, c);
        const { degrees } = normalizedAffinity(x.data, n, d), { m } = deflatedAffinity(x.data, n, d);
        const vectors = Float64Array.from(
          { length: n * (c + 1) },
          (_, at) => {
            const i = Math.floor(at / (c + 1)), k = at % (c + 1);
            return Math.sqrt(degrees[i]) * (k < c ? columns.data[i * c + k] : 1);
          },
        );
        const images = matmul(m, vectors, n, n, c + 1), scale = Math.sqrt(n);
        let bits: Float32Array | undefined;
        for (const variant of VARIANTS) {
          const device = { ...gpu, variant }, nodes = uploadUnitRows(device, x);
          const start = uploadMatrix(device, columns, "start");
          const operator = await affinityOperator(device, nodes, { storage, start });
          const { begun } = operator, again = allocateMatrix(device, n, c + 1, "again");
          assert(begun);
          operator.apply(begun.vectors, again);
          const [v, w, applied] = await downloadMatrices(device, begun.vectors, begun.images, again);
          assertClose(operator.degrees, degrees, { relative: 1e-6, note });
          assertClose(v.data, vectors, { relative: 1e-6, note });
          assertClose(w.data, images, { relative: 0, absolute: 3e-6 * scale, note });
          assertClose(w.data, applied.data, { relative: 0, absolute: 3e-6 * scale, note });
          if (bits) assertSameBits(w.data, bits, `${variant}, ${note}`);
          bits = w.data;
          releaseMatrix(device, begun.vectors, begun.images, again);
          operator.release();
          releaseUnitRows(device, nodes);
          assertEquals(gpu.memory.inUse, 0);
        }
      });
    }
  }
});
