import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { channelsOf, findHookOutputs, HOOKS } from "../../../src/data/onnx/block_hooks.ts";
import { readNpy } from "../../../src/data/formats/npy.ts";
import { readOnnx, withOutputs } from "../../../src/data/onnx/graph.ts";
import { openSession } from "../../../src/data/onnx/session.ts";
import { preprocess } from "../../../src/data/images/preprocess.ts";
import { assertClose } from "../../support/assert_close.ts";
import type { RgbImage } from "../../../src/data/images/picture.ts";
import { streamFeatures } from "../../../src/data/features/stream_features.ts";
import type { Preprocessor } from "../../../src/data/images/preprocessor.ts";
import type { Hook } from "../../../src/data/onnx/head_roles.ts";

const FOLDER = new URL("../../golden", import.meta.url).pathname, EXPORTS = `${FOLDER}/onnx_exports`;
/** HOOK_TOKENS of make.py. */
const TOKENS = [0, 1, 5, -2, -1];
/** Models that tools have made of others. */
const MADE_OF: Record<string, string> = {
  ort_extended_timm: "timm_vit_sdpa_ts14",
  half_weights_registers: "timm_layer_scale_registers_ts17",
  quantized_vit: "timm_vit_sdpa_ts14",
  ort_skip_norm_clip: "hf_clip_projection_ts14",
  ort_fused_multihead_eva: "timm_eva_rope_ts17",
  onnxsim_siglip: "hf_siglip_dynamo18",
  onnxoptimizer_dinov3_wide: "hf_dinov3_wide_dynamo18",
};
/** How far from float32 the values may be where the model does not compute in it. */
const TOLERANCES: Record<string, number> = { half_weights_registers: 3e-3, quantized_vit: 0.1 };

/** photograph() of make.py, rows of pixels. */
function photograph(height: number, width: number): RgbImage {
  return { width, height, data: Uint8Array.from({ length: 3 * height * width }, (_, at) => at * 7919 % 251) };
}

const PLAIN: Preprocessor = {
  resize: null,
  filter: "bicubic",
  crop: null,
  rescale: 1 / 255,
  normalize: null,
};

const golden = [...Deno.readDirSync(EXPORTS)].flatMap(({ name }) =>
  /^(.*)_hooks\.npy$/.exec(name)?.[1] ?? []
);
/** Values of every block for some hooks, tokens × channels, of one image. */
async function valuesOf(
  path: string,
  hooks: readonly Hook[],
  pixels: Float32Array,
  [height, width]: number[],
) {
  const graph = await readOnnx(path),
    found = hooks.map((hook) => findHookOutputs(graph, hook)),
    all = found.flat();
  const names = new Set(all.flatMap(({ tensor, part }) => part ? [tensor, part] : [tensor]));
  const session = await openSession(
    path,
    withOutputs(graph, [...names], all.flatMap(({ added }) => added)),
    [],
  );
  const [{ name, type }] = session.inputs;
  const feed = { name, type: type as "float32", pixels, dims: [1, 3, height, width] };
  const results = await session.run(feed, [...names]);
  await session.release();
  return found.map((outputs) =>
    outputs.map(({ tensor, part }) => {
      const { dims, data } = results[tensor], channels = dims.at(-1)!, tokens = data.length / channels;
      const shape = { tokens, width: channels, tokensFirst: dims[1] === 1 };
      const wanted = part ? channelsOf(results[part], results[tensor], shape, 1) : data.keys().take(channels);
      if (typeof wanted === "string") throw new Error(wanted);
      const own = [...wanted];
      return Array.from({ length: tokens }, (_, t) => own.map((channel) => data[t * channels + channel]));
    })
  );
}

for (const name of [...golden, ...Object.keys(MADE_OF)].sort()) {
  Deno.test(`findHookOutputs() finds what PyTorch hooks see in ${name}`, async () => {
    const { shape, data } = await readNpy(`${EXPORTS}/${MADE_OF[name] ?? name}_hooks.npy`);
    const [hooks, layers, , width] = shape, size = [16, name.includes("wide") ? 24 : 16];
    const pixels = preprocess(photograph(size[0], size[1]), PLAIN, name).data;
    const found = await valuesOf(`${EXPORTS}/${name}.onnx`, HOOKS.slice(1, 1 + hooks), pixels, size);
    for (const [h, blocks] of found.entries()) {
      assertEquals(blocks.length, layers);
      for (const [l, vectors] of blocks.entries()) {
        const values = TOKENS.flatMap((token) => vectors.at(token)!),
          first = (h * layers + l) * values.length;
        assertEquals(values.length, TOKENS.length * width);
        assertClose(
          Float32Array.from(values),
          Float32Array.from(data.subarray(first, first + values.length) as Float32Array),
          { relative: TOLERANCES[name] ?? 1e-4, note: `${HOOKS[1 + h]}, layer ${l + 1}` },
        );
      }
    }
  });
}

Deno.test("streamFeatures() takes the channels of a hook from those of a product for three", async () => {
  const { shape, data } = await readNpy(`${EXPORTS}/timm_layer_scale_registers_ts17_hooks.npy`);
  const [, layers, , width] = shape, images = [photograph(16, 16), photograph(16, 16)];
  for (const [h, hook] of HOOKS.slice(1).entries()) {
    if (hook !== "residual" && hook !== "k") continue;
    const rows: Float32Array[] = [];
    const manifest = await streamFeatures({
      model: `${EXPORTS}/timm_layer_scale_registers_ts17.onnx`,
      outDir: "",
      dtype: "float32",
      hook,
      preprocessor: PLAIN,
      images: images.map((image, i) => ({ name: String(i), load: () => Promise.resolve(image) })),
    }, { begin: () => {}, rows: (l, { vectors }) => void (rows[l] = vectors) });
    assertEquals([manifest.hook, manifest.width, rows.length], [hook, width, layers]);
    for (const [l, vectors] of rows.entries()) {
      const last = vectors.subarray(-width),
        at = ((h * layers + l) * TOKENS.length + TOKENS.length - 1) * width;
      assertClose(last, data.subarray(at, at + width) as Float32Array, { relative: 1e-4, note: hook });
    }
  }
});

/** What is refused of forms whose attention is found, and why. */
const REFUSED: Record<string, [hooks: string, why: string]> = {
  softmax_flat: ["q k v", "for Softmax_24 is over axis 1; block 2, for Softmax_52 is over axis 1"],
  differential: ["q k v", "block 1, for 2 attentions make its output"],
  differential_products: ["q k v", "block 1, for 2 attentions make its output"],
  microsoft_attention: [
    "q k v",
    "found in 1 of them: block 2, for Attention_37 (Attention) keeps them inside",
  ],
  qattention: ["q k v", "found in 1 of them: block 2, for QAttention_38 (QAttention) keeps them inside"],
  qkv_einsum: ["q k v", "Einsum (node of t11_0) is not split into queries, keys and values"],
  qdq: ["q k v", "its 1 × 5 × 8 values are not channels of 5 tokens"],
  qoperator: ["residual q k v", "qoperator.onnx"],
  qoperator_half: [
    "q k v",
    "QLinearMatMul (node of t11_0_quantized) is not split into queries, keys and values",
  ],
};
/** Forms whose second block is another model's, in value, after its attention. */
const OTHER_MODELS = ["gated", "stacked"];

Deno.test("findHookOutputs() finds the same in every form of one model, or refuses it", async () => {
  const folder = `${FOLDER}/onnx_forms`;
  const forms: Record<string, { relative?: number }> = JSON.parse(
    await Deno.readTextFile(`${folder}/forms.json`),
  );
  const pixels = Float32Array.from({ length: 192 }, (_, at) => at * 7919 % 2003 / 1001 - 1),
    hooks = HOOKS.slice(1);
  const truth = await valuesOf(`${folder}/plain.onnx`, hooks, pixels, [8, 8]);
  for (const [name, { relative }] of Object.entries(forms)) {
    if (relative === undefined) continue;
    const path = `${folder}/${name}.onnx`, [refused, why] = REFUSED[name] ?? ["", ""];
    for (const hook of refused.split(" ").filter(Boolean) as Hook[]) {
      const { message } = await assertRejects(() => valuesOf(path, [hook], pixels, [8, 8]), Error);
      assertStringIncludes(message, why);
    }
    const taken = hooks.filter((hook) => !refused.split(" ").includes(hook));
    for (const [h, blocks] of (await valuesOf(path, taken, pixels, [8, 8])).entries()) {
      for (const [l, vectors] of blocks.entries()) {
        if (
          l === 1 && taken[h] !== "q" && taken[h] !== "k" && taken[h] !== "v" && OTHER_MODELS.includes(name)
        ) continue;
        const expected = truth[hooks.indexOf(taken[h])][l].flat(), found = vectors.flat();
        const square = (values: number[]) => values.reduce((sum, value) => sum + value ** 2, 0);
        const off = Math.sqrt(square(expected.map((value, i) => value - found[i])) / square(expected));
        assert(off <= 2 * Math.max(relative, 1e-5), `${name}, ${taken[h]}, layer ${l + 1} is off by ${off}`);
      }
    }
  }
});

Deno.test("findHookOutputs() says which blocks are without", async () => {
  const path = `${FOLDER}/onnx_forms/plain.onnx`, graph = await readOnnx(path);
  const { message } = assertThrows(
    () => findHookOutputs({ ...graph, nodes: graph.nodes.slice(0, -1) }, "mlp"),
    Error,
  );
  assertEquals(
    message,
    `${path} has 2 blocks, but no MLP was found in 1 of them: block 2, for no branch without attention joins the residual ` +
      "stream: take another --hook.",
  );
});
