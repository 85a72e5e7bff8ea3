import { assert, assertEquals, assertThrows } from "@std/assert";
import { hostAffinityLessOne } from "../../src/graph/host_affinity.ts";
import { affinityLessOne as reference } from "../reference/affinity.ts";
import { assertClose } from "../support/assert_close.ts";
import { rowsOf } from "../support/cut_inputs.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const note = `seed ${testSeed}`;

Deno.test("hostAffinityLessOne() equals the float64 reference below the diagonal, on awkward shapes", () => {
  for (const [n, d] of [[1, 1], [2, 1], [3, 5], [63, 4], [64, 3], [65, 7], [130, 129]]) {
    const x = randomMatrix(n, d), e = hostAffinityLessOne(x), expected = reference(x.data, n, x.data, n, d);
    const isLower = (_: number, at: number) => at % n <= Math.floor(at / n);
    assertClose(e.filter(isLower), expected.filter(isLower), { relative: 1e-6, absolute: 1e-7, note });
  }
});

Deno.test("hostAffinityLessOne() is 0 for equal rows, and small but not 0 for nearly parallel ones", () => {
  const x = randomMatrix(70, 9), twice = rowsOf(x, Array.from({ length: 140 }, (_, i) => i % 70));
  const e = hostAffinityLessOne(twice);
  for (let i = 0; i < 70; i++) assertEquals([e[i * 141], e[(i + 70) * 140 + i]], [0, 0]);
  const parallel = { ...x, data: x.data.map((value, at) => 1 + 1e-4 * (at % 9) + 1e-5 * value) };
  const small = hostAffinityLessOne(parallel), expected = reference(parallel.data, 70, parallel.data, 70, 9);
  for (let i = 1; i < 70; i++) {
    const found = small.subarray(70 * i, 70 * i + i);
    assertClose(found, expected.subarray(70 * i, 70 * i + i), { relative: 2e-2, absolute: 1e-13, note });
    assert(found.every((value) => value < 0 && value > -1e-8), note);
  }
});

Deno.test("hostAffinityLessOne() names the node that is a zero vector", () => {
  const x = randomMatrix(5, 3);
  x.data.fill(0, 6, 9);
  assertThrows(() => hostAffinityLessOne(x, "patches"), RangeError, "patches");
});
