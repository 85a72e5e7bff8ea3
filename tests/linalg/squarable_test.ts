import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  cka,
  closeGpu,
  eigh,
  fitSpace,
  type Matrix,
  matrixSource,
  nearestNeighbors,
  openGpu,
  ridge,
  spectralMap,
  tsne,
} from "../../mod.ts";
import { openNearestRow } from "../../src/graph/nearest_row.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;
const times = (x: Matrix, factor: number): Matrix => ({ ...x, data: x.data.map((value) => value * factor) });
/** Powers of two, by which float32 changes no digit, at both ends of its range. */
const UNITS = [2 ** -100, 2 ** -62, 2 ** 58, 2 ** 100];

Deno.test("nearestNeighbors(), Euclidean, and openNearestRow() find the same rows in any unit", async () => {
  const x = randomMatrix(40, 5), queries = randomMatrix(7, 5, 1);
  const find = async (x: Matrix, queries: Matrix) => {
    const { indices } = await nearestNeighbors(gpu, queries, x, { k: 3, metric: "euclidean" });
    const search = openNearestRow(gpu, x, queries.rows);
    const nearest = await search.find(queries);
    search.release();
    return [...indices, ...nearest];
  };
  const expected = await find(x, queries);
  for (const unit of UNITS) assertEquals(await find(times(x, unit), times(queries, unit)), expected, note);
  const far = await nearestNeighbors(gpu, x, times(x, 2 ** 30), { k: 3, metric: "euclidean" });
  const scaled = await nearestNeighbors(gpu, times(x, 2 ** 25), times(x, 2 ** 55), {
    k: 3,
    metric: "euclidean",
  });
  assertEquals(scaled.similarities, far.similarities.map((value) => value * 2 ** 50), note);
});

Deno.test("nearestNeighbors(), Euclidean, names a row that is not finite, and excludes nothing but a row itself", async () => {
  const x = randomMatrix(9, 3), broken = { ...x, data: x.data.with(7, NaN) };
  const options = { k: 2, metric: "euclidean" } as const;
  await assertRejects(() => nearestNeighbors(gpu, x, broken, options), RangeError, "base: node 2 has NaN");
  await assertRejects(() => nearestNeighbors(gpu, broken, x, options), RangeError, "queries: node 2 has NaN");
  await assertRejects(
    () => nearestNeighbors(gpu, randomMatrix(8, 3), x, { ...options, excludeSelf: true }),
    RangeError,
    "excludeSelf takes the base itself for queries: these are 8 rows, the base 9.",
  );
});

Deno.test("tsne() and spectralMap() make the same map in any unit, to the last bit", async () => {
  const x = randomMatrix(30, 3), options = { iterations: 8, dimensions: 2 } as const;
  const { points, kl } = await tsne(gpu, x, options);
  const map = await spectralMap(gpu, matrixSource(x), { iterations: 4, sample: 12 });
  for (const unit of UNITS) {
    const other = await tsne(gpu, times(x, unit), options);
    assertEquals([other.points.data, other.kl], [points.data, kl], note);
    const own = await spectralMap(gpu, matrixSource(times(x, unit)), { iterations: 4, sample: map.sample });
    assertEquals(own.nearest, map.nearest, note);
  }
});

Deno.test("ridge() chooses the same penalties whatever the unit of the responses", async () => {
  const x = randomMatrix(30, 4), random = randomMatrix(30, 3, 1);
  const y = { ...random, data: random.data.map((value, at) => value / 8 + x.data[4 * Math.floor(at / 3)]) };
  for (const [alphaFor, unit] of [["voxel", 2 ** -90], ["all", 2 ** 90]] as const) {
    const options = { alphaFor, alphas: [0.3, 3, 1e4], folds: 2 };
    const expected = await ridge(gpu, x, y, options), own = await expected.predict(x);
    assert(expected.alpha.some((alpha) => alpha < 1e4), "the voxels can be predicted");
    const found = await ridge(gpu, x, times(y, unit), options);
    assertEquals(found.alpha, expected.alpha, note);
    assertClose(times(await found.predict(x), 1 / unit).data, own.data, { relative: 1e-5, note });
    assertClose(found.weights.data.map((w) => w / unit), expected.weights.data, { relative: 1e-5, note });
    assertClose(found.intercept.map((b) => b / unit), expected.intercept, { relative: 1e-4, note });
  }
});

Deno.test("eigh() and cka() are the same in any unit", () => {
  const n = 12, b = randomMatrix(n, n);
  const a = Float64Array.from({ length: n * n }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += b.data[Math.floor(at / n) * n + k] * b.data[at % n * n + k];
    return sum;
  });
  for (const method of ["divide-and-conquer", "jacobi", "lanczos"] as const) {
    const { eigenvalues } = eigh({ data: a, rows: n, cols: n }, { method, count: 3 });
    for (const unit of [1e-300, 1e-160, 1e160, 1e300]) {
      const found = eigh({ data: a.map((value) => value * unit), rows: n, cols: n }, { method, count: 3 });
      assertClose(found.eigenvalues.map((value) => value / unit), eigenvalues, { relative: 1e-12, note });
      assert(found.residuals.every((residual) => residual < 1e-10), `${note}: ${found.residuals}`);
    }
  }
  const x = randomMatrix(9, 4), y = randomMatrix(9, 5, 1);
  for (const debiased of [false, true]) {
    for (const unit of [2 ** -123, 2 ** 120]) {
      assertAlmostEquals(
        cka(times(x, unit), times(y, unit), { debiased }),
        cka(x, y, { debiased }),
        1e-6,
        note,
      );
    }
  }
  assertThrows(
    () => eigh({ data: a, rows: n, cols: n }, { method: "qr" as "jacobi" }),
    RangeError,
    '"jacobi" or "lanczos"',
  );
});

Deno.test("fitSpace() refuses units whose squares float32 cannot add up", async () => {
  const x = randomMatrix(20, 4), y = randomMatrix(20, 3, 1), slots = [{ name: "a", width: 4 }];
  await assertRejects(
    () => fitSpace(gpu, slots, times(x, 2 ** -80), y),
    RangeError,
    "pooled has values up to",
  );
  await assertRejects(
    () => fitSpace(gpu, slots, x, times(y, 2 ** 80)),
    RangeError,
    "responses has values up to",
  );
});
