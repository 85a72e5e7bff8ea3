import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { lookAtSizes } from "../../../src/data/files/file_look.ts";
import { extractedRanges, extractFeatures, extractRange } from "../../../src/data/features/extract.ts";
import { openFeatures, shardRanges } from "../../../src/data/features/feature_shards.ts";
import { assertClose } from "../../support/assert_close.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import type { RgbImage } from "../../../src/data/images/picture.ts";
import type { ExtractOptions } from "../../../src/data/features/stream_features.ts";
import type { Preprocessor } from "../../../src/data/images/preprocessor.ts";

const FOLDER = new URL("../../golden/onnx", import.meta.url).pathname;
const SIZE = 24, WIDTH = 16;

interface Golden {
  heads: number;
  width: number;
  registers: number;
  /** Of every layer on the photographs, images × tokens × width. */
  photographs: number[][];
}
const golden: Record<string, Golden> = JSON.parse(await Deno.readTextFile(`${FOLDER}/golden.json`));

const preprocessor: Preprocessor = {
  resize: null,
  filter: "bicubic",
  crop: null,
  rescale: 1 / 255,
  normalize: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
};

/** Image i of photographs() in make.py. */
function photograph(i: number): RgbImage {
  const bytes = SIZE * SIZE * 3;
  return {
    width: SIZE,
    height: SIZE,
    data: Uint8Array.from({ length: bytes }, (_, at) => (i * bytes + at) * 7919 % 251),
  };
}

function options(model: string, outDir: string, count = 2): ExtractOptions {
  const images = Array.from({ length: count }, (_, i) => {
    return { name: `photograph ${i}`, load: () => Promise.resolve(photograph(i % 2)) };
  });
  return { model: `${FOLDER}/${model}.onnx`, preprocessor, images, outDir, dtype: "float32" };
}

async function readAll(path: string): Promise<Float32Array> {
  const features = await openFeatures(path);
  try {
    return await features.readRows(0, features.rows);
  } finally {
    await features.close();
  }
}

/** The golden rows of one layer without the registers. */
function kept({ photographs, registers, width }: Golden, layer: number): number[] {
  const all = photographs[layer].length / 2 / width;
  return photographs[layer].filter((_, at) => {
    const token = Math.floor(at / width) % all;
    return token === 0 || token > registers;
  });
}

async function extractError(changed: ExtractOptions): Promise<string> {
  return (await assertRejects(() => extractFeatures(changed), Error)).message;
}

function namesIn(dir: string): string[] {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
}

for (const [name, expected] of Object.entries(golden)) {
  Deno.test(`extractFeatures() stores what PyTorch hooks see: ${name}`, () =>
    inTemporaryFolder(async (dir) => {
      const { layers, heads, width, tokens, registers, grid, images } = await extractFeatures(
        options(name, dir),
      );
      assertEquals({ heads, width, registers }, {
        heads: expected.heads,
        width: expected.width,
        registers: expected.registers,
      });
      assertEquals({ tokens, grid, images }, {
        tokens: 10,
        grid: { rows: 3, cols: 3 },
        images: ["photograph 0", "photograph 1"],
      });
      assertEquals(layers.length, expected.photographs.length);
      for (const { layer, path } of layers) {
        const values = await readAll(path);
        assertClose(values, kept(expected, layer - 1), { relative: 1e-4, note: `layer ${layer}` });
      }
    }));
}

Deno.test("extractFeatures() gives the same rows in whatever batches they are run", () =>
  inTemporaryFolder(async (dir) => {
    const run = async (batch: number) => {
      const progress: number[] = [];
      const { layers } = await extractFeatures({
        ...options("registers_layer_scale_dynamo18", `${dir}/${batch}`, 5),
        batch,
        onProgress: (done: number) => progress.push(done),
      });
      return { values: await readAll(layers[1].path), progress };
    };
    const [one, two, all] = [await run(1), await run(2), await run(8)];
    assertEquals(one.values.length, 5 * 10 * WIDTH);
    assertClose(two.values, one.values, { relative: 1e-5 });
    assertClose(all.values, one.values, { relative: 1e-5 });
    assertEquals([one.progress, two.progress, all.progress], [[1, 2, 3, 4, 5], [2, 4, 5], [5]]);
  }));

Deno.test("extractFeatures() stores float16 as the nearest float16", () =>
  inTemporaryFolder(async (dir) => {
    const full = await extractFeatures(options("sdpa_ts14", `${dir}/full`));
    const half = await extractFeatures({ ...options("sdpa_ts14", `${dir}/half`), dtype: "float16" });
    const values = await readAll(full.layers[0].path);
    assertEquals(await readAll(half.layers[0].path), Float32Array.from(Float16Array.from(values)));
    assert(half.layers[0].shards[0].bytes < full.layers[0].shards[0].bytes);
  }));

Deno.test("extractFeatures() computes nothing again that is there, and anything else anew", () =>
  inTemporaryFolder(async (dir) => {
    let loaded = 0;
    const counted = options("fused_qkv_ts17", dir);
    counted.images = counted.images.map(({ name, load }) => ({ name, load: () => (loaded++, load()) }));
    const first = await extractFeatures(counted);
    const before = loaded;
    assertEquals(await extractFeatures(counted), first);
    assertEquals(loaded, before);
    await extractFeatures({ ...counted, images: counted.images.slice(0, 1) });
    assert(loaded > before);
  }));

Deno.test("extractFeatures() names the image, layer and token of a zero vector and leaves no file", () =>
  inTemporaryFolder(async (dir) => {
    const model = `${dir}/zero.onnx`;
    await Deno.writeFile(model, await withProjection(() => 0));
    const message = await extractError({ ...options("", `${dir}/out`), model });
    assertEquals(
      message,
      "zero: the feature of photograph 0, layer 1, token 0 (the class token) is a zero vector, which has no cosine: " +
        "check the model's weights and preprocessing.",
    );
    assertEquals(namesIn(`${dir}/out`), []);
  }));

Deno.test("extractFeatures() names the image, layer and token of features that are not finite and leaves no file", () =>
  inTemporaryFolder(async (dir) => {
    const model = `${dir}/nan.onnx`;
    await Deno.writeFile(model, await withProjection((i) => i === 0 ? NaN : 1));
    assertEquals(
      await extractError({ ...options("", `${dir}/out`), model }),
      "nan: the feature of photograph 0, layer 1, token 0 (the class token) holds NaN or infinite values: " +
        "check the model's weights and preprocessing.",
    );
    assertEquals(namesIn(`${dir}/out`), []);
  }));

Deno.test("extractFeatures() refuses what float16 cannot hold", () =>
  inTemporaryFolder(async (dir) => {
    const model = `${dir}/large.onnx`;
    for (
      const [scale, sentence] of [[1e7, "too large for float16"], [
        1e-12,
        "is a zero vector in float16",
      ]] as const
    ) {
      await Deno.writeFile(model, await withProjection((i) => scale * (1 + i % 7)));
      const message = await extractError({ ...options("", `${dir}/out`), model, dtype: "float16" });
      assertStringIncludes(message, sentence);
      assertStringIncludes(message, "store float32");
      assertEquals((await extractFeatures({ ...options("", `${dir}/full`), model })).layers.length, 2);
    }
  }));

Deno.test("extractFeatures() says one sentence for what cannot be run", () =>
  inTemporaryFolder(async (dir) => {
    const good = options("fused_qkv_ts17", `${dir}/out`);
    assertEquals(
      await extractError({ ...good, images: [] }),
      "There are no images to extract features of: give at least one.",
    );
    assertStringIncludes(await extractError(options("no_attention", `${dir}/out`)), "has no attention block");
    assertStringIncludes(await extractError(options("absent", `${dir}/out`)), "There is no model ");
    const resized = { ...good, preprocessor: { ...preprocessor, resize: { width: 32, height: 32 } } };
    assertStringIncludes(
      await extractError(resized),
      "takes images of 24 × 24 pixels, its preprocessing gives 32 × 32",
    );
    assertStringIncludes(
      await extractError({ ...good, registers: 2 }),
      "has 10 tokens an image, expected 3 × 3 patches, 2 registers and at most one class token",
    );
    const [first, second] = good.images;
    const wide = { ...photograph(1), width: 12, height: 48 };
    assertEquals(
      await extractError({ ...good, images: [first, { ...second, load: () => Promise.resolve(wide) }] }),
      "photograph 1 is 12 × 48 after preprocessing, the first image 24 × 24: preprocess with a crop or an exact size.",
    );
    await Deno.writeTextFile(`${dir}/file`, "");
    assertStringIncludes(
      await extractError({ ...good, outDir: `${dir}/file/out` }),
      `Cannot write features to ${dir}/file/out: `,
    );
    assertEquals(namesIn(`${dir}/out`), []);
  }));

/** The bytes of a fixture with the values of its first block's output projection, weight and bias, made anew. */
async function withProjection(value: (i: number) => number): Promise<Uint8Array> {
  const model = await Deno.readFile(`${FOLDER}/separate_qkv_post_norm_dynamo18.onnx`);
  const { default: protobuf } = await import("protobufjs");
  const { readOnnx } = await import("../../../src/data/onnx/graph.ts");
  const { nodes } = await readOnnx(`${FOLDER}/separate_qkv_post_norm_dynamo18.onnx`);
  const projection = nodes.find(({ outputs }) => outputs[0] === "linear_3")!;
  const weight = projection.inputs[1];
  // Walks to the stored tensor of that name: model field 7, graph field 5, name 8, raw_data 9.
  const reader = protobuf.Reader.create(model);
  let found = false;
  const each = (length: number, visit: (field: number, wire: number) => void) => {
    for (const end = reader.pos + length; reader.pos < end;) {
      const tag = reader.uint32();
      visit(tag >>> 3, tag & 7);
    }
  };
  each(model.length, (field, wire) => {
    if (field !== 7) return reader.skipType(wire);
    each(reader.uint32(), (field, wire) => {
      if (field !== 5) return reader.skipType(wire);
      let name = "", at = 0, length = 0;
      each(reader.uint32(), (field, wire) => {
        if (field === 8) name = reader.string();
        else if (field === 9) {
          length = reader.uint32();
          at = reader.pos;
          reader.skip(length);
        } else reader.skipType(wire);
      });
      if (name !== weight) return;
      found = true;
      const view = new DataView(model.buffer, at, length);
      for (let i = 0; i < length / 4; i++) view.setFloat32(4 * i, value(i), true);
    });
  });
  assert(found, `no stored tensor ${weight}`);
  return model;
}

Deno.test("extractRange leaves what extractFeatures joins, byte for byte what it makes alone", async () => {
  await inTemporaryFolder(async (dir) => {
    const model = Object.keys(golden)[0];
    const of = (name: string) => ({ ...options(model, `${dir}/${name}`, 20), shardImages: 8 });
    const ranges = shardRanges(20, 8);
    const alone = await extractFeatures(of("alone"));
    const isExtracted = extractedRanges(`${dir}/parts`, lookAtSizes());
    assertEquals(isExtracted(ranges[1]), false);
    // Out of order, one of them by two at once.
    const twice = [ranges[2], ranges[2]].map((range) => extractRange(of("parts"), range));
    await Promise.all([...twice, extractRange(of("parts"), ranges[0])]);
    await extractRange(of("parts"), ranges[1]);
    assertEquals(isExtracted(ranges[1]), true);
    let ran = 0;
    const joined = await extractFeatures({ ...of("parts"), onProgress: () => ran++ });
    assertEquals(ran, 0, "the models ran again");
    const relative = (manifest: unknown) => JSON.stringify(manifest).replaceAll(/\/(?:alone|parts)\//g, "/");
    assertEquals(relative(joined), relative(alone));

    // A shard that was cut is made again by its own range, and by no other.
    const shard = joined.layers[0].shards[1].path, whole = await Deno.readFile(shard);
    await Deno.writeFile(shard, whole.subarray(0, 100));
    await extractRange(of("parts"), ranges[1]);
    assertEquals(await Deno.readFile(shard), whole);
  });
});
