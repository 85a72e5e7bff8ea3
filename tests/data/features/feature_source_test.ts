import { assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { closeGpu, openGpu } from "../../../mod.ts";
import { openFeatureSlots, openFeatureSource } from "../../../src/data/features/feature_source.ts";
import { createFeatures, type FeatureType } from "../../../src/data/features/feature_store.ts";
import { alignedSource } from "../../../src/pipeline/aligned_source.ts";
import { matrixSource } from "../../../src/graph/node_source.ts";
import { fitNystrom } from "../../../src/graph/nystrom.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { randomMatrix } from "../../support/random.ts";

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

Deno.test("alignedSource() brings slots of different widths into one space, in any panels", async () => {
  const gpu = await openGpu();
  await inTemporaryFolder(async (root) => {
    const widths = [7, 5], shared = 3, transforms = randomMatrix(12, shared, 9);
    const raw = [
      await write(`${root}/a.arrow`, 1, widths[0], 3, "float32"),
      await write(`${root}/b.arrow`, 2, widths[1], 4, "float32"),
    ];
    const align = {
      slots: widths.map((width, i) => ({ name: `test L${i + 1}`, width })),
      transforms,
      beta: randomMatrix(shared, 2, 1),
      epsilon: new Float32Array(2),
    };
    const wanted = raw.flatMap((data, slot) =>
      Array.from({ length: data.length / widths[slot] * shared }, (_, at) => {
        const row = Math.floor(at / shared), first = slot * widths[0];
        let sum = 0;
        for (let k = 0; k < widths[slot]; k++) {
          sum += data[row * widths[slot] + k] * transforms.data[(first + k) * shared + at % shared];
        }
        return sum;
      })
    );
    const paths = ["a", "b"].map((name) => `${root}/${name}.arrow`), slots = await openFeatureSlots(paths);
    const source = alignedSource(gpu, slots, align);
    assertEquals([source.rows, source.cols], [35, shared]);
    for (const [first, count] of [[0, 35], [13, 4], [15, 20]]) {
      const { data } = await source.read(first, count);
      data.forEach((value, i) => assertAlmostEquals(value, wanted[first * shared + i], 1e-5));
    }
    const narrow = { ...align, slots: [align.slots[0], { name: "test L2", width: 4 }] };
    assertThrows(
      () => alignedSource(gpu, slots, narrow),
      Error,
      "b.arrow has 5 channels, the alignment's slot test L2 4",
    );
    await slots.close();
  });
  closeGpu(gpu);
});
