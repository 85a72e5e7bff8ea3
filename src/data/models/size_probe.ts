/** Tries a model on images of another size than its own: whether its positions follow the size. */
import type { AttentionOutput } from "../onnx/attention_outputs.ts";
import { patchSize } from "../onnx/patch_order.ts";
import { reasonOf } from "../files/atomic_write.ts";
import { Flow, isProduct, isSum } from "../onnx/flow.ts";
import { type OnnxGraph, withOutputs } from "../onnx/graph.ts";
import { openModel, type VisionModel } from "./vision_model.ts";
import type { Size } from "../images/resized_size.ts"; // in pixels, or patches
import type { ModelOutput, WeightFile } from "../onnx/types.ts";

/** A table of positions, an entry a patch: `data` is outer × patches × inner. */
interface Table {
  data: Float32Array;
  outer: number;
  inner: number;
}

/** As much of the spread of a table as its resampling may be off: bicubic or bilinear, corners met or not. */
const RESAMPLED = 0.75;
/** Tokens before the patches. */
const MAX_OTHER_TOKENS = 9;
/** What float32 may differ by in a table that is the same. */
const SAME = 1e-4;

/** Whether a graph says that it takes images of any height and width. */
export function takesAnySize({ inputs: [{ shape }] }: OnnxGraph): boolean {
  return shape.length === 4 && shape[2] === null && shape[3] === null;
}

/**
 * Runs a model that says it takes any size on images of its own size and half as large again, and compares the positions
 * that its first layer gets: those of the other size have to be those of its own, resampled.
 *
 * @param blocks of the graph
 * @param own pixels that the model's preprocessing gives
 * @returns null when the positions follow the size or there are none; else why it is right at its own size only, as
 *   "its positions count on beyond those of 224 × 224 pixels" (rotary positions divided by the size of the export)
 * @throws Error as `openModel`, and when it cannot be run at its own size
 */
export async function probeSizes(
  graph: OnnxGraph,
  blocks: AttentionOutput[],
  own: Size,
  weights: WeightFile[],
): Promise<string | null> {
  const flow = new Flow(graph), [{ tensor, added }] = blocks;
  const tables = positionsOf(flow, flow.before(added?.inputs ?? [tensor]));
  await using model = await openModel(
    graph,
    withOutputs(graph, [tensor, ...tables], added ? [added] : []),
    weights,
  );
  const [rows, cols] = patchSize(graph) ?? [16, 16];
  const grid = { height: Math.floor(own.height / rows), width: Math.floor(own.width / cols) };
  const larger = { height: Math.ceil(grid.height * 1.5), width: Math.ceil(grid.width * 1.5) };
  const other = { height: larger.height * rows, width: larger.width * cols };
  const atOwn = await runAt(model, own, [tensor, ...tables]);
  let atOther: Record<string, ModelOutput>;
  try {
    atOther = await runAt(model, other, [tensor, ...tables]);
  } catch (error) {
    const node = /Name:'([^']+)'/.exec(reasonOf(error))?.[1];
    return `at ${other.width} × ${other.height} pixels it cannot be run${node ? ` (node ${node})` : ""}`;
  }
  const places = `${own.width} × ${own.height} pixels`;
  for (const name of tables) {
    const pair = tablePair(atOwn[name], grid, atOther[name], larger);
    if (!pair) continue;
    if (countsOn(pair, grid, larger)) {
      if (isCounted(pair[0], grid)) continue;
      return isCentred(pair[0], grid)
        ? `its positions count on beyond those of ${places}`
        : `its positions count on from one size to the next, as those of another size than ${places} would`;
    }
    if (offResampled(pair, grid, larger) > RESAMPLED) {
      return `its positions do not follow those of ${places}`;
    }
  }
  return null;
}

/** Tensors of the image's size that no pixel decides and that values are made with: absolute or rotary positions. */
function positionsOf(flow: Flow, needed: Set<string>): string[] {
  const found = new Set<string>();
  for (const node of flow.nodes) {
    if (!flow.isComputed(node) || !node.outputs.some((name) => needed.has(name))) continue;
    if (!isSum(node) && !isProduct(node) && !["Mul", "Sub", "RotaryEmbedding"].includes(node.op)) continue;
    for (const name of node.inputs) if (flow.followsSize(name)) found.add(name);
  }
  return [...found];
}

async function runAt(model: VisionModel, { width, height }: Size, wanted: string[]) {
  const data = Float32Array.from({ length: 3 * width * height }, (_, at) => at * 7919 % 2003 / 1001 - 1);
  return await model.run([{ width, height, data }], wanted);
}

/** The same table at two sizes; null when it is none with an entry a patch. */
function tablePair(a: ModelOutput, grid: Size, b: ModelOutput, larger: Size): [Table, Table] | null {
  if (a.dims.length !== b.dims.length) return null;
  const differing = a.dims.flatMap((size, axis) => size === b.dims[axis] ? [] : [axis]);
  const patches = (size: Size) => size.width * size.height;
  const [axis, next] = differing;
  if (differing.length === 1) {
    const others = a.dims[axis] - patches(grid);
    if (others < 0 || others > MAX_OTHER_TOKENS || b.dims[axis] - patches(larger) !== others) return null;
    return [cut(a, axis, axis, others), cut(b, axis, axis, others)];
  }
  const isGrid = (dims: readonly number[], size: Size) =>
    dims[axis] === size.height && dims[next] === size.width;
  if (differing.length !== 2 || next !== axis + 1 || !isGrid(a.dims, grid) || !isGrid(b.dims, larger)) {
    return null;
  }
  return [cut(a, axis, next, 0), cut(b, axis, next, 0)];
}

/** A table without the first entries along an axis; axes `first` to `last` are the patches. */
function cut({ dims, data }: ModelOutput, first: number, last: number, without: number): Table {
  const product = (sides: readonly number[]) => sides.reduce((all, side) => all * side, 1);
  const outer = product(dims.slice(0, first)), inner = product(dims.slice(last + 1));
  const all = product(dims.slice(first, last + 1)), kept = new Float32Array(outer * (all - without) * inner);
  for (let o = 0; o < outer; o++) {
    const from = (o * all + without) * inner;
    kept.set(data.subarray(from, (o + 1) * all * inner), o * (all - without) * inner);
  }
  return { data: kept, outer, inner };
}

/** Value of a table at an entry of a grid. */
function at(
  { data, inner }: Table,
  grid: Size,
  outer: number,
  row: number,
  col: number,
  channel: number,
): number {
  return data[((outer * grid.height + row) * grid.width + col) * inner + channel];
}

/** Whether the larger grid begins with the smaller one's entries. */
function countsOn([own, other]: [Table, Table], grid: Size, larger: Size): boolean {
  const limit = SAME * own.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return eachEntry(
    own,
    grid,
    (o, row, col, c) => Math.abs(at(other, larger, o, row, col, c) - at(own, grid, o, row, col, c)) <= limit,
  );
}

/** Whether rotary positions count patches, which is right at any size: angle 0 at the first one, 1 at the next. */
function isCounted(own: Table, grid: Size): boolean {
  const entry = (row: number, col: number) =>
    Array.from(
      { length: own.outer * own.inner },
      (_, i) => Math.abs(at(own, grid, Math.floor(i / own.inner), row, col, i % own.inner)),
    );
  const isNear = (value: number, wanted: number[]) => wanted.some((other) => Math.abs(value - other) <= SAME);
  return entry(0, 0).every((value) => isNear(value, [0, 1])) &&
    [...entry(0, 1), ...entry(1, 0)].some((value) => isNear(value, [Math.sin(1), Math.cos(1)]));
}

/** Whether the entries, their signs left out, are the same from both ends: positions around the middle. */
function isCentred(own: Table, grid: Size): boolean {
  return eachEntry(own, grid, (o, row, col, c) => {
    const opposite = at(own, grid, o, grid.height - 1 - row, grid.width - 1 - col, c);
    return Math.abs(Math.abs(at(own, grid, o, row, col, c)) - Math.abs(opposite)) <= 10 * SAME;
  });
}

function eachEntry(
  { outer, inner }: Table,
  { width, height }: Size,
  holds: (outer: number, row: number, col: number, channel: number) => boolean,
): boolean {
  for (let o = 0; o < outer; o++) {
    for (let row = 0; row < height; row++) {
      for (let col = 0; col < width; col++) {
        for (let c = 0; c < inner; c++) if (!holds(o, row, col, c)) return false;
      }
    }
  }
  return true;
}

/** How far a table is from the other one's, resampled, relative to its spread. */
function offResampled([own, other]: [Table, Table], grid: Size, larger: Size): number {
  const { outer, inner } = own;
  const between = (place: number, from: number, to: number) => {
    const x = Math.min(Math.max((place + 0.5) * from / to - 0.5, 0), from - 1), low = Math.floor(x);
    return { low, high: Math.min(low + 1, from - 1), share: x - low };
  };
  let off = 0, spread = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < inner; c++) {
      let sum = 0, squares = 0;
      for (let row = 0; row < larger.height; row++) {
        const y = between(row, grid.height, larger.height);
        for (let col = 0; col < larger.width; col++) {
          const x = between(col, grid.width, larger.width);
          const line = (r: number) =>
            at(own, grid, o, r, x.low, c) * (1 - x.share) + at(own, grid, o, r, x.high, c) * x.share;
          const expected = line(y.low) * (1 - y.share) + line(y.high) * y.share;
          off += (at(other, larger, o, row, col, c) - expected) ** 2;
          sum += expected;
          squares += expected ** 2;
        }
      }
      spread += squares - sum ** 2 / (larger.width * larger.height);
    }
  }
  return spread > 0 ? Math.sqrt(off / spread) : 0;
}
