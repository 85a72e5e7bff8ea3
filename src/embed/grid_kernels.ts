/** The kernels of repulsion on a grid, one by one. */
import spreadCode from "../../shaders/tsne_spread.wgsl" with { type: "text" };
import chargesCode from "../../shaders/tsne_charges.wgsl" with { type: "text" };
import convolveCode from "../../shaders/tsne_convolve.wgsl" with { type: "text" };
import gatherCode from "../../shaders/tsne_gather.wgsl" with { type: "text" };
import { dispatch, type Gpu, type Kernel } from "../gpu/mod.ts";

const SPREAD: Kernel = { label: "tsne_spread", code: spreadCode };
const CHARGES: Kernel = { label: "tsne_charges", code: chargesCode };
const CONVOLVE: Kernel = { label: "tsne_convolve", code: convolveCode };
const GATHER: Kernel = { label: "tsne_gather", code: gatherCode };
const WORKGROUP = 8;
const overrides = { WORKGROUP };
/** Rows whose sum is one part. */
export const RUN = 32;

/** Where n points lie on a grid. */
export interface Placement {
  n: number;
  /** Nodes in a row of the grid. */
  nodes: number;
  /** What lies in the middle of the grid, node nodes / 2 of both axes. */
  centre: [number, number];
  /** Units of the map between two nodes. */
  step: number;
}

function paramsOf({ n, nodes, centre: [centreX, centreY], step }: Placement) {
  return { n, nodes, centreX, centreY, perUnit: 1 / step };
}

function sizesOf({ n, nodes }: Placement): string {
  return `${n} points, ${nodes} × ${nodes} nodes`;
}

/** What a charge of 1 is stored as: if all n points lay on one node, their sum would still fit 32 bits. */
export function chargeScale(n: number): number {
  return Math.fround(Math.floor(2 ** 31 / n));
}

/** Adds every point to the charges of the nine nodes around it; they have to be zero before. */
export function spread(gpu: Gpu, y: GPUBuffer, charges: GPUBuffer, place: Placement): void {
  dispatch(gpu, SPREAD, {
    buffers: [y, charges],
    params: { ...paramsOf(place), scale: chargeScale(place.n) },
    overrides,
    workgroups: [Math.ceil(place.n / WORKGROUP)],
    sizes: sizesOf(place),
  });
}

/** Lays charges out for their transform, and clears them. */
export function layOut(
  gpu: Gpu,
  charges: GPUBuffer,
  roots: GPUBuffer,
  field: GPUBuffer,
  { n, nodes }: { n: number; nodes: number },
): void {
  dispatch(gpu, CHARGES, {
    buffers: [charges, roots, field],
    params: { nodes, scale: chargeScale(n) },
    overrides,
    workgroups: [Math.ceil(nodes / WORKGROUP), nodes],
    sizes: `${nodes} × ${nodes} nodes`,
  });
}

/** field ← field · forces; `parts` ← sums of |field|² kernel over runs of 32 rows, less `own` each. */
export function convolve(
  gpu: Gpu,
  field: GPUBuffer,
  spectra: { forces: GPUBuffer; kernel: GPUBuffer },
  parts: GPUBuffer,
  { rows, cols, own }: { rows: number; cols: number; own: number },
): void {
  dispatch(gpu, CONVOLVE, {
    buffers: [field, spectra.forces, spectra.kernel, parts],
    params: { rows, cols, own },
    overrides,
    workgroups: [Math.ceil(cols / WORKGROUP), Math.ceil(rows / RUN)],
    sizes: `${rows} × ${cols} frequencies`,
  });
}

/** The force on every point from the nine nodes around it. */
export function gather(
  gpu: Gpu,
  y: GPUBuffer,
  field: GPUBuffer,
  roots: GPUBuffer,
  forces: GPUBuffer,
  place: Placement,
): void {
  dispatch(gpu, GATHER, {
    buffers: [y, field, roots, forces],
    params: paramsOf(place),
    overrides,
    workgroups: [Math.ceil(place.n / WORKGROUP)],
    sizes: sizesOf(place),
  });
}
