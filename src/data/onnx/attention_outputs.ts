/** Finds, by the structure of an ONNX graph, what each attention block adds to the residual stream, and counts. */
import { factorsOf, Flow, isProduct, isSum, nameOf, SAME_VALUES } from "./flow.ts";
import type { AddedNode, OnnxGraph, OnnxNode } from "./graph.ts";
import {
  AFTER_PROJECTION,
  beforeResidual,
  dequantized,
  isResidualSum,
  joinsLoosely,
  termsOf,
} from "./residual_stream.ts";
import { isWrittenOut } from "./written_softmax.ts";

/** The attention of one transformer block. */
export interface AttentionOutput {
  /** 1 is the first block. */
  layer: number;
  /** The tensor of METHOD's `V_l`. */
  tensor: string;
  /** Computes `tensor` where no node of the graph does: a fused residual add has the bias, or it is stored in 8 bits. */
  added?: AddedNode;
  /** Heads, where the graph itself says so. */
  heads: number | null;
  /** The attention weights, images × heads × … or images · heads × … × …; null where a fused node keeps them. */
  weights: string | null;
  /** Computes `weights` where the graph has them in 8 bits. */
  weightsAdded?: AddedNode;
  /** The queries that a fused node takes, images × heads × … when the node does not say its heads; else null. */
  queries: string | null;
  /** Its nodes, for what else is taken of a block. */
  nodes: AttentionNodes;
}

/** The nodes of one attention block. */
export interface AttentionNodes {
  /** A softmax, one written out, or a fused node; several where they lead to one output. */
  starts: OnnxNode[];
  /** Weighs the values: a product, or the fused node. */
  merged: OnnxNode;
  /** Adds the output to something that is not made of it. */
  residual: OnnxNode;
}

/** An attention node that is no layer. */
export interface OtherNode {
  /** What the exporter called it, or its output. */
  name: string;
  op: string;
  why: string;
}

/** Every attention node of a graph: a softmax, one written out (exp, sum, division), or a fused node. */
export interface AttentionCount {
  /** How many of each operator. */
  nodes: Record<string, number>;
  /** First layer first. */
  blocks: AttentionOutput[];
  /** Nodes that lead to `blocks`: several may lead to one. */
  understood: number;
  /** Blocks of which none takes the other's output, as in parallel attention, two encoders in one graph, or one run twice. */
  sideBySide: number;
  /** What is added to no residual stream: the softmax of a classifier or of a pooling head. */
  apart: OtherNode[];
  /** What is added to the residual stream in a way that is not understood. */
  unread: OtherNode[];
}

const SOFTMAX = new Set(["Softmax", "BiasSoftmax", "QLinearSoftmax"]);
/** Nodes that are everything from queries, keys and values to the merged heads. */
export const FUSED: RegExp = /attention/i;
/** Domains whose operators are known; those of others may be anything, attention included. */
const KNOWN_DOMAIN = /^(?:|ai\.onnx\.ml|com\.microsoft\b.*|com\.ms\b.*)$/;
/** Nodes that draw other numbers in every run. */
const RANDOM = new Set([
  "RandomNormal",
  "RandomNormalLike",
  "RandomUniform",
  "RandomUniformLike",
  "Bernoulli",
  "Multinomial",
]);
/** A sentence holds no more names. */
const MAX_NAMED = 2;

/** Where attention may begin. */
interface Start {
  node: OnnxNode;
  kind: "softmax" | "fused" | "held" | "unknown" | "product";
}

/** What was found, with what it is added to; or how far the walk came. */
type Finding = Omit<AttentionOutput, "layer"> & { stream: string[] } | { why: string; step: number };

/**
 * Finds every attention block's output after its output projection and before the residual add (METHOD, `V_l`).
 *
 * From each softmax the walk goes to the product with the values, over the merging of the heads to the first product with
 * a stored matrix, and over bias and reshapes to the sum with the residual stream; a fused attention node stands for the
 * part up to the merged heads. Layer scale (× a stored vector) and a norm of the output come after what is taken: they set
 * how much of it the stream gets, not what attention wrote. Nodes that lead to one tensor (differential attention) are one
 * layer; attention that joins no stream (a pooling head) is none.
 *
 * @returns the blocks in the order of the graph, first layer first
 * @throws Error "a.onnx has no attention block (softmax, values, projection, residual add), for no residual add follows …"
 * @throws Error "a.onnx has 24 attention nodes, 12 are understood; not understood: NAME (Softmax), for …: export …"
 * @throws Error "a.onnx draws random numbers (RandomUniformLike, node of noise) before an attention block, …"
 */
export function findAttentionOutputs(graph: OnnxGraph): AttentionOutput[] {
  return countAttention(graph).blocks;
}

/**
 * Like `findAttentionOutputs`, with the nodes that are no blocks.
 *
 * @throws Error those of `findAttentionOutputs`; `unread` is empty in what is returned
 */
export function countAttention(graph: OnnxGraph): AttentionCount {
  const count = classify(graph), { blocks, understood, apart, unread } = count;
  if (unread.length > 0) {
    const all = understood + apart.length + unread.length;
    throw new Error(
      `${graph.path} has ${all} attention ${
        all === 1 ? "node" : "nodes"
      }, ${understood} understood; not understood: ${
        listed(unread, ({ name, op, why }) => `${name} (${op}), for ${why}`)
      }: export it op by op (no fusing, no quantisation of the attention), with its weights stored in the graph.`,
    );
  }
  if (blocks.length === 0) {
    throw new Error(
      `${graph.path} has no attention block (softmax, values, projection, residual add), for ${
        count.furthest ?? "it has no softmax and no attention node"
      }: give a vision transformer exported op by op, with its weights stored in the graph.`,
    );
  }
  assertRepeatable(graph, blocks);
  return { nodes: count.nodes, blocks, understood, sideBySide: count.sideBySide, apart, unread };
}

/** "3 Softmax: 2 blocks, 1 joins no residual stream: head/Softmax": what `models add` prints. */
export function describeCount(
  { nodes, blocks, understood, sideBySide, apart }: Omit<AttentionCount, "unread">,
): string {
  const all = Object.entries(nodes).map(([op, count]) => `${count} ${op}`).join(", ");
  const shared = understood > blocks.length ? ` of ${understood}` : "";
  const beside = sideBySide > 0 ? `, ${sideBySide} of them side by side` : "";
  const rest = apart.length === 0
    ? ""
    : `, ${apart.length} ${apart.length === 1 ? "joins" : "join"} no residual stream: ` +
      listed(apart, ({ name }) => name);
  return `${all}: ${blocks.length} ${blocks.length === 1 ? "block" : "blocks"}${shared}${beside}${rest}`;
}

export function listed<T>(items: T[], text: (item: T) => string): string {
  const rest = items.length - MAX_NAMED;
  return items.slice(0, MAX_NAMED).map(text).join("; ") + (rest > 0 ? `; and ${rest} more` : "");
}

/** `furthest` says how far the walk came in a graph without blocks. */
function classify(graph: OnnxGraph): AttentionCount & { furthest?: string } {
  const flow = new Flow(graph), blocks = new Map<string, AttentionOutput>();
  const apart: OtherNode[] = [], unread: OtherNode[] = [];
  const branches = new Set<string>(), nodes: Record<string, number> = {};
  const missed: { node: OnnxNode; kind: Start["kind"]; other: OtherNode }[] = [];
  let understood = 0, furthest: { step: number; why: string } | undefined;
  const examine = (start: Start) => {
    const { node } = start, found = understand(flow, start);
    if ("tensor" in found) {
      understood++;
      nodes[node.op] = (nodes[node.op] ?? 0) + 1;
      const { stream, ...block } = found;
      const known = blocks.get(block.tensor);
      if (known) known.nodes.starts.push(node);
      else blocks.set(block.tensor, { layer: 0, ...block });
      for (const name of flow.before([tapOf(block)]).difference(flow.before(stream))) {
        branches.add(name);
      }
      return;
    }
    if (found.step > (furthest?.step ?? 0)) furthest = found;
    missed.push({ node, kind: start.kind, other: { name: nameOf(node), op: opOf(start), why: found.why } });
  };
  for (const start of startsOf(flow)) examine(start);
  for (const { node, kind, other } of missed) {
    const behind = flow.behind(...node.outputs);
    const isNeeded = joinsLoosely(flow, behind) || kind === "held" && addsWithin(node) ||
      [...blocks.values()].some((block) => behind.has(tapOf(block)));
    const custom = flow.nodes.find(({ domain, outputs }) =>
      !KNOWN_DOMAIN.test(domain) && behind.has(outputs[0])
    );
    if (isNeeded) unread.push(other);
    else if (kind === "unknown") continue;
    else if (custom) {
      unread.push({ ...other, why: `${custom.domain}::${custom.op} follows it, which is not known` });
    } else apart.push(other);
    nodes[other.op] = (nodes[other.op] ?? 0) + 1;
  }
  if (unread.length === 0) {
    for (const node of flow.nodes) {
      // Attention without a softmax.
      if (!isProduct(node) || branches.has(node.outputs[0])) continue;
      const computed = factorsOf(node).filter((name) => flow.pixels.has(name));
      if (computed.length < 2 || !joinsLoosely(flow, flow.behind(...node.outputs))) continue;
      const why = "it multiplies two tensors that depend on the image, but no softmax belongs to it";
      unread.push({ name: nameOf(node), op: node.op, why });
    }
  }
  const { order, sideBySide } = inOrder(flow, [...blocks.values()]);
  order.forEach((block, i) => block.layer = i + 1);
  return { nodes, blocks: order, understood, sideBySide, apart, unread, furthest: furthest?.why };
}

/** Blocks behind those that they depend on; those side by side in the order in which they are stacked or summed. */
function inOrder(flow: Flow, blocks: AttentionOutput[]): { order: AttentionOutput[]; sideBySide: number } {
  const ranked = blocks.map((block) => {
    const tap = tapOf(block), before = flow.before([tap]);
    return {
      block,
      behind: flow.behind(tap),
      rank: blocks.filter((other) => before.has(tapOf(other))).length,
      tap,
    };
  });
  ranked.sort((a, b) => {
    if (a.rank !== b.rank) return a.rank - b.rank;
    for (const { inputs } of flow.nodes) {
      const first = inputs.findIndex((name) => a.behind.has(name) && !b.behind.has(name));
      const second = inputs.findIndex((name) => b.behind.has(name) && !a.behind.has(name));
      if (first >= 0 && second >= 0) return first - second;
    }
    return flow.placeOf(a.tap) - flow.placeOf(b.tap);
  });
  // Of blocks one behind the other each has another number of blocks before it.
  const sideBySide = ranked.filter((one) => ranked.some((other) => other !== one && other.rank === one.rank));
  return { order: ranked.map(({ block }) => block), sideBySide: sideBySide.length };
}

/** The tensor of the graph that a block's output is, or is made of. */
export function tapOf({ tensor, added }: Pick<AttentionOutput, "tensor" | "added">): string {
  return added?.inputs[0] ?? tensor;
}

function opOf({ node: { op, domain, inner = [] }, kind }: Start): string {
  const held = kind === "held" ? inner.find(isOwnAttention) : undefined;
  if (held) return `${held.op} inside ${op}`;
  return kind === "unknown" ? `${domain}::${op}` : op;
}

function isOwnAttention({ op }: OnnxNode): boolean {
  return SOFTMAX.has(op) || FUSED.test(op);
}

/** The nodes that may begin an attention block, in the order of the graph. */
function startsOf(flow: Flow): Start[] {
  return flow.nodes.flatMap((node): Start | [] => {
    if (!flow.isComputed(node)) return [];
    if (FUSED.test(node.op)) return { node, kind: "fused" };
    if (SOFTMAX.has(node.op) || (node.op === "Exp" && isWrittenOut(flow, node))) {
      return { node, kind: "softmax" };
    }
    if (holdsAttention(node)) return { node, kind: "held" };
    return KNOWN_DOMAIN.test(node.domain) ? [] : { node, kind: "unknown" };
  });
}

/** Whether there is attention in the graph inside an If, Loop or Scan, or what may be one whose softmax is written out. */
function holdsAttention({ inner = [] }: OnnxNode): boolean {
  return inner.some(isOwnAttention) || inner.some(({ op }) => op === "Exp") && inner.some(isProduct);
}

/** Whether the residual add may be inside, too: blocks that a Loop or Scan repeats. */
function addsWithin({ op, inner = [] }: OnnxNode): boolean {
  return /^(?:Loop|Scan)$/.test(op) && inner.some(isSum);
}

/** Random numbers on the way to a block, as in an exported masked autoencoder, shuffle or drop patches. */
function assertRepeatable({ path, nodes }: OnnxGraph, blocks: AttentionOutput[]): void {
  const needed = new Set(blocks.flatMap(({ tensor, added }) => added?.inputs ?? [tensor]));
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

/** From where attention begins to what is taken of it. */
function understand(flow: Flow, start: Start): Finding {
  const { node, kind } = start;
  if (kind === "held") {
    return { why: `the tensors inside ${node.op} cannot be taken: export it unrolled`, step: 1 };
  }
  if (kind === "unknown") return { why: "that operator is not known, and may be attention", step: 1 };
  const fromStart = flow.behind(node.outputs[0]), before = flow.before(node.inputs);
  const isStreamAdd = (other: OnnxNode, derived: Set<string>) =>
    isSum(other) &&
    termsOf(other).some((name) => !derived.has(name) && !flow.isBias(name) && before.has(flow.sameAs(name)));

  const merged = kind === "fused" ? node : weighedValues(flow, node, isStreamAdd);
  if ("why" in merged) return merged;
  const projection = projectionBehind(flow, merged, isStreamAdd);
  if ("why" in projection) return projection;
  const derived = flow.behind(projection.outputs[0]);
  const residual = flow.nodes.find((other) => isResidualSum(flow, other, derived, fromStart));
  if (!residual) return { why: `no residual add follows ${inSentence(projection)}`, step: 3 };
  const between = flow.before(residual.inputs).intersection(derived);
  const strange = flow.nodes.find((other) =>
    other.outputs.some((name) => between.has(name)) &&
    !AFTER_PROJECTION.test(other.op) && !SAME_VALUES.has(other.op) && !isProduct(other) &&
    other !== projection
  );
  if (strange) {
    return {
      why: `${inSentence(strange)} lies between ${inSentence(projection)} and the residual add`,
      step: 3,
    };
  }
  const weights = kind === "fused" ? null : dequantized(flow, node.outputs[0]);
  const stated = node.attributes.num_heads ?? node.attributes.q_num_heads;
  return {
    ...beforeResidual(flow, projection, fromStart, flow.behind(merged.outputs[0])),
    heads: typeof stated === "number" ? stated : null,
    stream: termsOf(residual).filter((name) => !derived.has(name)),
    weights: weights?.tensor ?? null,
    ...(weights?.added && { weightsAdded: weights.added }),
    queries: kind === "fused" ? node.inputs[0] : null,
    nodes: { starts: [node], merged, residual },
  };
}

type Ends = (node: OnnxNode, derived: Set<string>) => boolean;

/**
 * The first product of what a softmax gives with something computed from the image.
 *
 * Products with stored matrices may lie on the way (heads that talk to each other), and sums and differences with another
 * softmax.
 */
function weighedValues(flow: Flow, softmax: OnnxNode, ends: Ends): OnnxNode | { why: string; step: number } {
  const derived = new Set([softmax.outputs[0]]);
  for (const node of flow.walk(softmax, derived)) {
    if (isProduct(node) && factorsOf(node).some((name) => !derived.has(name) && flow.pixels.has(name))) {
      return node;
    }
    if (isOwnAttention(node) || ends(node, derived)) break;
  }
  return { why: `no product with computed values follows ${inSentence(softmax)}`, step: 1 };
}

/** The first product with a stored matrix: where something of before is added or another softmax begins, attention is over. */
function projectionBehind(
  flow: Flow,
  merged: OnnxNode,
  ends: Ends,
): OnnxNode | { why: string; step: number } {
  const derived = new Set([merged.outputs[0]]);
  for (const node of flow.walk(merged, derived)) {
    const others = isProduct(node) ? factorsOf(node).filter((name) => !derived.has(name)) : [];
    if (others.length > 0 && others.every((name) => flow.isStored(name))) return node;
    if (isOwnAttention(node) || ends(node, derived)) break;
  }
  return { why: `no product with a stored matrix follows ${inSentence(merged)}`, step: 2 };
}

export function inSentence({ op, outputs }: OnnxNode): string {
  return `${op} (node of ${outputs[0]})`;
}
