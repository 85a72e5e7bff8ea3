/** What depends on what in an ONNX graph. */
import type { OnnxGraph, OnnxNode } from "./graph.ts";

const SUMS = new Set(["Add", "Sum", "QLinearAdd", "BiasAdd"]);
/** Residual add and norm in one. */
const SKIP_NORMS = new Set(["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"]);
/** Nodes that pass values on in another type. */
const SAME_SHAPE = new Set(["Identity", "Cast", "Dropout", "QuantizeLinear", "DequantizeLinear"]);
/** Nodes that pass values on in another shape. */
const OTHER_SHAPE = new Set([
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Flatten",
  "Slice",
  "Gather",
  "Expand",
]);
/** Nodes that pass values on in another shape or type. */
export const SAME_VALUES: Set<string> = SAME_SHAPE.union(OTHER_SHAPE);
/** Nodes that ask for a tensor's shape only. */
const SHAPES = new Set(["Shape", "Size"]);

/** Whether a node is a product of matrices, bias or not, in whatever precision; a convolution of single pixels is one. */
export function isProduct({ op, attributes }: OnnxNode): boolean {
  if (op === "Einsum" || /MatMul|Gemm/.test(op)) return true;
  const { kernel_shape: kernel, group = 1 } = attributes;
  return /Conv(?:Integer)?$/.test(op) && group === 1 && Array.isArray(kernel) &&
    kernel.every((side) => side === 1);
}

/** The matrices that a product multiplies, their scales and biases left out. */
export function factorsOf({ op, inputs }: OnnxNode): string[] {
  if (op === "Einsum") return inputs;
  return /^Q(?:Linear|Gemm)/.test(op) ? [inputs[0], inputs[3]] : inputs.slice(0, 2);
}

/** Whether what a product gives stands for nothing before it is multiplied by its scale. */
export function isScaledLater({ op }: OnnxNode): boolean {
  return /^(?:MatMulInteger(?:16)?|ConvInteger)$/.test(op);
}

export function isSum({ op }: OnnxNode): boolean {
  return SUMS.has(op) || SKIP_NORMS.has(op);
}

/** What a message calls a node. */
export function nameOf({ name, outputs }: OnnxNode): string {
  return name || outputs.find((output) => output !== "") || "a node";
}

/** A graph with its dependencies. */
export class Flow {
  readonly nodes: OnnxNode[];
  /** The node of every tensor that is computed. */
  readonly makers: Map<string, OnnxNode> = new Map();
  /** Tensors that depend on the values of the images, not on their size alone. */
  readonly pixels: Set<string>;
  readonly #stored: Map<string, number[]>;
  readonly #constants: Set<string>;
  readonly #users = new Map<string, OnnxNode[]>();
  readonly #places = new Map<string, number>();

  constructor({ nodes, stored, inputs }: OnnxGraph) {
    this.nodes = nodes;
    this.#stored = new Map(stored);
    this.#constants = new Set(stored.keys());
    this.pixels = new Set(inputs.map(({ name }) => name));
    for (const [place, node] of nodes.entries()) {
      const needs = needsOf(node);
      if (needs.every((name) => this.#constants.has(name))) {
        node.outputs.forEach((name) => this.#constants.add(name));
        const shape = SAME_SHAPE.has(node.op) ? this.#stored.get(node.inputs[0]) : undefined;
        if (shape) this.#stored.set(node.outputs[0], shape);
      }
      const sees = !SHAPES.has(node.op) && needs.some((name) => this.pixels.has(name));
      for (const name of node.outputs) {
        if (name === "") continue;
        this.makers.set(name, node);
        this.#places.set(name, place);
        if (sees) this.pixels.add(name);
      }
      for (const name of new Set(needs)) {
        if (!this.#users.has(name)) this.#users.set(name, []);
        this.#users.get(name)!.push(node);
      }
    }
  }

  /** Place of a tensor's node in the graph. */
  placeOf(name: string): number {
    return this.#places.get(name) ?? -1;
  }

  /** Whether a node's outputs depend on the images. */
  isComputed({ outputs }: OnnxNode): boolean {
    return outputs.some((name) => this.pixels.has(name));
  }

  /** Whether a tensor is the same for every image. */
  isStored(name: string): boolean {
    return this.#constants.has(name) || (this.makers.has(name) && !this.pixels.has(name));
  }

  /** Whether a tensor is computed from the images' size, and from nothing else of them. */
  followsSize(name: string): boolean {
    return this.makers.has(name) && !this.#constants.has(name) && !this.pixels.has(name);
  }

  /** One number a channel, or one for all. */
  isBias(name: string): boolean {
    return this.#constants.has(name) &&
      (this.#stored.get(name) ?? []).slice(0, -1).every((size) => size === 1);
  }

  /** Values in a stored tensor; 1 where its shape is not known. */
  sizeOf(name: string): number {
    return (this.#stored.get(name) ?? []).reduce((product, side) => product * side, 1);
  }

  /** Shape of the stored tensor that this one repeats or reshapes, or of a sum of such; undefined where it is none, or computed. */
  storedShape(name: string): number[] | undefined {
    const shape = this.#stored.get(name), maker = this.makers.get(name);
    if (shape || !maker) return shape;
    if (SAME_VALUES.has(maker.op) || maker.op === "Tile") return this.storedShape(maker.inputs[0]);
    if (!isSum(maker)) return undefined;
    const [a, b] = maker.inputs.map((input) => this.storedShape(input));
    return a?.map((size, axis) => Math.max(size, b?.at(axis - a.length) ?? 1));
  }

  /** The nodes that compute with a tensor. */
  usersOf(name: string): OnnxNode[] {
    return (this.#users.get(name) ?? []).filter(({ op }) => !SHAPES.has(op));
  }

  /** The nodes that compute on with `derived`, which grows by what they give. */
  *walk(from: OnnxNode, derived: Set<string>): Generator<OnnxNode> {
    const first = this.placeOf(from.outputs[0]) + 1;
    for (let place = first; place < this.nodes.length; place++) {
      const node = this.nodes[place];
      if (SHAPES.has(node.op) || !needsOf(node).some((name) => derived.has(name))) continue;
      yield node;
      node.outputs.forEach((name) => name !== "" && derived.add(name));
    }
  }

  /** All tensors that depend on the values of these, themselves included. */
  behind(...names: string[]): Set<string> {
    return reachable(names, (name) => this.usersOf(name).flatMap(({ outputs }) => outputs));
  }

  /** All tensors that these are computed from, themselves included. */
  before(names: string[]): Set<string> {
    return reachable(names, (name) => {
      const maker = this.makers.get(name);
      return maker ? needsOf(maker) : [];
    });
  }

  /** The tensor of which this one is another shape or type, or a multiple by a stored number. */
  sameAs(name: string): string {
    for (;;) {
      const maker = this.makers.get(name);
      if (!maker) return name;
      const { op, inputs } = maker;
      if (SAME_VALUES.has(op)) name = inputs[0];
      else if (op === "Mul" && inputs.some((input) => this.#constants.has(input))) {
        const other = inputs.find((input) => !this.#constants.has(input));
        if (other === undefined) return name;
        name = other;
      } else return name;
    }
  }

  /** The tensor of which this one is another shape. */
  sameShaped(name: string): string {
    let maker = this.makers.get(name);
    while (maker && OTHER_SHAPE.has(maker.op)) maker = this.makers.get(name = maker.inputs[0]);
    return name;
  }

  /** `name` without the rounding and the casts at its end, but not before `first`. */
  unrounded(name: string, first: string): string {
    while (name !== first) {
      const { op, inputs: [input] } = this.makers.get(name)!;
      const isBack = op === "DequantizeLinear" && this.makers.get(input)?.op !== "QuantizeLinear";
      if (!SAME_SHAPE.has(op) || isBack) break;
      name = input;
    }
    return name;
  }
}

/** Tensors that a node takes, those of its inner graphs included. */
function needsOf({ inputs, captured = [] }: OnnxNode): string[] {
  return [...inputs, ...captured].filter((name) => name !== "");
}

function reachable(from: string[], next: (name: string) => string[]): Set<string> {
  const found = new Set<string>(), open = from.filter((name) => name !== "");
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    for (const further of next(name)) if (further !== "" && !found.has(further)) open.push(further);
  }
  return found;
}
