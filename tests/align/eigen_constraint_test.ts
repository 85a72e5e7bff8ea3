import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../../mod.ts";
import { standardize } from "../../src/align/standardize.ts";
import {
  eigenConstraint,
  fewestNodes,
  nearestGap,
  nodeGraph,
  releaseGraph,
} from "../../src/align/eigen_constraint.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { assertClose } from "../support/assert_close.ts";
import { centralDifference } from "../support/central_difference.ts";
import { clusteredMatrix } from "../support/clustered.ts";
import { testSeed } from "../support/random.ts";
import { eigenConstraint as reference, keep } from "../reference/eigen_constraint.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

for (const focal of [false, true]) {
  const form = focal ? "focal" : "plain";

  Deno.test(`the reference's gradient of L_eigen equals central differences, ${form}`, () => {
    const n = 30, d = 8, c = 4;
    const before = keep(clusteredMatrix(n, d, c, 0.4, 1).data, n, d, c);
    const x = clusteredMatrix(n, d, c, 0.5, 2).data;
    const { gradient } = reference(x, n, d, c, before, focal);
    const differences = centralDifference((v) => reference(v, n, d, c, before, focal).loss, x, 1e-4);
    assertClose(gradient, differences, { relative: 1e-6, note });
  });

  Deno.test(`eigenConstraint() and its gradient equal the float64 reference, ${form}`, async (t) => {
    for (const [n, d, c] of [[97, 12, 4], [131, 31, 6], [256, 96, 10]]) {
      await t.step(`${n} nodes × ${d} channels, ${c} components`, async () => {
        const [xb, xa] = [1, 2].map((key) => clusteredMatrix(n, d, c, 0.3, key));
        const graphs = [];
        for (const x of [xb, xa]) graphs.push(await nodeGraph(gpu, uploadMatrix(gpu, x, "features"), c));
        const [before, after] = graphs, kept = before.eigenvectors.cols;
        const found = await eigenConstraint(gpu, before, after, { focal });
        const expected = reference(
          xa.data,
          n,
          d,
          after.eigenvectors.cols,
          keep(xb.data, n, d, kept),
          focal,
        );
        assertAlmostEquals(found.loss, expected.loss, 1e-3 * expected.loss);
        const { data } = await downloadMatrix(gpu, found.gradient!);
        assertClose(data, expected.gradient, { relative: 1e-3, note });
        releaseMatrix(gpu, found.gradient!);
        graphs.forEach((graph) => releaseGraph(gpu, graph));
      });
    }
  });
}

Deno.test("eigenConstraint() is 0 for the same features in other scales, without a gradient", async () => {
  const x = clusteredMatrix(128, 16, 5, 0.3);
  const scaled = { ...x, data: x.data.map((value) => 3 * value) };
  const graphs = [];
  for (const features of [x, scaled]) {
    graphs.push(await nodeGraph(gpu, uploadMatrix(gpu, features, "features"), 5));
  }
  const { loss, gradient } = await eigenConstraint(gpu, graphs[0], graphs[1]);
  assert(loss < 1e-3, `loss ${loss}, ${note}`);
  assertEquals(gradient, null);
  graphs.forEach((graph) => releaseGraph(gpu, graph));
});

Deno.test("nearestGap() keeps the wanted number where there is a gap and moves to the nearest elsewhere", () => {
  assertEquals(nearestGap([1, 0.5, 0.4, 0.3], 3), 3);
  assertEquals(nearestGap([1, 0.5, 0.4, 0.3999, 0.2], 3), 2);
  assertEquals(nearestGap([1, 0.5, 0.49999, 0.49998, 0.2], 2), 1);
  assertEquals(nearestGap([0.5, 0.499, 0.4985], 1), 1);
});

Deno.test("nodeGraph() moves to a gap after the last component that it solves beyond those asked for", async () => {
  // Six orthogonal clusters of one size: λ₂ … λ₆ are alike, and no gap is nearer to 4 than the one after the sixth.
  const n = 120, noise = clusteredMatrix(n, 8, 1, 1).data;
  const data = noise.map((value, at) => 1e-3 * value + Number(at % 8 === Math.floor(at / 8) % 6));
  const graph = await nodeGraph(gpu, uploadMatrix(gpu, { data, rows: n, cols: 8 }, "features"), 4);
  assertEquals(graph.eigenvectors.cols, 6, note);
  assert(graph.gap > 0.1, `${graph.gap}, ${note}`);
  releaseGraph(gpu, graph);
});

Deno.test("nodeGraph() says how many nodes it needs", async () => {
  const features = uploadMatrix(gpu, clusteredMatrix(20, 8, 3, 0.3), "features");
  await assertRejects(
    () => nodeGraph(gpu, features, 10),
    RangeError,
    `The eigen-constraint samples 20 nodes for 10 components: sample at least ${fewestNodes(10)}.`,
  );
  releaseMatrix(gpu, features);
});

Deno.test("the eigen-constraint returns every buffer it took", async () => {
  const before = gpu.memory.inUse;
  const graphs = [];
  for (const key of [1, 2]) {
    graphs.push(
      await nodeGraph(gpu, uploadMatrix(gpu, clusteredMatrix(128, 16, 5, 0.3, key), "features"), 5),
    );
  }
  const { gradient } = await eigenConstraint(gpu, graphs[0], graphs[1]);
  releaseMatrix(gpu, gradient!);
  graphs.forEach((graph) => releaseGraph(gpu, graph));
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("eigenConstraint() and its gradient hold where nodes are nearly parallel", async () => {
  const [n, d, c] = [97, 13, 3];
  const [xb, xa] = [1, 2].map((key) => {
    const x = clusteredMatrix(n, d, c, 0.3, key);
    return { ...x, data: x.data.map((v, at) => at % d === 0 ? 300 : v) };
  });
  const graphs = [];
  for (const x of [xb, xa]) graphs.push(await nodeGraph(gpu, uploadMatrix(gpu, x, "features"), c));
  const [before, after] = graphs, kept = before.eigenvectors.cols;
  const found = await eigenConstraint(gpu, before, after);
  const expected = reference(
    xa.data,
    n,
    d,
    after.eigenvectors.cols,
    keep(xb.data, n, d, kept),
    false,
  );
  assert(found.residual < 1e-4, `conjugate gradients left ${found.residual}, ${note}`);
  assertAlmostEquals(found.loss, expected.loss, 1e-2 * expected.loss);
  const { data } = await downloadMatrix(gpu, found.gradient!);
  assertClose(data, expected.gradient, { relative: 2e-2, note });
  releaseMatrix(gpu, found.gradient!);
  graphs.forEach((graph) => releaseGraph(gpu, graph));
});

Deno.test("eigenConstraint() leaves out a gradient that conjugate gradients could not solve for, and says so", async () => {
  const graphs = [];
  for (const key of [1, 2]) {
    graphs.push(await nodeGraph(gpu, uploadMatrix(gpu, clusteredMatrix(97, 12, 4, 0.3, key), "features"), 4));
  }
  const [before, after] = graphs;
  // with shifts below the spectrum the systems are no longer positive definite
  const found = await eigenConstraint(gpu, before, {
    ...after,
    eigenvalues: after.eigenvalues.map(() => -1),
  });
  assertEquals([found.gradient, found.solved], [null, false]);
  assert(found.loss > 0 && found.residual > 1e-3, note);
  graphs.forEach((graph) => releaseGraph(gpu, graph));
});

Deno.test("standardize() leaves what it is given as it is", () => {
  const pooled = { data: new Float32Array([1, 2, 3, 4]), rows: 2, cols: 2 };
  const scale = { mean: Float64Array.of(1, 1), slots: Float64Array.of(2), response: new Float32Array(1) };
  const { data } = standardize(pooled, [{ name: "a", width: 2 }], scale);
  assertEquals([[...data], [...pooled.data]], [[0, 0.5, 1, 1.5], [1, 2, 3, 4]]);
});
