import { assertEquals, assertThrows } from "@std/assert";
import { findAttentionOutputs } from "../../../src/data/onnx/attention_outputs.ts";
import { type OnnxGraph, type OnnxNode, readOnnx } from "../../../src/data/onnx/graph.ts";
import { learnedTokens, patchSize } from "../../../src/data/onnx/patch_order.ts";

const PATH = new URL("../../golden/onnx_forms/plain.onnx", import.meta.url).pathname;
const plain = await readOnnx(PATH);
const tokensOf = (graph: OnnxGraph) => learnedTokens(graph, findAttentionOutputs(graph));
/** The model with another node in the place of that which joins class token and patches. */
const joined = (change: (node: OnnxNode) => OnnxNode[]): OnnxGraph => ({
  ...plain,
  nodes: plain.nodes.flatMap((node) =>
    node.op === "Concat" && node.attributes.axis === 1 ? change(node) : [node]
  ),
});

Deno.test("learnedTokens() counts what is before the patches, from whichever end their axis is counted", () => {
  assertEquals(tokensOf(plain), [1]);
  assertEquals(tokensOf(joined((node) => [{ ...node, attributes: { axis: -2 } }])), [1]);
});

Deno.test("learnedTokens() refuses stored tokens behind the patches, sums of them too", () => {
  const message = (tokens: string, of: string) =>
    `${PATH} puts ${tokens} behind its patches (Concat, node of ${of}), expected class token and registers before ` +
    "them: export it without those, or with them in front.";
  const join = plain.nodes.find(({ op, attributes }) => op === "Concat" && attributes.axis === 1)!;
  const last = joined((node) => [{ ...node, inputs: node.inputs.toReversed() }]);
  assertEquals(assertThrows(() => tokensOf(last), Error).message, message("1 stored token", join.outputs[0]));
  const stored = new Map(plain.stored).set("queries", [1, 10, 8]).set("places", [1, 10, 8]);
  const sum: OnnxNode = {
    ...join,
    op: "Add",
    inputs: ["queries", "places"],
    outputs: ["placed"],
    attributes: {},
  };
  const detector = joined((node) => [sum, { ...node, inputs: [...node.inputs, "placed"] }]);
  assertEquals(
    assertThrows(() => tokensOf({ ...detector, stored }), Error).message,
    message("10 stored tokens", join.outputs[0]),
  );
});

Deno.test("learnedTokens() refuses patches that are laid column by column", () => {
  const turned = (perm: number[]): OnnxGraph => ({
    ...plain,
    nodes: plain.nodes.flatMap((node) => {
      if (node.op !== "Conv") return [node];
      const turn: OnnxNode = { ...node, op: "Transpose", inputs: ["cut"], attributes: { perm } };
      return [{ ...node, outputs: ["cut"] }, turn];
    }),
  });
  assertEquals(patchSize(turned([0, 1, 2, 3])), [4, 4]);
  assertEquals(tokensOf(turned([0, 2, 3, 1])), [1], "channels last, row by row");
  const [cut] = plain.nodes.find(({ op }) => op === "Conv")!.outputs;
  assertEquals(
    assertThrows(() => tokensOf(turned([0, 1, 3, 2])), Error).message,
    `${PATH} lays its patches column by column (Transpose, node of ${cut}), expected row by row: export it so.`,
  );
});

Deno.test("patchSize() is not known where the convolution adds a border", () => {
  const withPads = (pads: number[]): OnnxGraph => ({
    ...plain,
    nodes: plain.nodes.map((node) =>
      node.op === "Conv" ? { ...node, attributes: { ...node.attributes, pads } } : node
    ),
  });
  assertEquals(patchSize(withPads([0, 0, 0, 0])), [4, 4]);
  assertEquals(patchSize(withPads([0, 0, 2, 2])), null);
});
