/** The normalised affinity as an operator on blocks: stored in row panels, or made tile by tile, or some of both. */
import { allocate, type Gpu, readBuffers, release, sync } from "../gpu/mod.ts";
import { multiply } from "../linalg/matmul.ts";
import { type GpuMatrix, releaseMatrix, roundUp, rowView } from "../linalg/matrix.ts";
import type { SymmetricOperator } from "../linalg/subspace_iteration.ts";
import { affinityBlock, type NodeScale, normalizeBlock, rowSums, tileFor, uploadScale } from "./affinity.ts";

/** How the operator keeps the affinity. */
export type Storage = "stored" | "tiled" | "mixed";

/** The operator M′ = D^−½ A D^−½ − q qᵀ, q = D^½ 1 / ‖D^½ 1‖ being the first eigenvector, known exactly. */
export interface AffinityOperator extends SymmetricOperator {
  storage: Storage;
  /** d_i = Σ_j A_ij. */
  degrees: Float64Array;
  /** The first eigenvector of D^−½ A D^−½, whose eigenvalue is 1. */
  first: Float64Array;
  /** Measured seconds to make the whole affinity once and to apply it to one block, and what was decided from them. */
  cost: { make: number; apply: number };
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
 * Degrees come from a first pass that makes the affinity once, tile by tile. Panels of it are kept as long as the budget
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
  const tile = tileFor(gpu, n);
  const bytesPerPanel = tile.rows * tile.stride * 4;
  const plain = uploadScale(gpu, n);
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
        affinityBlock(gpu, unit, plain, 0, 8, unit, plain, { buffer, stride: tile.stride, row: 0 });
        await sync(gpu);
      }
      const started = performance.now();
      affinityBlock(gpu, unit, plain, first, rows, unit, plain, { buffer, stride: tile.stride, row: 0 });
      if (measure) {
        await sync(gpu);
        cost.make = (performance.now() - started) / 1000 * n / rows;
      }
      rowSums(gpu, { first, rows, buffer, panelRow: 0 }, tile.stride, sums);
      if (stored) panels.push({ first, rows, buffer });
      if (measure) {
        cost.apply = await measureApply(gpu, { first, rows, buffer }, n, tile.stride) * n / rows;
        keep = cost.make * (applications - 1) > WORTHWHILE * applications * (cost.make + cost.apply);
        if (!keep && stored) release(gpu, panels.pop()!.buffer);
      }
    }
    const [bytes] = await readBuffers(gpu, [{ buffer: sums, bytes: n * 4 }]);
    const degrees = Float64Array.from(new Float32Array(bytes));
    const volume = degrees.reduce((sum, d) => sum + d, 0);
    const first = degrees.map((d) => Math.sqrt(d / volume));
    const scale = uploadScale(gpu, n, degrees.map((d) => 1 / Math.sqrt(d)), first);
    for (const panel of panels) normalizeBlock(gpu, { ...panel, panelRow: 0 }, n, tile.stride, scale);
    if (panels.length && panels.at(-1)!.first + panels.at(-1)!.rows === n) {
      release(gpu, tile.buffer);
      return operator(gpu, unit, scale, panels, null, degrees, first, cost);
    }
    return operator(gpu, unit, scale, panels, tile, degrees, first, cost);
  } catch (error) {
    for (const { buffer } of panels) release(gpu, buffer);
    release(gpu, tile.buffer);
    throw error;
  } finally {
    release(gpu, plain.buffer);
    release(gpu, sums);
  }
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
  scale: NodeScale,
  panels: Panel[],
  tile: { buffer: GPUBuffer; rows: number; stride: number } | null,
  degrees: Float64Array,
  first: Float64Array,
  cost: { make: number; apply: number },
): AffinityOperator {
  const n = unit.rows;
  const stride = roundUp(n, 4);
  return {
    size: n,
    storage: tile === null ? "stored" : panels.length ? "mixed" : "tiled",
    degrees,
    first,
    cost,
    apply(x, out) {
      const applyPanel = (panel: Panel) => {
        multiply(gpu, panelMatrix(panel, n, stride), x, { out: rowView(out, panel.first, panel.rows) });
      };
      panels.forEach(applyPanel);
      const last = panels.at(-1);
      for (let at = last ? last.first + last.rows : 0; tile && at < n; at += tile.rows) {
        const rows = Math.min(tile.rows, n - at);
        affinityBlock(gpu, unit, scale, at, rows, unit, scale, { buffer: tile.buffer, stride, row: 0 });
        applyPanel({ first: at, rows, buffer: tile.buffer });
      }
    },
    release() {
      for (const { buffer } of panels) release(gpu, buffer);
      if (tile) release(gpu, tile.buffer);
      release(gpu, scale.buffer);
    },
  };
}
