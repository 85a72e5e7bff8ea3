/** Kernels of t-SNE on values that are given on the host. */
import { allocate, type Gpu, readBuffers, release, writeBuffer } from "../../src/gpu/mod.ts";
import { closeDescent, openDescent, step, type StepSettings } from "../../src/embed/descent.ts";
import { extentOf, openGridRepulsion } from "../../src/embed/grid_repulsion.ts";
import { normalizer, repelAllPairs, roomForForces } from "../../src/embed/exact_repulsion.ts";

/** One step from a dense P given on the host, for checking it. */
export async function stepPoints(
  gpu: Gpu,
  y: Float32Array,
  n: number,
  p: Float64Array,
  update: Float32Array,
  settings: StepSettings,
): Promise<{ y: Float32Array; update: Float32Array }> {
  const rowStart = Uint32Array.from({ length: n + 1 }, (_, i) => i * n);
  const joint = { rowStart, cols: Uint32Array.from(p, (_, at) => at % n), p: Float32Array.from(p) };
  const descent = openDescent(gpu, joint, y), room = roomForForces(gpu, n);
  try {
    writeBuffer(gpu, descent.motion, update);
    repelAllPairs(gpu, descent.y, room, n, settings.freedom);
    step(gpu, descent, room, n, settings);
    const [next, motion] = await readBuffers(gpu, [
      { buffer: descent.y, bytes: n * 16 },
      { buffer: descent.motion, bytes: n * 16 },
    ]);
    return { y: new Float32Array(next), update: new Float32Array(motion) };
  } finally {
    closeDescent(gpu, descent);
    for (const buffer of [room.forces, room.sums]) release(gpu, buffer);
  }
}

/** Forces and normaliser for points given on the host, as `repulsiveForces` has them, for checking them. */
export async function interpolatedForces(
  gpu: Gpu,
  points: Float32Array,
  n: number,
): Promise<{ forces: Float32Array; z: number }> {
  const room = roomForForces(gpu, n),
    y = allocate(gpu, n * 16, "t-SNE points"),
    grid = openGridRepulsion(gpu, n);
  try {
    writeBuffer(gpu, y, points);
    await grid.repel(y, extentOf(points), room);
    const [forces, sums] = await readBuffers(gpu, [
      { buffer: room.forces, bytes: n * 16 },
      { buffer: room.sums, bytes: 1024 },
    ]);
    return { forces: new Float32Array(forces), z: normalizer(sums) };
  } finally {
    grid.release();
    for (const buffer of [y, room.forces, room.sums]) release(gpu, buffer);
  }
}
