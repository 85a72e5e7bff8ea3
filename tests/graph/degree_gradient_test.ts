import { centralDifference } from "../support/central_difference.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { degreeGradient } from "../reference/degree_gradient.ts";
import { rowSum } from "../reference/row_sum.ts";

// The kernel is held against this reference in affinity_gradient_test.ts, where both are made of one graph.
Deno.test("the reference of degreeGradient equals central differences of a loss on M", () => {
  const n = 6, product = randomMatrix(n, n, 1).data;
  const a = randomMatrix(n, n).data.map((value, at) => at % (n + 1) === 0 ? 1 : 0.6 + 0.05 * value);
  const g = (i: number, j: number) => product[i * n + j] + product[j * n + i];
  const loss = (affinity: Float64Array) => {
    const d = rowSum(affinity, n, n);
    let sum = 0;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) sum += g(i, j) * affinity[i * n + j] / Math.sqrt(d[i] * d[j]);
    }
    return sum;
  };
  const symmetric = Float64Array.from(a, (value, at) => (value + a[at % n * n + Math.floor(at / n)]) / 2);
  const d = rowSum(symmetric, n, n), h = degreeGradient(symmetric, product, d);
  const expected = Float64Array.from(symmetric, (_, at) => {
    const i = Math.floor(at / n), j = at % n;
    return g(i, j) / Math.sqrt(d[i] * d[j]) + h[i];
  });
  assertClose(expected, centralDifference(loss, symmetric), { relative: 1e-6, note: `seed ${testSeed}` });
});
