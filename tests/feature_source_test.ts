import { assertEquals, assertRejects } from "@std/assert";
import { closeGpu, openGpu } from "../mod.ts";
import { openFeatureSource } from "../src/data/feature_source.ts";
import { createFeatures, type FeatureType } from "../src/data/feature_store.ts";
import { matrixSource } from "../src/graph/node_source.ts";
import { fitNystrom } from "../src/graph/nystrom.ts";
import { inTemporaryFolder } from "./in_temporary_folder.ts";
import { randomMatrix } from "./random.ts";

const TOKENS = 5;

/** Writes `images` images of random features in batches of two, and returns what a reader should find. */
async function write(path: string, layer: number, width: number, images: number, dtype: FeatureType) {
  const { data } = randomMatrix(images * TOKENS, width, layer);
  const writer = await createFeatures(path, layer, width, dtype, { model: "test", tokens: String(TOKENS) });
  for (let first = 0; first < images; first += 2) {
    const length = Math.min(2, images - first) * TOKENS;
    await writer.write({
      image: Int32Array.from({ length }, (_, i) => first + Math.floor(i / TOKENS)),
      token: Int16Array.from({ length }, (_, i) => i % TOKENS),
      vectors: data.slice(first * TOKENS * width, first * TOKENS * width + length * width),
    });
  }
  await writer.finish();
  return dtype === "float16" ? Float32Array.from(Float16Array.from(data)) : data;
}

Deno.test("openFeatureSource() reads files as one matrix, in any panels, with model, layer and image as strata", async () => {
  await inTemporaryFolder(async (root) => {
    const parts = [
      await write(`${root}/a.arrow`, 1, 7, 3, "float32"),
      await write(`${root}/b.arrow`, 2, 7, 1, "float16"),
      await write(`${root}/c.arrow`, 3, 7, 4, "float16"),
    ];
    const whole = Float32Array.from(parts.flatMap((part) => [...part]));
    const source = await openFeatureSource(["a", "b", "c"].map((name) => `${root}/${name}.arrow`));
    assertEquals([source.rows, source.cols], [40, 7]);
    assertEquals(source.slots.map(({ model, layer, first, rows }) => [model, layer, first, rows]), [
      ["test", 1, 0, 15],
      ["test", 2, 15, 5],
      ["test", 3, 20, 20],
    ]);
    for (const [first, count] of [[0, 40], [14, 7], [15, 5], [3, 1], [39, 1], [11, 20]]) {
      const panel = await source.read(first, count);
      assertEquals(panel, { data: whole.slice(first * 7, (first + count) * 7), rows: count, cols: 7 });
    }
    const strata = Array.from({ length: 40 }, (_, row) => source.strata!(row));
    assertEquals(strata, Array.from({ length: 40 }, (_, row) => Math.floor(row / TOKENS)));
    await source.close();
  });
});

Deno.test("openFeatureSource() gives fitNystrom() what a matrix gives it", async () => {
  const gpu = await openGpu();
  await inTemporaryFolder(async (root) => {
    const a = await write(`${root}/a.arrow`, 1, 6, 40, "float32");
    const b = await write(`${root}/b.arrow`, 2, 6, 41, "float32");
    const data = Float32Array.from([...a, ...b]);
    const stored = await openFeatureSource([`${root}/a.arrow`, `${root}/b.arrow`]);
    const strata = Uint32Array.from({ length: 405 }, (_, row) => Math.floor(row / TOKENS));
    const inMemory = matrixSource({ data, rows: 405, cols: 6 }, strata);
    for (const sampling of ["farthest", "stratified"] as const) {
      const options = { landmarks: 81, components: 3, sampling };
      const expected = await (await fitNystrom(gpu, inMemory, options)).transform(inMemory);
      assertEquals(await (await fitNystrom(gpu, stored, options)).transform(stored), expected);
    }
    await stored.close();
  });
  closeGpu(gpu);
});

Deno.test("openFeatureSource() names the file that does not fit, or cannot be read", async () => {
  await inTemporaryFolder(async (root) => {
    await write(`${root}/a.arrow`, 1, 7, 1, "float32");
    await write(`${root}/b.arrow`, 2, 8, 1, "float32");
    await assertRejects(
      () => openFeatureSource([`${root}/a.arrow`, `${root}/b.arrow`]),
      Error,
      `${root}/b.arrow has 8 channels, but ${root}/a.arrow has 7: align the features first`,
    );
    await assertRejects(
      () => openFeatureSource([`${root}/a.arrow`, `${root}/absent.arrow`]),
      Error,
      "absent.arrow",
    );
    await assertRejects(() => openFeatureSource([]), Error, "There are no feature files: give at least one.");
  });
});
