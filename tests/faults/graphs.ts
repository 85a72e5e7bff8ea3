/** Graphs of vision transformers with a node replaced, bypassed or doubled: layers are found, or missed with a message. */
import { type AttentionCount, countAttention } from "../../src/data/onnx/attention_outputs.ts";
import { type OnnxGraph, type OnnxNode, readOnnx } from "../../src/data/onnx/graph.ts";
import { seededRandom } from "../../src/linalg/random.ts";
import { type FaultFamily, unclear } from "./family.ts";

const FORMS = new URL("../golden/onnx_forms/", import.meta.url).pathname;
const NAMES = [
  "plain",
  "fused",
  "functions",
  "qkv_slice",
  "softmax_exp",
  "float16_one_softmax",
  "dynamic_int8",
  "qdq",
];
/** What a node may become: of no known domain, of a known one, of another kind. */
const OTHERS: [op: string, domain: string][] = [
  ["Mixer", "my.operators"],
  ["Mixer", "com.microsoft"],
  ["Relu", ""],
  ["Softmax", ""],
];

type Change = (nodes: OnnxNode[], i: number, pick: () => number) => OnnxNode[];
const CHANGES: Record<string, Change> = {
  "becomes another": (nodes, i, pick) => {
    const [op, domain] = OTHERS[Math.floor(pick() * OTHERS.length)];
    return nodes.with(i, { ...nodes[i], op, domain, inner: undefined });
  },
  "is bypassed": (nodes, i) => {
    const { inputs: [from], outputs: [to] } = nodes[i];
    return nodes.toSpliced(i, 1).map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => name === to ? from : name),
    }));
  },
  "is wrapped": (nodes, i) => {
    const node = nodes[i], [output, ...rest] = node.outputs, inner = `${output}/inner`;
    const after = { ...node, op: "Mixer", domain: "my.operators", inputs: [inner], outputs: [output] };
    return nodes.toSpliced(i, 1, { ...node, outputs: [inner, ...rest] }, after);
  },
};

export const graphs: FaultFamily = {
  name: "graphs",
  title: "a node of a vision transformer's graph is another operator, missing or wrapped",
  async run({ quick, seed, report }) {
    const failures: string[] = [], pick = seededRandom(seed);
    let tried = 0, refused = 0;
    for (const name of NAMES) {
      const graph = await readOnnx(`${FORMS}${name}.onnx`);
      report(`${name}: ${graph.nodes.length} nodes`);
      for (const [i, { op, outputs }] of graph.nodes.entries()) {
        for (const [what, change] of Object.entries(CHANGES)) {
          if (quick && pick() > 0.2) continue;
          tried++;
          const wrong = judge({ ...graph, nodes: change(graph.nodes, i, pick) }, () => refused++);
          if (wrong) failures.push(`${name}, ${op} of ${outputs[0]} ${what}: ${wrong}`);
        }
      }
    }
    return { tried, failures, figures: { refused: String(refused) } };
  },
};

/** Both layers, or fewer with the rest by name; null when that is so. */
function judge(graph: OnnxGraph, onRefused: () => void): string | null {
  let count: AttentionCount;
  try {
    count = countAttention(graph);
  } catch (error) {
    onRefused();
    return unclear((error as Error).message.replaceAll(FORMS, ""));
  }
  const { blocks, apart } = count;
  return blocks.length === 2 || (blocks.length < 2 && apart.length > 0)
    ? null
    : `${blocks.length} layers, and nothing is said of the others`;
}
