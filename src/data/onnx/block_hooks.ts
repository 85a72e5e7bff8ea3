/** What else than attention can be taken of every block of a vision transformer: residual stream, MLP, queries, keys, values. */
import {
  type AttentionOutput,
  findAttentionOutputs,
  inSentence,
  listed,
  tapOf,
} from "./attention_outputs.ts";
import { Flow, isProduct, isSum, SAME_VALUES } from "./flow.ts";
import type { AddedNode, OnnxGraph, OnnxNode } from "./graph.ts";
import type { ModelOutput } from "./types.ts";
import { AFTER_PROJECTION, beforeResidual, FUSED_SUMS, termsOf } from "./residual_stream.ts";
import {
  asFloat,
  type Hook,
  type HookOutput,
  isStoredProduct,
  ownPart,
  partWithBias,
  productsBefore,
  rolesOf,
  valuesOf,
  withBias,
} from "./head_roles.ts";

/** All of them. */
export const HOOKS: readonly Hook[] = ["attention", "residual", "mlp", "q", "k", "v"];

/** What each of them is, for pages and messages. */
export const HOOK_NAMES: Record<Hook, string> = {
  attention: "the attention block's output after its projection, before the residual add",
  residual: "the residual stream after the block",
  mlp: "the MLP's output after its last layer, before the residual add",
  q: "the attention's queries, all heads side by side, as projected: before scale, norm and rotary positions",
  k: "the attention's keys, all heads side by side, as projected: before norm and rotary positions",
  v: "the attention's values, all heads side by side, as projected",
};

/** A sum by which a branch joins the residual stream. */
interface Join {
  node: OnnxNode;
  /** The branch's term. */
  branch: string;
  /** Attention outputs that the branch is made of. */
  taps: ReadonlySet<string>;
}

/** The way of the residual stream through the blocks. */
interface Stream {
  joins: Join[];
  /** Tensors that are on a branch, with the attention outputs that they are made of since it left the stream. */
  branches: Map<string, ReadonlySet<string>>;
}

/** Where a fused residual add and norm gives the sum itself. */
const SUM_OUTPUT = 3;
const NONE: ReadonlySet<string> = new Set();

/**
 * Finds one output of every block.
 *
 * The residual stream is followed from the first block's input on: a product with a stored matrix begins a branch, a sum of
 * a branch and the stream joins it. A block's MLP is the branch after, or beside, its attention; the stream after a block is
 * what the next one begins with. Queries, keys and values are the projections that the product before the softmax, and the
 * one after it, go back to.
 *
 * @returns first layer first, as many as there are attention blocks
 * @throws Error those of `findAttentionOutputs`
 * @throws Error "a.onnx has 12 blocks, but no MLP was found in 1 of them: block 12, for …: take another --hook."
 */
export function findHookOutputs(graph: OnnxGraph, hook: Hook = "attention"): HookOutput[] {
  const blocks = findAttentionOutputs(graph);
  if (hook === "attention") {
    return blocks.map(({ layer, tensor, added }) => ({ layer, tensor, added: added ? [added] : [] }));
  }
  const flow = new Flow(graph);
  const found = hook === "residual"
    ? residualStream(flow, blocks)
    : hook === "mlp"
    ? perceptrons(flow, blocks)
    : blocks.map((block) => projected(flow, block, hook));
  const missing = found.flatMap((one, i) => typeof one === "string" ? [{ layer: i + 1, why: one }] : []);
  const names = found.map((one) => typeof one === "string" ? one : one.part ?? one.tensor);
  const twice = names.findIndex((name, i) => names.indexOf(name) < i || name === blocks[i].tensor);
  if (missing.length === 0 && twice >= 0) {
    missing.push({ layer: twice + 1, why: `${names[twice]} is another block's or its attention's` });
  }
  if (missing.length > 0) {
    const what = {
      residual: "end of the block",
      mlp: "MLP",
      q: "projection of queries",
      k: "projection of keys",
    };
    throw new Error(
      `${graph.path} has ${blocks.length} blocks, but no ${
        hook === "v" ? "projection of values" : what[hook]
      } was found in ${missing.length} of them: ${
        listed(missing, ({ layer, why }) => `block ${layer}, for ${why}`)
      }: take another --hook.`,
    );
  }
  return found.map((one, i) => ({ layer: i + 1, ...one as Omit<HookOutput, "layer"> }));
}

/** What was found of a block, or why not. */
type Found = Omit<HookOutput, "layer"> | string;

/** The input of a block: the term of its residual add that its attention is computed from. */
function inputOf(flow: Flow, { nodes: { starts: [start], residual } }: AttentionOutput): string | undefined {
  const before = flow.before(start.inputs);
  const inputIn = (name: string) => {
    if (!flow.pixels.has(name)) return [];
    const found = [name, flow.sameAs(name)].find((other) => before.has(other)); // perhaps a multiple is added
    return found ?? (flow.makers.get(name)?.outputs.some((other) => before.has(other)) ? name : []);
  };
  for (let node: OnnxNode | undefined = residual; node;) {
    const [input] = termsOf(node).flatMap(inputIn);
    if (input) return input;
    node = flow.usersOf(node.outputs[0]).find(isSum); // another branch was added first
  }
  return undefined;
}

/** Follows the stream from the first block's input on. */
function followStream(flow: Flow, blocks: AttentionOutput[], input: string): Stream {
  const taps = new Set(blocks.map(tapOf));
  const stream = new Set([input, ...(flow.makers.get(input)?.outputs ?? [])].filter((name) => name !== ""));
  const branches = new Map<string, ReadonlySet<string>>(), joins: Join[] = [];
  for (const node of flow.nodes) {
    const inputs = [...node.inputs, ...node.captured ?? []],
      outputs = node.outputs.filter((name) => name !== "");
    const own = inputs.filter((name) => branches.has(name)), along = inputs.some((name) => stream.has(name));
    if (own.length === 0 && !along) continue;
    if (outputs.some((name) => stream.has(name))) continue;
    const joining = isSum(node) ? termsOf(node).find((name) => branches.has(name)) : undefined;
    if (joining && termsOf(node).some((name) => stream.has(name))) {
      joins.push({ node, branch: joining, taps: branches.get(joining)! });
      outputs.forEach((name) => stream.add(name));
    } else if (own.length > 0 || isProduct(node)) {
      let made = own.reduce<ReadonlySet<string>>((all, name) => all.union(branches.get(name)!), NONE);
      const tap = outputs.find((name) => taps.has(name));
      if (tap) made = made.union(new Set([tap]));
      outputs.forEach((name) => branches.set(name, made));
    } else outputs.forEach((name) => stream.add(name));
  }
  return { joins, branches };
}

/** What the blocks are for hooks of the stream: of every block the sum that attention joins by, and those after it. */
function joinsOf(flow: Flow, blocks: AttentionOutput[]): { stream: Stream; of: Join[][] } | string {
  const input = inputOf(flow, blocks[0]);
  if (input === undefined) return "the input of the first block was not found";
  const stream = followStream(flow, blocks, input), of: Join[][] = blocks.map(() => []);
  let current = -1;
  for (const join of stream.joins) {
    if (join.taps.size > 1) return "attentions stand side by side";
    const [tap] = join.taps,
      block = tap === undefined ? current : blocks.findIndex((one) => tapOf(one) === tap);
    if (block < current || block > current + 1) return "attentions stand side by side";
    if (block >= 0) of[current = block].push(join);
  }
  return { stream, of };
}

/** The stream after every block. */
function residualStream(flow: Flow, blocks: AttentionOutput[]): Found[] {
  const joins = joinsOf(flow, blocks);
  if (typeof joins === "string") return blocks.map(() => joins);
  const last = blocks.length - 1, inputs = blocks.map((block) => inputOf(flow, block));
  return blocks.map((_, i) => {
    const end = joins.of[i][Math.min(joins.of[i].length, endOf(joins.of)) - 1];
    if (!end) return "nothing joins the residual stream there";
    if (i < last) {
      const tensor = inputs[i + 1];
      if (tensor === undefined) return `the input of block ${i + 2} was not found`;
      return flow.behind(...end.node.outputs).has(tensor)
        ? { tensor, added: [] }
        : "its parts are in another order";
    }
    return lastOf(flow, end.node, i > 0 ? joins.of[i - 1].at(-1)!.node : undefined, inputs[i]);
  });
}

/** Sums that make a block: as many as in the first one; what is added after the last block is no part of it. */
function endOf([first]: Join[][]): number {
  return first.length;
}

/**
 * The stream behind the last block, which no block takes: what `end` gives, in the same way as the block before gave its
 * own, `previous` to `input`.
 */
function lastOf(flow: Flow, end: OnnxNode, previous?: OnnxNode, input?: string): Found {
  if (end.op in FUSED_SUMS) {
    const place = previous && input !== undefined ? previous.outputs.indexOf(input) : SUM_OUTPUT;
    if (place >= 0 && end.outputs[place]) return { tensor: end.outputs[place], added: [] };
    if (place !== SUM_OUTPUT) return `${inSentence(end)} does not give it`;
    const [a, b] = end.inputs, bias = end.inputs[FUSED_SUMS[end.op]], name = `${end.outputs[0]}/sum`;
    const sum: AddedNode = { op: "Add", inputs: [a, b], output: bias ? `${name}_without_bias` : name };
    const added = bias
      ? [sum, { op: "Add", inputs: [sum.output, bias], output: name } satisfies AddedNode]
      : [sum];
    return { tensor: name, added };
  }
  const isSumItself = previous === undefined || input === undefined ||
    (previous.op in FUSED_SUMS ? previous.outputs[SUM_OUTPUT] : flow.sameAs(previous.outputs[0])) ===
      (previous.op in FUSED_SUMS ? input : flow.sameAs(input));
  if (isSumItself) {
    return asFloat(flow, end.outputs[0]);
  }
  // The stream is normalised after every sum.
  const norm = flow.makers.get(input)!;
  const own = norm.inputs.includes(previous.outputs[0])
    ? flow.usersOf(end.outputs[0]).find(({ op }) => op === norm.op)
    : undefined;
  return own ? { tensor: own.outputs[0], added: [] } : "the norm after its last sum is made of several nodes";
}

/** The MLP's output of every block. */
function perceptrons(flow: Flow, blocks: AttentionOutput[]): Found[] {
  const joins = joinsOf(flow, blocks);
  if (typeof joins === "string") return blocks.map(() => joins);
  const { stream: { branches }, of } = joins;
  return blocks.map((block, i) => {
    const after = of[i].slice(0, endOf(of)).filter(({ taps }) => taps.size === 0);
    if (after.length > 1) return `${after.length} branches join the residual stream after its attention`;
    const branch = after[0]?.branch ?? besideAttention(flow, branches, of[i][0], tapOf(block));
    return branch === undefined
      ? "no branch without attention joins the residual stream"
      : lastProduct(flow, branches, branch);
  });
}

/** The branch that is added to the attention before both join the stream. */
function besideAttention(
  flow: Flow,
  branches: Stream["branches"],
  join: Join | undefined,
  tap: string,
): string | undefined {
  if (!join) return undefined;
  const before = flow.before([join.branch]), behind = flow.behind(tap);
  for (const node of flow.nodes) {
    const [sum] = node.outputs;
    if (!isSum(node) || sum === tap || !before.has(sum) || !behind.has(sum)) continue;
    const beside = termsOf(node).find((name) => branches.get(name)?.size === 0 && !behind.has(name));
    if (beside !== undefined) return beside;
  }
  return undefined;
}

/** What the last product with a stored matrix on a branch gives, bias included. */
function lastProduct(flow: Flow, branches: Stream["branches"], branch: string): Found {
  const before = flow.before([branch]);
  const own = new Set([...branches].flatMap(([name, taps]) => taps.size === 0 ? [name] : []));
  const product = flow.nodes.findLast((node) =>
    isStoredProduct(flow, node) && before.has(node.outputs[0]) && own.has(node.outputs[0])
  );
  if (!product) return "no product with a stored matrix is on the branch beside the stream";
  const between = before.intersection(flow.behind(product.outputs[0]));
  const strange = flow.nodes.find((node) =>
    node !== product && node.outputs.some((name) => between.has(name)) && !AFTER_PROJECTION.test(node.op) &&
    !SAME_VALUES.has(node.op)
  );
  if (strange) return `${inSentence(strange)} lies between ${inSentence(product)} and the residual add`;
  const { tensor, added } = beforeResidual(flow, product, own, own);
  return { tensor, added: added ? [added] : [] };
}

/** Queries, keys or values of one block. */
function projected(flow: Flow, { nodes }: AttentionOutput, hook: "q" | "k" | "v"): Found {
  if (nodes.starts.length > 1) return `${nodes.starts.length} attentions make its output`;
  const roles = rolesOf(flow, nodes.starts[0], nodes.merged);
  if (typeof roles === "string") return roles;
  const role = roles[hook], others = Object.values(roles).filter((name) => name !== role);
  const products = productsBefore(flow, role);
  if (products.length !== 1) {
    return products.length === 0
      ? `no product with a stored matrix comes before ${role}`
      : `${products.length} products with stored matrices make ${role}`;
  }
  const whole = asFloat(flow, withBias(flow, products[0]));
  const otherwise = valuesOf(flow, others);
  if (!otherwise.has(products[0].outputs[0])) return whole;
  const part = ownPart(flow, whole.tensor, valuesOf(flow, [role]), otherwise);
  if (!part) return `${inSentence(products[0])} is not split into queries, keys and values`;
  const biased = partWithBias(flow, whole.tensor, part);
  return biased === undefined ? { ...whole, part } : asFloat(flow, biased);
}

/**
 * The channels of a whole that a part of it holds, recognized by their values: a projection of queries, keys and values together
 * is cut and laid out in many ways, but each of its channels is a different sequence of numbers over the tokens.
 *
 * @param whole images × tokens × width, or tokens × images × width
 * @param count images, all the same
 * @returns in ascending order; or why they are not known
 */
export function channelsOf(
  part: ModelOutput,
  whole: ModelOutput,
  { tokens, width, tokensFirst }: { tokens: number; width: number; tokensFirst: boolean },
  count: number,
): Int32Array | string {
  const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);
  const all = bits(whole.data), own = bits(part.data), tokenStride = tokensFirst ? count * width : width;
  const known = new Map<string, number>();
  for (let c = 0; c < width; c++) {
    const name = Array.from({ length: tokens }, (_, t) => all[t * tokenStride + c]).join();
    known.set(name, known.has(name) ? -1 : c);
  }
  for (const [axis, size] of part.dims.entries()) {
    if (size !== tokens) continue;
    const stride = part.dims.slice(axis + 1).reduce((product, side) => product * side, 1);
    const found = new Set<number>(), series = own.length / tokens;
    for (let s = 0; s < series; s++) {
      const first = Math.floor(s / stride) * stride * tokens + s % stride;
      const channel = known.get(Array.from({ length: tokens }, (_, t) => own[first + t * stride]).join());
      if (channel === undefined) break;
      if (channel < 0) return "two of them are the same on the first image";
      found.add(channel);
    }
    if (found.size > 0 && found.size * count === series) return Int32Array.from(found).sort();
  }
  return `its ${part.dims.join(" × ")} values are not channels of ${tokens} tokens`;
}
