/** Nearest landmarks by an inverted file: landmarks lie in cells of neighbours, and a node is compared with those of the cells near its own. */
import { allocate, type Gpu, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type GpuMatrix,
  type Matrix,
  releaseMatrix,
  rowView,
  rowWindows,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { centredUnitRows } from "../linalg/centred_rows.ts";
import { pickRows } from "../linalg/pick_rows.ts";
import { releaseHalves, unitRowsView, withHalves } from "./affinity.ts";
import { fork, sampleIndices, seededRandom } from "../linalg/random.ts";
import { nearestNeighbors, recordSearch, releaseRoom, roomForSearch, type SearchRoom } from "./knn.ts";
import { gatherRows, type NodeSource, PANEL_ROWS, readPanels } from "./node_source.ts";
import { recordPropagation } from "./propagate.ts";

/** Fewer landmarks are all compared. */
const MIN_LANDMARKS = 1024;
/** Shares of the landmarks that are tried, … */
const SHARES = [1 / 32, 1 / 16, 1 / 8, 1 / 4];
/** … until this share of the true K nearest is found … */
const MIN_RECALL = 0.99;
/** … for this number of nodes. */
const SAMPLE = 1024;
const KMEANS_ROUNDS = 5;
/** Bytes of features of a panel; its nodes are searched cell by cell: a card needs many of each to be busy. */
const PANEL_BYTES = { software: 2 ** 25, hardware: 2 ** 28 };
/** Nodes of a cell that are searched at a time. */
const CELL_ROWS = 4096;

/** How a node's nearest landmarks are sought. */
export interface InvertedFile {
  /** Share of the landmarks that a node is compared with. */
  share: number;
  /** Share of the true K nearest that were found for a sample of nodes. */
  recall: number;
}

/** The cells and their lists. */
export interface InvertedLists {
  /** G × d centres. */
  centres: Matrix;
  /** For every cell the landmarks that its nodes are compared with, ascending. */
  lists: Uint32Array[];
}

/**
 * Puts landmarks into cells by spherical k-means around 2 √m centres (Dhillon & Modha 2001) and gives every cell its list: the
 * landmarks of the cells nearest to it, until they are `share` of all and at least K.
 *
 * @param landmarks m × d, no zero row
 */
export async function invertedLists(
  gpu: Gpu,
  landmarks: Matrix,
  { share, k, seed }: { share: number; k: number; seed: number },
): Promise<InvertedLists> {
  const { centres, members } = await sphericalKmeans(gpu, landmarks, seed);
  return { centres, lists: await listsOf(gpu, centres, members, Math.max(k, share * landmarks.rows)) };
}

/**
 * Finds the smallest share of the landmarks with which at least 99 % of the true K nearest are found for 1,024 nodes.
 *
 * @param landmarks m × d
 * @returns null: none does, or the landmarks are too few to be worth it; then all are to be compared
 */
export async function chooseInvertedFile(
  gpu: Gpu,
  source: NodeSource,
  landmarks: Matrix,
  { k, seed, signal }: { k: number; seed: number; signal?: AbortSignal },
): Promise<InvertedFile | null> {
  if (landmarks.rows < MIN_LANDMARKS) return null;
  const chosen = sampleIndices(
    source.rows,
    Math.min(SAMPLE, source.rows),
    seededRandom(fork(seed, "shortlist")),
  );
  const sample = await gatherRows(source, chosen);
  const truth = await nearestNeighbors(gpu, sample, landmarks, { k, signal });
  const { centres, members } = await sphericalKmeans(gpu, landmarks, seed);
  const { indices: own } = await nearestNeighbors(gpu, sample, centres, { k: 1 });
  for (const share of SHARES) {
    const lists = (await listsOf(gpu, centres, members, Math.max(k, share * landmarks.rows)))
      .map((list) => new Set(list));
    let found = 0;
    truth.indices.forEach((landmark, at) => found += Number(lists[own[Math.floor(at / k)]].has(landmark)));
    const recall = found / truth.indices.length;
    if (recall >= MIN_RECALL) return { share, recall };
  }
  return null;
}

/** (4) from the lists of the nodes' cells, panels of `rows` nodes in order, beginning with node `from`. */
export async function* extendByIvf(
  gpu: Gpu,
  source: NodeSource,
  landmarks: Matrix,
  eigenvectors: Matrix,
  options: { share: number; k: number; seed: number; rows: number; from: number },
): AsyncGenerator<{ first: number; vectors: Matrix }> {
  const { centres, lists } = await invertedLists(gpu, landmarks, options);
  const { k } = options, longest = Math.max(...lists.map(({ length }) => length));
  const starts = startsOf(lists.map(({ length }) => length)), held: GpuMatrix[] = [];
  const keep = (x: GpuMatrix) => (held.push(x), x);
  const own = centredUnitRows(landmarks, "landmarks"), all = keep(uploadMatrix(gpu, own.rows, "landmarks"));
  const unitRows = (x: Matrix, label: string) =>
    uploadMatrix(gpu, centredUnitRows(x, label, own.centre).rows, label);
  const middle = keep(unitRows(centres, "centres"));
  const values = keep(uploadMatrix(gpu, eigenvectors, "eigenvectors"));
  const candidates = keep(allocateMatrix(gpu, longest, landmarks.cols, "listed landmarks"));
  const theirs = keep(allocateMatrix(gpu, longest, eigenvectors.cols, "listed eigenvectors"));
  const listed = allocate(gpu, 4 * starts[lists.length], "inverted lists");
  const whole = new Uint32Array(starts[lists.length]);
  lists.forEach((list, cell) => whole.set(list, starts[cell]));
  writeBuffer(gpu, listed, whole);
  const atOnce = Math.min(CELL_ROWS, options.rows), room = roomForSearch(gpu, atOnce, longest, k);
  const ownRoom = roomForSearch(gpu, Math.min(source.rows, options.rows), centres.rows, 1);
  try {
    for await (const { first, features } of readPanels(source, options.rows, options.from)) {
      const unit = unitRows(features, "panel of features");
      const { order, begins } = byCell(await ownCells(gpu, unit, middle, ownRoom), lists.length);
      const sorted = allocateMatrix(gpu, unit.rows, unit.cols, "panel of features by cell");
      const out = allocateMatrix(gpu, unit.rows, eigenvectors.cols, "panel of vectors");
      const places = allocate(gpu, 4 * unit.rows, "order of the panel");
      writeBuffer(gpu, places, order);
      pickRows(gpu, unit, { buffer: places, first: 0, count: unit.rows }, sorted);
      release(gpu, places);
      releaseMatrix(gpu, unit);
      const nodes = withHalves(gpu, sorted);
      try {
        for (let cell = 0; cell < lists.length; cell++) {
          if (begins[cell + 1] === begins[cell]) continue;
          const choice = { buffer: listed, first: starts[cell], count: lists[cell].length };
          pickRows(gpu, all, choice, candidates);
          pickRows(gpu, values, choice, theirs);
          for (let at = begins[cell]; at < begins[cell + 1]; at += atOnce) {
            const rows = Math.min(atOnce, begins[cell + 1] - at);
            const part = unitRowsView(nodes, at, rows);
            recordSearch(gpu, room, part.rows, rowView(candidates, 0, choice.count), { k, unit: part });
            for (const window of rowWindows(out, at, rows)) {
              recordPropagation(gpu, room.lists, window.first - at, k, theirs, window);
            }
          }
        }
        yield { first, vectors: inOrder(await downloadMatrix(gpu, out), order) };
      } finally {
        releaseHalves(gpu, nodes);
        releaseMatrix(gpu, sorted, out);
      }
    }
  } finally {
    releaseRoom(gpu, room);
    releaseRoom(gpu, ownRoom);
    release(gpu, listed);
    releaseMatrix(gpu, ...held);
  }
}

/** Nodes of a panel that keep the device busy. */
export function ivfPanelRows({ adapter }: Gpu, { cols }: NodeSource): number {
  const bytes = PANEL_BYTES[adapter.software ? "software" : "hardware"];
  return PANEL_ROWS * Math.max(1, Math.floor(bytes / (4 * cols * PANEL_ROWS)));
}

/** The cell of every row: its nearest centre. */
async function ownCells(
  gpu: Gpu,
  unit: GpuMatrix,
  centres: GpuMatrix,
  room: SearchRoom,
): Promise<Uint32Array> {
  recordSearch(gpu, room, unit, centres, { k: 1 });
  const [bytes] = await readBuffers(gpu, [{ buffer: room.lists.indices, bytes: 4 * unit.rows }]);
  return new Uint32Array(bytes);
}

/** Numbers of rows sorted by cell, in order within each, and where every cell begins. */
function byCell(own: Uint32Array, cells: number): { order: Uint32Array; begins: Uint32Array } {
  const sizes = new Uint32Array(cells);
  for (const cell of own) sizes[cell]++;
  const begins = startsOf(sizes), next = begins.slice(), order = new Uint32Array(own.length);
  own.forEach((cell, row) => order[next[cell]++] = row);
  return { order, begins };
}

/** Where each of several lists begins when they follow one another, and the end of the last. */
function startsOf(lengths: ArrayLike<number>): Uint32Array {
  const starts = new Uint32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) starts[i + 1] = starts[i] + lengths[i];
  return starts;
}

function inOrder({ data, rows, cols }: Matrix, order: Uint32Array): Matrix {
  const out = new Float32Array(data.length);
  for (let at = 0; at < rows; at++) out.set(data.subarray(at * cols, (at + 1) * cols), order[at] * cols);
  return { data: out, rows, cols };
}

/** For every cell the landmarks of the nearest cells, its own first, until they are `wanted`. */
async function listsOf(
  gpu: Gpu,
  centres: Matrix,
  members: number[][],
  wanted: number,
): Promise<Uint32Array[]> {
  const k = Math.min(centres.rows, 128);
  const { indices } = await nearestNeighbors(gpu, centres, centres, { k });
  const farther = (near: Set<number>) => members.map((_, cell) => cell).filter((cell) => !near.has(cell));
  return members.map((own, cell) => {
    const near = new Set([cell, ...indices.subarray(cell * k, (cell + 1) * k)]), lists: number[][] = [];
    let count = 0;
    for (const other of [...near, ...farther(near)]) {
      if (count >= wanted) break;
      lists.push(other === cell ? own : members[other]);
      count += lists.at(-1)!.length;
    }
    return Uint32Array.from(lists.flat()).sort();
  });
}

/** Centres, and the rows nearest to each; a centre that nothing is near to stays where it is, without rows. */
async function sphericalKmeans(
  gpu: Gpu,
  { data, rows, cols }: Matrix,
  seed: number,
): Promise<{ centres: Matrix; members: number[][] }> {
  const count = Math.min(rows, Math.round(2 * Math.sqrt(rows)));
  const { rows: { data: points }, centre } = centredUnitRows({ data, rows, cols }, "landmarks");
  const unit = uploadMatrix(gpu, { data: points, rows, cols }, "landmarks"),
    room = roomForSearch(gpu, rows, count, 1);
  try {
    const centres = { data: new Float32Array(count * cols), rows: count, cols };
    sampleIndices(rows, count, seededRandom(fork(seed, "groups"))).forEach((row, cell) =>
      centres.data.set(data.subarray(row * cols, (row + 1) * cols), cell * cols)
    );
    for (let round = 0;; round++) {
      const middle = uploadMatrix(gpu, centredUnitRows(centres, "centres", centre).rows, "centres");
      const own = await ownCells(gpu, unit, middle, room);
      releaseMatrix(gpu, middle);
      if (round === KMEANS_ROUNDS) {
        const members = Array.from({ length: count }, (): number[] => []);
        own.forEach((cell, row) => members[cell].push(row));
        return { centres, members };
      }
      const sums = new Float64Array(count * cols);
      own.forEach((cell, row) => {
        for (let c = 0; c < cols; c++) sums[cell * cols + c] += points[row * cols + c] + centre[c];
      });
      for (let cell = 0; cell < count; cell++) {
        const sum = sums.subarray(cell * cols, (cell + 1) * cols);
        if (sum.reduce((squares, value) => squares + value * value, 0) > 1e-12) {
          centres.data.set(sum, cell * cols);
        }
      }
    }
  } finally {
    releaseRoom(gpu, room);
    releaseMatrix(gpu, unit);
  }
}
