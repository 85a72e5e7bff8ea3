import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  affinity,
  closeGpu,
  colorsFromPoints,
  matmul,
  type Matrix,
  nearestNeighbors,
  normalizedCut,
  openGpu,
  rowNormalize,
} from "../../mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { largestPrincipalAngle } from "../support/principal_angle.ts";
import { testSeed } from "../support/random.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const SETTINGS = { seed: testSeed % 2 ** 31, numRuns: 12 };

/** Numbers between −2 and 2, none of them near 0 in all channels of a row. */
const entry = fc.double({ min: -2, max: 2, noNaN: true }).map((value) =>
  Math.fround(value + (value < 0 ? -0.05 : 0.05))
);

function matrices(most: { rows: number; cols: number }, least = { rows: 1, cols: 1 }): fc.Arbitrary<Matrix> {
  return fc.tuple(
    fc.integer({ min: least.rows, max: most.rows }),
    fc.integer({ min: least.cols, max: most.cols }),
  ).chain(([rows, cols]) =>
    fc.array(entry, { minLength: rows * cols, maxLength: rows * cols }).map((values) => ({
      data: Float32Array.from(values),
      rows,
      cols,
    }))
  );
}

/** A matrix, and its rows in another order. */
const permuted = matrices({ rows: 120, cols: 9 }, { rows: 4, cols: 2 }).chain((x) =>
  fc.shuffledSubarray([...Array(x.rows).keys()], { minLength: x.rows }).map((order) => ({ x, order }))
);

function rowsOf(x: Matrix, order: number[]): Matrix {
  const data = new Float32Array(x.data.length);
  order.forEach((from, to) => data.set(x.data.subarray(from * x.cols, (from + 1) * x.cols), to * x.cols));
  return { ...x, data };
}

Deno.test("matmul() is associative up to rounding, and bilinear", async () => {
  const chains = fc.tuple(...[1, 2, 3, 4].map(() => fc.integer({ min: 1, max: 70 }))).chain(
    ([m, k, n, p]) => {
      const of = (rows: number, cols: number) => matrices({ rows, cols }, { rows, cols });
      return fc.tuple(of(m, k), of(k, n), of(n, p));
    },
  );
  await fc.assert(
    fc.asyncProperty(chains, async ([a, b, c]) => {
      const left = await matmul(gpu, await matmul(gpu, a, b), c);
      const right = await matmul(gpu, a, await matmul(gpu, b, c));
      assertClose(left.data, right.data, { relative: 2e-5, absolute: 1e-4 });
      const twice = await matmul(gpu, { ...a, data: a.data.map((value) => 2 * value) }, b);
      assertEquals(twice.data, (await matmul(gpu, a, b)).data.map((value) => 2 * value));
    }),
    SETTINGS,
  );
});

Deno.test("rowNormalize() gives rows of length 1, and the same ones again", async () => {
  await fc.assert(
    fc.asyncProperty(matrices({ rows: 90, cols: 70 }), async (x) => {
      const unit = await rowNormalize(gpu, x);
      for (let i = 0; i < x.rows; i++) {
        assert(Math.abs(Math.hypot(...unit.data.subarray(i * x.cols, (i + 1) * x.cols)) - 1) < 1e-6);
      }
      assertClose((await rowNormalize(gpu, unit)).data, unit.data, { relative: 3e-7 });
    }),
    SETTINGS,
  );
});

Deno.test("affinity() is symmetric, 1 on the diagonal, and blind to the lengths of rows", async () => {
  const scaled = matrices({ rows: 90, cols: 20 }, { rows: 2, cols: 1 }).chain((x) =>
    fc.array(fc.integer({ min: -6, max: 6 }), { minLength: x.rows, maxLength: x.rows }).map((powers) => ({
      x,
      powers,
    }))
  );
  await fc.assert(
    fc.asyncProperty(scaled, async ({ x, powers }) => {
      const a = await affinity(gpu, x), n = x.rows;
      for (let i = 0; i < n; i++) {
        assert(Math.abs(a.data[i * n + i] - 1) < 1e-6);
        for (let j = 0; j < i; j++) assertEquals(a.data[i * n + j], a.data[j * n + i]);
      }
      const data = x.data.map((value, at) => value * 2 ** powers[Math.floor(at / x.cols)]);
      assertClose((await affinity(gpu, { ...x, data })).data, a.data, { relative: 1e-6 });
    }),
    SETTINGS,
  );
});

Deno.test("normalizedCut() follows the order of the nodes, and is blind to a rotation of the channels", async () => {
  await fc.assert(
    fc.asyncProperty(permuted, fc.double({ min: 0, max: 6, noNaN: true }), async ({ x, order }, turn) => {
      const components = Math.min(3, x.rows), settings = { components, tolerance: 1e-6 };
      const plain = await normalizedCut(gpu, x, settings);
      const moved = await normalizedCut(gpu, rowsOf(x, order), settings);
      const turned = x.data.slice(), [c, s] = [Math.cos(turn), Math.sin(turn)];
      for (let i = 0; i < x.rows; i++) {
        const at = i * x.cols, [a, b] = [x.data[at], x.data[at + 1]];
        turned[at] = c * a - s * b;
        turned[at + 1] = s * a + c * b;
      }
      const rotated = await normalizedCut(gpu, { ...x, data: turned }, settings);
      for (const other of [moved, rotated]) {
        assertClose(other.eigenvalues, plain.eigenvalues, { relative: 1e-5, absolute: 1e-5 });
      }
      if (plain.eigengap === null || plain.eigengap < 0.02) return; // no subspace to compare
      const expected = rowsOf(plain.eigenvectors, order);
      const angle = (a: Matrix, b: Matrix) =>
        largestPrincipalAngle(Float64Array.from(a.data), Float64Array.from(b.data), a.rows, a.cols);
      assert(angle(moved.eigenvectors, expected) < 2e-3);
      assert(angle(rotated.eigenvectors, plain.eigenvectors) < 2e-3);
    }),
    SETTINGS,
  );
});

Deno.test("nearestNeighbors() of nodes among themselves begin with themselves, similarities falling", async () => {
  await fc.assert(
    fc.asyncProperty(matrices({ rows: 150, cols: 8 }, { rows: 6, cols: 2 }), async (x) => {
      const { similarities, k } = await nearestNeighbors(gpu, x, x, { k: 5 });
      for (let i = 0; i < x.rows; i++) {
        assert(Math.abs(similarities[i * k] - 1) < 1e-5);
        for (let j = 1; j < k; j++) assert(similarities[i * k + j] <= similarities[i * k + j - 1]);
      }
    }),
    SETTINGS,
  );
});

Deno.test("colorsFromPoints() are blind to where points lie and in what unit", () => {
  const points = matrices({ rows: 60, cols: 3 }, { rows: 2, cols: 3 });
  fc.assert(
    fc.property(points, fc.integer({ min: -4, max: 4 }), (x, power) => {
      const colors = colorsFromPoints(x);
      const other = colorsFromPoints({ ...x, data: x.data.map((value) => value * 2 ** power) });
      assertEquals(colors.length, 3 * x.rows);
      assertEquals(other, colors);
    }),
    SETTINGS,
  );
});
