import { assertEquals, assertThrows } from "@std/assert";
import { imageInput } from "../../../src/data/models/vision_model.ts";
import type { StatedInput } from "../../../src/data/onnx/types.ts";

Deno.test("imageInput() takes images of any stated or open size, and says of other inputs how to export the model", () => {
  const input = (type: string | null, ...shape: (number | string)[]) =>
    ({ name: "x", type, shape }) as StatedInput;
  for (const type of ["float32", "float16"]) {
    for (
      const shape of [[1, 3, 224, 224], ["b", 3, "h", "w"], ["b", "c", "h", "w"], [-1, -1, -1, -1], [
        2,
        3,
        3,
        3,
      ]]
    ) {
      assertEquals(
        imageInput([input(type, ...shape)], "a.onnx"),
        { name: "x", type, shape } as unknown as ReturnType<typeof imageInput>,
      );
    }
  }
  const expected = "expected one input of images × 3 × height × width";
  for (
    const [inputs, message] of [
      [
        [input("uint8", 1, 3, 8, 8)],
        `x (uint8 1 × 3 × 8 × 8), ${expected} in float32 or float16: export it without the steps of its preprocessor file.`,
      ],
      [
        [input("float32", "b", 8, 8, 3)],
        `x (float32 b × 8 × 8 × 3), ${expected}: export it with channels before rows, not last.`,
      ],
      [
        [input("uint8", "b", "h", "w", 3)],
        `x (uint8 b × h × w × 3), ${expected}: export it with channels before rows, not last.`,
      ],
      [
        [input("float32", 1, 1, 8, 8)],
        `x (float32 1 × 1 × 8 × 8), ${expected}: export the vision part alone.`,
      ],
      [[input("int64", 1, 77)], `x (int64 1 × 77), ${expected}: export the vision part alone.`],
      [
        [input("float32", 1, 3, 8, 8), input("int64", 1, 77)],
        `x (float32 1 × 3 × 8 × 8), x (int64 1 × 77), ${expected}: export the vision part alone.`,
      ],
      [[], `nothing, ${expected}: export the vision part alone.`],
    ] as const
  ) assertThrows(() => imageInput([...inputs], "a.onnx"), Error, `a.onnx takes ${message}`);
});
