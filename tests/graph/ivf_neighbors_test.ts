import { assert, assertEquals } from "@std/assert";
import { closeGpu, nearestNeighbors, openGpu } from "../../mod.ts";
import { ivfNeighbors, recallOf } from "../../src/graph/ivf_neighbors.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

Deno.test("ivfNeighbors() of few points are the nearest, none its own", async () => {
  for (const [n, d, k] of [[2, 1, 1], [67, 5, 13], [301, 3, 91]]) {
    const x = clusteredNodes(n, d, 3, 0.4, testSeed);
    const truth = await nearestNeighbors(gpu, x, x, { k, metric: "euclidean", excludeSelf: true });
    const found = await ivfNeighbors(gpu, x, k);
    assertEquals(found.indices, truth.indices, `${n} points, seed ${testSeed}`);
    assertEquals(found.similarities, truth.similarities);
  }
});

Deno.test("ivfNeighbors() finds 95 % of the nearest among 9,000, the same twice", async () => {
  const x = clusteredNodes(9000, 8, 20, 0.4, testSeed), k = 10;
  const found = await ivfNeighbors(gpu, x, k), recall = await recallOf(gpu, x, found, 100);
  assert(recall > 0.95, `recall ${recall}, seed ${testSeed}`);
  assertEquals((await ivfNeighbors(gpu, x, k)).indices, found.indices);
  found.indices.forEach((other, at) => assert(other !== Math.floor(at / k)));
});

Deno.test("ivfNeighbors() of equal points are K others", async () => {
  const k = 9, n = 300, x = { data: new Float32Array(n * 3).fill(2), rows: n, cols: 3 };
  const { indices } = await ivfNeighbors(gpu, x, k);
  for (let i = 0; i < n; i++) {
    const own = new Set(indices.subarray(i * k, (i + 1) * k));
    assert(own.size === k && !own.has(i), `row ${i}: ${[...own]}`);
  }
});
