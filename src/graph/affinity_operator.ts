/** The normalised affinity as an operator on blocks: the affinity stored in row panels, or made tile by tile, or some of both. */
import { allocate, type Gpu, readBuffers, release, sync, writeBuffer } from "../gpu/mod.ts";
import { multiply } from "../linalg/matmul.ts";
import {
  allocateMatrix,
  type GpuMatrix,
  releaseMatrix,
  roundUp,
  rowView,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { scaleRows } from "../linalg/scale_rows.ts";
import type { SymmetricOperator } from "../linalg/subspace_iteration.ts";
import { affinityBlock, rowSums, symmetricAffinity, type Tile, tileFor } from "./affinity.ts";

/** How the operator keeps the affinity. */
export type Storage = "stored" | "tiled" | "mixed";

/** The operator M′ = D^−½ A D^−½ − q qᵀ, q = D^½ 1 / ‖D^½ 1‖ being the first eigenvector, known exactly. */
export interface AffinityOperator extends SymmetricOperator {
  storage: Storage;
  /** d_i = Σ_j A_ij. */
  degrees: Float64Array;
  /** The first eigenvector of D^−½ A D^−½, whose eigenvalue is 1. */
  first: Float64Array;
  release(): void;
}

/** Settings of the operator. */
export interface AffinityOperatorOptions {
  /** "stored" or "tiled" to overrule the choice. */
  storage?: "stored" | "tiled";
  /** Bytes that stored panels may take; default 128 MiB. */
  budget?: number;
  /** Applications to expect, for the choice; default 5. */
  applications?: number;
}

/** Bytes that stored panels take unless told otherwise. */
export const DEFAULT_BUDGET = 2 ** 27;
/** Storing pays when it saves at least this share of the predicted time. */
const WORTHWHILE = 0.1;

interface Panel {
  first: number;
  rows: number;
  buffer: GPUBuffer;
}

/**
 * Builds the operator of a graph's unit features.
 *
 * Degrees come from a first pass that makes the affinity once: whole, where it fits the budget and one binding, else tile
 * by tile. Panels of it are kept as long as the budget
 * lasts, if the time to make a panel, measured on the first one, is worth saving over the expected applications; the
 * rest is made again at every application, so memory beyond the budget is O(n · d).
 *
 * @param unit n × d unit rows
 * @returns the operator, whose result is the same bits whichever storage was chosen
 */
export async function affinityOperator(
  gpu: Gpu,
  unit: GpuMatrix,
  options: AffinityOperatorOptions = {},
): Promise<AffinityOperator> {
  const n = unit.rows;
  const { storage, applications = 5 } = options;
  const budget = storage === "tiled" ? 0 : storage === "stored" ? Infinity : options.budget ?? DEFAULT_BUDGET;
  const wholeBytes = 4 * n * roundUp(n, 4);
  if (wholeBytes <= Math.min(budget, gpu.limits.bindingBytes)) {
    return await wholeOperator(gpu, unit, wholeBytes);
  }
  const tile = tileFor(gpu, n);
  const bytesPerPanel = tile.rows * tile.stride * 4;
  const sums = allocate(gpu, n * 4, "degrees");
  const panels: Panel[] = [];
  const cost = { make: 0, apply: 0 };
  let keep = budget >= bytesPerPanel;
  try {
    for (let first = 0; first < n; first += tile.rows) {
      const rows = Math.min(tile.rows, n - first);
      const stored = keep && (panels.length + 1) * bytesPerPanel <= budget;
      const buffer = stored ? allocate(gpu, rows * tile.stride * 4, "affinity panel") : tile.buffer;
      const measure = first === 0 && storage === undefined && keep && n > 4096;
      if (measure) { // once for nothing, so that compiling is not measured
        affinityBlock(gpu, unit, 0, 8, unit, { buffer, stride: tile.stride, row: 0 });
        await sync(gpu);
      }
      const started = performance.now();
      affinityBlock(gpu, unit, first, rows, unit, { buffer, stride: tile.stride, row: 0 });
      if (measure) {
        await sync(gpu);
        cost.make = (performance.now() - started) / 1000 * n / rows;
      }
      rowSums(gpu, { first, rows, buffer, panelRow: 0 }, tile.stride, sums);
      if (stored) panels.push({ first, rows, buffer });
      if (measure) {
        cost.apply = await measureApply(gpu, { first, rows, buffer }, n, tile.stride) * n / rows;
        const share = Math.min(1, budget / wholeBytes);
        keep = share * cost.make * (applications - 1) > WORTHWHILE * applications * (cost.make + cost.apply);
        if (!keep && stored) release(gpu, panels.pop()!.buffer);
      }
    }
    const degrees = await readDegrees(gpu, sums, n);
    const isWhole = panels.length > 0 && panels.at(-1)!.first + panels.at(-1)!.rows === n;
    if (isWhole) release(gpu, tile.buffer);
    return operator(gpu, unit, panels, isWhole ? null : tile, degrees);
  } catch (error) {
    for (const { buffer } of panels) release(gpu, buffer);
    release(gpu, tile.buffer);
    throw error;
  } finally {
    release(gpu, sums);
  }
}

/** The operator of a graph whose affinity fits one buffer. */
async function wholeOperator(gpu: Gpu, unit: GpuMatrix, bytes: number): Promise<AffinityOperator> {
  const n = unit.rows, stride = roundUp(n, 4);
  const buffer = allocate(gpu, bytes, "affinity"), sums = allocate(gpu, n * 4, "degrees");
  try {
    symmetricAffinity(gpu, unit, { buffer, stride });
    rowSums(gpu, { first: 0, rows: n, buffer, panelRow: 0 }, stride, sums);
    const degrees = await readDegrees(gpu, sums, n);
    return operator(gpu, unit, [{ first: 0, rows: n, buffer }], null, degrees);
  } catch (error) {
    release(gpu, buffer);
    throw error;
  } finally {
    release(gpu, sums);
  }
}

async function readDegrees(gpu: Gpu, sums: GPUBuffer, n: number): Promise<Float64Array> {
  const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: n * 4 }]);
  return Float64Array.from(new Float32Array(bytes));
}

function panelMatrix(panel: Panel, cols: number, stride: number): GpuMatrix {
  return {
    rows: panel.rows,
    cols,
    stride,
    panelRows: panel.rows,
    panels: [panel.buffer],
    offset: 0,
    label: "affinity panel",
  };
}

/** Seconds for panel · (n × 32 block). */
async function measureApply(gpu: Gpu, panel: Panel, n: number, stride: number): Promise<number> {
  const block = {
    rows: n,
    cols: 32,
    stride: 32,
    panelRows: n,
    panels: [allocate(gpu, n * 128, "probe")],
    offset: 0,
    label: "probe",
  };
  const run = async () => {
    releaseMatrix(gpu, multiply(gpu, panelMatrix(panel, n, stride), block));
    await sync(gpu);
  };
  await run(); // compiles the kernel
  const started = performance.now();
  await run();
  const seconds = (performance.now() - started) / 1000;
  releaseMatrix(gpu, block);
  return seconds;
}

function operator(
  gpu: Gpu,
  unit: GpuMatrix,
  panels: Panel[],
  tile: Tile | null,
  degrees: Float64Array,
): AffinityOperator {
  const n = unit.rows, stride = roundUp(n, 4);
  const volume = degrees.reduce((sum, d) => sum + d, 0);
  const first = degrees.map((d) => Math.sqrt(d / volume));
  const column = (values: Float64Array, label: string) =>
    uploadMatrix(gpu, { data: Float32Array.from(values), rows: n, cols: 1 }, label);
  const known = column(first, "first eigenvector"),
    minus = column(first.map((v) => -v), "− first eigenvector");
  const inverseRoots = allocate(gpu, n * 4, "d^−½");
  writeBuffer(gpu, inverseRoots, Float32Array.from(degrees, (d) => 1 / Math.sqrt(d)));
  return {
    size: n,
    storage: tile === null ? "stored" : panels.length ? "mixed" : "tiled",
    degrees,
    first,
    apply(x, out) {
      const scaled = scaleRows(gpu, x, inverseRoots), image = allocateMatrix(gpu, n, x.cols, "A D^−½ x");
      const applyPanel = (panel: Panel) => {
        multiply(gpu, panelMatrix(panel, n, stride), scaled, {
          out: rowView(image, panel.first, panel.rows),
        });
      };
      panels.forEach(applyPanel);
      const last = panels.at(-1);
      for (let at = last ? last.first + last.rows : 0; tile && at < n; at += tile.rows) {
        const rows = Math.min(tile.rows, n - at);
        affinityBlock(gpu, unit, at, rows, unit, { buffer: tile.buffer, stride, row: 0 });
        applyPanel({ first: at, rows, buffer: tile.buffer });
      }
      const share = multiply(gpu, known, x, { transposeA: true });
      scaleRows(gpu, image, inverseRoots, { out });
      multiply(gpu, minus, share, { out, accumulate: true });
      releaseMatrix(gpu, scaled, image, share);
    },
    release() {
      for (const { buffer } of panels) release(gpu, buffer);
      if (tile) release(gpu, tile.buffer);
      release(gpu, inverseRoots);
      releaseMatrix(gpu, known, minus);
    },
  };
}
