import { assert, assertEquals, assertThrows } from "@std/assert";
import { eigh, type EighMethod } from "../../mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";

const note = `seed ${testSeed}`;
const METHODS: EighMethod[] = ["divide-and-conquer", "jacobi", "lanczos"];

/** B Bᵀ, positive semi-definite. */
function randomGram(n: number, rank = n) {
  const { data } = randomMatrix(n, rank, n);
  return { data: matmul(data, data, n, rank, n, false, true), rows: n, cols: n };
}

Deno.test("eigh() by every method satisfies A V = V Λ with orthonormal V, and the methods agree", () => {
  for (const [n, rank, count] of [[1, 1, 1], [2, 2, 1], [17, 17, 17], [64, 3, 5], [101, 101, 7]]) {
    const a = randomGram(n, rank), first = eigh(a, { count });
    for (const method of METHODS) {
      const { eigenvalues, eigenvectors: v, residuals } = eigh(a, { count, method });
      const why = { relative: 0, absolute: 1e-9, note: `${method}, n = ${n}, ${note}` };
      const gram = matmul(v.data, v.data, count, n, count, true);
      assertClose(gram, gram.map((_, at) => Number(at % (count + 1) === 0)), why);
      const image = matmul(a.data, v.data, n, n, count).map((value) => value / first.eigenvalues[0]);
      assertClose(image, v.data.map((x, at) => x * eigenvalues[at % count] / first.eigenvalues[0]), why);
      assertClose(eigenvalues.map((value, c) => value - first.eigenvalues[c]), new Float64Array(count), {
        ...why,
        absolute: 1e-9 * first.eigenvalues[0],
      });
      assert(residuals.every((residual) => residual <= 1e-10), `${residuals}`);
    }
  }
});

Deno.test("eigh() takes indefinite and zero matrices, and gives signs and bits again", () => {
  const { data } = randomMatrix(20, 20);
  const a = {
    data: data.map((value, at) => value + data[at % 20 * 20 + Math.floor(at / 20)]),
    rows: 20,
    cols: 20,
  };
  const found = eigh(a), sums = new Float64Array(20);
  found.eigenvectors.data.forEach((value, at) => sums[at % 20] += value);
  assert(found.eigenvalues[19] < 0 && sums.every((sum) => sum >= -1e-4), note);
  assertEquals(eigh(a), found);
  assertEquals(eigh(a, { method: "jacobi" }).method, "jacobi");
  assertEquals([...eigh({ data: new Float32Array(9), rows: 3, cols: 3 }).eigenvalues], [0, 0, 0]);
});

Deno.test("eigh() says which method it used where Lanczos' would cost more", () => {
  const identity = Float64Array.from({ length: 900 }, (_, at) => Number(at % 31 === 0));
  const a = { data: identity, rows: 30, cols: 30 };
  assertEquals(eigh(a, { count: 30, method: "lanczos" }).method, "divide-and-conquer");
  assertEquals(eigh(randomGram(64, 3), { count: 2, method: "lanczos" }).method, "lanczos");
});

Deno.test("eigh() names the entry that is not finite, not symmetric or below 0 on the diagonal", () => {
  const of = (data: number[], rows = 2) => ({ data: Float64Array.from(data), rows, cols: 2 });
  const cases: [string, () => unknown][] = [
    ["eigh: a matrix of 3 × 2 with 6 values is not square.", () => eigh(of([1, 2, 3, 4, 5, 6], 3))],
    ["eigh: entry (1, 0) is NaN; every value must be finite.", () => eigh(of([1, 0, NaN, 1]))],
    ["eigh: entry (1, 0) is 0.5, entry (0, 1) 0.25: the matrix must", () => eigh(of([1, 0.25, 0.5, 1]))],
    ["eigh: 3 eigenvectors of 2 × 2: ask for 1 to 2.", () => eigh(of([1, 0, 0, 1]), { count: 3 })],
    ["and entry (1, 1) is -1: use", () => eigh(of([1, 0, 0, -1]), { count: 1, method: "lanczos" })],
  ];
  for (const [message, run] of cases) assertThrows(run, RangeError, message);
});
