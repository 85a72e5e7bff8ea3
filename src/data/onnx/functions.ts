/** ONNX's local functions: every call replaced by the nodes of the function, so that its tensors can be named. */
import { joinBytes, messageField, readMessage, textField } from "./messages.ts";

/** A function is written for other operators than the model. */
export class OtherOperatorSet extends Error {}

/** Nodes as they are encoded. */
export interface Inlined {
  nodes: Uint8Array[];
  /** Domain and version of operators that only functions named. */
  operatorSets: [string, number][];
}

interface OnnxFunction {
  inputs: string[];
  outputs: string[];
  /** What its nodes take for an attribute that a call leaves out. */
  defaults: Map<string, Uint8Array>;
  nodes: Uint8Array[];
}

/** What the names and the attributes in a function's nodes stand for in one call. */
interface Call {
  rename(name: string): string;
  attributes: Map<string, Uint8Array>;
  /** What its nodes' own names begin with. */
  prefix: string;
  /** The functions that led here. */
  within: string[];
}

const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7, overload: 8 };
const ATTRIBUTE = { name: 1, graph: 6, graphs: 11, reference: 21 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, value: 13 };
const FUNCTION = { name: 1, input: 4, output: 5, node: 7, opset: 9, domain: 10, defaults: 11, overload: 13 };
const TENSOR_NAME = 8, VALUE_NAME = 1;
const TOP: Call = { rename: (name) => name, attributes: new Map(), prefix: "", within: [] };

/**
 * Replaces every call of a function of the model, within other functions and within the graphs of If, Loop and Scan, too.
 *
 * @param nodes NodeProtos of the graph
 * @param encoded FunctionProtos of the model
 * @param operatorSets versions by domain that the model names
 * @returns null when nothing is called
 * @throws OtherOperatorSet "its function f is written for version 17 of ONNX's operators, the model for 18: …"
 */
export function inlineFunctions(
  nodes: Uint8Array[],
  encoded: Uint8Array[],
  operatorSets: Map<string, number>,
): Inlined | null {
  if (encoded.length === 0) return null;
  const functions = new Map<string, OnnxFunction>(), added = new Map<string, number>();
  for (const bytes of encoded) readFunction(bytes, functions, operatorSets, added);
  return { nodes: nodes.flatMap((node) => expand(node, TOP, functions)), operatorSets: [...added] };
}

function readFunction(
  bytes: Uint8Array,
  functions: Map<string, OnnxFunction>,
  operatorSets: Map<string, number>,
  added: Map<string, number>,
): void {
  const read: OnnxFunction = { inputs: [], outputs: [], defaults: new Map(), nodes: [] };
  let name = "", domain = "", overload = "";
  const versions: [string, number][] = [];
  readMessage(bytes, {
    [FUNCTION.name]: (reader) => name = reader.string(),
    [FUNCTION.domain]: (reader) => domain = reader.string(),
    [FUNCTION.overload]: (reader) => overload = reader.string(),
    [FUNCTION.input]: (reader) => read.inputs.push(reader.string()),
    [FUNCTION.output]: (reader) => read.outputs.push(reader.string()),
    [FUNCTION.node]: (reader) => read.nodes.push(reader.bytes()),
    [FUNCTION.defaults]: (reader) => {
      const attribute = reader.bytes();
      read.defaults.set(nameIn(attribute, ATTRIBUTE.name), attribute);
    },
    [FUNCTION.opset]: (reader) => versions.push(readOperatorSet(reader.bytes())),
  });
  for (const [of, version] of versions) {
    const models = operatorSets.get(of) ?? added.get(of);
    if (models === undefined) added.set(of, version);
    else if (models !== version) {
      throw new OtherOperatorSet(
        `its function ${name} is written for version ${version} of ${
          of || "ONNX"
        }'s operators, the model for ${models}: ` +
          "export it again for one version (opset_version=…).",
      );
    }
  }
  functions.set(key(domain, name, overload), read);
}

/** Domain and version of an OperatorSetIdProto; ONNX's own domain is "". */
export function readOperatorSet(bytes: Uint8Array): [domain: string, version: number] {
  let domain = "", version = 0;
  readMessage(bytes, {
    1: (reader) => domain = ownDomain(reader.string()),
    2: (reader) => version = Number(reader.int64()),
  });
  return [domain, version];
}

/** ONNX's own domain has two names. */
export function ownDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

function key(domain: string, name: string, overload: string): string {
  return `${ownDomain(domain)}:${name}:${overload}`;
}

/** One node of a function's body as a call has it, or, when it is a call itself, its nodes. */
function expand(bytes: Uint8Array, call: Call, functions: Map<string, OnnxFunction>): Uint8Array[] {
  const inputs: string[] = [], outputs: string[] = [], parts: Uint8Array[] = [];
  const attributes = new Map<string, Uint8Array>();
  let name = "", op = "", domain = "", overload = "";
  readMessage(bytes, {
    [NODE.input]: (reader) => inputs.push(call.rename(reader.string())),
    [NODE.output]: (reader) => outputs.push(call.rename(reader.string())),
    [NODE.name]: (reader) => name = call.prefix + reader.string(),
    [NODE.op]: (reader) => op = reader.string(),
    [NODE.domain]: (reader) => domain = reader.string(),
    [NODE.overload]: (reader) => overload = reader.string(),
    [NODE.attribute]: (reader) => {
      const attribute = resolved(reader.bytes(), call, functions);
      if (attribute) attributes.set(nameIn(attribute, ATTRIBUTE.name), attribute);
    },
  }, (_, raw) => parts.push(raw));
  const id = key(domain, op, overload), called = functions.get(id);
  if (called) return body(called, { id, name, inputs, outputs, attributes }, call, functions);
  return [joinBytes([
    ...inputs.map((input) => textField(NODE.input, input)),
    ...outputs.map((output) => textField(NODE.output, output)),
    ...name === "" ? [] : [textField(NODE.name, name)],
    textField(NODE.op, op),
    ...[...attributes.values()].map((attribute) => messageField(NODE.attribute, [attribute])),
    ...domain === "" ? [] : [textField(NODE.domain, domain)],
    ...overload === "" ? [] : [textField(NODE.overload, overload)],
    ...parts,
  ])];
}

/** The nodes of a called function. */
function body(
  { inputs, outputs, defaults, nodes }: OnnxFunction,
  node: {
    id: string;
    name: string;
    inputs: string[];
    outputs: string[];
    attributes: Map<string, Uint8Array>;
  },
  { within }: Call,
  functions: Map<string, OnnxFunction>,
): Uint8Array[] {
  if (within.includes(node.id)) throw new Error(`the function ${node.id.split(":")[1]} calls itself`);
  const prefix = `${node.outputs.find((name) => name !== "") ?? node.name}//`,
    names = new Map<string, string>();
  const copies: Uint8Array[] = [];
  inputs.forEach((name, i) => names.set(name, node.inputs[i] ?? ""));
  outputs.forEach((name, i) => {
    const outside = node.outputs[i] ?? "";
    if (outside === "") return;
    const inside = names.get(name);
    if (inside === undefined) names.set(name, outside);
    else copies.push(identity(inside, outside)); // an input handed on, or one tensor given twice
  });
  const call: Call = {
    rename: (name) => name === "" ? "" : names.get(name) ?? prefix + name,
    attributes: new Map([...defaults, ...node.attributes]),
    prefix: node.name === "" ? "" : `${node.name}/`,
    within: [...within, node.id],
  };
  return [...nodes.flatMap((inner) => expand(inner, call, functions)), ...copies];
}

function identity(from: string, to: string): Uint8Array {
  return joinBytes([textField(NODE.input, from), textField(NODE.output, to), textField(NODE.op, "Identity")]);
}

/** An attribute, or what it stands for: null when the call leaves it out and there is no default. */
function resolved(bytes: Uint8Array, call: Call, functions: Map<string, OnnxFunction>): Uint8Array | null {
  const reference = nameIn(bytes, ATTRIBUTE.reference);
  if (reference !== "") {
    const given = call.attributes.get(reference);
    return given ? renamed(given, ATTRIBUTE.name, () => nameIn(bytes, ATTRIBUTE.name)) : null;
  }
  if (call === TOP && functions.size === 0) return bytes;
  const parts: Uint8Array[] = [];
  readMessage(bytes, {}, (field, raw, inner) => {
    const isGraph = (field === ATTRIBUTE.graph || field === ATTRIBUTE.graphs) && inner;
    parts.push(isGraph ? messageField(field, [innerGraph(inner, call, functions)]) : raw);
  });
  return joinBytes(parts);
}

/** The graph of an If, Loop or Scan. */
function innerGraph(bytes: Uint8Array, call: Call, functions: Map<string, OnnxFunction>): Uint8Array {
  const parts: Uint8Array[] = [];
  readMessage(bytes, {}, (field, raw, inner) => {
    if (field === GRAPH.node) {
      for (const node of expand(inner!, call, functions)) parts.push(messageField(field, [node]));
    } else if (field === GRAPH.initializer) {
      parts.push(messageField(field, [renamed(inner!, TENSOR_NAME, call.rename)]));
    } else if (field === GRAPH.input || field === GRAPH.output || field === GRAPH.value) {
      parts.push(messageField(field, [renamed(inner!, VALUE_NAME, call.rename)]));
    } else parts.push(raw);
  });
  return joinBytes(parts);
}

function renamed(message: Uint8Array, field: number, rename: (name: string) => string): Uint8Array {
  const parts: Uint8Array[] = [];
  readMessage(
    message,
    { [field]: (reader) => parts.push(textField(field, rename(reader.string()))) },
    (_, raw) => {
      parts.push(raw);
    },
  );
  return joinBytes(parts);
}

/** The text in a field of a message; "" when there is none. */
function nameIn(message: Uint8Array, field: number): string {
  let name = "";
  readMessage(message, { [field]: (reader) => name = reader.string() });
  return name;
}
