import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { findAttentionOutputs, patchSize } from "../src/data/attention_outputs.ts";
import { readNpy } from "../src/data/npy.ts";
import { readOnnx, withOutputs } from "../src/data/onnx_graph.ts";
import { tokenLayout } from "../src/data/token_layout.ts";
import { openModel, readWeights } from "../src/data/vision_model.ts";
import { assertClose } from "./assert_close.ts";
import { realData } from "./real_data.ts";

const FOLDER = new URL("./golden/onnx_exports", import.meta.url).pathname;
const SIZE = 16, GRID = { rows: 4, cols: 4 };

interface Facts {
  registers: number;
  heads: number;
  /** Name of the .npy file. */
  values: string;
}
const exports: Record<string, Facts> = JSON.parse(await Deno.readTextFile(`${FOLDER}/models.json`));

/** How far from float32 the values may be where the model does not compute in it. */
const TOLERANCES: Record<string, number> = {
  ...{ half_pixels_clip: 4e-3, half_weights_registers: 3e-3, quantized_vit: 0.1 },
};

/** Image i of images() in make.py. */
function image(i: number) {
  const values = 3 * SIZE * SIZE;
  const data = Float32Array.from({ length: values }, (_, at) => (i * values + at) * 7919 % 2003 / 1001 - 1);
  return { width: SIZE, height: SIZE, data };
}

for (const [name, { registers, heads, values }] of Object.entries(exports)) {
  Deno.test(`findAttentionOutputs() finds what PyTorch hooks see in ${name}`, async () => {
    const graph = await readOnnx(`${FOLDER}/${name}.onnx`);
    const { shape, data } = await readNpy(`${FOLDER}/${values}.npy`);
    const blocks = findAttentionOutputs(graph);
    const tensors = blocks.map(({ tensor }) => tensor);
    assertEquals(tensors.length, shape[0]);
    assertEquals(patchSize(graph), [SIZE / GRID.rows, SIZE / GRID.cols]);
    assertEquals(tokenLayout(shape[2], GRID, undefined, name), { registers, grid: GRID });

    const perHead = blocks[0].heads === null ? [blocks[0].weights ?? blocks[0].queries!] : [];
    const model = await openModel(
      graph,
      withOutputs(graph, [...tensors, ...perHead], blocks.flatMap(({ sum }) => sum ?? [])),
      await readWeights(graph),
    );
    const results = await model.run([image(0), image(1)], [...tensors, ...perHead]);
    await model.release();
    const size = data.length / shape[0];
    for (const [l, tensor] of tensors.entries()) {
      assertEquals([...results[tensor].dims], shape.slice(1));
      const expected = Float32Array.from(data.subarray(l * size, (l + 1) * size) as Float32Array);
      assertClose(results[tensor].data, expected, {
        relative: TOLERANCES[name] ?? 1e-4,
        note: `layer ${l + 1}`,
      });
    }
    assertEquals(blocks[0].heads ?? results[perHead[0]].dims[1], heads);
  });
}

Deno.test("findAttentionOutputs() refuses a masked autoencoder that shuffles its patches", async () => {
  const path = `${FOLDER}/hf_mae_ts17.onnx`;
  const graph = await readOnnx(path);
  assertEquals(
    assertThrows(() => findAttentionOutputs(graph), Error).message,
    `${path} draws random numbers (RandomUniformLike, node of /model/embeddings/RandomUniformLike_output_0) before its ` +
      "first attention block, as a masked autoencoder does to hide patches: export its encoder without masking.",
  );
});

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
    /, for no product with a stored matrix follows MatMul \(node of .*MatMul_1_output_0\): give /,
  );
  const lastSoftmax = graph.nodes.findLastIndex(({ op }) => op === "Softmax");
  const isResidual = ({ op, inputs }: (typeof graph.nodes)[number]) =>
    op === "Add" && !inputs.some((name) => graph.stored.has(name));
  const cut = graph.nodes.slice(lastSoftmax).filter((node) => !isResidual(node));
  assertMatch(
    sentence({ nodes: cut }),
    /, for no residual add follows MatMul \(node of .*proj\/MatMul_output_0\): give /,
  );
});
