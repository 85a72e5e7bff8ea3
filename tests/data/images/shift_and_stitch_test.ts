import { assertEquals } from "@std/assert";
import { preprocess } from "../../../src/data/images/preprocess.ts";
import { shiftedImages, shiftStarts, stitched } from "../../../src/data/images/shift_and_stitch.ts";
import { assertClose } from "../../support/assert_close.ts";
import { streamFeatures } from "../../../src/data/features/stream_features.ts";
import type { Preprocessor } from "../../../src/data/images/preprocessor.ts";

const FOLDER = new URL("../../golden/onnx_exports", import.meta.url).pathname;
const PLAIN: Preprocessor = {
  resize: null,
  filter: "bicubic",
  crop: null,
  rescale: 1 / 255,
  normalize: null,
};

Deno.test("shiftStarts() lays centres of patches evenly in the image", () => {
  assertEquals(shiftStarts(16, 1), [0]);
  assertEquals(shiftStarts(16, 2), [-4, 4]);
  assertEquals(shiftStarts(14, 2), [-3, 4]);
  assertEquals(shiftStarts(16, 4), [-6, -2, 2, 6]);
});

Deno.test("shiftedImages() reflects the image at its borders", () => {
  const data = Float32Array.from({ length: 3 * 4 * 6 }, (_, at) => at);
  const images = shiftedImages({ width: 6, height: 4, data }, [4, 4], 2);
  assertEquals(images.length, 4);
  assertEquals(images.map(({ width, height }) => [width, height]), Array(4).fill([6, 4]));
  assertEquals([...images[0].data.subarray(0, 6)], [7, 6, 7, 8, 9, 10], "up and left by one pixel");
  assertEquals([...images[3].data.subarray(18, 24)], [13, 14, 15, 16, 17, 16], "down and right by one");
  assertEquals(shiftedImages({ width: 6, height: 4, data }, [4, 4], 1)[0].data, data);
});

Deno.test("stitched() takes every patch of every shifted image once, in rows and columns of centres", () => {
  const rows = 6, cols = 9, shifts = 3, seen = new Set<string>(), starts = shiftStarts(6, shifts);
  for (let number = 0; number < rows * cols; number++) {
    const { shift, patch } = stitched(number, cols, shifts);
    seen.add(`${shift} ${patch}`);
    const y = Math.floor(patch / 3) * 6 + 3 + starts[Math.floor(shift / shifts)];
    const x = patch % 3 * 6 + 3 + starts[shift % shifts];
    assertEquals([y, x], [Math.floor(number / cols) * 2 + 1, number % cols * 2 + 1]);
  }
  assertEquals(seen.size, rows * cols);
});

Deno.test("streamFeatures() with shifts gives the patches of the shifted images between one another", async () => {
  const size = 16, shifts = 2;
  for (
    const [name, hook] of [["timm_layer_scale_registers_ts17", "k"], [
      "timm_siglip_ts17",
      "attention",
    ]] as const
  ) {
    const images = [0, 1, 2].map((i) => ({
      width: size,
      height: size,
      data: Uint8Array.from({ length: 3 * size ** 2 }, (_, at) => (at + 31 * i) * 7919 % 251),
    }));
    const run = async (loaded: typeof images, shifts: number, batch: number, preprocessor = PLAIN) => {
      const rows: Float32Array[] = [];
      const manifest = await streamFeatures({
        model: `${FOLDER}/${name}.onnx`,
        outDir: "",
        dtype: "float32",
        hook,
        shifts,
        batch,
        preprocessor,
        images: loaded.map((image, i) => ({ name: String(i), load: () => Promise.resolve(image) })),
      }, { begin: () => {}, rows: (l, { image, vectors }) => void (rows[image[0] * 2 + l] = vectors) });
      return { manifest, rows };
    };
    const { manifest, rows } = await run(images, shifts, 3);
    assertEquals([manifest.grid, manifest.tokens, manifest.shifts], [{ rows: 8, cols: 8 }, 65, 2]);
    // Shifted bytes in place of shifted pixels, which are preprocessed one by one.
    const shifted = shiftedImages(preprocess(images[1], { ...PLAIN, rescale: 1 }, ""), [4, 4], shifts)
      .map(({ data }) =>
        Uint8Array.from({ length: data.length }, (_, at) => data[at % 3 * size ** 2 + Math.floor(at / 3)])
      )
      .map((data) => ({ width: size, height: size, data }));
    const plain = await run(shifted, 1, 1), { width } = manifest;
    for (const l of [0, 1]) {
      for (let number = 0; number < 64; number++) {
        const { shift, patch } = stitched(number, 8, shifts);
        assertClose(
          rows[2 + l].subarray((1 + number) * width, (2 + number) * width),
          plain.rows[2 * shift + l].subarray((1 + patch) * width, (2 + patch) * width),
          { relative: 1e-4, note: `${name}, layer ${l + 1}, patch ${number}` },
        );
      }
      const mean = Array.from(
        { length: width },
        (_, k) => plain.rows.reduce((sum, own, at) => at % 2 === l ? sum + own[k] / 4 : sum, 0),
      );
      assertClose(rows[2 + l].subarray(0, width), mean, { relative: 1e-4 });
    }
  }
});
