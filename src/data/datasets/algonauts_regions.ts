/** Regions, noise ceilings, places and vertices of a subject of Algonauts 2023. */
import { basename } from "node:path";
import { vertexCount } from "./icosphere.ts";
import { readBytes } from "../formats/npy.ts";
import { findArray, readArray } from "../formats/number_array.ts";
import { parsePickledMapping } from "../formats/pickled_mapping.ts";
import { isThere, MAX_TEXT } from "../files/plain_file.ts";
import { type ClassRegion, type Hemisphere, HEMISPHERES, namedRegions, ofHemispheres } from "./subject.ts";
import {
  ceilingPath,
  mappingPath,
  maskOfVerticesPath,
  maskPath,
  placesPath,
  verticesPath,
} from "./algonauts_paths.ts";

/** What mappings call the vertices of no region. */
const NO_REGION = /^(?:|\?+|(?:un|non|other|back|medial|outside|rest).*|no(?:t?\b|thing).*)$/i;

/** All regions, by indices in the files, and what is to be said of their names. */
export async function readRois(
  dir: string,
  classes: readonly string[],
  voxels: Record<Hemisphere, number>,
): Promise<{ rois: Map<string, Uint32Array>; notes: string[] }> {
  const found = new Map<string, ClassRegion[]>(), unnamed: string[] = [];
  for (const roiClass of classes) {
    const path = mappingPath(dir, roiClass);
    const mapping = parsePickledMapping(await readBytes(path, MAX_TEXT), path);
    const own = new Map<string, number[]>();
    for (const [value, name] of mapping) if (value !== 0) own.set(name, []);
    const nowhere = mapping.get(0);
    if (nowhere !== undefined && !NO_REGION.test(nowhere)) {
      unnamed.push(
        `"${nowhere}", which ${basename(path)} calls 0, is taken for no region: give a region another number`,
      );
    }
    for (const hemisphere of HEMISPHERES) {
      const mask = await readPerVertex(maskPath(dir, hemisphere, roiClass), voxels[hemisphere]);
      const from = hemisphere === "lh" ? 0 : voxels.lh;
      mask.forEach((value, vertex) => {
        if (value === 0) return;
        const name = mapping.get(value);
        if (name === undefined) {
          throw new Error(
            `${
              maskPath(dir, hemisphere, roiClass)
            } labels vertex ${vertex} with ${value}, which ${path} does not name: they do not belong together.`,
          );
        }
        own.get(name)!.push(from + vertex);
      });
    }
    for (const [name, voxels] of own) {
      found.set(name, [...found.get(name) ?? [], { roiClass, voxels }]);
    }
  }
  const { rois, notes } = namedRegions(found);
  return { rois, notes: [...unnamed, ...notes] };
}

/** The ROI classes of a subject, in the order of their names. */
export async function roiClasses(dir: string): Promise<string[]> {
  const folder = `${dir}/roi_masks`;
  const classes: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      const found = /^mapping_(.+)\.npy$/.exec(name);
      if (found) classes.push(found[1]);
    }
  } catch (error) {
    throw new Error(`There is no folder ${folder}: expected the ROI masks of an Algonauts 2023 subject.`, {
      cause: error,
    });
  }
  return classes.sort();
}

/** Shares of variance; what is no number belongs to a voxel that is left out. */
export async function readNoiseCeiling(dir: string, voxels: Record<Hemisphere, number>, notes: string[]) {
  const ceilings = await readBothHemispheres((hemisphere) => ceilingPath(dir, hemisphere), voxels, notes);
  const wrong = ceilings?.findIndex((value) => value < 0 || value > 1) ?? -1;
  if (wrong < 0) return ceilings;
  const [hemisphere, vertex] = wrong < voxels.lh
    ? ["lh", wrong] as const
    : ["rh", wrong - voxels.lh] as const;
  throw new Error(
    `${ceilingPath(dir, hemisphere)} gives vertex ${vertex} the noise ceiling ${
      ceilings![wrong]
    }, expected r² from 0 to 1: divide percent by 100, and set what is below 0 to 0.`,
  );
}

/** Places of the voxels; a note where they are not there. */
export function readPlaces(dir: string, voxels: Record<Hemisphere, number>, notes: string[]) {
  return readBothHemispheres((hemisphere) => placesPath(dir, hemisphere), voxels, notes, 2);
}

/** Meshes whose vertices are the first ones of fsaverage: fsaverage5, fsaverage6 and itself. */
const NESTED = [5, 6, 7].map(vertexCount);

/** Vertices of fsaverage, of all voxels. */
export async function readSurfaceVertices(
  dir: string,
  voxels: Record<Hemisphere, number>,
  notes: string[],
): Promise<{ vertices: Uint32Array; pathOf: (hemisphere: Hemisphere) => string } | undefined> {
  const listed = (hemisphere: Hemisphere) => verticesPath(dir, hemisphere);
  const vertices = await readBothHemispheres(listed, voxels, notes);
  if (vertices) {
    const wrong = vertices.findIndex((vertex) =>
      !(Number.isInteger(vertex) && vertex >= 0 && vertex < NESTED[2])
    );
    if (wrong < 0) return { vertices: Uint32Array.from(vertices), pathOf: listed };
    const hemisphere = wrong < voxels.lh ? "lh" : "rh";
    throw new Error(
      `${listed(hemisphere)} puts voxel ${wrong < voxels.lh ? wrong : wrong - voxels.lh} on vertex ${
        vertices[wrong]
      }, expected a whole number from 0 to ${NESTED[2] - 1}, a vertex of fsaverage.`,
    );
  }
  const masked = (hemisphere: Hemisphere) => maskOfVerticesPath(dir, hemisphere);
  const both = await ofHemispheres(async (hemisphere) => await isThere(await findArray(masked(hemisphere))));
  if (!both[0] || !both[1]) {
    const only = both.indexOf(true);
    if (only >= 0) {
      notes.push(
        `${basename(masked(HEMISPHERES[only]))} is not used: there is no ${
          basename(masked(HEMISPHERES[1 - only]))
        }`,
      );
    }
    return undefined;
  }
  const parts = await ofHemispheres((hemisphere) => readVertexMask(masked(hemisphere), voxels[hemisphere]));
  return { vertices: Uint32Array.from(parts.flat()), pathOf: masked };
}

/** The vertices that a mask over a whole mesh marks: the voxels are those, in the mesh's order. */
async function readVertexMask(wanted: string, voxels: number): Promise<number[]> {
  const { data, shape, path } = await readArray(wanted);
  if (shape.length !== 1 || !NESTED.includes(data.length)) {
    throw new Error(
      `${path} has shape (${
        shape.join(", ")
      }), expected one value a vertex of fsaverage, fsaverage6 or fsaverage5: ${
        NESTED.toReversed().join(", ")
      }.`,
    );
  }
  const marked = Array.from(data, Number).flatMap((value, vertex) => value === 0 ? [] : [vertex]);
  if (marked.length === voxels) return marked;
  throw new Error(
    `${path} marks ${marked.length} vertices, the responses have ${voxels}: they must be equal, so copy both again.`,
  );
}

/** Values of all voxels from a file a hemisphere; undefined where one is missing, as the release comes without them. */
async function readBothHemispheres(
  pathOf: (hemisphere: Hemisphere) => string,
  voxels: Record<Hemisphere, number>,
  notes: string[],
  each = 1,
): Promise<Float32Array | undefined> {
  const paths = await ofHemispheres((hemisphere) => findArray(pathOf(hemisphere)));
  const there = await Promise.all(paths.map(isThere));
  const missing = there.indexOf(false);
  if (missing >= 0) {
    if (there[1 - missing]) {
      notes.push(`${basename(paths[1 - missing])} is not used: there is no ${basename(paths[missing])}`);
    }
    return undefined;
  }
  const parts = await ofHemispheres((hemisphere) =>
    readPerVertex(pathOf(hemisphere), voxels[hemisphere], each)
  );
  return Float32Array.from(parts.flat());
}

async function readPerVertex(wanted: string, vertices: number, each = 1): Promise<number[]> {
  const { data, shape, path } = await readArray(wanted);
  if (data.length !== vertices * each) {
    throw new Error(
      `${path} has shape (${shape.join(", ")}), the responses ${vertices} vertices: they must be equal.`,
    );
  }
  if (each > 1 && shape.at(-1) !== each) {
    throw new Error(
      `${path} has shape (${
        shape.join(", ")
      }), expected (${vertices}, ${each}), a row for each vertex: transpose it.`,
    );
  }
  return Array.from(data, Number);
}
