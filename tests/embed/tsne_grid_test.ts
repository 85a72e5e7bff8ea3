import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu, tsne } from "../../mod.ts";
import { repulsiveForces } from "../../src/embed/exact_repulsion.ts";
import { jointProbabilities } from "../../src/embed/joint_probabilities.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("tsne() of more points than it takes in pairs: the divergence is exact to 0.1 %, and equal bits come twice", async () => {
  const n = 8100, x = clusteredNodes(n, 6, 12, 0.3, testSeed), note = `seed ${testSeed}`;
  const options = { dimensions: 2, perplexity: 4, iterations: 60 } as const;
  const { points, kl } = await tsne(gpu, x, options);
  assertEquals((await tsne(gpu, x, options)).points.data, points.data, note);
  const y = Float32Array.from(
    { length: 4 * n },
    (_, at) => at % 4 < 2 ? points.data[2 * (at >> 2) + at % 4] : 0,
  );
  const { z } = await repulsiveForces(gpu, y, n), joint = await jointProbabilities(gpu, x, 4);
  let exact = 0;
  for (let i = 0; i < n; i++) {
    for (let at = joint.rowStart[i]; at < joint.rowStart[i + 1]; at++) {
      const j = joint.cols[at], squared = (y[4 * i] - y[4 * j]) ** 2 + (y[4 * i + 1] - y[4 * j + 1]) ** 2;
      if (joint.p[at] > 0) exact += joint.p[at] * Math.log(joint.p[at] * z * (1 + squared));
    }
  }
  assert(Math.abs(kl - exact) <= 1e-3 * exact, `${kl}, exactly ${exact}, ${note}`);
});

Deno.test("tsne() says by number how many points it takes in two dimensions and in three", async () => {
  for (const [dimensions, most] of [[2, 250_000], [3, 20_000]] as const) {
    const rows = most + 1;
    await assertRejects(
      () => tsne(gpu, { data: new Float32Array(rows), rows, cols: 1 }, { dimensions }),
      RangeError,
      `t-SNE takes 4 to ${most} points in ${dimensions} dimensions, not ${rows}: embed a sub-sample and propagate it.`,
    );
  }
});
