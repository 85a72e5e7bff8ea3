import { assert, assertEquals } from "@std/assert";
import { leadingEigen, symmetricProduct } from "../../src/linalg/leading_eigen.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { testSeed } from "../support/random.ts";

/** Q diag(values) Qᵀ of a random orthogonal Q, the product of Householder reflections. */
function withSpectrum(values: number[], random: () => number): Float64Array {
  const n = values.length, a = new Float64Array(n * n);
  values.forEach((value, i) => a[i * n + i] = value);
  for (let k = 0; k < 8; k++) {
    const v = Float64Array.from({ length: n }, () => random() - 0.5), length = Math.hypot(...v);
    v.forEach((value, i) => v[i] = value / length);
    for (const isRow of [true, false]) {
      for (let line = 0; line < n; line++) {
        const at = (i: number) => isRow ? line * n + i : i * n + line;
        let along = 0;
        for (let i = 0; i < n; i++) along += v[i] * a[at(i)];
        for (let i = 0; i < n; i++) a[at(i)] -= 2 * along * v[i];
      }
    }
  }
  return a;
}

const SPECTRA: Record<string, (i: number, n: number) => number> = {
  "falls by thirds": (i) => 3 ** -i,
  "is flat behind the first": (i) => i === 0 ? 1 : 0.01 - 1e-9 * i,
  "has a sevenfold value": (i) => i === 0 ? 1 : i < 8 ? 0.5 : 0.1 / i,
  "has every value twice": (i) => 0.9 ** Math.floor(i / 2),
  "has ever fewer different values, many times each": (i) =>
    i === 0 ? 1 : i < 41 ? 0.016 : i < 64 ? 0.015 : 0,
  "has rank 2": (i) => i < 2 ? 1 - i / 2 : 0,
  "has rank 1": (i) => Number(i === 0),
  "is the identity": () => 1,
};

Deno.test("leadingEigen() returns orthonormal eigenvectors with the residuals that it was asked for", async (t) => {
  const random = seededRandom(testSeed);
  for (const [name, value] of Object.entries(SPECTRA)) {
    for (const [n, count] of [[97, 1], [203, 5], [401, 12]]) {
      await t.step(`${name}, ${n} rows, ${count} pairs`, () => {
        const truth = Array.from({ length: n }, (_, i) => value(i, n)), a = withSpectrum(truth, random);
        const found = leadingEigen(a, n, count, (_, __, residual) => residual <= 1e-6);
        assert(found, "the basis became too large");
        const { values, vectors } = found;
        for (let c = 0; c < count; c++) {
          assert(Math.abs(values[c] - truth[c]) <= 1e-6, `value ${c} is ${values[c]}, not ${truth[c]}`);
          let squares = 0;
          for (let i = 0; i < n; i++) {
            let product = -values[c] * vectors[i * count + c];
            for (let j = 0; j < n; j++) product += a[i * n + j] * vectors[j * count + c];
            squares += product ** 2;
          }
          assert(Math.sqrt(squares) <= 1.01e-6, `residual ${c} is ${Math.sqrt(squares)}`);
          for (let b = 0; b <= c; b++) {
            let dot = 0;
            for (let i = 0; i < n; i++) dot += vectors[i * count + b] * vectors[i * count + c];
            assert(Math.abs(dot - Number(b === c)) <= 1e-12, `columns ${b} and ${c}: ${dot}`);
          }
        }
      });
    }
  }
});

Deno.test("leadingEigen() gives up where half of the dimensions do not do, and gives the same bits twice", () => {
  const random = seededRandom(testSeed),
    a = withSpectrum(Array.from({ length: 60 }, (_, i) => 1 - i / 600), random);
  assertEquals(leadingEigen(a, 60, 5, () => false), null);
  const solve = () => leadingEigen(a, 60, 5, (_, __, residual) => residual <= 0.01);
  assertEquals(solve(), solve());
});

Deno.test("leadingEigen() keeps its basis orthonormal while one pair is slow and the others have long converged", () => {
  const n = 300,
    values = Array.from({ length: n }, (_, i) => i < 5 ? 10 - i : 1 - 0.4 * Math.min(1, i - 5) - 1e-3 * i);
  const a = withSpectrum(values, seededRandom(testSeed));
  const found = leadingEigen(a, n, 6, (_, __, residual) => residual <= 1e-8);
  assert(found, "the basis became too large");
  for (let b = 0; b < 6; b++) {
    assert(
      Math.abs(found.values[b] - values[b]) <= 1e-8,
      `value ${b} is ${found.values[b]}, not ${values[b]}`,
    );
    for (let c = 0; c <= b; c++) {
      let dot = 0;
      for (let i = 0; i < n; i++) dot += found.vectors[i * 6 + b] * found.vectors[i * 6 + c];
      assert(Math.abs(dot - Number(b === c)) <= 1e-12, `columns ${b} and ${c}: ${dot}`);
    }
  }
});

Deno.test("symmetricProduct() reads the lower triangle alone, for any number of rows", () => {
  const random = seededRandom(testSeed);
  for (const n of [1, 2, 3, 4, 5, 7, 8, 33]) {
    const a = Float64Array.from({ length: n * n }, (_, at) => at % n > Math.floor(at / n) ? NaN : random());
    const x = Float64Array.from({ length: n }, () => random() - 0.5), out = new Float64Array(n).fill(NaN);
    symmetricProduct(a, n, x, out);
    out.forEach((value, i) => {
      let expected = 0;
      for (let j = 0; j < n; j++) expected += a[Math.max(i, j) * n + Math.min(i, j)] * x[j];
      assert(Math.abs(value - expected) <= 1e-14 * n, `${n} rows, row ${i}: ${value}, not ${expected}`);
    });
  }
});
