/** Which products of an attention are queries, keys and values. */
import { FUSED } from "./attention_outputs.ts";
import { factorsOf, type Flow, isProduct, isScaledLater, isSum, nameOf, SAME_VALUES } from "./flow.ts";
import type { AddedNode, OnnxNode } from "./graph.ts";
import { dequantized, termsOf } from "./residual_stream.ts";

/** The tensors that are multiplied: queries, keys and values in whatever shape. */
export function rolesOf(
  flow: Flow,
  start: OnnxNode,
  merged: OnnxNode,
): Record<"q" | "k" | "v", string> | string {
  if (FUSED.test(start.op)) {
    const [q, k, v, bias] = start.inputs, isPlain = start.op === "Attention" && start.domain === "";
    if (isPlain && v || start.op === "MultiHeadAttention" && v && !bias) return { q, k, v };
    return `${nameOf(start)} (${start.op}) keeps them inside`;
  }
  const axis = start.attributes.axis ?? -1;
  if (start.op === "Softmax" && ![-1, 2, 3].includes(axis as number)) {
    return `${nameOf(start)} is over axis ${axis}`;
  }
  const products = computedProducts(flow, start);
  if (products.length !== 1) {
    return `${products.length} products of computed tensors come before ${nameOf(start)}`;
  }
  const behind = flow.behind(start.outputs[0]), [first, second] = factorsOf(merged);
  if (behind.has(second) && merged.op !== "Einsum") {
    return `${nameOf(merged)} has the weights behind the values`;
  }
  const [a, b] = factorsOf(products[0]), v = behind.has(first) ? second : first;
  return keysFirst(products[0]) ? { q: b, k: a, v } : { q: a, k: b, v };
}

/** Whether an Einsum has the keys, along which the softmax sums, before the queries. */
export function keysFirst({ equation }: OnnxNode): boolean {
  const [, first, out] = /^(\w+),\w+->(\w+)$/.exec(equation ?? "") ?? [];
  return out !== undefined && first.includes(out.at(-1)!);
}

/** The products of two computed tensors before a softmax, those with stored matrices left out (relative positions). */
function computedProducts(flow: Flow, start: OnnxNode): OnnxNode[] {
  const found = new Set<OnnxNode>();
  eachBefore(flow, start.inputs[0], (node) => {
    if (!isProduct(node)) return true;
    if (!isStoredProduct(flow, node)) found.add(node);
    return false;
  });
  return [...found];
}

/** The products with stored matrices that a tensor is made of, none behind another. */
export function productsBefore(flow: Flow, name: string): OnnxNode[] {
  const found = new Set<OnnxNode>();
  eachBefore(flow, name, (node) => {
    if (isStoredProduct(flow, node)) found.add(node);
    return !isProduct(node) && node.op !== "DynamicQuantizeLinear"; // of which a product's scale is made, too
  });
  return [...found];
}

/** All tensors whose values some are made of, themselves included; not those of which they need the shape. */
export function valuesOf(flow: Flow, names: string[]): Set<string> {
  const found = new Set<string>();
  for (const name of names) {
    found.add(name);
    eachBefore(flow, name, ({ inputs }) => {
      for (const other of inputs) if (flow.pixels.has(other)) found.add(other);
      return true;
    });
  }
  return found;
}

/** Visits the nodes before a tensor that depend on the images, as long as `visit` says to go on. */
function eachBefore(flow: Flow, name: string, visit: (node: OnnxNode) => boolean): void {
  const open = [name], seen = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = flow.makers.get(next);
    if (seen.has(next) || !node || !flow.pixels.has(next)) continue;
    seen.add(next);
    if (visit(node)) open.push(...node.inputs);
  }
}

/** Whether a node is a product with stored weights. */
export function isStoredProduct(flow: Flow, node: OnnxNode): boolean {
  if (!isProduct(node) || !flow.isComputed(node)) return false;
  const factors = factorsOf(node);
  return factors.some((name) => flow.isStored(name)) && factors.some((name) => flow.pixels.has(name));
}

/** The last tensor behind a product that is the product's alone before it is cut or computed with, bias and scale included. */
export function withBias(flow: Flow, product: OnnxNode): string {
  let at = product.outputs[0], taken = at, isScaled = !isScaledLater(product), isBiased = false;
  for (;;) {
    const [user, ...others] = flow.usersOf(at);
    if (!user || others.length > 0) return taken;
    const isBias = isSum(user) && !isBiased &&
      termsOf(user).every((name) => name === at || flow.isBias(name) && flow.sizeOf(name) !== 1);
    if (!isBias && !(user.op === "Mul" && !isScaled) && !SAME_VALUES.has(user.op)) return taken;
    at = user.outputs[0];
    if (isBias) isBiased = true;
    if (user.op === "Mul") isScaled = true;
    if (isBias || user.op === "Mul") taken = at;
  }
}

/** The first tensor that is `whole` cut and laid out anew, and is used for one role alone. */
export function ownPart(
  flow: Flow,
  whole: string,
  before: ReadonlySet<string>,
  others: ReadonlySet<string>,
): string | undefined {
  const open = [whole];
  for (const name of open) {
    if (before.has(name) && !others.has(name)) return name;
    for (const { op, outputs } of flow.usersOf(name)) {
      if (op === "Split" || SAME_VALUES.has(op)) open.push(...outputs.filter((output) => before.has(output)));
    }
  }
  return undefined;
}

/**
 * A part with the bias that is added to it alone, where the whole is cut along its channels only: graph optimizers join three
 * projections in one product and leave the three biases behind its Split.
 */
export function partWithBias(flow: Flow, whole: string, part: string): string | undefined {
  const cut = flow.makers.get(part), [user, ...others] = flow.usersOf(part);
  if (cut?.op !== "Split" || cut.inputs[0] !== whole || others.length > 0 || !user || !isSum(user)) {
    return undefined;
  }
  const isBias = termsOf(user).every((name) => name === part || flow.isBias(name) && flow.sizeOf(name) !== 1);
  return isBias ? user.outputs[0] : undefined;
}

/** A tensor, dequantised where it is quantised. */
export function asFloat(flow: Flow, name: string): Omit<HookOutput, "layer"> {
  const { tensor, added } = dequantized(flow, name);
  return { tensor, added: added ? [added] : [] };
}

/** What is taken of every block. */
export type Hook = "attention" | "residual" | "mlp" | "q" | "k" | "v";

/** What is taken of one block. */
export interface HookOutput {
  /** 1 is the first block. */
  layer: number;
  /** Images × tokens × channels. */
  tensor: string;
  /** Compute `tensor` where no node of the graph does. */
  added: AddedNode[];
  /** Holds only those channels of `tensor` that are wanted, in whatever shape; absent: all are. */
  part?: string;
}
