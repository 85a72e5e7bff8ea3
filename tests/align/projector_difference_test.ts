import { assertAlmostEquals } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { projectorDifference } from "../../src/align/eigen_constraint.ts";
import { total } from "../../src/align/partial_loss.ts";
import { release } from "../../src/gpu/mod.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { projectorDifference as reference } from "../reference/projector_difference.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("projectorDifference() equals the float64 reference, plain and focal", async (t) => {
  for (const [n, after, before] of [[1, 1, 1], [5, 2, 3], [67, 10, 10], [131, 7, 11], [257, 20, 19]]) {
    for (const focal of [false, true]) {
      await t.step(`${n} nodes, ${after} and ${before} components${focal ? ", focal" : ""}`, async () => {
        const [xa, xb, a] = [after, before, n].map((cols, key) => randomMatrix(n, cols, key));
        const [ga, gb, gA] = [xa, xb, a].map((x) => uploadMatrix(gpu, x, "operand"));
        const { difference, squares } = projectorDifference(gpu, ga, gb, gA, focal);
        const expected = reference(xa.data, xb.data, a.data, n, focal);
        const { data } = await downloadMatrix(gpu, difference);
        assertClose(data, expected.difference, {
          relative: 1e-5,
          scale: expected.terms,
          note: `seed ${testSeed}`,
        });
        assertAlmostEquals(
          await total(gpu, squares),
          expected.square,
          1e-4 * Math.max(expected.square, expected.terms ** 2),
        );
        release(gpu, squares.buffer);
        releaseMatrix(gpu, ga, gb, gA, difference);
      });
    }
  }
});
