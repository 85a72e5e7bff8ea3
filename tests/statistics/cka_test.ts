import { assert, assertAlmostEquals, assertThrows } from "@std/assert";
import type { Matrix } from "../../src/linalg/matrix.ts";
import { cka } from "../../src/statistics/cka.ts";
import golden from "../golden/rsa.json" with { type: "json" };
import { randomMatrix, testSeed } from "../support/random.ts";

const note = `seed ${testSeed}`;
const patterns = (rows: number[][]): Matrix => ({
  data: Float32Array.from(rows.flat()),
  rows: rows.length,
  cols: rows[0].length,
});

/** ‖YᵀX‖² / (‖XᵀX‖ ‖YᵀY‖) of centred columns, in float64: the definition by features in place of stimuli. */
function byFeatures(x: Matrix, y: Matrix): number {
  const centred = ({ data, rows, cols }: Matrix) =>
    Array.from({ length: cols }, (_, c) => {
      const column = Array.from({ length: rows }, (_, i) => data[i * cols + c]);
      const mean = column.reduce((sum, value) => sum + value, 0) / rows;
      return column.map((value) => value - mean);
    });
  const squares = (a: number[][], b: number[][]) => {
    let sum = 0;
    for (const p of a) for (const q of b) sum += p.reduce((dot, value, i) => dot + value * q[i], 0) ** 2;
    return sum;
  };
  const [a, b] = [centred(x), centred(y)];
  return squares(a, b) / Math.sqrt(squares(a, a) * squares(b, b));
}

Deno.test("cka() is rsatoolbox's whitened cosine of squared distances, and debiased the one of U-centred Gram matrices", () => {
  const x = patterns(golden.model), y = patterns(golden.subjects[0]);
  assertAlmostEquals(cka(x, y), golden.cka, 1e-12);
  assertAlmostEquals(cka(x, y, { debiased: true }), golden.debiased_cka, 1e-12);
});

Deno.test("cka() equals the definition by features, and does not depend on scale, place or order of units", () => {
  const x = randomMatrix(31, 9), y = randomMatrix(31, 17, 1);
  assertAlmostEquals(cka(x, y), byFeatures(x, y), 1e-12, note);
  const moved = { ...x, data: x.data.map((_, at) => 8 - 4 * x.data[at - at % 9 + 8 - at % 9]) };
  assertAlmostEquals(cka(moved, y), cka(x, y), 1e-6, note); // float32 rounds what was moved
  assertAlmostEquals(cka(x, x), 1, 1e-12);
  assertAlmostEquals(cka(x, x, { debiased: true }), 1, 1e-12);
});

Deno.test("cka() of independent patterns with many units is high, debiased it is about 0", () => {
  // 740 numbers are free in a U-centred Gram matrix of 40 stimuli: a value is off by 1 / √740, 0.037, the mean of 25 by 0.007.
  const pairs = Array.from(
    { length: 25 },
    (_, i) => [randomMatrix(40, 500, 2 * i), randomMatrix(40, 500, 2 * i + 1)],
  );
  const mean = (of: (x: Matrix, y: Matrix) => number) =>
    pairs.reduce((sum, [x, y]) => sum + of(x, y), 0) / pairs.length;
  assert(mean(cka) > 0.8, note);
  assert(Math.abs(mean((x, y) => cka(x, y, { debiased: true }))) < 0.05, note);
});

Deno.test("cka() says in one sentence what is wrong", () => {
  const x = randomMatrix(5, 3), flat = { ...x, data: new Float32Array(15).fill(0.1) };
  const broken = { ...x, data: Float32Array.from(x.data, (value, at) => at === 4 ? NaN : value) };
  assertThrows(() => cka(x, randomMatrix(6, 3)), RangeError, "x has 5 stimuli, y 6: they must be equal.");
  assertThrows(() => cka(x, flat), RangeError, "y is the same for all stimuli");
  assertThrows(() => cka(broken, x), RangeError, "x holds values that are not finite.");
  for (const n of [4, 6, 8, 31]) {
    const apart = {
      data: Float32Array.from({ length: n * n }, (_, at) => at % (n + 1) === 0 ? 3 : 0),
      rows: n,
      cols: n,
    };
    assert(cka(apart, apart) > 0.99);
    assertThrows(
      () => cka(randomMatrix(n, 9), apart, { debiased: true }),
      RangeError,
      "The stimuli of y are all equally similar",
    );
  }
  const three = randomMatrix(3, 4);
  assertThrows(
    () => cka(three, three, { debiased: true }),
    RangeError,
    "There are 3 stimuli: this needs at least 4.",
  );
});
