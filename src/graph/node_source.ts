/** Where the features of nodes come from: a matrix in memory, or anything that can be read a panel at a time. */
import { rowRange } from "../linalg/host_matrix.ts";
import { assertMatrix, type Matrix } from "../linalg/matrix.ts";
import type { RowNumbers } from "../linalg/random.ts";
import { assertRows } from "../linalg/row_normalize.ts";

/** N nodes with d channels each, read a few rows at a time so that N may exceed memory. */
export interface NodeSource {
  /** Number of nodes, N. */
  rows: number;
  /** Channels of a node, d. */
  cols: number;
  /** What error messages call it; default "features". */
  name?: string;
  /** Rows [first, first + count): count × d features. */
  read(first: number, count: number): Promise<Matrix>;
  /** What messages call row 0, in a part of a larger source; default 0. */
  firstNode?: number;
  /** The stratum (for instance model, layer and image) of a node, any whole number; absent: all nodes are in one stratum. */
  strata?(row: number): number;
}

/** A range of nodes. */
export interface NodeRange {
  /** The first node. */
  first: number;
  /** Number of nodes. */
  rows: number;
}

/** Rows of a panel: what is read at a time. */
export const PANEL_ROWS = 4096;
/** Rows that chosen nodes are looked for in at a time: few, because all but the chosen ones are dropped at once. */
const CHOSEN_SPAN = 256;

/**
 * A matrix in memory as a source of nodes.
 *
 * @param matrix n × d features, one node a row
 * @param strata the stratum of every node, n whole numbers
 * @returns n nodes of d values, read without copies
 * @throws RangeError "strata holds 3 values for 5 nodes …"
 */
export function matrixSource(matrix: Matrix, strata?: Uint32Array): NodeSource {
  assertMatrix(matrix, "features");
  const { rows, cols } = matrix;
  if (strata && strata.length !== rows) {
    throw new RangeError(`strata holds ${strata.length} values for ${rows} nodes: give one for every node.`);
  }
  return {
    rows,
    cols,
    read: (first, count) => Promise.resolve(rowRange(matrix, first, count)),
    ...(strata && { strata: (row: number) => strata[row] }),
  };
}

/** Consecutive nodes of a source as a source of their own, whose messages go on calling nodes by their number in the whole. */
export function nodesOf(source: NodeSource, { first, rows }: NodeRange): NodeSource {
  const { cols, name, strata } = source;
  return {
    rows,
    cols,
    name,
    firstNode: (source.firstNode ?? 0) + first,
    read: (from, count) => source.read(first + from, count),
    ...(strata && { strata: (row: number) => strata(first + row) }),
  };
}

/**
 * Rows that are named, checked.
 *
 * @param name what they are, in errors
 * @throws RangeError "landmarks names row 9 at 3: give rows of the 8 nodes, ascending, each once."
 */
export function givenRows(name: string, rows: RowNumbers, { rows: count }: NodeSource): RowNumbers {
  const wrong = Array.from(rows).findIndex((row, at) =>
    !(Number.isInteger(row) && row >= 0 && row < count) || at > 0 && row <= rows[at - 1]
  );
  if (rows.length > 0 && wrong < 0) return rows;
  throw new RangeError(
    rows.length === 0
      ? `${name} names no row: give one or more.`
      : `${name} names row ${
        rows[wrong]
      } at ${wrong}: give rows of the ${count} nodes, ascending, each once.`,
  );
}

/** A panel of consecutive nodes. */
export interface Panel {
  /** Number of the panel's first node. */
  first: number;
  features: Matrix;
}

/**
 * Nodes in order, some rows at a time; the next panel is being read while one is worked on.
 *
 * @param from the node to begin with
 * @throws RangeError naming the node that is a zero vector or not finite
 */
export async function* readPanels(
  source: NodeSource,
  panelRows = PANEL_ROWS,
  from = 0,
): AsyncGenerator<Panel> {
  const read = (first: number) => source.read(first, Math.min(panelRows, source.rows - first));
  let next: Promise<Matrix> | null = read(from);
  for (let first = from; next; first += panelRows) {
    const features: Matrix = await next;
    next = first + panelRows < source.rows ? read(first + panelRows) : null;
    next?.catch(() => {}); // reported when it is awaited
    assertRows(features, source.name ?? "features", (source.firstNode ?? 0) + first);
    yield { first, features };
  }
}

/**
 * Chosen nodes of a source in panels of `PANEL_ROWS` rows, the last one shorter; `first` counts the chosen ones.
 *
 * @param indices rows of the source, ascending
 * @throws RangeError naming the node that is a zero vector or not finite
 */
export async function* readChosen(source: NodeSource, indices: RowNumbers): AsyncGenerator<Panel> {
  const { cols } = source;
  for (let first = 0; first < indices.length; first += PANEL_ROWS) {
    const rows = Math.min(PANEL_ROWS, indices.length - first), data = new Float32Array(rows * cols);
    for (let at = first; at < first + rows;) {
      const start = indices[at];
      let end = at + 1;
      while (end < first + rows && indices[end] < start + CHOSEN_SPAN) end++;
      const read = await source.read(start, indices[end - 1] - start + 1);
      assertRows(read, source.name ?? "features", (source.firstNode ?? 0) + start);
      for (; at < end; at++) {
        const from = (indices[at] - start) * cols;
        data.set(read.data.subarray(from, from + cols), (at - first) * cols);
      }
    }
    yield { first, features: { data, rows, cols } };
  }
}

/**
 * The features of chosen nodes.
 *
 * @param indices rows of the source, ascending
 * @returns one row for each index
 */
export async function gatherRows(source: NodeSource, indices: RowNumbers): Promise<Matrix> {
  const data = new Float32Array(indices.length * source.cols);
  for await (const { first, features } of readChosen(source, indices)) {
    data.set(features.data, first * source.cols);
  }
  return { data, rows: indices.length, cols: source.cols };
}
