import { assert } from "@std/assert";
import { orthogonalFactor } from "../../src/linalg/orthogonal_factor.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";

const note = `seed ${testSeed}`;

function assertOrthogonal(r: Float64Array, n: number, what: string): void {
  const gram = matmul(r, r, n, n, n, true);
  assertClose(gram, gram.map((_, at) => Number(at % (n + 1) === 0)), {
    relative: 1e-12,
    note: `${what}, ${note}`,
  });
}

Deno.test("orthogonalFactor() leaves a symmetric positive semi-definite factor", () => {
  for (const n of [1, 2, 5, 20, 33]) {
    const a = Float64Array.from(randomMatrix(n, n, n).data);
    const { factor, trace } = orthogonalFactor(a, n);
    assertOrthogonal(factor, n, `n = ${n}`);
    const h = matmul(factor, a, n, n, n, true);
    const transposed = h.map((_, at) => h[at % n * n + Math.floor(at / n)]);
    assertClose(h, transposed, { relative: 1e-6, note: `n = ${n}, ${note}` });
    const diagonal = Array.from({ length: n }, (_, i) => h[i * n + i]);
    assertClose([trace], [diagonal.reduce((sum, v) => sum + v, 0)], { relative: 1e-9, note });
    assert(Math.min(...diagonal) >= 0, note);
  }
});

Deno.test("orthogonalFactor() completes singular matrices", () => {
  const outer = Float64Array.from({ length: 16 }, (_, at) => (1 + at % 4) * (2 - Math.floor(at / 4)));
  for (const a of [new Float64Array(16), outer, new Float64Array(16).fill(0, 1).fill(3, 0, 1)]) {
    assertOrthogonal(orthogonalFactor(a, 4).factor, 4, `${a}`);
  }
});
