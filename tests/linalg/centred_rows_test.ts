import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Matrix } from "../../mod.ts";
import { centredUnitRows } from "../../src/linalg/centred_rows.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const note = `seed ${testSeed}`;

/** |u_i − u_j|² of the unit rows by Lagrange's identity, 1 − cos² = Σ (x_k y_l − x_l y_k)² / (|x|² |y|²): nothing cancels. */
function squaredDistance({ data, cols: d }: Matrix, i: number, j: number): number {
  let xx = 0, yy = 0, xy = 0, cross = 0;
  for (let k = 0; k < d; k++) {
    const x = data[i * d + k], y = data[j * d + k];
    xx += x * x;
    yy += y * y;
    xy += x * y;
    for (let l = 0; l < k; l++) cross += (x * data[j * d + l] - data[i * d + l] * y) ** 2;
  }
  const cosine = xy / Math.sqrt(xx * yy), rest = cross / (xx * yy);
  return 2 * (cosine > 0 ? rest / (1 + cosine) : 1 - cosine);
}

function withChannel(x: Matrix, value: (row: number) => number): Matrix {
  const data = x.data.slice();
  for (let i = 0; i < x.rows; i++) data[i * x.cols] = value(i);
  return { ...x, data };
}

Deno.test("centredUnitRows() keeps the distances of unit rows relative to the rows' own lengths", async (t) => {
  const [n, d] = [31, 17], x = randomMatrix(n, d), factor = (i: number) => 10 ** (i % 61 - 30);
  const cases: [string, Matrix][] = [
    ["rows of any direction", x],
    ...[10, 1e3, 1e5].map((v): [string, Matrix] => [`a common channel of ${v}`, withChannel(x, () => v)]),
    ["a common channel of another size in every row", withChannel(x, (i) => 100 * (i + 1))],
    [
      "rows of 1e-30 to 1e30",
      { ...x, data: withChannel(x, () => 1e3).data.map((v, at) => v * factor(Math.floor(at / d))) },
    ],
    ["one vector and 1e-5 of noise", {
      ...x,
      data: x.data.map((v, at) => Math.fround(1 + at % d + 1e-5 * v)),
    }],
  ];
  for (const [name, x] of cases) {
    await t.step(name, () => {
      const { rows: { data: w }, centre } = centredUnitRows(x);
      assertEquals([w.length, centre.length], [n * d, d]);
      const squares = Array.from({ length: n }, (_, i) => {
        return w.subarray(i * d, (i + 1) * d).reduce((sum, v) => sum + v * v, 0);
      });
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) {
          let distance = 0;
          for (let k = 0; k < d; k++) distance += (w[i * d + k] - w[j * d + k]) ** 2;
          const off = Math.abs(distance - squaredDistance(x, i, j));
          assert(
            off <= 4e-7 * (squares[i] + squares[j]),
            `${i}, ${j}: ${distance} is off by ${off}, ${note}`,
          );
        }
      }
      for (let k = 0; k < d; k++) {
        let sum = 0, most = 0;
        for (let i = 0; i < n; i++) {
          sum += w[i * d + k];
          most = Math.max(most, Math.abs(w[i * d + k]));
        }
        assert(Math.abs(sum) <= n * (1e-7 * most + 1e-15), `channel ${k} sums to ${sum}, ${note}`);
      }
    });
  }
});

Deno.test("centredUnitRows() takes out the centre that it is given", () => {
  const x = randomMatrix(9, 5), y = randomMatrix(4, 5, 1);
  const { centre, rows } = centredUnitRows(x);
  const both = centredUnitRows(
    { data: Float32Array.of(...x.data, ...y.data), rows: 13, cols: 5 },
    "both",
    centre,
  );
  assertEquals(both.rows.data.subarray(0, 45), rows.data);
  assertEquals(both.centre, centre);
  const unit = centredUnitRows(y, "y", new Float64Array(5)).rows.data;
  const lengths = Array.from({ length: 4 }, (_, i) => Math.hypot(...unit.subarray(5 * i, 5 * i + 5)));
  assertClose(lengths, [1, 1, 1, 1], { relative: 1e-7, note });
  assertThrows(
    () => centredUnitRows(y, "y", new Float64Array(4)),
    RangeError,
    "y has 5 channels, the centre 4: they must be equal.",
  );
});

Deno.test("centredUnitRows() names the row that is zero or not finite", () => {
  const x = randomMatrix(6, 5), zero = { ...x, data: x.data.slice().fill(0, 20, 25) };
  assertThrows(() => centredUnitRows(zero), RangeError, "features: node 4 is a zero vector");
  for (const value of [NaN, Infinity]) {
    const data = x.data.slice();
    data[12] = value;
    assertThrows(
      () => centredUnitRows({ ...x, data }, "layer 3"),
      RangeError,
      `layer 3: node 2 has ${value} in channel 2`,
    );
  }
});
