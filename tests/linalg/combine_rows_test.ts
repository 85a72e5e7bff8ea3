import { combineRows } from "../../src/linalg/combine_rows.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";
import { matmul } from "../reference/matmul.ts";

Deno.test("combineRows() adds a product of rows, wherever they are, to what is there", () => {
  for (const [count, inner, length] of [[1, 1, 1], [2, 3, 5], [3, 4, 600], [7, 9, 513], [4, 0, 3]]) {
    const stride = length + 3, first = 2;
    const factors = Float64Array.from(
      { length: count * inner },
      (_, at) => at % 5 === 0 ? 0 : Math.sin(at + 1),
    );
    const data = Float64Array.from(randomMatrix(2 * inner + 1, length).data);
    const rows = Array.from({ length: inner }, (_, k) => (2 * (inner - 1 - k) + 1) * length); // every other one, backwards
    const source = Float64Array.from(
      { length: inner * length },
      (_, at) => data[rows[Math.floor(at / length)] + at % length],
    );
    const out = new Float64Array(count * stride).fill(0.5), expected = out.slice();
    matmul(factors, source, count, inner, length).forEach((value, at) => {
      expected[Math.floor(at / length) * stride + first + at % length] += value;
    });
    combineRows(factors, { data, rows, length }, { data: out, stride, first });
    assertClose(out, expected, { relative: 1e-13, note: `seed ${testSeed}` });
  }
});
