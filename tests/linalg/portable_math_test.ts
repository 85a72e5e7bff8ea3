import { assert, assertEquals } from "@std/assert";
import { lengthOf, portableExp, portableLog } from "../../src/linalg/portable_math.ts";
import { seededRandom } from "../../src/linalg/random.ts";

/** A number for all values together, which one other bit changes. */
function fold(values: Float64Array): number {
  let folded = 0x811c9dc5;
  for (const word of new Uint32Array(values.buffer)) folded = Math.imul(folded ^ word, 0x01000193) >>> 0;
  return folded;
}

Deno.test("portableExp() and portableLog() are exp and log to 4e-16", () => {
  const random = seededRandom(1);
  for (let i = 0; i < 20_000; i++) {
    const x = 1400 * random() - 700, near = random() - 0.5, y = portableExp(x);
    for (const value of [x, near]) {
      const relative = portableExp(value) / Math.exp(value) - 1;
      assert(Math.abs(relative) <= 4e-16, `exp(${value}): ${relative}`);
    }
    for (const value of [y, 1 + near]) {
      const exact = Math.log(value), error = portableLog(value) - exact;
      assert(Math.abs(error) <= 4e-16 * Math.max(1, Math.abs(exact)), `log(${value}): ${error}`);
    }
  }
  assertEquals([0, -Infinity, -709, 710, Infinity, NaN].map(portableExp), [1, 0, 0, Infinity, Infinity, NaN]);
  assertEquals(portableLog(1), 0);
});

Deno.test("portableExp() and portableLog() have the same bits in Deno and in browsers", () => {
  const random = seededRandom(2), inputs = Float64Array.from({ length: 20_000 }, () => 200 * random() - 100);
  const logs = inputs.map((x) => portableLog(Math.abs(x)));
  assertEquals([fold(inputs.map(portableExp)), fold(logs)], [1928778957, 2405754881]);
});

Deno.test("lengthOf() is the length of any number of values of any size", () => {
  const random = seededRandom(3);
  const lengths = Float64Array.from({ length: 2000 }, (_, count) => {
    const scale = 10 ** (count % 601 - 300);
    const values = Float64Array.from({ length: count }, () => scale * (random() - 0.5));
    const length = lengthOf(values), other = Math.hypot(...values);
    assert(Math.abs(length - other) <= 4e-16 * other, `${count} values of ${scale}: ${length}, not ${other}`);
    return length;
  });
  assertEquals(fold(lengths), 3930411611, "other bits");
  assertEquals([[], [0, -0], [NaN, 1], [NaN, -Infinity], [3, -4]].map(lengthOf), [0, 0, NaN, Infinity, 5]);
  assertEquals(lengthOf(new Float32Array(1_000_000).fill(2)), 2000);
});
