/** A subject's voxels on both hemispheres, to be seen from several sides. Runs in pages and in Deno. */
import { type PackedSurface, unpackSurface } from "./packed_surface.ts";
import { type SceneSide, type Seen, type SidePaint, vertexNormals, type View } from "./scene.ts";
import { vertexMeans, vertexRegions } from "./vertex_values.ts";

/** Where the cortex is seen from, with the name of each view. */
export const VIEWS: Record<string, View & { title: string }> = {
  behind: { title: "From behind", isFlat: false, yaw: 0, pitch: -32, open: -16 },
  below: { title: "From below", isFlat: false, yaw: 0, pitch: -90, open: 0 },
  outer: { title: "Outer sides", isFlat: false, yaw: 0, pitch: -8, open: 90 },
  inner: { title: "Inner sides", isFlat: false, yaw: 0, pitch: -8, open: -90 },
  flat: { title: "Flat map", isFlat: true, yaw: 0, pitch: 0, open: 0 },
};

/** A region's name, and the vertex of a side that is nearest to the region's middle. */
interface RegionName {
  name: string;
  side: number;
  vertex: number;
}

/** Both hemispheres with voxels of regions. */
export interface VoxelScene {
  sides: SceneSide[];
  normals: Float32Array[];
  /** One a side; its values are NaN until `setValues`. */
  paints: SidePaint[];
  names: RegionName[];
  /** Sets what the voxels are colored by, one value a voxel. */
  setValues(values: Float32Array): void;
}

/**
 * Unpacks a page's surfaces.
 *
 * @param content names of regions, the region of each voxel, and the surfaces
 */
export function openVoxelScene(
  { rois, voxelRois, surface }: {
    rois: readonly string[];
    voxelRois: ArrayLike<number>;
    surface: PackedSurface;
  },
): VoxelScene {
  const sides = unpackSurface(surface), count = sides[0].sulc.length;
  const parts = [[0, surface.leftVoxels], [surface.leftVoxels, voxelRois.length]];
  const regions = Array.from(voxelRois, (roi) => rois[roi] === "" ? -1 : roi);
  const paints: SidePaint[] = sides.map(({ sulc, shown }, side) => ({
    sulc,
    regions: vertexRegions(regions.slice(...parts[side]), shown, count),
    values: new Float32Array(count).fill(NaN),
  }));
  const names = sides.flatMap(({ shown, inflated }, side) =>
    rois.flatMap((name, roi) => {
      const own = shown.filter((vertex) => name !== "" && paints[side].regions[vertex] === roi);
      return own.length > 0 ? [{ name, side, vertex: middleOf(inflated, own) }] : [];
    })
  );
  return {
    sides,
    normals: sides.map(({ inflated, faces }) => vertexNormals(inflated, faces)),
    paints,
    names,
    setValues(values) {
      for (const [side, { shown }] of sides.entries()) {
        paints[side].values = vertexMeans(values.subarray(...parts[side]), shown, count);
      }
    },
  };
}

/** Millimetres by which a region's middle may lie behind what is seen there. */
const BEHIND = 3;

/**
 * Names of the regions whose middle is seen; one that would lie on another is left out.
 *
 * @param names of the scene
 * @param seen as `drawScene` gives it
 * @param halfOf half the width of a name, in pixels
 * @param line height of a line, in pixels
 * @returns the names with their middles, column and row
 */
export function namesInView(
  names: readonly RegionName[],
  { raster, places }: Seen,
  halfOf: (name: string) => number,
  line: number,
): { name: string; x: number; y: number }[] {
  const taken: { name: string; x: number; y: number; half: number }[] = [];
  for (const { name, side, vertex } of names) {
    const [x, y, near] = places[side].subarray(3 * vertex, 3 * vertex + 3);
    const pixel = Math.floor(y) * raster.width + Math.floor(x), half = halfOf(name);
    if (!(raster.face[pixel] >= 0 && raster.depth[pixel] < near + BEHIND)) continue;
    const isOver = (other: { x: number; y: number; half: number }) =>
      Math.abs(other.x - x) < other.half + half && Math.abs(other.y - y) < line;
    if (!taken.some(isOver)) taken.push({ name, x, y, half });
  }
  return taken;
}

/** Of some vertices the one nearest to their middle. */
function middleOf(places: ArrayLike<number>, vertices: readonly number[]): number {
  const middle = [0, 1, 2].map((axis) =>
    vertices.reduce((sum, vertex) => sum + places[3 * vertex + axis], 0) / vertices.length
  );
  const far = (vertex: number) =>
    middle.reduce((sum, value, axis) => sum + (places[3 * vertex + axis] - value) ** 2, 0);
  return vertices.reduce((best, vertex) => far(vertex) < far(best) ? vertex : best);
}
