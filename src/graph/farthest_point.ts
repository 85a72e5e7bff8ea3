/** Farthest point sampling on the GPU. */
import code from "../../shaders/farthest_point.wgsl" with { type: "text" };
import { allocate, dispatch, type Gpu, type Kernel, readBuffers, release, writeBuffer } from "../gpu/mod.ts";
import type { GpuMatrix } from "../linalg/matrix.ts";

const FARTHEST_POINT: Kernel = { label: "farthest_point", code };
const WORKGROUP = 64;
/** Workgroups of a step: one lane of each looks at what all have found. */
export const MAX_GROUPS = 2 ** 14;
/** Points that one storage binding of 4 GiB, more than WGSL indexes, would hold. */
export const MAX_POINTS = 2 ** 27;
/** Coordinates a point has in the shader. */
export const FARTHEST_POINT_DIMENSIONS = 8;
/** Larger than any squared distance. */
const FAR = 3.4e38;

/**
 * Farthest point sampling (Gonzalez 1985): from `start` on, always the point farthest from all taken so far, ties to the
 * lowest number.
 *
 * @param points n × 8 coordinates on the GPU, Euclidean
 * @param count points to take, at most n
 * @param start the first
 * @returns rows of `points` in the order of taking, all different
 *
 * Cost: 8 n operations a point; one dispatch each and no wait before the last.
 */
export async function farthestPoints(
  gpu: Gpu,
  points: GpuMatrix,
  count: number,
  start: number,
): Promise<Uint32Array> {
  const n = points.rows;
  if (points.stride !== FARTHEST_POINT_DIMENSIONS || points.panels.length > 1 || n > MAX_POINTS) {
    throw new RangeError(
      `${n} points of ${points.cols} coordinates: farthest point sampling takes points of ` +
        `${FARTHEST_POINT_DIMENSIONS} coordinates that fit one storage binding.`,
    );
  }
  // A workgroup costs the software adapter more than the points that it could share out.
  const pointsPerLane = gpu.adapter.software ? 64 : 8;
  const groups = Math.min(MAX_GROUPS, Math.ceil(n / (WORKGROUP * pointsPerLane)));
  const distances = allocate(gpu, n * 4, "squared distances");
  const partials = allocate(gpu, 2 * groups * 8, "farthest points of the workgroups");
  const taken = allocate(gpu, count * 4, "taken points");
  try {
    writeBuffer(gpu, distances, new Float32Array(n).fill(FAR));
    for (let step = 0; step < count; step++) {
      dispatch(gpu, FARTHEST_POINT, {
        buffers: [points.panels[0], distances, partials, taken],
        params: { n, step, groups, start },
        overrides: { WORKGROUP },
        workgroups: [groups],
        sizes: `${n} points`,
      });
    }
    const [bytes] = await readBuffers(gpu, [{ buffer: taken, bytes: count * 4 }]);
    return new Uint32Array(bytes);
  } finally {
    for (const buffer of [distances, partials, taken]) release(gpu, buffer);
  }
}
