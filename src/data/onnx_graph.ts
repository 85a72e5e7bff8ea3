/** ONNX files: the little of their protobuf that finding and adding outputs needs; every other byte stays as it is. */
import protobuf from "protobufjs";
import { reasonOf } from "./atomic_write.ts";
import { readPlainFile } from "./plain_file.ts";

/** One operation. */
export interface OnnxNode {
  op: string;
  /** "" for ONNX's own operations. */
  domain: string;
  /** Tensor names; "" where an optional one is left out. */
  inputs: string[];
  outputs: string[];
  /** The attributes that are whole numbers or lists of them. */
  attributes: Record<string, number | number[]>;
}

/** What is needed of a model file. */
export interface OnnxGraph {
  /** The file, for messages. */
  path: string;
  bytes: Uint8Array;
  /** Every node after those that it takes tensors from. */
  nodes: OnnxNode[];
  /** Shape of every stored tensor by its name. */
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

/** A tensor to be computed as the sum of two others. */
export interface Sum {
  name: string;
  terms: [string, string];
}

/** Field numbers of ONNX's protobuf messages. */
const MODEL = { irVersion: 1, graph: 7, opset: 8 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, op: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, int: 3, ints: 8 };
const VALUE = { name: 1, type: 2 }, TYPE = { tensor: 1 }, TENSOR_TYPE = { shape: 2 };
const SHAPE = { dimension: 1 }, DIMENSION = { value: 1 };
const TENSOR = { dims: 1, name: 8, external: 13 };
const LENGTH_DELIMITED = 2;

/** The data ends before the message does. */
class CutShort extends Error {}

type Reader = protobuf.Reader;
type Handler = (reader: Reader, wire: number) => void;

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
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`There is no model ${path}.`, { cause: error });
    }
    throw new Error(`Cannot read the model ${path}: ${reasonOf(error)}.`, { cause: error });
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
    nodes: [],
    stored: new Map(),
    external: [],
    outputs: [],
    inputs: [],
  };
  let isModel = false, hasOpset = false;
  try {
    readMessage(bytes, {
      [MODEL.irVersion]: (reader) => {
        reader.int64();
        isModel = true;
      },
      [MODEL.graph]: (reader) => readGraph(reader.bytes(), graph),
      [MODEL.opset]: (reader) => {
        reader.bytes();
        hasOpset = true;
      },
    });
    if (isModel && !hasOpset) throw new CutShort("its list of operator sets is missing");
  } catch (error) {
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
 * @param graph a model that was read
 * @param tensors names of tensors of the graph, or of `sums`; those that are outputs already are left alone
 * @param sums tensors to add to the graph first
 * @returns a ModelProto
 */
export function withOutputs(graph: OnnxGraph, tensors: string[], sums: Sum[] = []): Uint8Array {
  const writer = protobuf.Writer.create();
  const open = (field: number) => writer.uint32(field << 3 | LENGTH_DELIMITED);
  open(MODEL.graph).fork();
  for (const { name, terms } of sums) {
    open(GRAPH.node).fork();
    for (const term of terms) open(NODE.input).string(term);
    open(NODE.output).string(name);
    open(NODE.op).string("Add").ldelim();
  }
  for (const tensor of new Set(tensors).difference(new Set(graph.outputs))) {
    open(GRAPH.output).fork();
    open(1).string(tensor).ldelim();
  }
  const added = writer.ldelim().finish();
  const model = new Uint8Array(graph.bytes.length + added.length);
  model.set(graph.bytes);
  model.set(added, graph.bytes.length);
  return model;
}

function readGraph(bytes: Uint8Array, graph: OnnxGraph): void {
  readMessage(bytes, {
    [GRAPH.node]: (reader) => graph.nodes.push(readNode(reader.bytes())),
    [GRAPH.initializer]: (reader) => readStored(reader.bytes(), graph),
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
  const node: OnnxNode = { op: "", domain: "", inputs: [], outputs: [], attributes: {} };
  readMessage(bytes, {
    [NODE.input]: (reader) => node.inputs.push(reader.string()),
    [NODE.output]: (reader) => node.outputs.push(reader.string()),
    [NODE.op]: (reader) => node.op = reader.string(),
    [NODE.domain]: (reader) => node.domain = reader.string(),
    [NODE.attribute]: (reader) => {
      let name = "", value: number | undefined;
      const values: number[] = [];
      readMessage(reader.bytes(), {
        [ATTRIBUTE.name]: (attribute) => name = attribute.string(),
        [ATTRIBUTE.int]: (attribute) => value = Number(attribute.int64()),
        [ATTRIBUTE.ints]: (attribute, wire) => readInts(attribute, wire, values),
      });
      if (values.length > 0) node.attributes[name] = values;
      else if (value !== undefined) node.attributes[name] = value;
    },
  });
  return node;
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

/** Calls the handler of each field that has one and steps over the others. */
function readMessage(bytes: Uint8Array, handlers: Record<number, Handler>): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    try {
      const tag = reader.uint32();
      const handler = handlers[tag >>> 3];
      if (handler) handler(reader, tag & 7);
      else reader.skipType(tag & 7);
    } catch (error) {
      if (error instanceof RangeError) {
        throw new CutShort(`${bytes.length} bytes are not the whole of it`, { cause: error });
      }
      throw error;
    }
  }
}

/** Whole numbers, packed or one by one. */
function readInts(reader: Reader, wire: number, into: number[]): void {
  if (wire !== LENGTH_DELIMITED) {
    into.push(Number(reader.int64()));
    return;
  }
  const packed = protobuf.Reader.create(reader.bytes());
  while (packed.pos < packed.len) into.push(Number(packed.int64()));
}
