/** Softmaxes that are written out by other nodes. */
import { type Flow, isProduct } from "./flow.ts";
import type { OnnxNode } from "./graph.ts";
import { AXIS_SUMS } from "./residual_stream.ts";

/** Whether an Exp is a softmax: divided by its own sum, or taken of what is less its own log-sum-exp. */
export function isWrittenOut(flow: Flow, exp: OnnxNode): boolean {
  const input = flow.sameAs(exp.inputs[0]), logits = flow.makers.get(input);
  if (logits?.op === "LogSoftmax") return true;
  if (logits?.op === "Sub" && isLogSum(flow, logits.inputs[1])) return true;
  const behind = flow.behind(exp.outputs[0]);
  return flow.nodes.some(({ op, inputs: [a, b] }) => {
    if (!behind.has(a) || !behind.has(b)) return false;
    return op === "Div"
      ? isOwnSum(flow, b, exp)
      : op === "Mul" && [a, b].some((name) => isReciprocal(flow, name, exp));
  });
}

function isLogSum(flow: Flow, name: string): boolean {
  const { op, inputs } = flow.makers.get(flow.sameAs(name)) ?? { op: "", inputs: [] };
  if (op === "ReduceLogSumExp") return true;
  if (op === "Add") return inputs.some((term) => isLogSum(flow, term)); // the largest one, taken out and put back
  return op === "Log" && AXIS_SUMS.has(flow.makers.get(flow.sameAs(inputs[0]))?.op ?? "");
}

function isReciprocal(flow: Flow, name: string, exp: OnnxNode): boolean {
  const maker = flow.makers.get(flow.sameAs(name));
  return maker?.op === "Reciprocal" && isOwnSum(flow, maker.inputs[0], exp);
}

/** Whether a tensor is the sum over an axis of what `exp` gives, kept away from 0 perhaps. */
function isOwnSum(flow: Flow, name: string, exp: OnnxNode): boolean {
  const maker = flow.makers.get(flow.sameAs(name));
  if (!maker) return false;
  if (["Add", "Max", "Clip"].includes(maker.op)) {
    return maker.inputs.some((input) => input !== "" && flow.pixels.has(input) && isOwnSum(flow, input, exp));
  }
  if (!AXIS_SUMS.has(maker.op) && !isProduct(maker)) return false;
  return maker.inputs.some((input) => flow.sameAs(input) === exp.outputs[0]);
}
