/** Finding the attention blocks' outputs in a transformer's graph. */
import type { OnnxGraph, OnnxNode } from "./onnx_graph.ts";

/** One attention block. */
export interface AttentionOutput {
  /** The output after the projection, before layer scale and residual add. */
  tensor: string;
  /** The attention weights; null where a fused node keeps them. */
  weights: string | null;
  /** Heads, where the graph itself says so. */
  heads: number | null;
}

const SHAPE_ONLY = new Set([
  "Transpose",
  "Reshape",
  "Flatten",
  "Squeeze",
  "Unsqueeze",
  "Identity",
  "Cast",
  "Dropout",
]);
const FUSED = new Set(["Attention", "MultiHeadAttention", "PackedAttention"]);
const PRODUCTS = new Set(["MatMul", "Gemm", "Einsum", "FusedMatMul"]);
const RESIDUAL = new Set(["Add", "Sum", "SkipLayerNormalization", "SkipSimplifiedLayerNormalization"]);

/**
 * Finds every attention block's output after its output projection and before the residual add (METHOD, `V_l`).
 *
 * The rule is structural: softmax → product with the values → heads merged by transposing and reshaping → product with a
 * constant matrix (→ + constant) → [× constant: layer scale] → sum with the residual stream. The tensor before the layer
 * scale is taken. Fused attention nodes stand for the part up to the merged heads.
 *
 * @returns the blocks in the order of the graph, first layer first
 * @throws Error "… has no attention block …" when none is found
 */
export function findAttentionOutputs(graph: OnnxGraph): AttentionOutput[] {
  const producer = new Map<string, OnnxNode>();
  const consumers = new Map<string, OnnxNode[]>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) producer.set(output, node);
    for (const input of new Set(node.inputs)) consumers.set(input, [...consumers.get(input) ?? [], node]);
  }
  const known = new Map<string, boolean>();
  const isConstant = (tensor: string): boolean => {
    const cached = known.get(tensor);
    if (cached !== undefined) return cached;
    known.set(tensor, false); // a cycle is no constant
    const from = producer.get(tensor);
    const made = from !== undefined &&
      (from.op === "Constant" || (from.inputs.length > 0 && from.inputs.filter(Boolean).every(isConstant)));
    const constant = graph.stored.has(tensor) || made;
    known.set(tensor, constant);
    return constant;
  };
  /** The one node that computes on with a tensor; questions about its shape aside. */
  const next = (tensor: string): OnnxNode | undefined => {
    const computing = (consumers.get(tensor) ?? []).filter(({ op }) => op !== "Shape");
    return computing.length === 1 ? computing[0] : undefined;
  };
  const isScale = (node: OnnxNode) => node.op === "Mul" && node.inputs.some(isConstant);

  /** From merged heads on: the projection's output, if a residual sum follows. */
  const projected = (context: string): string | null => {
    let node = next(context);
    while (node && SHAPE_ONLY.has(node.op)) node = next(node.outputs[0]);
    if (!node || !PRODUCTS.has(node.op) || !node.inputs.some(isConstant)) return null;
    let tensor = node.outputs[0];
    for (node = next(tensor); node; node = next(tensor)) {
      const isBias = node.op === "Add" && node.inputs.some(isConstant);
      if (!isBias && !SHAPE_ONLY.has(node.op)) break;
      tensor = node.outputs[0];
    }
    while (node && (SHAPE_ONLY.has(node.op) || isScale(node))) node = next(node.outputs[0]);
    return node && RESIDUAL.has(node.op) ? tensor : null;
  };

  const found: AttentionOutput[] = [];
  for (const node of graph.nodes) {
    if (FUSED.has(node.op)) {
      const tensor = projected(node.outputs[0]);
      const heads = node.attributes.num_heads ?? node.attributes.q_num_heads;
      if (tensor) found.push({ tensor, weights: null, heads: typeof heads === "number" ? heads : null });
    } else if (node.op === "Softmax") {
      let weighted = next(node.outputs[0]);
      while (weighted && (SHAPE_ONLY.has(weighted.op) || weighted.op === "Where")) {
        weighted = next(weighted.outputs[0]);
      }
      if (!weighted || !PRODUCTS.has(weighted.op) || weighted.inputs.some(isConstant)) continue;
      const tensor = projected(weighted.outputs[0]);
      if (tensor) found.push({ tensor, weights: node.outputs[0], heads: null });
    }
  }
  if (found.length) return found;
  throw new Error(
    `${graph.path} has no attention block (softmax, values, projection, residual add): give a vision transformer exported op by op.`,
  );
}

/** Sides of the patches, from the convolution that makes them; null where there is none. */
export function patchSize(graph: OnnxGraph): [number, number] | null {
  const strides = graph.nodes.find(({ op }) => op === "Conv")?.attributes.strides;
  return Array.isArray(strides) && strides.length === 2 && strides.every((stride) => stride > 1)
    ? [strides[0], strides[1]]
    : null;
}
