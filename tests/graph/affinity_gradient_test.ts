import { closeGpu, openGpu } from "../../mod.ts";
import { releaseUnitRows, uploadUnitRows } from "../../src/graph/affinity.ts";
import { affinityGradient, degreeGradient } from "../../src/graph/affinity_gradient.ts";
import { allocate, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { affinity } from "../reference/affinity.ts";
import { affinityGradient as reference } from "../reference/affinity_gradient.ts";
import { degreeGradient as degreeReference } from "../reference/degree_gradient.ts";
import { rowSum } from "../reference/row_sum.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

Deno.test("degreeGradient() and affinityGradient() equal the float64 references", async (t) => {
  for (const n of [1, 2, 13, 64, 131, 257]) {
    await t.step(`${n} nodes`, async () => {
      const x = randomMatrix(n, 7), product = randomMatrix(n, n, 1);
      const a = affinity(x.data, n, x.data, n, 7), degrees = rowSum(a, n, n);
      const graph = {
        affinity: uploadMatrix(gpu, { data: Float32Array.from(a), rows: n, cols: n }, "A"),
        root: allocate(gpu, n * 4, "root"),
        nodes: uploadUnitRows(gpu, x),
      };
      writeBuffer(gpu, graph.root, Float32Array.from(degrees, (d) => 1 / Math.sqrt(d)));
      const gp = uploadMatrix(gpu, product, "Z Xᵀ");
      const h = degreeGradient(gpu, graph, gp), out = affinityGradient(gpu, graph, gp, h, 1);
      const [bytes] = await readBuffers(gpu, [{ buffer: h, bytes: n * 4 }]);
      assertClose(new Float32Array(bytes), degreeReference(a, product.data, degrees), {
        relative: 1e-4,
        note,
      });
      const { data } = await downloadMatrix(gpu, out);
      assertClose(data, reference(a, product.data, degrees), { relative: 1e-4, note });
      releaseUnitRows(gpu, graph.nodes);
      releaseMatrix(gpu, graph.affinity, gp, out);
      for (const buffer of [graph.root, h]) release(gpu, buffer);
    });
  }
});
