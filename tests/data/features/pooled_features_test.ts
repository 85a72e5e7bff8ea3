import { assert, assertEquals, assertThrows } from "@std/assert";
import { extractFeatures } from "../../../src/data/features/extract.ts";
import { openFeatures } from "../../../src/data/features/feature_shards.ts";
import { joinPooled, poolFeatures } from "../../../src/data/features/pooled_features.ts";
import { assertClose } from "../../support/assert_close.ts";
import { assertSameBits } from "../../support/assert_same_bits.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import type { ExtractOptions } from "../../../src/data/features/stream_features.ts";
import type { Preprocessor } from "../../../src/data/images/preprocessor.ts";

const FOLDER = new URL("../../golden/onnx", import.meta.url).pathname;
const SIZE = 24, IMAGES = 5;

const preprocessor: Preprocessor = {
  resize: null,
  filter: "bicubic",
  crop: null,
  rescale: 1 / 255,
  normalize: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
};

function source(name: string): Pick<ExtractOptions, "model" | "preprocessor" | "images"> {
  const images = Array.from({ length: IMAGES }, (_, i) => ({
    name: `image ${i}`,
    load: () =>
      Promise.resolve({
        width: SIZE,
        height: SIZE,
        data: Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, at) => ((i + 1) * 31 + at * 7919) % 251),
      }),
  }));
  return { model: `${FOLDER}/${name}.onnx`, preprocessor, images };
}

/** All tokens of all layers by the way that stores them. */
async function stored(name: string, folder: string) {
  const manifest = await extractFeatures({ ...source(name), outDir: folder, dtype: "float32" });
  const layers = [];
  for (const { path } of manifest.layers) {
    const file = await openFeatures(path);
    layers.push(await file.readRows(0, file.rows));
    await file.close();
  }
  return { ...manifest, layers };
}

const MODELS = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => name.endsWith(".onnx"))
  .map((name) => name.replace(/\.onnx$/, "")).sort();

Deno.test("poolFeatures() means are those of the stored tokens, over the image and over cells of it", async () => {
  await inTemporaryFolder(async (folder) => {
    const name = MODELS[0], { tokens, width, grid, layers } = await stored(name, `${folder}/stored`);
    for (const cells of [1, 2]) {
      const found = await poolFeatures({
        ...source(name),
        tokensPerImage: 0,
        cells,
        seed: 0,
        cacheDir: folder,
        imagesKey: "test",
      });
      assertEquals(found.slots.map((slot) => slot.width), layers.map(() => width * cells ** 2));
      const expected = new Float64Array(IMAGES * layers.length * cells ** 2 * width);
      const count = new Float64Array(expected.length);
      layers.forEach((values, l) => {
        for (let row = 0; row < IMAGES * tokens; row++) {
          const image = Math.floor(row / tokens), token = row % tokens;
          if (cells > 1 && token === 0) continue;
          const y = Math.floor((token - 1) / grid.cols), x = (token - 1) % grid.cols;
          const cell = cells === 1
            ? 0
            : Math.floor(y * cells / grid.rows) * cells + Math.floor(x * cells / grid.cols);
          for (let k = 0; k < width; k++) {
            const to = ((image * layers.length + l) * cells ** 2 + cell) * width + k;
            expected[to] += values[row * width + k];
            count[to]++;
          }
        }
      });
      assertClose(found.pooled.data, expected.map((sum, i) => sum / count[i]), { relative: 1e-5 });
    }
  });
});

Deno.test("poolFeatures() keeps tokens of every image, and the same bits from its cache", async () => {
  await inTemporaryFolder(async (folder) => {
    const name = MODELS[0], { tokens, width, layers } = await stored(name, `${folder}/stored`);
    const options = { ...source(name), tokensPerImage: 3, seed: 7, cacheDir: folder, imagesKey: "test" };
    const found = await poolFeatures(options);
    found.tokens.forEach(({ data, rows }, l) => {
      assertEquals(rows, IMAGES * 3);
      for (let row = 0; row < rows; row++) {
        const own = data.subarray(row * width, (row + 1) * width);
        const from = Math.floor(row / 3) * tokens;
        const among = Array.from(
          { length: tokens },
          (_, t) => layers[l].subarray((from + t) * width, (from + t + 1) * width),
        );
        assert(
          among.some((vector) => vector.every((value, k) => value === own[k])),
          `layer ${l}, row ${row}`,
        );
      }
    });
    let ran = 0;
    const again = await poolFeatures({ ...options, onProgress: () => ran++ });
    assertEquals(ran, 0);
    assertSameBits(again.pooled.data, found.pooled.data, "pooled");
    assertSameBits(again.tokens[1].data, found.tokens[1].data, "tokens");
    const kept = [...Deno.readDirSync(folder)].find((entry) => entry.name.startsWith("pooled-"))!.name;
    const path = `${folder}/${kept}/pooled.npy`, bytes = await Deno.readFile(path);
    new DataView(bytes.buffer).setFloat32(bytes.length - 8, NaN, true);
    await Deno.writeFile(path, bytes);
    const mended = await poolFeatures({ ...options, onProgress: () => ran++ });
    assert(ran > 0, "an altered file is made again");
    assertSameBits(mended.pooled.data, found.pooled.data, "pooled again");
    ran = 0;
    await poolFeatures({ ...options, imagesKey: "other", onProgress: () => ran++ });
    assert(ran > 0, "another key is another set of images");
    const residual = await poolFeatures({ ...options, hook: "residual" });
    assert(
      residual.pooled.data.some((value, i) => value !== found.pooled.data[i]),
      "another hook is not cached",
    );
    // More than an image has: rows that no token fills would be zero vectors.
    const all = await poolFeatures({ ...options, tokensPerImage: tokens + 5 });
    const sorted = layers.map((values) => Array.from(values).sort((a, b) => a - b));
    all.tokens.forEach(({ data, rows }, l) => {
      assertEquals(rows, IMAGES * tokens);
      assertEquals(Array.from(data).sort((a, b) => a - b), sorted[l]);
    });
  });
});

Deno.test("joinPooled() puts slots side by side", () => {
  const part = (name: string, cols: number, value: number) => ({
    slots: [{ name, width: cols }],
    pooled: { data: new Float32Array(2 * cols).map((_, at) => value + at), rows: 2, cols },
    tokens: [],
  });
  const { slots, pooled } = joinPooled([part("a L1", 2, 0), part("b L1", 1, 10)]);
  assertEquals(slots.map(({ name }) => name), ["a L1", "b L1"]);
  assertEquals([...pooled.data], [0, 1, 10, 2, 3, 11]);
});

Deno.test("joinPooled() refuses two layers of one name", () => {
  const part = {
    slots: [{ name: "vit L1", width: 2 }],
    pooled: { data: new Float32Array(6), rows: 3, cols: 2 },
    tokens: [],
  };
  assertThrows(() => joinPooled([part, part]), RangeError, 'Two models have a layer called "vit L1"');
});
