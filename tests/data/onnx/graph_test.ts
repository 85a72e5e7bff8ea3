import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { findAttentionOutputs } from "../../../src/data/onnx/attention_outputs.ts";
import { parseOnnx, readOnnx, withOutputs } from "../../../src/data/onnx/graph.ts";
import { readWeights } from "../../../src/data/models/vision_model.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";

const FOLDER = new URL("../../golden/onnx", import.meta.url).pathname;
const MODEL = `${FOLDER}/fused_qkv_ts17.onnx`;

async function readError(path: string): Promise<string> {
  return (await assertRejects(() => readOnnx(path), Error)).message;
}

Deno.test("parseOnnx() refuses a model cut anywhere before its list of operator sets", async () => {
  const whole = await Deno.readFile(MODEL);
  assertEquals(parseOnnx(whole, "a.onnx").nodes.length, 169);
  for (let length = 3; length < whole.length; length += length < whole.length - 40 ? 97 : 1) {
    const error = assertThrows(() => parseOnnx(whole.subarray(0, length), "a.onnx"), Error);
    assertMatch(error.message, /^The model a\.onnx is cut short \(.*\): copy it again\.$/, `${length} bytes`);
  }
});

Deno.test("parseOnnx() gives a graph or one sentence for damaged bytes", async () => {
  const whole = await Deno.readFile(MODEL);
  for (let at = 0; at < whole.length; at += 41) {
    const bytes = whole.slice();
    bytes[at] ^= 0xff;
    try {
      parseOnnx(bytes, "a.onnx");
    } catch (error) {
      const { message } = error as Error;
      assertMatch(
        message,
        /^(The model a\.onnx is (cut short|damaged) |a\.onnx is not an ONNX model: )/,
        `byte ${at}`,
      );
    }
  }
});

Deno.test("readOnnx() names a file that is missing or no model", () =>
  inTemporaryFolder(async (dir) => {
    const path = `${dir}/a.onnx`;
    assertEquals(await readError(path), `There is no model ${path}.`);
    for (const content of ["", "these words are no model", '{"ir_version": 8}', "PK\x03\x04 an archive"]) {
      await Deno.writeTextFile(path, content);
      assertEquals(
        await readError(path),
        `${path} is not an ONNX model: expected a file that torch.onnx.export or another ONNX exporter wrote.`,
      );
    }
  }));

Deno.test("readOnnx() tells the sides of the images that a model takes, null where they are free", async () => {
  const inputs = async (name: string) =>
    (await readOnnx(`${FOLDER}_exports/${name}.onnx`)).inputs.map(({ name, shape }) => [name, ...shape]);
  assertEquals(await inputs("hf_dinov2_ts17"), [["pixel_values", null, 3, 16, 16]]);
  assertEquals(await inputs("hf_dinov2_any_size_ts17"), [["pixel_values", null, 3, null, null]]);
});

Deno.test("withOutputs() leaves every byte of the model as it is", async () => {
  const graph = await readOnnx(MODEL);
  const [{ tensor }] = findAttentionOutputs(graph);
  const model = withOutputs(graph, [tensor]);
  assertEquals(model.subarray(0, graph.bytes.length), graph.bytes);
  const again = parseOnnx(model, MODEL);
  assertEquals(again.outputs, ["last", tensor]);
  assertEquals(again.nodes, graph.nodes);
});

Deno.test("withOutputs() adds no output twice", async () => {
  const graph = await readOnnx(MODEL);
  const [{ tensor }] = findAttentionOutputs(graph);
  assertEquals(parseOnnx(withOutputs(graph, ["last", tensor, tensor]), MODEL).outputs, ["last", tensor]);
});

Deno.test("findAttentionOutputs() takes the tensor before layer scale", async () => {
  const graph = await readOnnx(`${FOLDER}/registers_layer_scale_dynamo18.onnx`);
  for (const { tensor } of findAttentionOutputs(graph)) {
    const [user] = graph.nodes.filter(({ inputs }) => inputs.includes(tensor));
    assertEquals([user.op, graph.stored.get(user.inputs[1])], ["Mul", [16]]);
  }
});

Deno.test("findAttentionOutputs() takes a pooling head for no block", async () => {
  const graph = await readOnnx(`${FOLDER}/pooled_ts17.onnx`);
  assertEquals(graph.nodes.filter(({ op }) => op === "Softmax").length, 4);
  assertEquals(findAttentionOutputs(graph).map(({ layer }) => layer), [1, 2]);
});

Deno.test("findAttentionOutputs() adds the bias that a fused residual add holds", async () => {
  const [{ tensor, added, heads }] = findAttentionOutputs(
    await readOnnx(`${FOLDER}/microsoft_attention.onnx`),
  );
  assertEquals([added?.output, added?.inputs[1], heads], [tensor, "blocks.0.attention.proj.bias", 2]);
});

Deno.test("findAttentionOutputs() says so when there is no attention", async () => {
  const path = `${FOLDER}/no_attention.onnx`;
  const graph = await readOnnx(path);
  assertEquals(
    assertThrows(() => findAttentionOutputs(graph), Error).message,
    `${path} has no attention block (softmax, values, projection, residual add), for no product with computed values ` +
      "follows Softmax (node of z): give a vision transformer exported op by op, with its weights stored in the graph.",
  );
});

Deno.test("readWeights() names a weight file that is missing or outside the model's folder", async () => {
  const graph = await readOnnx(MODEL);
  const refused = async (location: string) => {
    const external = [{ name: "w", location, offset: 0, length: null }];
    return (await assertRejects(() => readWeights({ ...graph, path: "models/a.onnx", external }), Error))
      .message;
  };
  assertMatch(
    await refused("a.data"),
    /^models\/a\.onnx keeps its weights in a\.data, which cannot be read \(No such .*\): put it beside the model\.$/,
  );
  for (const location of ["../a.data", "/etc/a.data", "b/../../a.data"]) {
    assertEquals(
      await refused(location),
      `models/a.onnx asks for weights outside its folder ("${location}"): do not trust this model.`,
    );
  }
});
