/** Finds, by the structure of an ONNX graph, what each attention block adds to the residual stream. */
import type { OnnxGraph, OnnxNode, Sum } from "./onnx_graph.ts";

/** The attention of one transformer block. */
export interface AttentionOutput {
  /** 1 is the first block. */
  layer: number;
  /** The tensor of METHOD's `V_l`. */
  tensor: string;
  /** Set where no node computes `tensor`, because a fused residual add holds the projection's bias. */
  sum?: Sum;
  /** Heads, where the graph itself says so. */
  heads: number | null;
  /** The attention weights, images × heads × … or images · heads × … × …; null where a fused node keeps them. */
  weights: string | null;
  /** The queries that a fused node takes, images × heads × … when the node does not say its heads; else null. */
  queries: string | null;
}

const SOFTMAX = new Set(["Softmax", "BiasSoftmax"]);
/** Nodes that are everything from queries, keys and values to the merged heads. */
const FUSED = new Set(["Attention", "MultiHeadAttention", "PackedAttention", "PackedMultiHeadAttention"]);
const PRODUCTS = new Set([
  ...["MatMul", "Gemm", "Einsum", "FusedMatMul", "FusedGemm", "MatMulInteger", "MatMulNBits"],
  ...["MatMulIntegerToFloat", "DynamicQuantizeMatMul"],
]);
/** A product of integers, which stands for nothing before it is multiplied by its scale. */
const UNSCALED = "MatMulInteger";
/** Nodes that draw other numbers in every run. */
const RANDOM = new Set([
  ...["RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"],
]);
const SUMS = new Set(["Add", "Sum"]);
/** Residual add and norm in one, and the place of the projection's bias among the inputs. */
const FUSED_SUMS: Record<string, number> = { SkipLayerNormalization: 4, SkipSimplifiedLayerNormalization: 3 };
/** Nodes that pass values on in another shape or type. */
const SAME_VALUES = new Set([
  ...[
    "Reshape",
    "Transpose",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Identity",
    "Cast",
    "Dropout",
    "Slice",
    "Gather",
    "QuantizeLinear",
    "DequantizeLinear",
  ],
]);
/** Nodes that ask for a tensor's shape only. */
const SHAPES = new Set(["Shape", "Size"]);

/** A graph, and the tensors in it that are the same for every image. */
interface Flow {
  nodes: OnnxNode[];
  stored: Map<string, number[]>;
  constants: Set<string>;
}

/**
 * Finds every attention block's output after its output projection and before the residual add (METHOD, `V_l`).
 *
 * From each softmax the walk goes to the product with the values, over the merging of the heads to the first product with
 * a stored matrix, and over bias and reshapes to the sum with the residual stream; a fused attention node stands for the
 * part up to the merged heads. Layer scale (× a stored vector) and a norm of the output come after what is taken: they set
 * how much of it the stream gets, not what attention wrote. Attention that joins no stream (a pooling head) is no block.
 *
 * @returns the blocks in the order of the graph, first layer first
 * @throws Error "a.onnx has no attention block (softmax, values, projection, residual add), for no residual add follows …"
 * @throws Error "a.onnx draws random numbers (RandomUniformLike, node of noise) before its first attention block, …"
 */
export function findAttentionOutputs(graph: OnnxGraph): AttentionOutput[] {
  const flow: Flow = { nodes: graph.nodes, stored: graph.stored, constants: findConstants(graph) };
  const found: AttentionOutput[] = [];
  let furthest = { step: 0, sentence: "it has no softmax and no attention node" };
  const stopped = (step: number, missing: string, { op, outputs }: OnnxNode) => {
    if (step > furthest.step) {
      furthest = { step, sentence: `no ${missing} follows ${op} (node of ${outputs[0]})` };
    }
  };
  for (const start of graph.nodes) {
    const isFused = FUSED.has(start.op);
    if (!isFused && !SOFTMAX.has(start.op)) continue;
    const merged = isFused ? start : nextProduct(flow, start, "computed");
    if (!merged) {
      stopped(1, "product with computed values", start);
      continue;
    }
    const projection = nextProduct(flow, merged, "stored");
    if (!projection) {
      stopped(2, "product with a stored matrix", merged);
      continue;
    }
    if (!joinsStream(flow, projection)) {
      stopped(3, "residual add", projection);
      continue;
    }
    const stated = start.attributes.num_heads ?? start.attributes.q_num_heads;
    const heads = typeof stated === "number" ? stated : null;
    const weights = isFused ? null : start.outputs[0], queries = isFused ? start.inputs[0] : null;
    found.push({ layer: found.length + 1, ...beforeResidual(flow, projection), heads, weights, queries });
  }
  if (found.length > 0) {
    assertRepeatable(graph, found[0]);
    return found;
  }
  throw new Error(
    `${graph.path} has no attention block (softmax, values, projection, residual add), for ${furthest.sentence}: ` +
      "give a vision transformer exported op by op, with its weights stored in the graph.",
  );
}

/** Random numbers on the way to the first block, as in an exported masked autoencoder, shuffle or drop patches. */
function assertRepeatable({ path, nodes }: OnnxGraph, { tensor, sum }: AttentionOutput): void {
  const needed = new Set(sum?.terms ?? [tensor]);
  for (const { op, inputs, outputs } of nodes.toReversed()) {
    if (!outputs.some((name) => needed.has(name))) continue;
    if (RANDOM.has(op)) {
      throw new Error(
        `${path} draws random numbers (${op}, node of ${
          outputs[0]
        }) before its first attention block, as a masked ` +
          "autoencoder does to hide patches: export its encoder without masking.",
      );
    }
    for (const name of inputs) if (name !== "") needed.add(name);
  }
}

/** Sides of the patches, from the convolution that cuts them out; null where there is none. */
export function patchSize(graph: OnnxGraph): [rows: number, cols: number] | null {
  const convolution = graph.nodes.find(({ op }) => op === "Conv" || op === "ConvInteger");
  const { strides, kernel_shape: kernel } = convolution?.attributes ?? {};
  const size = kernel ?? graph.stored.get(convolution?.inputs[1] ?? "")?.slice(2);
  const isPatch = Array.isArray(strides) && strides.length === 2 && String(strides) === String(size);
  return isPatch ? [strides[0], strides[1]] : null;
}

function findConstants({ nodes, stored }: OnnxGraph): Set<string> {
  const constants = new Set(stored.keys());
  for (const { inputs, outputs } of nodes) {
    if (inputs.every((name) => name === "" || constants.has(name))) {
      outputs.forEach((name) => constants.add(name));
    }
  }
  return constants;
}

/**
 * The first product that takes what `from` gives together with a stored matrix, or with a computed one.
 *
 * Products with stored matrices may lie on the way to a computed one (heads that talk to each other). Where something
 * else is added, the attention is over.
 */
function nextProduct(flow: Flow, from: OnnxNode, partner: "stored" | "computed"): OnnxNode | null {
  const derived = new Set([from.outputs[0]]);
  for (const node of nodesBehind(flow, from, derived)) {
    const meetsOther = node.inputs.some((name) =>
      name !== "" && !derived.has(name) && !flow.constants.has(name)
    );
    if (PRODUCTS.has(node.op)) {
      if (meetsOther === (partner === "computed")) return node;
      if (meetsOther) return null;
    } else if (meetsOther && isSum(node)) return null;
  }
  return null;
}

/** Whether anything made of a projection's output is added to something that is not. */
function joinsStream(flow: Flow, projection: OnnxNode): boolean {
  const derived = new Set([projection.outputs[0]]);
  for (const node of nodesBehind(flow, projection, derived)) {
    if (isResidualSum(flow, node, derived)) return true;
  }
  return false;
}

/** The nodes that compute on with `derived`, which grows by what they give. */
function* nodesBehind({ nodes }: Flow, from: OnnxNode, derived: Set<string>): Generator<OnnxNode> {
  for (const node of nodes.slice(nodes.indexOf(from) + 1)) {
    if (SHAPES.has(node.op) || !node.inputs.some((name) => derived.has(name))) continue;
    yield node;
    node.outputs.forEach((name) => derived.add(name));
  }
}

/** The last tensor behind a projection that is the projection's alone, bias included. */
function beforeResidual(flow: Flow, projection: OnnxNode): { tensor: string; sum?: Sum } {
  let tensor = projection.outputs[0], isScaled = projection.op !== UNSCALED;
  for (;;) {
    const users = flow.nodes.filter(({ op, inputs }) => inputs.includes(tensor) && !SHAPES.has(op));
    const fused = users.find(({ op }) => op in FUSED_SUMS);
    const bias = fused?.inputs[FUSED_SUMS[fused.op]];
    if (bias) {
      const name = `${tensor}/with_bias`;
      return { tensor: name, sum: { name, terms: [tensor, bias] } };
    }
    const ends = fused || users.some((node) => isResidualSum(flow, node, new Set([tensor])));
    const scaling = isScaled ? undefined : users.find(({ op }) => op === "Mul");
    const next = scaling ?? users.find(isSum) ?? users.find(({ op }) => SAME_VALUES.has(op));
    if (ends || !next) return { tensor };
    if (scaling) isScaled = true;
    tensor = next.outputs[0];
  }
}

function isSum({ op }: OnnxNode): boolean {
  return SUMS.has(op) || op in FUSED_SUMS;
}

/** A sum with more than `derived` and biases; stored tokens (learned queries) are a stream, too. */
function isResidualSum(flow: Flow, node: OnnxNode, derived: Set<string>): boolean {
  if (node.op in FUSED_SUMS) return true;
  return SUMS.has(node.op) && node.inputs.some((name) => !derived.has(name) && !isBias(flow, name));
}

/** One number a channel, or one for all. */
function isBias({ constants, stored }: Flow, name: string): boolean {
  return constants.has(name) && (stored.get(name) ?? []).slice(0, -1).every((size) => size === 1);
}
