import { assert, assertThrows } from "@std/assert";
import { orthogonalizeColumns } from "../../src/linalg/orthogonalize_columns.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

Deno.test("orthogonalizeColumns() equals Löwdin's two-column formula", () => {
  // Unit columns u, v with cosine s: the answer is p u + q v and q u + p v.
  const s = 0.6;
  const x = { data: new Float32Array([2, 3 * s, 0, 3 * Math.sqrt(1 - s * s)]), rows: 2, cols: 2 };
  const { data } = orthogonalizeColumns(x);
  const p = (1 / Math.sqrt(1 + s) + 1 / Math.sqrt(1 - s)) / 2,
    q = (1 / Math.sqrt(1 + s) - 1 / Math.sqrt(1 - s)) / 2;
  const expected = [p + q * s, q + p * s, q * Math.sqrt(1 - s * s), p * Math.sqrt(1 - s * s)];
  data.forEach((value, at) => assert(Math.abs(value - expected[at]) < 1e-6, `entry ${at}`));
});

Deno.test("orthogonalizeColumns() makes columns orthonormal, whatever their lengths", () => {
  const x = randomMatrix(997, 13);
  x.data = x.data.map((value, at) => value * 10 ** (at % 13 - 6));
  const { data } = orthogonalizeColumns(x);
  for (let a = 0; a < 13; a++) {
    for (let b = 0; b <= a; b++) {
      let product = 0;
      for (let i = 0; i < 997; i++) product += data[13 * i + a] * data[13 * i + b];
      assert(Math.abs(product - Number(a === b)) < 1e-6, `columns ${a} and ${b}, seed ${testSeed}`);
    }
  }
});

Deno.test("orthogonalizeColumns() refuses columns that depend on each other", () => {
  const x = { data: new Float32Array([1, 2, 3, 6, 4, 8]), rows: 3, cols: 2 };
  assertThrows(() => orthogonalizeColumns(x), RangeError, "The 2 columns depend on each other");
});
