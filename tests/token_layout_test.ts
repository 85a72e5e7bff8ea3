import { assertEquals, assertThrows } from "@std/assert";
import { tokenLayout } from "../src/data/token_layout.ts";

const square = (side: number) => ({ rows: side, cols: side });

Deno.test("tokenLayout() counts registers by the patches that fit in the image", () => {
  assertEquals(tokenLayout(197, square(14), undefined, "a.onnx"), { registers: 0, grid: square(14) });
  assertEquals(tokenLayout(201, square(14), undefined, "a.onnx"), { registers: 4, grid: square(14) });
  const wide = { rows: 2, cols: 5 };
  assertEquals(tokenLayout(12, wide, undefined, "a.onnx"), { registers: 1, grid: wide });
});

Deno.test("tokenLayout() finds the square where the patch size is not known", () => {
  assertEquals(tokenLayout(197, null, undefined, "a.onnx"), { registers: 0, grid: square(14) });
  assertEquals(tokenLayout(201, null, undefined, "a.onnx"), { registers: 4, grid: square(14) });
  assertEquals(tokenLayout(257, null, undefined, "a.onnx"), { registers: 0, grid: square(16) });
  assertEquals(tokenLayout(18, null, 8, "a.onnx"), { registers: 8, grid: square(3) });
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
    "a.onnx has 216 tokens an image, which is no class token, 0 to 8 registers and a square of patches: " +
    "give the number of registers.",
  ],
  [
    "no class token",
    [196, square(14), undefined, "a.onnx"],
    "a.onnx has 196 tokens an image, expected a class token and 14 × 14 patches: " +
    "check the preprocessing and the number of registers; a model without class token is not taken.",
  ],
  [
    "a wrong number",
    [201, square(14), 3, "a.onnx"],
    "a.onnx has 201 tokens an image, expected a class token, 3 registers and 14 × 14 patches: " +
    "check the preprocessing and the number of registers; a model without class token is not taken.",
  ],
];
for (const [what, args, message] of refused) {
  Deno.test(`tokenLayout() asks when there is ${what}`, () => {
    assertEquals(assertThrows(() => tokenLayout(...args), Error).message, message);
  });
}
