/** The surfaces of fsaverage5 with a subject's voxels, as a page holds them; runs in pages and in Deno. */
import { FSAVERAGE5, icosphere, vertexCount } from "../../data/datasets/icosphere.ts";
import type { SceneSide } from "./scene.ts";

/** Arrays of both hemispheres, the left one's part first. */
export interface PackedSurface {
  /** Voxels of the left hemisphere, and its faces that the flat map leaves out. */
  leftVoxels: number;
  leftCut: number;
  /** Of each voxel its vertex. */
  vertices: Uint16Array;
  /** vertices × 3 and vertices × 2, in steps of 1/200 mm. */
  inflated: Int16Array;
  flat: Int16Array;
  /** Per vertex, in steps of 1/50. */
  sulc: Int8Array;
  /** Numbers of the faces that the flat map leaves out. */
  cut: Uint16Array;
}

/** One hemisphere as it is read. */
export interface SideMesh {
  inflated: Float32Array;
  flat: Float32Array;
  flatFaces: Uint16Array;
  sulc: Float32Array;
}

const PLACE_STEPS = 200, SULC_STEPS = 50;

/** Packs meshes; `vertices` are those of the left hemisphere's voxels and of the right one's. */
export function packSurface(
  meshes: readonly SideMesh[],
  vertices: readonly ArrayLike<number>[],
): PackedSurface {
  const { faces } = icosphere(FSAVERAGE5);
  const cut = meshes.map(({ flatFaces }) => {
    const left: number[] = [];
    let next = 0; // flat faces stand in the order of all
    for (let f = 0; 3 * f < faces.length; f++) {
      const isFlat = [0, 1, 2].every((i) => flatFaces[3 * next + i] === faces[3 * f + i]);
      if (isFlat) next++;
      else left.push(f);
    }
    return left;
  });
  const steps = (values: Float32Array) => Array.from(values, (value) => Math.round(PLACE_STEPS * value));
  return {
    leftVoxels: vertices[0].length,
    leftCut: cut[0].length,
    vertices: Uint16Array.from(vertices.flatMap((own) => Array.from(own))),
    inflated: Int16Array.from(meshes.flatMap(({ inflated }) => steps(inflated))),
    flat: Int16Array.from(meshes.flatMap(({ flat }) => steps(flat))),
    sulc: Int8Array.from(
      meshes.flatMap(({ sulc }) => Array.from(sulc, (value) => Math.round(SULC_STEPS * value))),
    ),
    cut: Uint16Array.from(cut.flat()),
  };
}

/** Undoes `packSurface`: both sides, and the vertices of their voxels as `shown`, one a voxel. */
export function unpackSurface(packed: PackedSurface): SceneSide[] {
  const { faces } = icosphere(FSAVERAGE5), count = vertexCount(FSAVERAGE5);
  return [0, 1].map((side) => {
    const part = <T extends { subarray(from: number, to?: number): T }>(values: T, left: number) =>
      side === 0 ? values.subarray(0, left) : values.subarray(left);
    const cut = new Set(part(packed.cut, packed.leftCut));
    const millimetres = (values: Int16Array) => Float32Array.from(values, (steps) => steps / PLACE_STEPS);
    return {
      inflated: millimetres(part(packed.inflated, 3 * count)),
      flat: millimetres(part(packed.flat, 2 * count)),
      sulc: Float32Array.from(part(packed.sulc, count), (steps) => steps / SULC_STEPS),
      faces,
      flatFaces: faces.filter((_, corner) => !cut.has(Math.floor(corner / 3))),
      shown: Array.from(part(packed.vertices, packed.leftVoxels)),
    };
  });
}
