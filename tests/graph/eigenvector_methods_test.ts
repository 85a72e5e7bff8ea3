import { assert, assertEquals, assertRejects } from "@std/assert";
import { closeGpu, type Matrix, openGpu } from "../../mod.ts";
import type { EigenvectorMethod } from "../../src/graph/baselines/eigenvector_method.ts";
import { exactCut } from "../../src/graph/baselines/exact_cut.ts";
import { fowlkesNystrom } from "../../src/graph/baselines/fowlkes_nystrom.ts";
import { descendOnBatches, minibatchGradient } from "../../src/graph/baselines/minibatch_gradient.ts";
import { assertClose } from "../support/assert_close.ts";
import { assertSameBits } from "../support/assert_same_bits.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { largestPrincipalAngle, leadingColumns } from "../support/principal_angle.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";
import { normalizedAffinity } from "../reference/normalized_cut.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
const METHODS: Record<string, EigenvectorMethod> = { exactCut, fowlkesNystrom, minibatchGradient };

function angle(a: Matrix, b: Matrix): number {
  return largestPrincipalAngle(leadingColumns(a, a.cols), leadingColumns(b, b.cols), a.rows, a.cols);
}

function assertOrthonormal(x: Matrix): void {
  const gram = matmul(x.data, x.data, x.cols, x.rows, x.cols, true);
  assertClose(gram, gram.map((_, at) => Number(at % (x.cols + 1) === 0)), { relative: 1e-4, note });
}

Deno.test("every method gives orthonormal columns, descending eigenvalues, and the same bits again", async (t) => {
  const x = clusteredNodes(211, 16, 4, 0.4, testSeed);
  for (const [name, method] of Object.entries(METHODS)) {
    await t.step(name, async () => {
      const options = { components: 4, landmarks: 80, seed: 3 };
      const { eigenvectors, eigenvalues } = await method(gpu, x, options);
      assertEquals([eigenvectors.rows, eigenvectors.cols, eigenvalues.length], [211, 4, 4]);
      assertOrthonormal(eigenvectors);
      assertEquals([...eigenvalues], [...eigenvalues].toSorted((a, b) => b - a), note);
      const again = await method(gpu, x, options);
      assertSameBits(again.eigenvectors.data, eigenvectors.data, name);
      assertEquals(again.eigenvalues, eigenvalues);
    });
  }
});

Deno.test("every method returns the buffers it took", async () => {
  const x = clusteredNodes(150, 9, 3, 0.4, testSeed), before = gpu.memory.inUse;
  for (const method of Object.values(METHODS)) await method(gpu, x, { components: 3, landmarks: 40 });
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("fowlkesNystrom() with all nodes as landmarks has the exact eigenvectors", async () => {
  for (const [n, d, groups, noise] of [[17, 5, 3, 0.3], [150, 24, 6, 0.3], [301, 33, 5, 0.5]]) {
    const x = clusteredNodes(n, d, groups, noise, testSeed + n);
    const exact = await exactCut(gpu, x, { components: groups });
    const found = await fowlkesNystrom(gpu, x, { components: groups, landmarks: n });
    const apart = angle(exact.eigenvectors, found.eigenvectors);
    assert(apart < 1e-3, `${n} nodes: the largest principal angle is ${apart}, ${note}`);
    assertClose(found.eigenvalues, exact.eigenvalues, { relative: 1e-5, note });
  }
});

Deno.test("fowlkesNystrom() is near with a third of the nodes, and nearer with two thirds", async () => {
  const x = clusteredNodes(300, 24, 6, 0.3, testSeed);
  const exact = await exactCut(gpu, x, { components: 6 });
  const angles = [];
  for (const landmarks of [100, 200]) {
    const found = await fowlkesNystrom(gpu, x, { components: 6, landmarks, seed: testSeed });
    angles.push(angle(exact.eigenvectors, found.eigenvectors));
  }
  assert(angles[0] < 0.1 && angles[1] < angles[0], `angles ${angles}, ${note}`);
});

Deno.test("fowlkesNystrom() takes graphs whose affinity is singular", async () => {
  const few = randomMatrix(5, 3), n = 60;
  const data = Float32Array.from({ length: n * 3 }, (_, at) => few.data[Math.floor(at / 3) % 5 * 3 + at % 3]);
  const x = { data, rows: n, cols: 3 }; // five nodes, twelve times each
  const exact = await exactCut(gpu, x, { components: 3 });
  const found = await fowlkesNystrom(gpu, x, { components: 3, landmarks: 60 });
  assertClose(found.eigenvalues, exact.eigenvalues, { relative: 1e-5, note });
});

Deno.test("fowlkesNystrom() refuses what it cannot do in one sentence", async () => {
  const x = randomMatrix(9, 4);
  for (const landmarks of [1, 10, 2.5]) {
    await assertRejects(
      () => fowlkesNystrom(gpu, x, { components: 2, landmarks }),
      RangeError,
      `landmarks is ${landmarks}: 2 eigenvectors of 9 nodes need 2 to 9 landmarks.`,
    );
  }
  x.data.fill(0, 4, 8);
  await assertRejects(
    () => fowlkesNystrom(gpu, x, { components: 2, landmarks: 5 }),
    RangeError,
    "features: node 1 is a zero vector",
  );
});

/** Nodes around directions at right angles to each other: one wide gap, after as many eigenvalues as there are groups. */
function separateNodes(n: number, groups: number): Matrix {
  const { data } = randomMatrix(n, 24);
  return {
    data: data.map((v, at) => Number(at % 24 % groups === Math.floor(at / 24) % groups) + 0.1 * v),
    rows: n,
    cols: 24,
  };
}

/** ‖M − Y Yᵀ‖² of eigenvectors scaled by the roots of their eigenvalues, in float64. */
function objective(x: Matrix, { eigenvectors, eigenvalues }: Awaited<ReturnType<EigenvectorMethod>>): number {
  const n = x.rows, c = eigenvalues.length;
  const { m } = normalizedAffinity(x.data, n, x.cols);
  const y = Float64Array.from(eigenvectors.data, (v, at) => v * Math.sqrt(eigenvalues[at % c]));
  const product = matmul(
    y,
    Float64Array.from({ length: c * n }, (_, at) => y[at % n * c + Math.floor(at / n)]),
    n,
    c,
    n,
  );
  return product.reduce((sum, v, at) => sum + (v - m[at]) ** 2, 0);
}

Deno.test("descendOnBatches() lowers ‖M − Y Yᵀ‖², down to that of the exact eigenvectors", async () => {
  const x = separateNodes(300, 4);
  const batchObjectives: number[] = [];
  const at = (epochs: number) => descendOnBatches(x, { components: 4, epochs, batch: 100, seed: testSeed });
  const early = objective(x, at(3));
  const late = descendOnBatches(x, {
    components: 4,
    batch: 100,
    seed: testSeed,
    onEpoch: (_, value) => batchObjectives.push(value),
  });
  const least = objective(x, await exactCut(gpu, x, { components: 4 }));
  const left = (objective(x, late) - least) / (early - least);
  assert(early > 1.5 * least && left > 0 && left < 0.01, `${left} of what was to be gained is left, ${note}`);
  assert(batchObjectives.at(-1)! < 0.05 * batchObjectives[0], `${batchObjectives}, ${note}`);
  assertEquals(batchObjectives.length, 120);
});

Deno.test("minibatchGradient() is within 3 degrees of the exact eigenvectors where gaps are wide", async () => {
  const x = separateNodes(400, 4);
  const exact = await exactCut(gpu, x, { components: 4 });
  const found = await minibatchGradient(gpu, x, { components: 4, seed: testSeed });
  const apart = angle(exact.eigenvectors, found.eigenvectors) * 180 / Math.PI;
  assert(apart < 3, `${apart} degrees, ${note}`);
  assertClose(found.eigenvalues, exact.eigenvalues, { relative: 0, absolute: 0.03, note });
});

Deno.test("minibatchGradient() refuses what it cannot do in one sentence", async () => {
  const x = randomMatrix(9, 4);
  await assertRejects(
    () => minibatchGradient(gpu, x, { components: 10 }),
    RangeError,
    "components is 10: 9 nodes have 1 to 9 eigenvectors.",
  );
  x.data.fill(0, 4, 8);
  await assertRejects(
    () => minibatchGradient(gpu, x, { components: 2 }),
    RangeError,
    "features: node 1 is a zero vector",
  );
  await assertRejects(
    () => Promise.resolve().then(() => descendOnBatches(randomMatrix(9, 4), { components: 2, batch: 0 })),
    RangeError,
    "batch is 0, epochs 120, rate 0.2: descent needs 2 nodes, 1 pass",
  );
});

Deno.test("descendOnBatches() has the objective of all pairs in batches of any size", () => {
  const n = 20, features = { data: new Float32Array(n * 3).fill(1), rows: n, cols: 3 };
  for (const batch of [2, 5, n]) { // equal nodes: every entry of the normalised affinity is 1/n, and y is near 0
    let found = NaN;
    descendOnBatches(features, {
      components: 1,
      batch,
      epochs: 1,
      rate: 1e-9,
      onEpoch: (_, objective) => found = objective,
    });
    assert(Math.abs(found - 1) < 0.03, `${found} in batches of ${batch}`);
  }
});
