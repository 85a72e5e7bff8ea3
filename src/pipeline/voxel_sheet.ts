/** Where a subject's voxels are drawn. */
import { type Hemisphere, HEMISPHERES, type Subject } from "../data/datasets/subject.ts";
import { readFsaverage5 } from "../data/datasets/fsaverage5.ts";
import { FSAVERAGE5, nearestOnFsaverage5, vertexCount } from "../data/datasets/icosphere.ts";
import type { SurfaceVoxels } from "../report/cortex/flat_map.ts";
import { REGIONS } from "./regions.ts";

/** A voxel's place on the sheet. */
export interface SheetPlace {
  /** From left to right. */
  x: number;
  /** From top to bottom. */
  y: number;
  /** One of `REGIONS`; "" for none. */
  roi: string;
  /** Whose. */
  hemisphere: Hemisphere;
}

/** All voxels of a subject. */
export interface VoxelSheet {
  /** In the files' order. */
  places: SheetPlace[];
  /** The same on the mesh of fsaverage5, where it is known: pictures are drawn on that. */
  surface?: SurfaceVoxels;
  /** What a caption says of it. */
  note: string;
}

/** Space between blocks of a schematic sheet, in voxels, and between its hemispheres, as a share of their width. */
const GAP = 2, MIDDLE = 0.1;

/** What of a subject its sheet is made of. */
export type SheetSubject = Pick<Subject, "voxels" | "rois" | "places" | "surfaceVertices">;

/**
 * Places of all voxels in the files' order: the subject's own, or on the flat map of fsaverage5, or, where the subject's
 * folder has neither, a scheme, one block a region, which shows no anatomy.
 */
export async function voxelSheet(subject: SheetSubject): Promise<VoxelSheet> {
  const { voxels, rois, places, surfaceVertices } = subject;
  const roi = new Array<string>(voxels.total).fill("");
  for (const name of REGIONS) rois.get(name)?.forEach((voxel) => roi[voxel] = name);
  const hemisphere = (voxel: number) => HEMISPHERES[voxel < voxels.lh ? 0 : 1];
  if (places) {
    return {
      places: roi.map((name, i) => ({
        x: places[2 * i],
        y: places[2 * i + 1],
        roi: name,
        hemisphere: hemisphere(i),
      })),
      note: "left hemisphere at the left",
    };
  }
  if (surfaceVertices) {
    return await surfaceSheet(
      roi,
      roi.map((_, voxel) => hemisphere(voxel)),
      surfaceVertices,
    );
  }
  const sheet = new Array<SheetPlace>(voxels.total);
  const width = Math.ceil(Math.sqrt(2 * Math.max(voxels.lh, voxels.rh)));
  for (const [side, from, to] of [[0, 0, voxels.lh], [1, voxels.lh, voxels.total]]) {
    const left = side * Math.ceil((1 + MIDDLE) * width);
    let x = 0, y = 0, lowest = 0;
    for (const name of [...REGIONS, ""]) {
      const own = Array.from({ length: to - from }, (_, i) => from + i).filter((voxel) =>
        roi[voxel] === name
      );
      if (own.length === 0) continue;
      const cols = Math.min(width, Math.ceil(Math.sqrt(own.length)));
      if (x > 0 && x + cols > width) [x, y] = [0, lowest + GAP];
      own.forEach((voxel, i) => {
        const place = { x: left + x + i % cols, y: y + Math.floor(i / cols) };
        sheet[voxel] = { ...place, roi: name, hemisphere: hemisphere(voxel) };
      });
      x += cols + GAP;
      lowest = Math.max(lowest, y + Math.ceil(own.length / cols) - 1);
    }
  }
  return {
    places: sheet,
    note:
      "left hemisphere at the left; a scheme, one block a region, as the subject's folder does not say where its voxels lie",
  };
}

/**
 * Voxels on fsaverage5. One on a vertex of fsaverage that fsaverage5 does not have, as 15 of 16 of them are, is drawn on the
 * nearest one that it has, about 1 to 2 mm away on the cortex.
 */
async function surfaceSheet(
  rois: readonly string[],
  hemispheres: Hemisphere[],
  fsaverage: Uint32Array,
): Promise<VoxelSheet> {
  const meshes = await readFsaverage5(), nearest = nearestOnFsaverage5();
  const vertices = Uint16Array.from(fsaverage, (vertex) => nearest[vertex]);
  const own = fsaverage.filter((vertex) => vertex < vertexCount(FSAVERAGE5)).length;
  const isFlat = { lh: new Set(meshes.lh.flatFaces), rh: new Set(meshes.rh.flatFaces) };
  const beyond = hemispheres.filter((hemisphere, voxel) => !isFlat[hemisphere].has(vertices[voxel])).length;
  const right = [...isFlat.lh].reduce((most, vertex) => Math.max(most, meshes.lh.flat[2 * vertex]), 0);
  const left = [...isFlat.rh].reduce((least, vertex) => Math.min(least, meshes.rh.flat[2 * vertex]), 0);
  const count = (voxels: number) => voxels.toLocaleString("en-US");
  return {
    places: rois.map((roi, voxel) => {
      const hemisphere = hemispheres[voxel], { flat } = meshes[hemisphere], vertex = vertices[voxel];
      const x = flat[2 * vertex] + (hemisphere === "rh" ? right - left : 0);
      return { x, y: -flat[2 * vertex + 1], roi, hemisphere };
    }),
    surface: {
      meshes,
      hemispheres,
      vertices,
      names: REGIONS,
      regions: Int8Array.from(rois, (roi) => REGIONS.findIndex((name) => name === roi)),
    },
    note: "the flat map of fsaverage5, left hemisphere at the left, gyri light and sulci dark; " +
      `${count(own)} of ${
        count(rois.length)
      } voxels lie on a vertex of it, the others are drawn at the nearest one, ` +
      "and a vertex with several voxels has their mean" +
      (beyond > 0
        ? `; ${count(beyond)} on the medial wall, which the flat map leaves out, are not drawn`
        : ""),
  };
}
