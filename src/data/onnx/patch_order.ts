/** Where in the row of tokens an ONNX graph has its patches, and what it puts beside them. */
import { type AttentionOutput, tapOf } from "./attention_outputs.ts";
import { Flow } from "./flow.ts";
import type { OnnxGraph, OnnxNode } from "./graph.ts";
import { termsOf } from "./residual_stream.ts";

/** Rows and columns of a batch of images, and of what a convolution makes of it. */
const [ROWS, COLUMNS] = [2, 3];

/** Sides of the patches, from the convolution that cuts them out; null where there is none, or it adds a border. */
export function patchSize(graph: OnnxGraph): [rows: number, cols: number] | null {
  const convolution = firstConvolution(graph);
  const { strides, kernel_shape: kernel, pads = [] } = convolution?.attributes ?? {};
  const size = kernel ?? graph.stored.get(convolution?.inputs[1] ?? "")?.slice(2);
  const isPatch = Array.isArray(strides) && strides.length === 2 && String(strides) === String(size);
  const hasBorder = Array.isArray(pads) && pads.some((width) => width > 0);
  return isPatch && !hasBorder ? [strides[0], strides[1]] : null;
}

function firstConvolution({ nodes }: OnnxGraph): OnnxNode | undefined {
  return nodes.find(({ op }) => /Conv(?:Integer)?$/.test(op));
}

/**
 * Rows of each stored tensor that is put before the patches on the way to the first block, in the order of the graph: [1] is
 * a class token, [1, 4] one with registers; none where there is nothing but patches, or the graph does not tell.
 *
 * @throws Error "a.onnx puts 100 stored tokens behind its patches (Concat, node of tokens), …", as a detector's queries, which
 *   would be taken for patches, and those for others; "a.onnx lays its patches column by column (Transpose, node of t), …"
 */
export function learnedTokens(graph: OnnxGraph, [first]: AttentionOutput[]): number[] {
  assertRowByRow(graph);
  const flow = new Flow(graph), attention = flow.behind(tapOf(first));
  const stream = flow.before(termsOf(first.nodes.residual).filter((name) => !attention.has(name)));
  return flow.nodes.flatMap(({ op, inputs, outputs, attributes: { axis } }) => {
    if (op !== "Concat" || axis !== 1 && axis !== -2 || !stream.has(outputs[0])) return [];
    const patches = inputs.findLastIndex((name) => flow.pixels.has(name));
    return inputs.flatMap((name, i) => {
      const shape = patches < 0 || flow.pixels.has(name) ? undefined : flow.storedShape(name);
      if (shape?.length !== 3) return [];
      if (i < patches) return [shape[1]];
      throw new Error(
        `${graph.path} puts ${shape[1]} stored ${
          shape[1] === 1 ? "token" : "tokens"
        } behind its patches (Concat, node of ${outputs[0]}), expected class ` +
          "token and registers before them: export it without those, or with them in front.",
      );
    });
  });
}

/** What a convolution gives is images × channels × rows × columns: a transposition may bring columns before rows. */
function assertRowByRow(graph: OnnxGraph): void {
  const cut = firstConvolution(graph)?.outputs[0];
  const turn = graph.nodes.find(({ op, inputs }) => op === "Transpose" && inputs[0] === cut);
  const perm = turn?.attributes.perm;
  if (!Array.isArray(perm) || perm.length !== 4 || perm.indexOf(COLUMNS) > perm.indexOf(ROWS)) return;
  throw new Error(
    `${graph.path} lays its patches column by column (Transpose, node of ${
      turn!.outputs[0]
    }), expected row by row: ` +
      "export it so.",
  );
}
