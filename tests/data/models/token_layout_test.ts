import { assertEquals, assertThrows } from "@std/assert";
import { tokenLayout } from "../../../src/data/models/token_layout.ts";

const square = (side: number) => ({ rows: side, cols: side });

Deno.test("tokenLayout() counts registers by the patches that fit in the image", () => {
  assertEquals(tokenLayout(197, square(14), undefined, "a.onnx"), {
    classToken: true,
    registers: 0,
    grid: square(14),
  });
  assertEquals(tokenLayout(201, square(14), undefined, "a.onnx"), {
    classToken: true,
    registers: 4,
    grid: square(14),
  });
  const wide = { rows: 2, cols: 5 };
  assertEquals(tokenLayout(12, wide, undefined, "a.onnx"), { classToken: true, registers: 1, grid: wide });
});

Deno.test("tokenLayout() finds the square where the patch size is not known", () => {
  assertEquals(tokenLayout(197, null, undefined, "a.onnx"), {
    classToken: true,
    registers: 0,
    grid: square(14),
  });
  assertEquals(tokenLayout(201, null, undefined, "a.onnx"), {
    classToken: true,
    registers: 4,
    grid: square(14),
  });
  assertEquals(tokenLayout(257, null, undefined, "a.onnx"), {
    classToken: true,
    registers: 0,
    grid: square(16),
  });
  assertEquals(tokenLayout(18, null, 8, "a.onnx"), { classToken: true, registers: 8, grid: square(3) });
});

Deno.test("tokenLayout() finds models without class token", () => {
  for (const side of [14, 16, 27]) {
    const layout = { classToken: false, registers: 0, grid: square(side) };
    assertEquals(tokenLayout(side * side, square(side), undefined, "a.onnx"), layout);
    assertEquals(tokenLayout(side * side, null, undefined, "a.onnx"), layout);
  }
  const wide = { rows: 2, cols: 5 };
  assertEquals(tokenLayout(10, wide, undefined, "a.onnx"), { classToken: false, registers: 0, grid: wide });
});

Deno.test("tokenLayout() takes four learned rows for registers alone, one and four or five for a class token with them", () => {
  const grid = square(14),
    layout = (others: number, learned: number[], registers?: number) => {
      const { classToken, registers: found } = tokenLayout(196 + others, grid, registers, "a.onnx", learned);
      return [classToken, found];
    };
  assertEquals(layout(4, [4]), [false, 4]);
  assertEquals(layout(4, [], 4), [false, 4]);
  assertEquals(layout(4, [4], 3), [true, 3]);
  assertEquals(layout(5, [1, 4]), [true, 4]);
  assertEquals(layout(5, [5]), [true, 4]);
  assertEquals(layout(1, [1]), [true, 0]);
  assertEquals(layout(17, [1, 16]), [true, 16]);
  assertEquals(tokenLayout(25, null, undefined, "a.onnx", [1, 8]).classToken, true);
});

Deno.test("tokenLayout() finds the grid of an image that is no square where the patch size is not known", () => {
  const wide = (tokens: number, learned: number[], width: number, height: number) =>
    tokenLayout(tokens, null, undefined, "a.onnx", learned, { width, height });
  assertEquals(wide(17, [1], 32, 8), { classToken: true, registers: 0, grid: { rows: 2, cols: 8 } });
  assertEquals(wide(1214, [2], 1024, 128).grid, { rows: 12, cols: 101 }, "patches of 16 overlap by 6");
  assertEquals(wide(256, [], 32, 128), { classToken: false, registers: 0, grid: { rows: 32, cols: 8 } });
  assertEquals(wide(196, [], 225, 224).grid, square(14), "the last column of pixels is left out");
});

const refused: [string, Parameters<typeof tokenLayout>, string][] = [
  [
    "two readings",
    [18, null, undefined, "a.onnx"],
    "a.onnx has 18 tokens an image, which is 1 + 1 + 4² and 1 + 8 + 3²: give the number of registers.",
  ],
  [
    "no reading",
    [216, null, undefined, "a.onnx"],
    "a.onnx has 216 tokens an image, which is no square of patches with 0 to 8 registers, class token or not: " +
    "give the number of registers.",
  ],
  [
    "no reading in an image that is no square",
    [16, null, 0, "a.onnx", [], { width: 224, height: 112 }],
    "a.onnx has 16 tokens an image, which is no grid on 224 × 112 pixels of patches with 0 registers, class token or not: " +
    "give the number of registers.",
  ],
  [
    "fewer tokens than patches",
    [195, square(14), undefined, "a.onnx"],
    "a.onnx has 195 tokens an image, expected 14 × 14 patches and at most one class token: " +
    "check the preprocessing and the number of registers.",
  ],
  [
    "more than registers",
    [227, square(14), undefined, "a.onnx"],
    "a.onnx has 227 tokens an image, expected 14 × 14 patches and at most one class token: " +
    "check the preprocessing and the number of registers.",
  ],
  [
    "a wrong number",
    [201, square(14), 3, "a.onnx"],
    "a.onnx has 201 tokens an image, expected 14 × 14 patches, 3 registers and at most one class token: " +
    "check the preprocessing and the number of registers.",
  ],
];
for (const [what, args, message] of refused) {
  Deno.test(`tokenLayout() asks when there is ${what}`, () => {
    assertEquals(assertThrows(() => tokenLayout(...args), Error).message, message);
  });
}
