/** What feeds a residual stream: the sum behind a node, and what lies before it. */
import { factorsOf, type Flow, isProduct, isScaledLater, isSum, SAME_VALUES } from "./flow.ts";
import type { AddedNode, OnnxNode } from "./graph.ts";

/** Whether something of `derived` is added to something of the image that is not. */
export function joinsLoosely(flow: Flow, derived: Set<string>): boolean {
  return flow.nodes.some((node) =>
    isSum(node) && node.inputs.some((name) => derived.has(name)) &&
    termsOf(node).some((name) => !derived.has(name) && flow.pixels.has(name))
  );
}

/** The tensors that a sum adds, scales and norms left out. */
export function termsOf({ op, inputs }: OnnxNode): string[] {
  if (op === "QLinearAdd") return [inputs[0], inputs[3]];
  return (op in FUSED_SUMS ? inputs.slice(0, 2) : inputs).filter((name) => name !== "");
}

/** A sum of `derived` and what is not made of the attention; stored tokens (learned queries) are a stream, too. */
export function isResidualSum(
  flow: Flow,
  node: OnnxNode,
  derived: Set<string>,
  attention: Set<string>,
): boolean {
  if (!isSum(node)) return false;
  const terms = termsOf(node);
  return terms.some((name) => derived.has(name)) &&
    terms.some((name) => !attention.has(name) && !flow.isBias(name));
}

/** The last tensor behind a projection that is the projection's alone, bias included. */
export function beforeResidual(
  flow: Flow,
  projection: OnnxNode,
  attention: Set<string>,
  merged: Set<string>,
): { tensor: string; added?: AddedNode } {
  let at = projection.outputs[0], taken = at, isScaled = !isScaledLater(projection);
  let isBiased = /Gemm/.test(projection.op) && projection.inputs.length > factorsOf(projection).length;
  for (;;) {
    const users = flow.usersOf(at);
    const residual = users.find(({ op }) => op in FUSED_SUMS) ??
      users.find((node) => isResidualSum(flow, node, new Set([at]), attention));
    const bias = residual && biasIn(flow, residual, isBiased);
    if (bias) {
      const name = `${at}/with_bias`;
      return { tensor: name, added: { op: "Add", inputs: [at, bias], output: name } };
    }
    const scaling = isScaled ? undefined : users.find(({ op }) => op === "Mul");
    const sum = users.find((node) =>
      isSum(node) && termsOf(node).every((name) => merged.has(name) || flow.isBias(name))
    );
    const further = scaling ?? sum ??
      users.find((node) => isProduct(node) && factorsOf(node).some((name) => flow.isStored(name)));
    const next = residual ? undefined : further ?? users.find(({ op }) => SAME_VALUES.has(op));
    if (!next) {
      const isParted = users.length > 0 && users.every(({ op }) => /Concat$/.test(op)); // stacked with another one's
      return dequantized(flow, isParted ? taken : flow.unrounded(at, taken));
    }
    if (scaling) isScaled = true;
    else if (sum) isBiased = true;
    at = next.outputs[0];
    if (next === further) taken = at;
  }
}

/** The projection's bias, where it is added with the residual stream or after it. */
function biasIn(flow: Flow, residual: OnnxNode, isBiased: boolean): string | undefined {
  const { op, inputs, outputs } = residual;
  if (op in FUSED_SUMS) return inputs[FUSED_SUMS[op]] || undefined;
  if (isBiased) return undefined;
  const [after, ...others] = flow.usersOf(outputs[0]);
  const sums = others.length === 0 && after && isSum(after) && !(after.op in FUSED_SUMS)
    ? [residual, after]
    : [residual];
  return sums.flatMap(termsOf).find((name) => flow.isBias(name) && flow.sizeOf(name) > 1);
}

/** A tensor of 8 bits as what it stands for. */
export function dequantized(flow: Flow, tensor: string): { tensor: string; added?: AddedNode } {
  const maker = flow.makers.get(flow.sameShaped(tensor)), place = OUTPUT_SCALE[maker?.op ?? ""];
  const scale = place === undefined ? undefined : maker!.inputs[place];
  if (!scale) return { tensor };
  const name = `${tensor}/dequantized`, zero = maker!.inputs[place + 1];
  return {
    tensor: name,
    added: { op: "DequantizeLinear", inputs: [tensor, scale, ...zero ? [zero] : []], output: name },
  };
}

/** What may lie between a projection and the residual add: scales, norms, biases, gates, stacking; no activation. */
export const AFTER_PROJECTION: RegExp = new RegExp(
  "^(?:Add|Sum|Sub|Mul|Div|Neg|Pow|Sqrt|Reciprocal|Max|Clip|Where|Pad|Tile|Concat|Split|BiasAdd|ReduceMean|ReduceSum|" +
    "ReduceL2|DynamicQuantizeLinear|QLinear(?:Add|Mul|Concat|ReduceMean)|\\w*Norm(?:alization)?)$",
);

/** Residual add and norm in one, and the place of the projection's bias among the inputs. */
export const FUSED_SUMS: Record<string, number> = {
  SkipLayerNormalization: 4,
  SkipSimplifiedLayerNormalization: 3,
};

/** What an axis is summed by. */
export const AXIS_SUMS = new Set(["ReduceSum", "ReduceMean", "ReduceL1"]);

/** Where in the inputs the scale and the zero point of a node's 8-bit output are. */
const OUTPUT_SCALE: Record<string, number> = {
  QLinearMatMul: 6,
  QLinearAdd: 6,
  QLinearMul: 6,
  QLinearConv: 6,
  QGemm: 7,
  QuantizeLinear: 1,
  QLinearSoftmax: 3,
};
