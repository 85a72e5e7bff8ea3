import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { closeGpu, type Matrix, openGpu } from "../../mod.ts";
import { crossValidationFolds } from "../../src/align/folds.ts";
import { defaultAlphas, ridge, ridgePath } from "../../src/align/ridge.ts";
import { columnErrors } from "../../src/linalg/column_errors.ts";
import { downloadMatrix, releaseMatrix, uploadMatrix } from "../../src/linalg/matrix.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { ridge as reference } from "../reference/ridge.ts";
import { withBindings } from "../support/simulated_limits.ts";

const gpu = await openGpu();
Deno.test.afterAll(() => closeGpu(gpu));

const note = `seed ${testSeed}`;

/** Features of very different units and offsets, and voxels that follow them, some more than others. */
function regression(images: number, features: number, voxels: number): { x: Matrix; y: Matrix } {
  const x = randomMatrix(images, features), w = randomMatrix(features, voxels, 1);
  const random = seededRandom(testSeed);
  const y = { data: new Float32Array(images * voxels), rows: images, cols: voxels };
  for (let i = 0; i < images; i++) {
    for (let v = 0; v < voxels; v++) {
      let sum = 3 + 10 * (v % 3) * (random() - 0.5);
      for (let c = 0; c < features; c++) sum += x.data[i * features + c] * w.data[c * voxels + v];
      y.data[i * voxels + v] = sum;
    }
  }
  for (let at = 0; at < x.data.length; at++) {
    const c = at % features;
    x.data[at] = c === 2 ? 7 : 5 * c + 10 ** (c % 3) * x.data[at]; // feature 2 is constant
  }
  return { x, y };
}

function rowsOf({ data, rows, cols }: Matrix): Float32Array[] {
  return Array.from({ length: rows }, (_, i) => data.subarray(i * cols, (i + 1) * cols));
}

Deno.test("ridge() with one penalty equals the float64 reference, features fewer or more than images", async (t) => {
  for (
    const [images, features, voxels] of [[40, 5, 7], [31, 13, 1], [17, 53, 11], [150, 140, 3], [130, 131, 5]]
  ) {
    await t.step(`${images} images, ${features} features, ${voxels} voxels`, async () => {
      const { x, y } = regression(images, features, voxels);
      const fresh = regression(9, features, voxels).x;
      for (let at = 0; at < fresh.data.length; at++) fresh.data[at] *= 1.5;
      const predictionOf = reference(x, y, [...Array(images).keys()], 0.3 * images);
      const expected = rowsOf(fresh).flatMap((row) => [...predictionOf(row)]);
      const model = await ridge(gpu, x, y, { alphas: [0.3 * images] });
      const found = await model.predict(fresh);
      assertEquals([found.rows, found.cols], [9, voxels]);
      assertClose(found.data, expected, { relative: 1e-4, note });
      const byHand = rowsOf(fresh).flatMap((row) =>
        Array.from(
          model.intercept,
          (b, v) => row.reduce((s, value, c) => s + value * model.weights.data[c * voxels + v], b),
        )
      );
      assertClose(byHand, expected, { relative: 1e-3, note });
    });
  }
});

Deno.test("ridgePath() predicts by every penalty what ridge() does with it alone, bit for bit, and returns all memory", async () => {
  for (const [images, features, voxels] of [[40, 5, 7], [17, 53, 11]]) {
    const { x, y } = regression(images, features, voxels), fresh = regression(9, features, voxels).x;
    const alphas = [3, 0.1 * images, 30], before = gpu.memory.inUse;
    const predictors = await ridgePath(gpu, x, y, alphas);
    for (const [i, alpha] of alphas.entries()) {
      const { predict } = await ridge(gpu, x, y, { alphas: [alpha] });
      assertEquals(await predictors[i](fresh), await predict(fresh), `λ ${alpha}, ${note}`);
    }
    assertEquals(gpu.memory.inUse, before);
  }
});

/** Held-out sums of squares of every penalty and voxel, by the float64 reference. */
function heldOutErrors(
  { x, y }: { x: Matrix; y: Matrix },
  alphas: number[],
  folds: number,
  seed: number,
): Float64Array[] {
  return alphas.map((alpha) => {
    const sums = new Float64Array(y.cols);
    for (const { train, held } of crossValidationFolds(y.rows, folds, seed)) {
      const predictionOf = reference(x, y, [...train], alpha);
      for (const image of held) {
        predictionOf(rowsOf(x)[image]).forEach((value, v) =>
          sums[v] += (value - y.data[image * y.cols + v]) ** 2
        );
      }
    }
    return sums;
  });
}

Deno.test("ridge() chooses the penalty of least held-out error for every voxel", async (t) => {
  // few images and many voxels: what is held out would change the choice of some, were it seen
  for (const [images, features, voxels] of [[35, 7, 6], [20, 30, 6], [9, 3, 150], [9, 12, 150]]) {
    await t.step(`${images} images, ${features} features`, async () => {
      const { x, y } = regression(images, features, voxels);
      const alphas = [0.1, 10, 1000];
      const model = await ridge(gpu, x, y, { alphas, folds: 4, seed: 3 });
      const errors = heldOutErrors({ x, y }, alphas, 4, 3);
      model.alpha.forEach((alpha, v) => {
        const own = errors[alphas.findIndex((value) => Math.fround(value) === alpha)][v];
        const least = Math.min(...errors.map((sums) => sums[v]));
        assert(own <= least * (1 + 1e-4), `voxel ${v}: ${own} with λ = ${alpha}, least ${least}, ${note}`);
      });
    });
  }
});

Deno.test("ridge() chooses one penalty for all voxels, of least mean share of the variance, whatever their units", async () => {
  const { x, y } = regression(40, 6, 6), noise = randomMatrix(40, 1, 7).data;
  for (let i = 0; i < 40; i++) y.data[i * 6 + 5] = noise[i]; // on its own it is shrunk to its mean
  const alphas = [0.1, 10, 1000, 1e5], options = { alphas, alphaFor: "all", folds: 4, seed: 3 } as const;
  const { alpha } = await ridge(gpu, x, y, options);
  const variances = Array.from({ length: 6 }, (_, v) => {
    const values = rowsOf(y).map((row) => row[v]), mean = values.reduce((sum, value) => sum + value) / 40;
    return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  });
  const shares = heldOutErrors({ x, y }, alphas, 4, 3).map((sums) =>
    sums.reduce((sum, error, v) => sum + error / variances[v], 0) / 6
  );
  const own = shares[alphas.findIndex((value) => Math.fround(value) === alpha[0])];
  assert(
    new Set(alpha).size === 1 && own <= Math.min(...shares) * (1 + 1e-4),
    `${alpha}, ${shares}, ${note}`,
  );
  const other = { ...y, data: y.data.map((value, at) => at % 6 === 5 ? 1e4 * value : value) };
  assertEquals((await ridge(gpu, x, other, options)).alpha, alpha);
});

Deno.test("ridge() takes the larger of two penalties of equal error", async () => {
  const { x, y } = regression(20, 4, 3);
  for (let i = 0; i < 20; i++) y.data[i * 3 + 1] = 2; // a constant voxel: no penalty errs
  for (const alphas of [[1, 10, 100], [100, 10, 1]]) {
    assertEquals((await ridge(gpu, x, y, { alphas })).alpha[1], 100);
  }
});

Deno.test("ridge() gives the same bits twice, whatever the order of alphas, and returns all memory", async () => {
  const { x, y } = regression(50, 11, 9);
  const before = gpu.memory.inUse;
  const one = await ridge(gpu, x, y, { alphas: [1, 10, 100] });
  const two = await ridge(gpu, x, y, { alphas: [100, 1, 10] });
  assertEquals(one.weights, two.weights, note);
  assertEquals([one.intercept, one.alpha], [two.intercept, two.alpha]);
  assertEquals(gpu.memory.inUse, before);
});

Deno.test("ridge() shrinks voxels of pure noise to their mean, by default", async () => {
  const { x } = regression(60, 8, 1), y = randomMatrix(60, 40, 9);
  const { weights, alpha } = await ridge(gpu, x, y);
  const alphas = defaultAlphas(60, 8);
  assert(alphas.length === 15 && alphas[0] < 0.1 && alphas[14] > 1e5);
  assert(alpha.filter((value) => value > 60).length >= 20, `${alpha}, ${note}`);
  assert(weights.data.every(Number.isFinite));
});

Deno.test("ridge() says in one sentence what is wrong", async () => {
  const { x, y } = regression(10, 4, 3);
  const bad = { ...x, data: x.data.with(21, NaN) };
  const twice = { ...x, data: x.data.map((value, at) => at % 4 === 1 ? x.data[at - 1] : value) };
  const cases: [Promise<unknown>, string][] = [
    [ridge(gpu, x, randomMatrix(9, 2)), "x has 10 images, y 9: they must be equal."],
    [ridge(gpu, bad, y), "x holds NaN in image 5, feature 1: every value must be finite."],
    [
      ridge(gpu, x, y, { alphas: [1, -2] }),
      "alphas are [1, -2]: give at least one, all finite and from 0 on.",
    ],
    [ridge(gpu, x, y, { folds: 11 }), "11 folds of 10 images: give a whole number of folds"],
    [
      ridge(gpu, twice, y, { alphas: [0] }),
      "The Gram matrix of the features + 0 · I (4 × 4) is not positive",
    ],
  ];
  for (const [promise, message] of cases) await assertRejects(() => promise, Error, message);
  const model = await ridge(gpu, x, y, { alphas: [1] });
  await assertRejects(
    () => model.predict(randomMatrix(2, 5)),
    RangeError,
    "x has 5 features, this ridge was fitted on 4: give the same.",
  );
});

Deno.test("crossValidationFolds() hold every image out once, in folds of equal size to within one", () => {
  for (const [images, count] of [[2, 2], [81, 9], [17, 5], [13, 13]]) {
    const folds = crossValidationFolds(images, count, testSeed);
    const held = folds.flatMap((fold) => [...fold.held]);
    assertEquals(held.toSorted((a, b) => a - b), [...Array(images).keys()]);
    const sizes = folds.map((fold) => fold.held.length);
    assert(Math.max(...sizes) - Math.min(...sizes) <= 1);
    for (const fold of folds) {
      assertEquals([...fold.train, ...fold.held].toSorted((a, b) => a - b), [...Array(images).keys()]);
    }
  }
  assertEquals(crossValidationFolds(20, 4, 1), crossValidationFolds(20, 4, 1));
  assertNotEquals(crossValidationFolds(20, 4, 1), crossValidationFolds(20, 4, 2));
  assertThrows(() => crossValidationFolds(9, 12, 0), RangeError, "12 folds of 9 images");
});

Deno.test("columnErrors() equals sums in float64 on awkward shapes, whatever the panels", async (t) => {
  for (const [rows, cols] of [[1, 1], [63, 5], [64, 4], [131, 17], [1031, 67]]) {
    await t.step(`${rows} × ${cols}`, async () => {
      const x = randomMatrix(rows, cols), y = randomMatrix(rows, cols, 1);
      const expected = new Float64Array(cols);
      x.data.forEach((value, at) => expected[at % cols] += (value - y.data[at]) ** 2);
      for (const bytes of [Infinity, 2 ** 15]) {
        const device = withBindings(gpu, bytes);
        const [gx, gy] = [uploadMatrix(device, x, "x"), uploadMatrix(device, y, "y")];
        const out = columnErrors(device, gx, gy);
        assertClose((await downloadMatrix(device, out)).data, expected, { relative: 1e-5, note });
        releaseMatrix(device, gx, gy, out);
      }
    });
  }
});
