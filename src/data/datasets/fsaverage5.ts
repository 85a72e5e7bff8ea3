/** The meshes of fsaverage5 that pictures are drawn on: `fixtures/fsaverage5`, which says where they come from. */
import type { Hemisphere } from "./subject.ts";
import { FSAVERAGE5, icosphere, vertexCount } from "./icosphere.ts";
import { npzArrays } from "../formats/named_arrays.ts";

/** One hemisphere, 10,242 vertices. */
export interface SurfaceMesh {
  /** vertices × 2: x to the right and y up on the flat map, in millimetres; 0 on the medial wall, which lies in no flat face. */
  flat: Float32Array;
  /** faces × 3 of the flat map: those that no cut goes through. */
  flatFaces: Uint16Array;
  /** vertices × 3 in millimetres: x to the right, y forward, z up; of each hemisphere around its own middle. */
  inflated: Float32Array;
  /** Depth of the folds: below 0 on gyri, above 0 in sulci; −1.5 to 1.9. */
  sulc: Float32Array;
}

/** Both hemispheres; their closed surfaces have the same 20,480 faces. */
export interface Fsaverage5 extends Record<Hemisphere, SurfaceMesh> {
  /** faces × 3. */
  faces: Uint16Array;
}

/** Steps of a coordinate in a millimetre, and of a depth in 1, as in the file. */
const PLACE_STEPS = 200, SULC_STEPS = 50;
const FILE = new URL("../../../fixtures/fsaverage5/fsaverage5.npz", import.meta.url).pathname;

let meshes: Promise<Fsaverage5> | undefined;

/** Reads the meshes, once in a process. @throws Error when the file is damaged */
export function readFsaverage5(): Promise<Fsaverage5> {
  return meshes ??= read().catch((error) => {
    meshes = undefined;
    throw error;
  });
}

async function read(): Promise<Fsaverage5> {
  const arrays = await npzArrays(FILE), faces = Uint16Array.from(icosphere(FSAVERAGE5).faces);
  const numbers = (name: string, length?: number) => {
    const values = arrays.find((array) => array.name === name)?.values();
    if (values && (length === undefined || values.length === length)) return Array.from(values, Number);
    throw new Error(`${FILE} does not hold "${name}" as it should: check the file out again.`);
  };
  const hemisphere = (name: Hemisphere): SurfaceMesh => {
    const places = (surface: string, axes: number) =>
      Float32Array.from(
        numbers(`${name}_${surface}`, axes * vertexCount(FSAVERAGE5)),
        (steps) => steps / PLACE_STEPS,
      );
    const cut = new Set(numbers(`${name}_cut_faces`));
    return {
      flat: places("flat", 2),
      flatFaces: faces.filter((_, corner) => !cut.has(Math.floor(corner / 3))),
      inflated: places("inflated", 3),
      sulc: Float32Array.from(
        numbers(`${name}_sulc`, vertexCount(FSAVERAGE5)),
        (steps) => steps / SULC_STEPS,
      ),
    };
  };
  return { faces, lh: hemisphere("lh"), rh: hemisphere("rh") };
}
