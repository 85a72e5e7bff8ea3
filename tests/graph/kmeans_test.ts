import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Matrix } from "../../mod.ts";
import { kmeans } from "../../src/graph/kmeans.ts";
import { assertClose } from "../support/assert_close.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const note = `seed ${testSeed}`;

/** Inertia and means of a partition, straight from their definitions. */
function measured(x: Matrix, labels: Uint32Array, k: number) {
  const centers = new Float64Array(k * x.cols);
  let inertia = 0;
  for (let c = 0; c < k; c++) {
    const members = [...labels.keys()].filter((i) => labels[i] === c);
    for (let j = 0; j < x.cols; j++) {
      const values = members.map((i) => x.data[i * x.cols + j]);
      const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
      centers[c * x.cols + j] = mean;
      inertia += values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    }
  }
  return { centers, inertia };
}

/** Smallest inertia over all partitions of the first nodes into k parts, by trying them all. */
function smallestInertia(x: Matrix, k: number): number {
  let best = Infinity;
  const labels = new Uint32Array(x.rows);
  const place = (node: number, used: number) => {
    if (node === x.rows) {
      if (used === k) best = Math.min(best, measured(x, labels, k).inertia);
      return;
    }
    for (let c = 0; c < Math.min(used + 1, k); c++) {
      labels[node] = c;
      place(node + 1, Math.max(used, c + 1));
    }
  };
  place(0, 0);
  return best;
}

Deno.test("kmeans() finds separate groups", () => {
  for (const k of [1, 2, 7, 20]) {
    const x = clusteredNodes(25 * k, 16, k, 0.05, testSeed);
    const { labels } = kmeans(x, { clusters: k, seed: testSeed });
    assertEquals([...labels], Array.from(labels, (_, i) => i % k), note);
  }
});

Deno.test("kmeans() reports the means and the inertia of its labels, and no node has a nearer mean", () => {
  const x = randomMatrix(301, 5), k = 9;
  const { labels, centers, inertia } = kmeans(x, { clusters: k });
  const expected = measured(x, labels, k);
  assertClose(centers, expected.centers, { relative: 1e-9, note });
  assertClose([inertia], [expected.inertia], { relative: 1e-9, note });
  for (let i = 0; i < x.rows; i++) {
    const distances = Array.from(
      { length: k },
      (_, c) => Math.hypot(...centers.subarray(c * 5, c * 5 + 5).map((v, j) => v - x.data[i * 5 + j])),
    );
    assert(distances[labels[i]] <= Math.min(...distances) + 1e-9, `node ${i}, ${note}`);
  }
});

Deno.test("kmeans() reaches the smallest inertia there is on small inputs", () => {
  for (let key = 0; key < 4; key++) {
    const x = randomMatrix(9, 2, key), smallest = smallestInertia(x, 3);
    const { inertia } = kmeans(x, { clusters: 3, restarts: 500 });
    assertClose([inertia], [smallest], { relative: 1e-9, note });
  }
});

Deno.test("kmeans() keeps the best of its restarts", () => {
  const x = randomMatrix(200, 3);
  const one = kmeans(x, { clusters: 12, restarts: 1 }), many = kmeans(x, { clusters: 12, restarts: 8 });
  assert(many.inertia <= one.inertia, `${many.inertia} and ${one.inertia}, ${note}`);
});

Deno.test("kmeans() leaves no cluster empty, also where nodes coincide", () => {
  const alike = { data: new Float32Array(30).fill(2), rows: 10, cols: 3 };
  const twoPlaces = { data: Float32Array.from({ length: 12 }, (_, i) => i % 2), rows: 12, cols: 1 };
  for (const [x, k] of [[alike, 1], [alike, 4], [alike, 10], [twoPlaces, 5]] as const) {
    const { labels, inertia } = kmeans(x, { clusters: k });
    assertEquals([...new Set(labels)], Array.from({ length: k }, (_, i) => i));
    if (x === alike) assertEquals(inertia, 0);
  }
});

Deno.test("kmeans() gives the same bits for the same seed", () => {
  const x = randomMatrix(150, 4);
  assertEquals(kmeans(x, { clusters: 6, seed: 3 }), kmeans(x, { clusters: 6, seed: 3 }), note);
});

Deno.test("kmeans() refuses what has no answer", () => {
  const x = randomMatrix(4, 2);
  for (const clusters of [0, 5, 1.5, NaN]) {
    assertThrows(
      () => kmeans(x, { clusters }),
      RangeError,
      `clusters is ${clusters}: 4 nodes form 1 to 4 clusters`,
    );
  }
  assertThrows(() => kmeans(x, { clusters: 2, restarts: 0 }), RangeError, "restarts is 0");
  x.data[5] = Infinity;
  assertThrows(
    () => kmeans(x, { clusters: 2 }),
    RangeError,
    "points: node 2 has Infinity in column 1; every value must be finite.",
  );
});
