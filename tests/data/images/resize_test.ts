import { assertEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { resizeImage, resizeMask } from "../../../src/data/images/resize.ts";
import { goldenImage } from "../../golden/image.ts";
import golden from "../../golden/resize.json" with { type: "json" };

for (const { from: [fromWidth, fromHeight], to: [width, height], filter, sha256 } of golden.cases) {
  const image = goldenImage(fromWidth, fromHeight);
  const sizes = `${fromWidth} × ${fromHeight} to ${width} × ${height}`;
  const symbol = filter === "nearest" ? "resizeMask()" : "resizeImage()";
  Deno.test(`${symbol} equals Pillow byte for byte: ${filter}, ${sizes}`, () => {
    const resized = filter === "nearest"
      ? resizeMask({ ...image, data: image.data.filter((_, i) => i % 3 === 2) }, width, height)
      : resizeImage(image, width, height, filter as "bicubic" | "bilinear");
    assertEquals([resized.width, resized.height], [width, height]);
    assertEquals(createHash("sha256").update(resized.data).digest("hex"), sha256);
  });
}

Deno.test("resizeImage() refuses a size that is no whole number from 1 on", () => {
  assertThrows(
    () => resizeImage(goldenImage(2, 2), 0, 4, "bicubic"),
    RangeError,
    "Cannot resize to 0 × 4 pixels: both must be whole numbers from 1 on.",
  );
});
