import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type AttentionCount,
  countAttention,
  describeCount,
} from "../../../src/data/onnx/attention_outputs.ts";
import { extractFeatures } from "../../../src/data/features/extract.ts";
import { type OnnxGraph, parseOnnx, readOnnx, withOutputs } from "../../../src/data/onnx/graph.ts";
import { openSession } from "../../../src/data/onnx/session.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { parsePreprocessor } from "../../../src/data/images/preprocessor.ts";

const FOLDER = new URL("../../golden/onnx_forms", import.meta.url).pathname;

interface Form {
  /** What `describeCount` says; null when only the layers are stated. */
  count?: string | null;
  /** Distance that rounding allows; absent where it is not run. */
  relative?: number;
  /** Of a refused form: attention nodes, and what the message says. */
  nodes?: number;
  why?: string;
}
const forms: Record<string, Form> = JSON.parse(await Deno.readTextFile(`${FOLDER}/forms.json`));
/** Of both layers on both images, by Python's onnxruntime. */
const truth: number[][] = JSON.parse(await Deno.readTextFile(`${FOLDER}/truth.json`));

/** The layers' values on images() of make.py. */
async function featuresOf(graph: OnnxGraph, { blocks }: AttentionCount) {
  const tensors = blocks.map(({ tensor }) => tensor);
  const model = withOutputs(graph, tensors, blocks.flatMap(({ added }) => added ?? []));
  const session = await openSession(graph.path, model, []);
  const pixels = Float32Array.from({ length: 2 * 3 * 8 * 8 }, (_, at) => at * 7919 % 2003 / 1001 - 1);
  const results = await session.run({ name: "pixels", type: "float32", pixels, dims: [2, 3, 8, 8] }, tensors);
  await session.release();
  return tensors.map((tensor) => results[tensor]);
}

/** Root mean square of the differences by that of the values. */
function distance(found: Float32Array, expected: number[]): number {
  const squares = (values: Iterable<number>) =>
    Iterator.from(values).reduce((sum, value) => sum + value ** 2, 0);
  return Math.sqrt(squares(expected.map((value, i) => found[i] - value)) / squares(expected));
}

for (const [name, { count, relative, nodes, why }] of Object.entries(forms)) {
  Deno.test(`countAttention() ${why ? "refuses" : "finds both layers of"} the form ${name}`, async () => {
    const graph = await readOnnx(`${FOLDER}/${name}.onnx`);
    if (why) {
      const { message } = assertThrows(() => countAttention(graph), Error);
      assertStringIncludes(
        message,
        `${graph.path} has ${nodes} attention nodes, 1 understood; not understood: `,
      );
      assertStringIncludes(message, why);
      return;
    }
    const found = countAttention(graph);
    if (count) assertStringIncludes(describeCount(found), count);
    assertEquals(found.blocks.map(({ layer }) => layer), [1, 2]);
    if (relative === undefined) return;
    for (const [l, { dims, data }] of (await featuresOf(graph, found)).entries()) {
      assertEquals(dims, [2, 5, 8]);
      const off = distance(data, truth[l]);
      assert(off <= relative, `layer ${l + 1} is off by ${off} of its size, rounding allows ${relative}`);
    }
  });
}

Deno.test("countAttention() finds both layers or refuses, whichever node is another operator", async () => {
  const graph = await readOnnx(`${FOLDER}/plain.onnx`);
  const plain = countAttention(graph).blocks.map(({ tensor }) => tensor);
  let refused = 0;
  for (const domain of ["my.operators", "com.microsoft"]) {
    for (const [i, node] of graph.nodes.entries()) {
      const nodes = graph.nodes.with(i, { ...node, op: "Mixer", domain });
      let found: string[];
      try {
        found = countAttention({ ...graph, nodes }).blocks.map(({ tensor }) => tensor);
      } catch (error) {
        assertStringIncludes((error as Error).message, "not understood: ");
        refused++;
        continue;
      }
      // The last block's residual add is all that tells it from a pooling head.
      const isLastAdd = domain === "com.microsoft" && node.inputs.includes(plain[1]);
      assertEquals(
        found,
        isLastAdd ? plain.slice(0, 1) : plain,
        `${domain}::Mixer for ${node.op} of ${node.outputs[0]}`,
      );
    }
  }
  assert(refused > 10);
});

Deno.test("countAttention() refuses a Loop of blocks, whatever its softmax is made of and however little follows", async () => {
  const graph = await readOnnx(`${FOLDER}/plain.onnx`), { blocks } = countAttention(graph);
  // The second block and its perceptron, with their residual adds.
  const first = graph.nodes.findIndex(({ inputs }) => inputs.includes(blocks[0].tensor)) + 1;
  const end = graph.nodes.findIndex(({ op }, i) =>
    i > first && op === "Add" && graph.nodes[i - 1].op === "MatMul"
  );
  const before = graph.nodes.slice(0, end + 1), block = graph.nodes.slice(end + 1), last = block.at(-1)!;
  for (const written of [false, true]) {
    const inner = block.map((node) => written && node.op === "Softmax" ? { ...node, op: "Exp" } : node);
    const loop = {
      ...last,
      op: "Loop",
      name: "layers",
      inputs: [before.at(-1)!.outputs[0]],
      attributes: {},
      inner,
    };
    const { message } = assertThrows(() => countAttention({ ...graph, nodes: [...before, loop] }), Error);
    assertStringIncludes(
      message,
      `has 2 attention nodes, 1 understood; not understood: layers (${
        written ? "Loop" : "Softmax inside Loop"
      }), for the tensors inside Loop cannot be taken: export it unrolled`,
    );
  }
});

Deno.test("extractFeatures() takes forms without nodes in order, in functions, in 8 bits and in float16", () =>
  inTemporaryFolder(async (dir) => {
    const image = { width: 8, height: 8, data: new Uint8Array(192).map((_, i) => i * 7919 % 251) };
    const preprocessor = parsePreprocessor({
      size: { height: 8, width: 8 },
      resample: 3,
      image_mean: [0, 0, 0],
      image_std: [1, 1, 1],
    }, "");
    for (
      const name of ["reversed", "functions", "qoperator", "qoperator_half", "float16_one_softmax", "fused"]
    ) {
      const manifest = await extractFeatures({
        model: `${FOLDER}/${name}.onnx`,
        preprocessor,
        outDir: `${dir}/${name}`,
        dtype: "float32",
        images: [{ name: "a", load: () => Promise.resolve(image) }],
      });
      const { layers, heads, width, tokens } = manifest;
      assertEquals([layers.length, heads, width, tokens], [2, 2, 8, 5], name);
    }
  }));

Deno.test("countAttention() puts attentions side by side in the order in which they are stacked", async () => {
  const count = countAttention(await readOnnx(`${FOLDER}/parallel_reversed.onnx`));
  assertEquals(count.blocks.map(({ tensor }) => tensor), ["V1", "V1_beside", "V2", "V2_beside"]);
  assertEquals(describeCount(count), "4 Softmax: 4 blocks, 4 of them side by side");
});

Deno.test("parseOnnx() writes a model whose nodes are not in order anew, in order and without functions", async () => {
  for (const name of ["reversed", "shuffled", "functions", "function_of_one"]) {
    const graph = await readOnnx(`${FOLDER}/${name}.onnx`), again = parseOnnx(graph.runnable, "again");
    assertEquals(again.nodes, graph.nodes);
    assertEquals(again.runnable, again.bytes, "in order already");
    const made = new Set([...again.stored.keys(), ...again.inputs.map(({ name }) => name)]);
    for (const { inputs, outputs, domain } of again.nodes) {
      assert(domain !== "local");
      for (const input of inputs) {
        assert(input === "" || made.has(input), `${input} is needed before it is made`);
      }
      outputs.forEach((output) => made.add(output));
    }
  }
});

Deno.test("readOnnx() names a function that is written for other operators", async () => {
  const path = `${FOLDER}/older_function.onnx`;
  await assertRejects(
    () => readOnnx(path),
    Error,
    `${path}: its function Project is written for version 13 of ONNX's operators, the model for 18: export it again ` +
      "for one version (opset_version=…).",
  );
});

Deno.test("parseOnnx() names a circle of nodes", async () => {
  const graph = await readOnnx(`${FOLDER}/plain.onnx`), bytes = graph.bytes.slice();
  // The first input of the first Add takes a name that is made later; both names are equally long.
  const text = new TextDecoder("latin1").decode(bytes), [late] = graph.nodes.at(-2)!.outputs;
  const early = graph.nodes.find(({ outputs }) => outputs[0].length === late.length)!.outputs[0];
  for (let at = text.indexOf(early); at >= 0; at = text.indexOf(early, at + 1)) {
    for (let i = 0; i < late.length; i++) bytes[at + i] = late.charCodeAt(i);
  }
  const { message } = assertThrows(() => parseOnnx(bytes, "a.onnx"), Error);
  assertStringIncludes(message, "The model a.onnx is damaged (the node of ");
});
