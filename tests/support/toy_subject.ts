import { SCENE_SIZE } from "../../fixtures/scenes/mod.ts";
import type { SimulatedSubject } from "../../src/synthetic/subject_voxels.ts";

const ROIS = ["V1", "V2", "V3", "V4", "EBA", "FBA", "OFA", "FFA", "OPA", "PPA", "OWFA", "VWFA"];

/** A subject of four voxels a region, two a hemisphere; each sees the red of one pixel, with little noise. */
export function createToySubject(): SimulatedSubject {
  const count = 4 * ROIS.length,
    each = (value: (i: number) => number) => Float32Array.from({ length: count }, (_, i) => value(i));
  const place = (i: number) => Math.floor((i + 0.5) / count * SCENE_SIZE);
  const respond: SimulatedSubject["respond"] = ({ rgb }) =>
    each((i) => rgb[3 * (place(i) * SCENE_SIZE + place((i * 7) % count))] / 255);
  return {
    rois: ROIS,
    voxels: {
      count,
      hemisphere: each((i) => (i >> 1) % 2),
      roi: each((i) => i >> 2),
      sheetX: each((i) => i % 4),
      sheetY: each((i) => i >> 2),
      outward: each((i) => i % 2),
      elevation: each((i) => i % 3 - 1),
      fieldX: each((i) => place((i * 7) % count)),
      fieldY: each((i) => i % 2 ? 90 : 20),
      fieldSize: each((i) => 1 + (i >> 2)),
      reliability: each(() => 0.5),
    },
    respond,
    measure: (scene, repeat) =>
      respond(scene).map((value, i) => value + ((scene.seed + i + repeat) % 3 - 1) / 10),
  };
}
