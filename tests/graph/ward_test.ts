import { assert, assertEquals, assertThrows } from "@std/assert";
import golden from "../golden/ward.json" with { type: "json" };
import { clusterOf, clusterTree, wardMerges } from "../../src/graph/ward.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const note = `seed ${testSeed}`;
const CASES = golden.cases.map(({ points, ...rest }) => ({
  points: { data: Float32Array.from(points.flat()), rows: points.length, cols: points[0].length },
  ...rest,
}));

/** The same partition with clusters numbered by their first point. */
function byAppearance(labels: ArrayLike<number>): number[] {
  const seen = [...new Set(Array.from(labels))];
  return Array.from(labels, (label) => seen.indexOf(label));
}

Deno.test("wardMerges() has scipy's heights", () => {
  for (const { points, heights } of CASES) {
    const found = wardMerges(points).map(({ height }) => height);
    assertClose(Float64Array.from(found), Float64Array.from(heights), { relative: 1e-6 });
  }
});

Deno.test("clusterTree() cuts into scipy's partitions for every number of clusters", () => {
  for (const { points, partitions } of CASES) {
    const tree = clusterTree(points, 64);
    for (const [k, expected] of Object.entries(partitions)) {
      const found = Array.from(tree.labels, (label) => clusterOf(tree, label, Number(k)));
      assertEquals(byAppearance(found), byAppearance(expected), `${k} clusters`);
    }
  }
});

Deno.test("clusterTree() parts exactly one cluster with each one more, the larger part keeps its number", () => {
  const tree = clusterTree(randomMatrix(90, 4), 20);
  assertEquals(tree.parents.length, 20);
  const cut = (k: number) => Array.from(tree.labels, (label) => clusterOf(tree, label, k));
  for (let k = 1; k < 20; k++) {
    const [before, after] = [cut(k), cut(k + 1)];
    const moved = before.flatMap((label, i) => label === after[i] ? [] : [i]);
    assert(moved.every((i) => after[i] === k), `${k} clusters, ${note}`);
    assertEquals(new Set(moved.map((i) => before[i])).size, 1, `${k} clusters, ${note}`);
    const stayed = after.filter((label) => label === before[moved[0]]).length;
    assert(stayed >= moved.length, `${k} clusters, ${note}`);
  }
});

Deno.test("clusterTree() takes equal points, one point, and names one that is not finite", () => {
  const equal = clusterTree({ data: new Float32Array(12).fill(1), rows: 6, cols: 2 }, 4);
  assertEquals([equal.parents.length, new Set(equal.labels).size], [4, 4]);
  assertEquals(clusterTree({ data: Float32Array.of(1), rows: 1, cols: 1 }, 4).parents, [0]);
  assertThrows(
    () => wardMerges({ data: Float32Array.of(1, NaN), rows: 2, cols: 1 }),
    RangeError,
    "points: node 1 has NaN in column 0",
  );
});
