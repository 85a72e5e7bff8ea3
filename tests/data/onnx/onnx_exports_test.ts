import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { findAttentionOutputs } from "../../../src/data/onnx/attention_outputs.ts";
import { learnedTokens, patchSize } from "../../../src/data/onnx/patch_order.ts";
import { extractFeatures } from "../../../src/data/features/extract.ts";
import { readNpy } from "../../../src/data/formats/npy.ts";
import { type OnnxGraph, readOnnx, withOutputs } from "../../../src/data/onnx/graph.ts";
import { openFeatures } from "../../../src/data/features/feature_shards.ts";
import { preprocess } from "../../../src/data/images/preprocess.ts";
import { probeSizes, takesAnySize } from "../../../src/data/models/size_probe.ts";
import { tokenLayout } from "../../../src/data/models/token_layout.ts";
import { openModel, readWeights } from "../../../src/data/models/vision_model.ts";
import { assertClose } from "../../support/assert_close.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { realData } from "../../support/real_data.ts";
import type { WeightFile } from "../../../src/data/onnx/types.ts";
import type { Preprocessor } from "../../../src/data/images/preprocessor.ts";

const FOLDER = new URL("../../golden/onnx_exports", import.meta.url).pathname;
const SIZE = 16, GRID = { rows: 4, cols: 4 };

const PLAIN: Preprocessor = {
  resize: null,
  filter: "bicubic",
  crop: null,
  rescale: 1 / 255,
  normalize: null,
};

interface Facts {
  registers: number;
  /** Where there is none. */
  classToken?: false;
  /** Rows and columns of patches, where they are not those of `GRID`. */
  grid?: [number, number];
  /** Null where its weights are images · windows · heads × …, which do not tell. */
  heads: number | null;
  /** Name of the .npy file. */
  values: string;
}
const exports: Record<string, Facts> = JSON.parse(await Deno.readTextFile(`${FOLDER}/models.json`));

/** How far from float32 the values may be where the model does not compute in it. */
const TOLERANCES: Record<string, number> = {
  half_pixels_clip: 4e-3,
  half_weights_registers: 3e-3,
  quantized_vit: 0.1,
};

/** Image i of images() in make.py. */
function image(i: number, height = SIZE, width = height) {
  const values = 3 * height * width;
  const data = Float32Array.from({ length: values }, (_, at) => (i * values + at) * 7919 % 2003 / 1001 - 1);
  return { width, height, data };
}

for (const [name, { registers, heads, values, classToken = true, grid: sides }] of Object.entries(exports)) {
  const grid = sides ? { rows: sides[0], cols: sides[1] } : GRID;

  Deno.test(`findAttentionOutputs() finds what PyTorch hooks see in ${name}`, async () => {
    const graph = await readOnnx(`${FOLDER}/${name}.onnx`);
    const { shape, data } = await readNpy(`${FOLDER}/${values}.npy`);
    const blocks = findAttentionOutputs(graph);
    const tensors = blocks.map(({ tensor }) => tensor);
    assertEquals(tensors.length, shape[0]);
    assertEquals(patchSize(graph), [4, 4]);
    const layout = { classToken, registers, grid };
    assertEquals(tokenLayout(shape[2], grid, undefined, name, learnedTokens(graph, blocks)), layout);

    const perHead = blocks[0].heads === null ? [blocks[0].weights ?? blocks[0].queries!] : [];
    await using model = await openModel(
      graph,
      withOutputs(graph, [...tensors, ...perHead], blocks.flatMap(({ added }) => added ?? [])),
      await readWeights(graph),
    );
    const images = [0, 1].map((i) => image(i, 4 * grid.rows, 4 * grid.cols));
    const results = await model.run(images, [...tensors, ...perHead]);
    const size = data.length / shape[0];
    for (const [l, tensor] of tensors.entries()) {
      const { dims } = results[tensor],
        flat = dims.length === 4 ? [dims[0], dims[1] * dims[2], dims[3]] : dims;
      assertEquals([...flat], shape.slice(1));
      const expected = Float32Array.from(data.subarray(l * size, (l + 1) * size) as Float32Array);
      assertClose(results[tensor].data, expected, {
        relative: TOLERANCES[name] ?? 1e-4,
        note: `layer ${l + 1}`,
      });
    }
    if (heads !== null) assertEquals(blocks[0].heads ?? results[perHead[0]].dims[1], heads);
  });
}

for (const name of ["hf_dinov2_any_size_ts17", "timm_vit_any_size_dynamo20"]) {
  Deno.test(`findAttentionOutputs() finds what PyTorch hooks see at another height and width in ${name}`, async () => {
    const graph = await readOnnx(`${FOLDER}/${name}.onnx`);
    const { shape, data } = await readNpy(`${FOLDER}/${name}_other.npy`);
    const grid = { rows: 6, cols: 8 }, tensors = findAttentionOutputs(graph).map(({ tensor }) => tensor);
    assertEquals(tokenLayout(shape[2], grid, undefined, name), { classToken: true, registers: 0, grid });
    await using model = await openModel(graph, withOutputs(graph, tensors), []);
    const results = await model.run([image(0, 24, 32), image(1, 24, 32)], tensors);
    for (const [l, tensor] of tensors.entries()) {
      assertEquals([...results[tensor].dims], shape.slice(1));
      const size = data.length / shape[0];
      const expected = data.subarray(l * size, (l + 1) * size) as Float32Array;
      assertClose(results[tensor].data, expected, { relative: 1e-4, note: `layer ${l + 1}` });
    }
  });
}

Deno.test("probeSizes() tells positions that follow the size from those of one size", async () => {
  const probe = async (name: string, side: number) => {
    const graph = await readOnnx(`${FOLDER}/${name}.onnx`);
    assertEquals(takesAnySize(graph), name.includes("any_size"));
    return await probeSizes(graph, findAttentionOutputs(graph), { width: side, height: side }, []);
  };
  assertEquals(await probe("hf_dinov2_any_size_ts17", 16), null);
  assertEquals(await probe("timm_vit_any_size_dynamo20", 16), null);
  // PyTorch's features differ at all sizes but 16 × 16: the export divides rotary positions by its example's size.
  const dinov3 = "timm_dinov3_any_size_dynamo20";
  assertEquals(await probe(dinov3, 16), "its positions count on beyond those of 16 × 16 pixels");
  assertMatch((await probe(dinov3, 24))!, /^its positions count on /);
});

Deno.test("findAttentionOutputs() refuses a masked autoencoder that shuffles its patches", async () => {
  const path = `${FOLDER}/hf_mae_ts17.onnx`;
  const graph = await readOnnx(path);
  assertEquals(
    assertThrows(() => findAttentionOutputs(graph), Error).message,
    `${path} draws random numbers (RandomUniformLike, node of /model/embeddings/RandomUniformLike_output_0) before its ` +
      "first attention block, as a masked autoencoder does to hide patches: export its encoder without masking.",
  );
});

Deno.test("extractFeatures() puts the mean of the patches in the place of a missing class token, registers left out", () =>
  inTemporaryFolder(async (dir) => {
    for (
      const [name, before] of [["timm_registers_alone_dynamo18", 4], [
        "timm_sam_windows_dynamo18",
        0,
      ]] as const
    ) {
      const images = [0, 1].map((i) => {
        const data = Uint8Array.from({ length: 3 * SIZE ** 2 }, (_, at) => (at + i) * 7919 % 251);
        return { name: String(i), load: () => Promise.resolve({ width: SIZE, height: SIZE, data }) };
      });
      const manifest = await extractFeatures({
        model: `${FOLDER}/${name}.onnx`,
        preprocessor: PLAIN,
        images,
        outDir: `${dir}/${name}`,
        dtype: "float32",
      });
      const { tokens, classToken, registers, grid, width } = manifest;
      assertEquals([tokens, classToken, registers, grid, width], [17, false, before, GRID, 12]);
      const graph = await readOnnx(`${FOLDER}/${name}.onnx`), [, { tensor }] = findAttentionOutputs(graph);
      await using model = await openModel(graph, withOutputs(graph, [tensor]), []);
      const inputs = await Promise.all(images.map(async ({ load }) => preprocess(await load(), PLAIN, name)));
      const { data } = (await model.run(inputs, [tensor]))[tensor];
      const file = await openFeatures(manifest.layers[1].path), found = await file.readRows(17, 34);
      await file.close();
      const patches = data.subarray((before + 16 + before) * width);
      assertEquals(found.subarray(width), patches);
      const mean = Array.from({ length: width }, (_, k) => {
        return patches.reduce((sum, value, at) => at % width === k ? sum + value / 16 : sum, 0);
      });
      assertClose(found.subarray(0, width), mean, { relative: 1e-6 });
    }
  }));

Deno.test("extractFeatures() refuses a Swin transformer, whose stages see other patches", () =>
  inTemporaryFolder(async (dir) => {
    const model = `${FOLDER}/timm_swin_dynamo18.onnx`, bytes = new Uint8Array(3 * SIZE ** 2).fill(7);
    const images = [{ name: "a", load: () => Promise.resolve({ width: SIZE, height: SIZE, data: bytes }) }];
    const { message } = await assertRejects(
      () => extractFeatures({ model, preprocessor: PLAIN, images, outDir: dir, dtype: "float32" }),
      Error,
    );
    assertMatch(
      message,
      /swin_dynamo18\.onnx: the output .* has the shape 1 × 4 × 4 × 24, expected 1 × 8 × 8 × 12 as in the first layer: give a model whose layers all see the same patches, not one of stages or windows as Swin\.$/,
    );
  }));

const DINOV2 = realData("onnx/dinov2_vits14_graph_no_weights.onnx");
Deno.test({
  name: "findAttentionOutputs() takes DINOv2's projections with their biases, before layer scale",
  ignore: DINOV2 === undefined,
  fn: async () => {
    const graph = await readOnnx(DINOV2!);
    for (const { tensor, layer } of findAttentionOutputs(graph)) {
      const producer = graph.nodes.find(({ outputs }) => outputs.includes(tensor))!;
      assertEquals(producer.op, "Add");
      assertMatch(
        producer.inputs.join(" "),
        new RegExp(`blocks\\.${layer - 1}\\.attn\\.proj\\.bias`),
        `layer ${layer}`,
      );
    }
  },
});

/** The weights that a model keeps in files beside it, as noise() in dinov2.py. */
function noiseFor({ external, stored }: OnnxGraph): WeightFile[] {
  const last = external.at(-1)!;
  const bytes = new Uint8Array(last.offset + last.length!), values = new DataView(bytes.buffer);
  let state = 1;
  for (const { name, offset } of external) {
    const middle = /norm\d?\.weight$|gamma$/.test(name) ? 1 : 0;
    const size = stored.get(name)!.reduce((product, side) => product * side, 1);
    for (let i = 0; i < size; i++) {
      state = state * 48271 % 2147483647;
      values.setFloat32(offset + 4 * i, middle + (state / 2147483647 - 0.5) / 4, true);
    }
  }
  return [{ path: last.location, data: bytes }];
}

Deno.test({
  name: "findAttentionOutputs() finds what PyTorch hooks see in a real DINOv2 export filled with noise",
  ignore: DINOV2 === undefined,
  fn: async () => {
    const tokens = [0, 1, 2, 17, 100, 129, 240, 256], every = 4, size = 224; // as dinov2.py
    const { shape, data } = await readNpy(`${FOLDER}/dinov2_noise.npy`);
    assertEquals(shape, [12, 2, tokens.length, 384 / every]);
    const graph = await readOnnx(DINOV2!);
    const blocks = findAttentionOutputs(graph);
    assertEquals(blocks.map(({ layer }) => layer), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    assertEquals(patchSize(graph), [14, 14]);
    const weights = blocks[0].weights!, wanted = blocks.map(({ tensor }) => tensor);
    await using model = await openModel(graph, withOutputs(graph, [...wanted, weights]), noiseFor(graph));
    const results = await model.run([image(0, size), image(1, size)], [...wanted, weights]);
    assertEquals([...results[weights].dims], [2, 6, 257, 257]);
    for (const [l, tensor] of wanted.entries()) {
      const { dims, data: found } = results[tensor], length = data.length / shape[0];
      assertEquals([...dims], [2, 257, 384]);
      const sampled = Float32Array.from({ length }, (_, at) => {
        const channel = at % shape[3] * every, token = tokens[Math.floor(at / shape[3]) % tokens.length];
        return found[(Math.floor(2 * at / length) * dims[1] + token) * dims[2] + channel];
      });
      const expected = data.subarray(l * length, (l + 1) * length) as Float32Array;
      assertClose(sampled, expected, { relative: 1e-4, note: `layer ${l + 1}` });
    }
  },
});

Deno.test("findAttentionOutputs() says how far it came in a graph that it does not understand", async () => {
  const graph = await readOnnx(`${FOLDER}/timm_vit_sdpa_ts14.onnx`);
  const sentence = (changed: Partial<typeof graph>) =>
    assertThrows(() => findAttentionOutputs({ ...graph, path: "a.onnx", ...changed }), Error).message;
  assertMatch(
    sentence({ nodes: graph.nodes.filter(({ op }) => op !== "Softmax") }),
    /^a\.onnx has no attention block \(.*\), for it has no softmax and no attention node: give a vision .*\.$/,
  );
  assertMatch(
    sentence({ stored: new Map() }),
    /^a\.onnx has 2 attention nodes, 0 understood; not understood: \/blocks\/blocks\.0\/attn\/Softmax \(Softmax\), for no product with a stored matrix follows MatMul \(node of .*MatMul_1_output_0\); /,
  );
  const cut = graph.nodes.filter(({ op, inputs }) =>
    op !== "Add" || inputs.some((name) => graph.stored.has(name))
  );
  assertMatch(
    sentence({ nodes: cut }),
    /, for no residual add follows MatMul \(node of .*proj\/MatMul_output_0\): give /,
  );
});
