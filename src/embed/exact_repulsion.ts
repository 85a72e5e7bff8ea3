/** Repulsive forces of t-SNE over all pairs. */
import code from "../../shaders/tsne_repulsion.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import { sumSlabs } from "../linalg/matmul.ts";
import { roundUp } from "../linalg/matrix.ts";

const REPULSION: Kernel = { label: "tsne_repulsion", code };

/** Points j of a slice, which is summed by itself. */
export const SLICE = 2048;
/** Points i that an invocation takes. */
const POINTS = 16;
/** Points j that one dispatch reads as a uniform buffer: buffers of points have room for whole windows. */
const WINDOW = 4096;
/** Parts that the normaliser is left in. */
const PARTS = 64;

/** Bytes of a buffer of n points whose exact repulsion is wanted. */
export function bytesOfPoints(n: number): number {
  return roundUp(n, WINDOW) * 16;
}

/** Forces and normaliser of all points, as the step of the descent reads them. */
export interface Forces {
  /** (force_i, z_i); room for a multiple of 64 points, the last of them zero. */
  forces: GPUBuffer;
  /** 64 vec4, whose 4th coordinates add up to Z. */
  sums: GPUBuffer;
}

/** Makes room for the forces of n points. */
export function roomForForces(gpu: Gpu, n: number): Forces {
  const padded = roundUp(n, PARTS);
  const room = {
    forces: allocate(gpu, padded * 16, "t-SNE repulsion"),
    sums: allocate(gpu, PARTS * 16, "t-SNE normaliser"),
  };
  writeBuffer(gpu, room.forces, new Float32Array(4 * padded));
  return room;
}

/** Z. */
export function normalizer(sums: ArrayBuffer): number {
  return new Float32Array(sums).reduce((sum, value, at) => at % 4 === 3 ? sum + value : sum, 0);
}

/** Records the repulsive forces of all pairs of n points, and their normaliser. */
export function repelAllPairs(
  gpu: Gpu,
  y: GPUBuffer,
  { forces, sums }: Forces,
  n: number,
  freedom: number,
): void {
  const slices = Math.ceil(n / SLICE);
  const slabs = slices === 1 ? forces : allocate(gpu, slices * n * 16, "t-SNE repulsion");
  for (let first = 0; first < n; first += WINDOW) {
    dispatch(gpu, REPULSION, {
      buffers: [y, { buffer: y, offset: first * 16, size: WINDOW * 16 }, slabs],
      params: { n, slice: SLICE, first },
      overrides: { FREEDOM: freedom },
      workgroups: [Math.ceil(n / POINTS / 8), Math.ceil(Math.min(WINDOW, n - first) / SLICE)],
      sizes: `${n} points`,
    });
  }
  if (slices > 1) {
    sumSlabs(gpu, slabs, forces, n, slices);
    release(gpu, slabs);
  }
  sumSlabs(gpu, forces, sums, PARTS, Math.ceil(n / PARTS));
}

/** Forces and normaliser for points given on the host: what `tsne` computes at every step, for checking it. */
export async function repulsiveForces(
  gpu: Gpu,
  points: Float32Array,
  n: number,
  freedom = 1,
): Promise<{ forces: Float32Array; z: number }> {
  const room = roomForForces(gpu, n), y = allocate(gpu, bytesOfPoints(n), "t-SNE points");
  try {
    writeBuffer(gpu, y, points);
    repelAllPairs(gpu, y, room, n, freedom);
    const [forces, sums] = await readBuffers(gpu, [
      { buffer: room.forces, bytes: n * 16 },
      { buffer: room.sums, bytes: PARTS * 16 },
    ]);
    return { forces: new Float32Array(forces), z: normalizer(sums) };
  } finally {
    for (const buffer of [y, room.forces, room.sums]) release(gpu, buffer);
  }
}
