import { assertEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import type { RgbImage } from "../src/data/image.ts";
import { type Filter, resizeImage } from "../src/data/resize.ts";
import golden from "./golden/resize.json" with { type: "json" };

/** The images of golden/resize.py. */
function goldenImage(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[at++] = (7 * x + 13 * y) % 256;
      data[at++] = (Math.floor(x / 3) + Math.floor(y / 5)) % 2 === 0 ? 0 : 255;
      data[at++] = (x * 7919 + y * 104729 + (x * y) % 251 * 31) % 65521 % 256;
    }
  }
  return { width, height, data };
}

for (const { from, to, filter, sha256 } of golden.cases) {
  Deno.test(`resizeImage() equals Pillow byte for byte: ${filter}, ${from.join(" × ")} to ${to.join(" × ")}`, () => {
    const { width, height, data } = resizeImage(
      goldenImage(from[0], from[1]),
      to[0],
      to[1],
      filter as Filter,
    );
    assertEquals([width, height, data.length], [to[0], to[1], to[0] * to[1] * 3]);
    assertEquals(createHash("sha256").update(data).digest("hex"), sha256);
  });
}

Deno.test("resizeImage() refuses a size that is no whole number from 1 on", () => {
  assertThrows(
    () => resizeImage(goldenImage(2, 2), 0, 4, "bicubic"),
    RangeError,
    "Cannot resize to 0 × 4 pixels: both must be whole numbers from 1 on.",
  );
});
