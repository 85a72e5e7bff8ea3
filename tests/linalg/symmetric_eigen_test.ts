import { assert, assertEquals, assertThrows } from "@std/assert";
import { inverseCholesky, smallProduct, symmetricEigen } from "../../src/linalg/symmetric_eigen.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";
import { symmetricEigen as reference } from "../reference/symmetric_eigen.ts";

const note = `seed ${testSeed}`;

function randomSymmetric(n: number): Float64Array {
  const { data } = randomMatrix(n, n);
  return Float64Array.from(data, (v, at) => v + data[(at % n) * n + Math.floor(at / n)]);
}

function identity(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => Number(at % (n + 1) === 0));
}

/** V diag(values) Vᵀ. */
function reassemble(vectors: Float64Array, values: Float64Array, n: number): Float64Array {
  return matmul(vectors.map((v, at) => v * values[at % n]), vectors, n, n, n, false, true);
}

Deno.test("symmetricEigen() reassembles the matrix from orthonormal vectors and descending values", async (t) => {
  for (const n of [1, 2, 3, 7, 32, 61]) {
    await t.step(`n = ${n}`, () => {
      const a = randomSymmetric(n);
      const { values, vectors } = symmetricEigen(a, n);
      assertClose(matmul(vectors, vectors, n, n, n, true), identity(n), { relative: 1e-13, note });
      assertClose(reassemble(vectors, values, n), a, { relative: 1e-13, note });
      assertEquals([...values], [...values].sort((x, y) => y - x), note);
    });
  }
});

Deno.test("symmetricEigen() agrees with tridiagonal QR, and that with a spectrum known beforehand", () => {
  const n = 40;
  const { values, vectors } = symmetricEigen(randomSymmetric(n), n);
  assertClose(reference(reassemble(vectors, values, n), n).values, values, { relative: 1e-13, note });
  const known = Float64Array.from({ length: n }, (_, i) => i < 5 ? 2 : 0.5 ** i); // five equal, then steep
  const { values: found, vectors: basis } = symmetricEigen(reassemble(vectors, known, n), n);
  assertClose(found, known, { relative: 1e-13, note });
  assertClose(matmul(basis, basis, n, n, n, true), identity(n), { relative: 1e-13, note });
});

Deno.test("symmetricEigen() solves a diagonal, a zero and a one-entry matrix", () => {
  const diagonal = symmetricEigen(new Float64Array([1, 0, 0, 0, 3, 0, 0, 0, 2]), 3);
  assertEquals([...diagonal.values], [3, 2, 1]);
  assertEquals([...diagonal.vectors], [0, 0, 1, 1, 0, 0, 0, 1, 0]);
  assertEquals([...symmetricEigen(new Float64Array(9), 3).values], [0, 0, 0]);
  assertEquals([...symmetricEigen(new Float64Array([-4]), 1).vectors], [1]);
});

Deno.test("symmetricEigen() refuses NaN and infinities", () => {
  for (const bad of [NaN, Infinity]) {
    assertThrows(
      () => symmetricEigen(new Float64Array([1, bad, bad, 1]), 2),
      Error,
      "A small symmetric matrix holds NaN or infinite values.",
    );
  }
});

Deno.test("inverseCholesky() makes Tᵀ G T the identity, also when columns differ by 1e12 in length", () => {
  const n = 12, rows = 40;
  const { data } = randomMatrix(rows, n);
  for (const spread of [0, 12]) {
    const y = Float64Array.from(data, (v, at) => v * 10 ** (-spread * (at % n) / n));
    const gram = matmul(y, y, n, rows, n, true);
    const { transform, deficient } = inverseCholesky(gram, n, 1e-10);
    assertEquals(deficient, []);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) assertEquals(transform[i * n + j], 0);
    const product = smallProduct(transform, smallProduct(gram, transform, n), n, true);
    assertClose(product, identity(n), { relative: 1e-10, note });
  }
});

Deno.test("inverseCholesky() makes Tᵀ G T the identity for nearly dependent columns: powers 0 to 8 of a line", () => {
  const n = 9, rows = 40;
  const y = Float64Array.from({ length: rows * n }, (_, at) => (Math.floor(at / n) / rows) ** (at % n));
  const gram = matmul(y, y, n, rows, n, true), { transform, deficient } = inverseCholesky(gram, n, 1e-16);
  assertEquals(deficient, []);
  const product = smallProduct(transform, smallProduct(gram, transform, n), n, true);
  assertClose(product, identity(n), { relative: 1e-5 });
});

Deno.test("inverseCholesky() gives up columns that are zero or depend on those before them", () => {
  const rows = 30, n = 6;
  const y = Float64Array.from(randomMatrix(rows, n).data);
  for (let r = 0; r < rows; r++) {
    y[r * n + 2] = 0;
    y[r * n + 4] = 3 * y[r * n] - y[r * n + 1];
  }
  const gram = matmul(y, y, n, rows, n, true);
  const { transform, deficient } = inverseCholesky(gram, n, 1e-10);
  assertEquals(deficient, [2, 4]);
  const expected = identity(n);
  for (const j of deficient) {
    expected[j * n + j] = 0;
    for (let i = 0; i < n; i++) assert(transform[i * n + j] === 0, `column ${j} of T is not zero`);
  }
  assertClose(smallProduct(transform, smallProduct(gram, transform, n), n, true), expected, {
    relative: 1e-10,
    note,
  });
});
