import { assertEquals, assertThrows } from "@std/assert";
import golden from "../golden/click_cut.json" with { type: "json" };
import { clickCut } from "../../src/graph/click_cut.ts";
import { assertClose } from "../support/assert_close.ts";

const FEATURES = {
  data: Float32Array.from(golden.features.flat()),
  rows: golden.features.length,
  cols: golden.features[0].length,
};
const NONE = { figure: [], ground: [] };

Deno.test("clickCut() equals numpy's eigenvectors of the graph with its clicks, and its smallest Ncut", () => {
  for (const { clicks, values, figure, eigenvalues } of golden.cases) {
    const found = clickCut(FEATURES, clicks);
    assertClose(found.values, Float64Array.from(values), { relative: 1e-9 });
    assertClose(Float64Array.from(found.eigenvalues), Float64Array.from(eigenvalues), { relative: 1e-12 });
    assertEquals([...found.figure], figure);
  }
});

Deno.test("clickCut() draws the clusters clicked as figure apart from those clicked as ground", () => {
  for (const wanted of [0, 1, 2]) {
    const ground = [0, 1, 2].filter((cluster) => cluster !== wanted);
    const { figure, met } = clickCut(FEATURES, { figure: [wanted], ground });
    assertEquals([...figure], Array.from({ length: 30 }, (_, i) => Number(i % 3 === wanted)), `${wanted}`);
    assertEquals(met, 3);
  }
});

Deno.test("clickCut() without clicks, or with clicks of no weight, is the normalised cut", () => {
  const plain = clickCut(FEATURES, NONE);
  const weightless = clickCut(FEATURES, { figure: [0], ground: [], clickWeight: 0 });
  assertClose(weightless.values.map(Math.abs), plain.values.map(Math.abs), { relative: 1e-9 });
});

Deno.test("clickCut() names what is wrong", () => {
  const messages: [Parameters<typeof clickCut>, string][] = [
    [
      [FEATURES, { figure: [4], ground: [4] }],
      "Token 4 is clicked as figure and as ground: it can only be one.",
    ],
    [[FEATURES, { figure: [30], ground: [] }], "Click 30 is not a token: there are 30, numbered from 0."],
    [[FEATURES, { ...NONE, clickWeight: 2 }], "The weights are 2 of clicks, 1 of ground: expected 0 to 1"],
    [[{ data: new Float32Array(4), rows: 2, cols: 2 }, NONE], "Token 0 is a zero vector or not finite"],
    [[{ data: new Float32Array(1), rows: 1, cols: 1 }, NONE], "features has 1 tokens: a cut by clicks takes"],
  ];
  for (const [args, message] of messages) assertThrows(() => clickCut(...args), RangeError, message);
});
