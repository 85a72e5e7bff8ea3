/** Where a subject's voxels are drawn. */
import { type Hemisphere, HEMISPHERES, type Subject } from "../data/subject.ts";
import { REGIONS } from "./brain_data.ts";

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
  /** What a caption says of it. */
  note: string;
}

/** Space between blocks of a schematic sheet, in voxels, and between its hemispheres, as a share of their width. */
const GAP = 2, MIDDLE = 0.1;

/**
 * Places of all voxels in the files' order: the subject's own, or where it has none a scheme, one block a region, which
 * shows no anatomy.
 */
export function voxelSheet({ voxels, rois, places }: Subject): VoxelSheet {
  const roi = new Array<string>(voxels.total).fill("");
  for (const name of REGIONS) rois.get(name)?.forEach((voxel) => roi[voxel] = name);
  const hemisphere = (voxel: number) => HEMISPHERES[voxel < voxels.lh ? 0 : 1];
  if (places) {
    return {
      places: roi.map((name, i) => ({
        ...{ x: places[2 * i], y: places[2 * i + 1] },
        ...{ roi: name, hemisphere: hemisphere(i) },
      })),
      note: "left hemisphere at the left",
    };
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
