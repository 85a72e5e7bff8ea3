/** ONNX files: the little of their protobuf that finding and adding outputs needs; every other byte stays as it is. */
import { reasonOf } from "../files/atomic_write.ts";
import { inlineFunctions, OtherOperatorSet, ownDomain, readOperatorSet } from "./functions.ts";
import {
  CutShort,
  joinBytes,
  LENGTH_DELIMITED,
  messageField,
  numberField,
  readInts,
  readMessage,
  textField,
} from "./messages.ts";
import type { Handler } from "./messages.ts";
import { readError, readPlainFile } from "../files/plain_file.ts";

/** One operation. */
export interface OnnxNode {
  op: string;
  /** "" for ONNX's own operations. */
  domain: string;
  /** What the exporter called it; often "". */
  name: string;
  /** Tensor names; "" where an optional one is left out. */
  inputs: string[];
  outputs: string[];
  /** The attributes that are whole numbers or lists of them. */
  attributes: Record<string, number | number[]>;
  /** Of an Einsum node, as "bhid,bhjd->bhij". */
  equation?: string;
  /** Shape of a Constant node's tensor. */
  constant?: number[];
  /** Nodes of the graphs inside an If, Loop or Scan, those inside these included. */
  inner?: OnnxNode[];
  /** Tensors that those take from outside. */
  captured?: string[];
}

/** What is needed of a model file. */
export interface OnnxGraph {
  /** The file, for messages. */
  path: string;
  /** Of the file. */
  bytes: Uint8Array;
  /** The same model without functions and its nodes in order; `bytes` where they are so in the file. */
  runnable: Uint8Array;
  /** Every node after those that it takes tensors from, functions inlined. */
  nodes: OnnxNode[];
  /** Shape of every stored tensor by its name, those of Constant nodes included. */
  stored: Map<string, number[]>;
  /** Stored tensors whose values are in a file beside the model. */
  external: ExternalTensor[];
  outputs: string[];
  /** What it is run on, each with its shape; null is a side that may be anything. */
  inputs: { name: string; shape: (number | null)[] }[];
}

/** Where a stored tensor's values are when they are not in the model file. */
export interface ExternalTensor {
  name: string;
  /** Path relative to the model's folder. */
  location: string;
  /** Bytes from the start of that file; null means to its end. */
  offset: number;
  length: number | null;
}

/** A node of ONNX's own operations to be added to a graph. */
export interface AddedNode {
  op: "Add" | "DequantizeLinear";
  inputs: string[];
  output: string;
}

/** Field numbers of ONNX's protobuf messages. */
const MODEL = { irVersion: 1, graph: 7, opset: 8, function: 25 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 };
const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, int: 3, text: 4, tensor: 5, graph: 6, floats: 7, ints: 8, graphs: 11 };
const VALUE = { name: 1, type: 2 }, TYPE = { tensor: 1 }, TENSOR_TYPE = { shape: 2 };
const SHAPE = { dimension: 1 }, DIMENSION = { value: 1 };
const TENSOR = { dims: 1, name: 8, external: 13 }, SPARSE = { values: 1, dims: 3 };
const OPERATOR_SET = { domain: 1, version: 2 };

/**
 * Reads the nodes and the shapes of the stored tensors of a model.
 *
 * @param path an ONNX file
 * @throws Error "There is no model a.onnx."; "a.onnx is not an ONNX model: …"; "The model a.onnx is cut short …"
 */
export async function readOnnx(path: string): Promise<OnnxGraph> {
  let bytes: Uint8Array;
  try {
    bytes = await readPlainFile(path);
  } catch (error) {
    throw readError(error, path, "model");
  }
  return parseOnnx(bytes, path);
}

/**
 * Like `readOnnx`, from bytes.
 *
 * @param bytes a ModelProto
 * @param path what messages call it
 */
export function parseOnnx(bytes: Uint8Array, path: string): OnnxGraph {
  const graph: OnnxGraph = {
    path,
    bytes,
    runnable: bytes,
    nodes: [],
    stored: new Map(),
    external: [],
    outputs: [],
    inputs: [],
  };
  let isModel = false;
  const operatorSets = new Map<string, number>(), nodes: Uint8Array[] = [], functions: Uint8Array[] = [];
  try {
    readMessage(bytes, {
      [MODEL.irVersion]: (reader) => {
        reader.int64();
        isModel = true;
      },
      [MODEL.graph]: (reader) => readGraph(reader.bytes(), graph, nodes),
      [MODEL.function]: (reader) => functions.push(reader.bytes()),
      [MODEL.opset]: (reader) => operatorSets.set(...readOperatorSet(reader.bytes())),
    });
    if (isModel && operatorSets.size === 0) throw new CutShort("its list of operator sets is missing");
    if (isModel) orderNodes(graph, nodes, functions, operatorSets);
  } catch (error) {
    if (error instanceof OtherOperatorSet) throw new Error(`${path}: ${error.message}`, { cause: error });
    if (isModel && error instanceof CutShort) {
      throw new Error(`The model ${path} is cut short (${error.message}): copy it again.`, { cause: error });
    }
    if (isModel) {
      throw new Error(`The model ${path} is damaged (${reasonOf(error)}): copy it again.`, { cause: error });
    }
  }
  if (!isModel || graph.nodes.length === 0) {
    throw new Error(
      `${path} is not an ONNX model: expected a file that torch.onnx.export or another ONNX exporter wrote.`,
    );
  }
  return graph;
}

/**
 * The model with more of its tensors as outputs.
 *
 * Protobuf reads a message that occurs twice as one, lists joined; so the additions are a second graph behind
 * everything that is there, and nothing of the file has to be understood or encoded again.
 *
 * A model with functions, or whose nodes are not in order, is written anew without and in order.
 *
 * @param graph a model that was read
 * @param tensors names of tensors of the graph, or of `added`; those that are outputs already are left alone
 * @param added nodes to add to the graph first
 * @returns a ModelProto
 */
export function withOutputs(graph: OnnxGraph, tensors: string[], added: AddedNode[] = []): Uint8Array {
  const nodes = added.map(({ op, inputs, output }) =>
    messageField(GRAPH.node, [
      ...inputs.map((input) => textField(NODE.input, input)),
      textField(NODE.output, output),
      textField(NODE.op, op),
    ])
  );
  const further = [...new Set(tensors).difference(new Set(graph.outputs))];
  const outputs = further.map((tensor) => messageField(GRAPH.output, [textField(VALUE.name, tensor)]));
  return joinBytes([graph.runnable, messageField(MODEL.graph, [...nodes, ...outputs])]);
}

/** Puts every node behind those that it takes tensors from, functions inlined; `runnable` is as `nodes` then. */
function orderNodes(
  graph: OnnxGraph,
  encoded: Uint8Array[],
  functions: Uint8Array[],
  operatorSets: Map<string, number>,
): void {
  const inlined = inlineFunctions(encoded, functions, operatorSets);
  const read = (inlined?.nodes ?? encoded).map((bytes) => ({ bytes, node: readNode(bytes) }));
  const sorted = inOrder(read);
  graph.nodes = sorted.map(({ node }) => node);
  for (const { constant, outputs } of graph.nodes) if (constant) graph.stored.set(outputs[0], constant);
  if (inlined || sorted.some((item, i) => item !== read[i])) {
    graph.runnable = withNodes(graph.bytes, sorted.map(({ bytes }) => bytes), inlined?.operatorSets ?? []);
  }
}

/** Those that are in order stay as they are. */
function inOrder<T extends { node: OnnxNode }>(items: T[]): T[] {
  const makers = new Map<string, T>();
  for (const item of items) for (const name of item.node.outputs) if (name !== "") makers.set(name, item);
  const sorted: T[] = [], state = new Map<T, "open" | "done">();
  for (const first of items) {
    const stack = [first];
    while (stack.length > 0) {
      const item = stack.at(-1)!;
      if (state.get(item) === "done") {
        stack.pop();
        continue;
      }
      const { inputs, captured = [], outputs } = item.node;
      const needed = [...inputs, ...captured].flatMap((name) => makers.get(name) ?? [])
        .filter((maker) => state.get(maker) !== "done");
      if (needed.some((maker) => state.get(maker) === "open" || maker === item)) {
        throw new Error(`the node of ${outputs[0]} needs what it gives`);
      }
      state.set(item, needed.length > 0 ? "open" : "done");
      if (needed.length === 0) sorted.push(stack.pop()!);
      else stack.push(...needed.reverse());
    }
  }
  return sorted;
}

/** The model with other nodes and no functions. */
function withNodes(model: Uint8Array, nodes: Uint8Array[], operatorSets: [string, number][]): Uint8Array {
  const kept: Uint8Array[] = [], inGraph = nodes.map((node) => messageField(GRAPH.node, [node]));
  readMessage(model, {}, (field, raw, body) => {
    if (field === MODEL.graph) {
      readMessage(body!, {}, (field, raw) => field !== GRAPH.node && inGraph.push(raw));
    } else if (field !== MODEL.function) kept.push(raw);
  });
  for (const [domain, version] of operatorSets) {
    const set = [textField(OPERATOR_SET.domain, domain), numberField(OPERATOR_SET.version, version)];
    kept.push(messageField(MODEL.opset, set));
  }
  return joinBytes([...kept, messageField(MODEL.graph, inGraph)]);
}

function readGraph(bytes: Uint8Array, graph: OnnxGraph, nodes: Uint8Array[]): void {
  readMessage(bytes, {
    [GRAPH.node]: (reader) => nodes.push(reader.bytes()),
    [GRAPH.initializer]: (reader) => readStored(reader.bytes(), graph),
    [GRAPH.sparse]: (reader) => {
      let name = "";
      const dims: number[] = [];
      readMessage(reader.bytes(), {
        [SPARSE.values]: (values) =>
          readMessage(values.bytes(), { [TENSOR.name]: (tensor) => name = tensor.string() }),
        [SPARSE.dims]: (sides, wire) => readInts(sides, wire, dims),
      });
      graph.stored.set(name, dims);
    },
    [GRAPH.output]: (reader) => graph.outputs.push(readValue(reader.bytes()).name),
    [GRAPH.input]: (reader) => graph.inputs.push(readValue(reader.bytes())),
  });
  graph.inputs = graph.inputs.filter(({ name }) => !graph.stored.has(name)); // old files list their weights, too
}

function readValue(bytes: Uint8Array): { name: string; shape: (number | null)[] } {
  let name = "";
  const shape: (number | null)[] = [];
  const within = (field: number, handler: Handler): Handler => (reader) =>
    readMessage(reader.bytes(), { [field]: handler });
  const readSide: Handler = (reader) => {
    let side = 0;
    readMessage(reader.bytes(), { [DIMENSION.value]: (value) => side = Number(value.int64()) });
    shape.push(side > 0 ? side : null);
  };
  readMessage(bytes, {
    [VALUE.name]: (reader) => name = reader.string(),
    [VALUE.type]: within(TYPE.tensor, within(TENSOR_TYPE.shape, within(SHAPE.dimension, readSide))),
  });
  return { name, shape };
}

function readNode(bytes: Uint8Array): OnnxNode {
  const node: OnnxNode = { op: "", domain: "", name: "", inputs: [], outputs: [], attributes: {} };
  const shapes = new Map<string, number[]>();
  readMessage(bytes, {
    [NODE.input]: (reader) => node.inputs.push(reader.string()),
    [NODE.output]: (reader) => node.outputs.push(reader.string()),
    [NODE.name]: (reader) => node.name = reader.string(),
    [NODE.op]: (reader) => node.op = reader.string(),
    [NODE.domain]: (reader) => node.domain = ownDomain(reader.string()),
    [NODE.attribute]: (reader) => readAttribute(reader.bytes(), node, shapes),
  });
  if (node.op === "Constant") { for (const shape of shapes.values()) node.constant = shape; }
  return node;
}

/** `shapes` gets what a Constant node of this attribute would give. */
function readAttribute(bytes: Uint8Array, node: OnnxNode, shapes: Map<string, number[]>): void {
  let name = "",
    text: Uint8Array | undefined,
    value: number | undefined,
    dims: number[] | undefined,
    count = 0;
  const values: number[] = [];
  const readInnerGraph: Handler = (reader) => readInner(reader.bytes(), node);
  readMessage(bytes, {
    [ATTRIBUTE.name]: (reader) => name = reader.string(),
    [ATTRIBUTE.int]: (reader) => value = Number(reader.int64()),
    [ATTRIBUTE.ints]: (reader, wire) => readInts(reader, wire, values),
    [ATTRIBUTE.text]: (reader) => text = reader.bytes(),
    [ATTRIBUTE.tensor]: (reader) => {
      const sides: number[] = dims = [];
      readMessage(reader.bytes(), { [TENSOR.dims]: (tensor, wire) => readInts(tensor, wire, sides) });
    },
    [ATTRIBUTE.floats]: (reader, wire) => {
      if (wire === LENGTH_DELIMITED) count += reader.bytes().length / 4;
      else {
        reader.float();
        count++;
      }
    },
    [ATTRIBUTE.graph]: readInnerGraph,
    [ATTRIBUTE.graphs]: readInnerGraph,
  });
  if (values.length > 0) node.attributes[name] = values;
  else if (value !== undefined) node.attributes[name] = value;
  else if (name === "equation") {
    node.equation = new TextDecoder().decode(text).replaceAll(" ", "");
  }
  shapes.set(name, dims ?? (name.endsWith("s") ? [values.length || count] : []));
}

/** The graph inside an If, Loop or Scan. */
function readInner(bytes: Uint8Array, holder: OnnxNode): void {
  const nodes: OnnxNode[] = [], own = new Set<string>();
  const named: Handler = (reader) => own.add(readValue(reader.bytes()).name);
  readMessage(bytes, {
    [GRAPH.node]: (reader) => nodes.push(readNode(reader.bytes())),
    [GRAPH.initializer]: (reader) =>
      readMessage(reader.bytes(), { [TENSOR.name]: (tensor) => own.add(tensor.string()) }),
    [GRAPH.input]: named,
  });
  for (const { outputs } of nodes) outputs.forEach((name) => own.add(name));
  const taken = nodes.flatMap(({ inputs, captured = [] }) => [...inputs, ...captured]);
  const outside = taken.filter((name) => name !== "" && !own.has(name));
  holder.captured = [...new Set([...holder.captured ?? [], ...outside])];
  holder.inner = [...holder.inner ?? [], ...nodes.flatMap((node) => [node, ...node.inner ?? []])];
}

function readStored(bytes: Uint8Array, graph: OnnxGraph): void {
  let name = "";
  const dims: number[] = [];
  const place: Record<string, string> = {};
  readMessage(bytes, {
    [TENSOR.dims]: (reader, wire) => readInts(reader, wire, dims),
    [TENSOR.name]: (reader) => name = reader.string(),
    [TENSOR.external]: (reader) => {
      let key = "", value = "";
      readMessage(reader.bytes(), {
        1: (entry) => key = entry.string(),
        2: (entry) => value = entry.string(),
      });
      place[key] = value;
    },
  });
  graph.stored.set(name, dims);
  if (place.location !== undefined) {
    const length = place.length === undefined ? null : Number(place.length);
    graph.external.push({ name, location: place.location, offset: Number(place.offset ?? 0), length });
  }
}
