import { assert, assertEquals, assertThrows } from "@std/assert";
import { denseEigen } from "../../src/linalg/dense_eigen.ts";
import { symmetricEigen } from "../../src/linalg/symmetric_eigen.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";

const note = `seed ${testSeed}`;

/** A + Aᵀ of random values. */
function randomSymmetric(n: number): Float64Array {
  const { data } = randomMatrix(n, n, n);
  return Float64Array.from(data, (value, at) => value + data[at % n * n + Math.floor(at / n)]);
}

function assertEigen(a: Float64Array, n: number, what: string): void {
  const { values, vectors } = denseEigen(a, n);
  const why = { note: `${what}, ${note}` };
  const gram = matmul(vectors, vectors, n, n, n, true);
  assertClose(gram, gram.map((_, at) => Number(at % (n + 1) === 0)), { relative: 1e-12, ...why });
  assertEquals([...values], [...values].toSorted((x, y) => y - x), why.note);
  const image = matmul(a, vectors, n, n, n), scale = Math.max(...values.map(Math.abs));
  assertClose(image, vectors.map((v, at) => v * values[at % n]), {
    relative: 0,
    absolute: 1e-13 * n * scale,
    ...why,
  });
  assertClose(values, symmetricEigen(a, n).values, { relative: 1e-12, ...why });
}

Deno.test("denseEigen() satisfies A V = V Λ with orthonormal V, and agrees with Jacobi rotations", () => {
  for (const n of [1, 2, 3, 17, 64, 101]) assertEigen(randomSymmetric(n), n, `n = ${n}`);
});

Deno.test("denseEigen() takes awkward matrices", () => {
  const n = 12;
  const entries: Record<string, (i: number, j: number) => number> = {
    zero: () => 0,
    identity: (i, j) => Number(i === j),
    ones: () => 1,
    diagonal: (i, j) => i === j ? i - 5 : 0,
    "two blocks": (i, j) => Number(i < 5 === j < 5),
    "exchange": (i, j) => Number(i + j === n - 1),
    "steep spectrum": (i, j) => Math.exp(-((i - j) ** 2) / 200),
    "scales from 1e-8 to 1e8": (i, j) => i === j ? 10 ** (i * 16 / 11 - 8) : 0,
  };
  for (const [name, entry] of Object.entries(entries)) {
    assertEigen(Float64Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n)), n, name);
  }
});

Deno.test("denseEigen() is orthonormal to the last digits where eigenvalues are equal or nearly so, and whole or in part", () => {
  const n = 150;
  const entries: Record<string, (i: number, j: number) => number> = {
    random: (i, j) => Math.sin(1 + Math.max(i, j) * 17.3 + Math.min(i, j) ** 2),
    ones: () => 1,
    "one of many": (i, j) => i === j ? 1 : Math.exp(-1),
    "eight groups of equal rows": (i, j) => i % 8 === j % 8 ? 1 : 0.37 + (i % 8 + j % 8) / 100,
    "Wilkinson's, pairs alike to 16 digits": (i, j) =>
      i === j ? Math.abs(i - (n - 1) / 2) : Number(Math.abs(i - j) === 1),
    "a chain": (i, j) => Math.exp(-(((i - j) / 30) ** 2)),
    "falling from 1 to 1e-150": (i, j) => i === j ? 10 ** -i : 0,
  };
  for (const [name, entry] of Object.entries(entries)) {
    const a = Float64Array.from({ length: n * n }, (_, at) => entry(Math.floor(at / n), at % n));
    const whole = denseEigen(a, n), part = denseEigen(a, n, 21), why = { note: name };
    const gram = matmul(whole.vectors, whole.vectors, n, n, n, true);
    assertClose(gram, gram.map((_, at) => Number(at % (n + 1) === 0)), {
      relative: 0,
      absolute: 1e-13,
      ...why,
    });
    const image = matmul(a, whole.vectors, n, n, n), scale = Math.max(...whole.values.map(Math.abs));
    const expected = whole.vectors.map((v, at) => v * whole.values[at % n]);
    assertClose(image, expected, { relative: 0, absolute: 1e-13 * scale, ...why });
    assertEquals(part.values, whole.values, name);
    assertEquals(
      part.vectors,
      Float64Array.from({ length: n * 21 }, (_, at) => whole.vectors[Math.floor(at / 21) * n + at % 21]),
      name,
    );
  }
});

Deno.test("denseEigen() refuses NaN", () => {
  const a = randomSymmetric(5);
  a[7] = NaN;
  assertThrows(() => denseEigen(a, 5), Error, "A symmetric matrix holds NaN or infinite values.");
});

Deno.test("denseEigen() gives the same bits again", () => {
  const a = randomSymmetric(40);
  assertEquals(denseEigen(a, 40), denseEigen(a, 40));
  assert(denseEigen(a, 40).vectors.length === 1600);
});
