import { assert, assertEquals, assertThrows } from "@std/assert";
import { clickSimilarity } from "../../src/graph/click_similarity.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomMatrix, testSeed } from "../support/random.ts";

const note = `seed ${testSeed}`;

Deno.test("clickSimilarity() is the largest cosine to positive clicks less the largest to negative ones", () => {
  const x = randomMatrix(83, 7), positive = [4, 80, 11], negative = [0, 5];
  const row = (i: number) => [...x.data.subarray(i * 7, i * 7 + 7)];
  const cosine = (i: number, j: number) =>
    row(i).reduce((sum, v, c) => sum + v * row(j)[c], 0) / Math.hypot(...row(i)) / Math.hypot(...row(j));
  const { similarity, mask } = clickSimilarity(x, { positive, negative, threshold: 0.2 });
  for (let i = 0; i < 83; i++) {
    const p = Math.max(...positive.map((click) => cosine(i, click)));
    const q = Math.max(...negative.map((click) => cosine(i, click)));
    assertClose([similarity[i]], [p - Math.max(0, q)], { relative: 0, absolute: 1e-6, note });
    if (Math.min(Math.abs(p - 0.2), Math.abs(p - q)) > 1e-6) {
      assertEquals(mask[i], Number(p >= 0.2 && p > q), note);
    }
  }
});

Deno.test("clickSimilarity() puts positive clicks into the mask and keeps negative ones out", () => {
  const x = randomMatrix(60, 9);
  const { mask, similarity } = clickSimilarity(x, { positive: [3, 7], negative: [8, 9] });
  assertEquals([mask[3], mask[7], mask[8], mask[9]], [1, 1, 0, 0], note);
  assert(
    Math.max(similarity[8], similarity[9]) <= 1e-6 && similarity.every((s) => s >= -2 && s <= 1.000001),
    note,
  );
});

Deno.test("clickSimilarity() does not depend on the lengths of rows", () => {
  const x = randomMatrix(40, 5);
  const scaled = { ...x, data: x.data.map((v, at) => v * 2 ** (Math.floor(at / 5) % 9 - 4)) };
  const clicks = { positive: [1], negative: [2] };
  assertEquals(clickSimilarity(scaled, clicks).mask, clickSimilarity(x, clicks).mask, note);
});

Deno.test("clickSimilarity() takes a zero row as like nothing", () => {
  const x = { data: new Float32Array([1, 0, 0, 0, 0, 1]), rows: 3, cols: 2 };
  const { similarity, mask } = clickSimilarity(x, { positive: [0] });
  assertEquals([[...similarity], [...mask]], [[1, 0, 0], [1, 0, 0]]);
});

Deno.test("clickSimilarity() refuses clicks that mean nothing", () => {
  const x = randomMatrix(5, 3);
  const cases: [Parameters<typeof clickSimilarity>[1], string][] = [
    [{ positive: [] }, "There is no positive click: point at one node or more."],
    [{ positive: [5] }, "Click 5 is not a node: there are 5, numbered from 0."],
    [{ positive: [0], negative: [-1] }, "Click -1 is not a node"],
    [{ positive: [1, 2], negative: [2] }, "Node 2 is a positive and a negative click: it can only be one."],
    [{ positive: [1], threshold: 2 }, "threshold is 2: a cosine lies between −1 and 1."],
  ];
  for (const [clicks, message] of cases) assertThrows(() => clickSimilarity(x, clicks), RangeError, message);
});

Deno.test("clickSimilarity() with a threshold of 1 has the clicked nodes in its mask, and their multiples", () => {
  const x = randomMatrix(200, 7), twice = x.data.slice();
  twice.set(x.data.subarray(0, 7).map((v) => 2 * v), 7);
  for (const clicked of [0, 13, 199]) {
    const { mask } = clickSimilarity({ ...x, data: twice }, { positive: [clicked], threshold: 1 });
    const expected = new Uint8Array(200).map((_, i) => Number(i === clicked || clicked === 0 && i === 1));
    assertEquals(mask, expected, note);
  }
});
