import { closeGpu, type Gpu, openGpu } from "../../mod.ts";
import { squaredDistances } from "../../src/graph/knn.ts";
import { allocateMatrix, downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { squaredDistance } from "../reference/squared_distance.ts";

async function distances(gpu: Gpu, n: number, m: number, d: number, first = 0) {
  const x = randomMatrix(n, d), y = randomMatrix(m, d, 1);
  const gx = uploadMatrix(gpu, x, "x"),
    gy = uploadMatrix(gpu, y, "y"),
    out = allocateMatrix(gpu, n - first, m, "out");
  squaredDistances(gpu, gx, first, n - first, gy, { buffer: out.panels[0], stride: out.stride, row: 0 });
  const { data } = await downloadMatrix(gpu, out);
  releaseMatrix(gpu, gx, gy, out);
  return { data, expected: squaredDistance(x.data.subarray(first * d), n - first, y.data, m, d) };
}

Deno.test("squaredDistances() equals the float64 reference on awkward shapes", async (t) => {
  for (const bindingBytes of [undefined, 1 << 16]) {
    const gpu = await openGpu({ bindingBytes });
    for (
      const [n, m, d, first] of [[1, 1, 1, 0], [3, 5, 2, 1], [17, 31, 20, 0], [67, 129, 3, 13], [
        200,
        61,
        97,
        9,
      ]]
    ) {
      await t.step(
        `${n} × ${m}, d = ${d}, from row ${first}, bindings of ${bindingBytes ?? "any"} bytes`,
        async () => {
          const { data, expected } = await distances(gpu, n, m, d, first);
          assertClose(data, expected, { relative: 1e-5, note: `seed ${testSeed}` });
        },
      );
    }
    closeGpu(gpu);
  }
});
