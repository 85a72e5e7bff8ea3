import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { Matrix } from "../../mod.ts";
import { discretize } from "../../src/graph/discretize.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { normalizedCut as reference } from "../reference/normalized_cut.ts";
import { clusteredNodes } from "../support/clustered_nodes.ts";

const note = `seed ${testSeed}`;

/** Leading eigenvectors in float64, rounded to float32. */
function embedding(x: Matrix, k: number): Matrix {
  const { vectors } = reference(x.data, x.rows, x.cols);
  const data = Float32Array.from(
    { length: x.rows * k },
    (_, at) => vectors[Math.floor(at / k) * x.rows + at % k],
  );
  return { data, rows: x.rows, cols: k };
}

/** Orthonormal columns, rotated at random. */
function rotated(x: Matrix, seed: number): Matrix {
  const random = seededRandom(seed), data = x.data.slice(), { cols } = x;
  for (let p = 0; p < cols; p++) {
    for (let q = 0; q < p; q++) {
      const angle = 2 * Math.PI * random(), c = Math.cos(angle), s = Math.sin(angle);
      for (let at = 0; at < data.length; at += cols) {
        const [a, b] = [data[at + p], data[at + q]];
        [data[at + p], data[at + q]] = [c * a - s * b, s * a + c * b];
      }
    }
  }
  return { ...x, data };
}

function assertPartition(labels: Uint32Array, k: number, what: string): void {
  const firsts = [...new Set(labels)];
  assertEquals(firsts, Array.from({ length: k }, (_, i) => i), `${what}, ${note}`);
}

Deno.test("discretize() recovers indicator vectors from any rotation of them", () => {
  const random = seededRandom(testSeed);
  for (const [n, k] of [[1, 1], [7, 7], [40, 3], [211, 12], [500, 20]]) {
    const truth = Uint32Array.from({ length: n }, (_, i) => i < k ? i : Math.floor(random() * k));
    const data = new Float32Array(n * k);
    truth.forEach((label, i) => data[i * k + label] = 0.2 + random());
    const { labels, fit, repaired } = discretize(rotated({ data, rows: n, cols: k }, testSeed + n));
    assertEquals([...labels], [...truth], `${n} nodes in ${k} clusters, ${note}`);
    assertAlmostEquals(fit, 1, 1e-6, note);
    assertEquals(repaired, 0, note);
  }
});

Deno.test("discretize() comes near the best of all rotations in the plane", () => {
  const runs = 40, n = 60;
  let missed = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const random = seededRandom(seed); // half of the rows anywhere, the others in two sectors
    const angles = Array.from({ length: n }, () => {
      const sector = random() < 0.5 ? 0.3 : 2;
      return random() < 0.5 ? 2 * Math.PI * random() : sector + 0.5 * random();
    });
    const data = Float32Array.from(
      { length: 2 * n },
      (_, at) => (at % 2 ? Math.sin : Math.cos)(angles[at >> 1]),
    );
    let best = 0;
    for (let step = 0; step < 720; step++) {
      for (const sign of [1, -1]) {
        const along = (angle: number) => Math.max(Math.cos(angle), sign * Math.sin(angle));
        const fit = angles.reduce((sum, angle) => sum + along(angle - step * Math.PI / 360) / n, 0);
        best = Math.max(best, fit);
      }
    }
    missed += (best - discretize({ data, rows: n, cols: 2 }, { seed }).fit) / runs;
  }
  assert(missed < 0.001, `${missed} on average`);
});

Deno.test("discretize() finds the groups of clustered nodes", () => {
  for (const k of [2, 5, 9]) {
    const x = clusteredNodes(30 * k, 24, k, 0.2, testSeed);
    const { labels, fit } = discretize(embedding(x, k));
    assertEquals([...labels], Array.from(labels, (_, i) => i % k), note);
    assert(fit > 0.9, `fit ${fit}, ${note}`);
  }
});

Deno.test("discretize() leaves no cluster empty, whatever the vectors", () => {
  const repeat = (row: number[], n: number) => ({
    data: Float32Array.from({ length: n * row.length }, (_, at) => row[at % row.length]),
    rows: n,
    cols: row.length,
  });
  const cases: [string, Matrix][] = [
    ["identical rows", repeat([0.3, 0.1, 0.2], 10)],
    ["zero rows", repeat([0, 0, 0, 0], 9)],
    ["some zero rows", { ...repeat([0, 0], 9), data: new Float32Array(18).fill(1, 10) }],
    ["as many nodes as clusters, all alike", repeat([1, 1, 1, 1, 1], 5)],
    ["columns that depend on each other", repeat([1, 2, 1, -1], 50)],
    ["noise", randomMatrix(60, 20)],
    ["one node", repeat([1], 1)],
  ];
  for (const [name, x] of cases) {
    const { labels, fit } = discretize(x);
    assertPartition(labels, x.cols, name);
    assert(fit >= 0 && fit <= 1 + 1e-9, `${name}: fit ${fit}, ${note}`);
  }
});

Deno.test("discretize() moves the node that fits its own cluster worst into an empty cluster", () => {
  // All rows but 3 point along the first axis; no rotation gives the third axis a node.
  const data = new Float32Array([1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0.4, 0, 1, 0, 0, 0, 1, 0]);
  const { labels, repaired } = discretize({ data, rows: 6, cols: 3 });
  assertEquals([[...labels], repaired], [[0, 0, 1, 2, 0, 1], 1]);
});

Deno.test("discretize() gives the same labels again, for rotated vectors and flipped signs", () => {
  const x = embedding(clusteredNodes(120, 24, 6, 0.3, testSeed + 1), 6);
  const { labels } = discretize(x, { seed: 5 });
  assertEquals(discretize(x, { seed: 5 }).labels, labels, note);
  assertEquals(discretize(rotated(x, testSeed + 2), { seed: 6 }).labels, labels, note);
  const flipped = { ...x, data: x.data.map((v, at) => at % 6 === 2 ? -v : v) };
  assertEquals(discretize(flipped, { seed: 5 }).labels, labels, note);
});

Deno.test("discretize() refuses what has no answer", () => {
  const x = randomMatrix(4, 5);
  assertThrows(
    () => discretize(x),
    RangeError,
    "4 nodes cannot form 5 clusters, none of them empty: give 4 eigenvectors or fewer.",
  );
  const bad = randomMatrix(5, 4);
  bad.data[14] = NaN;
  assertThrows(() => discretize(bad), RangeError, "eigenvectors: node 3 has NaN in column 2");
});
