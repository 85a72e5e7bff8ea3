import { assert, assertEquals, assertThrows } from "@std/assert";
import landmarks from "../../fixtures/subject/landmarks.json" with { type: "json" };
import { createSubject } from "../../fixtures/subject/mod.ts";
import { HEMISPHERES } from "../../src/data/datasets/subject.ts";
import { FSAVERAGE, icosphere, nearestOnFsaverage5 } from "../../src/data/datasets/icosphere.ts";
import { readBytes, readNpy } from "../../src/data/formats/npy.ts";
import { parsePickledMapping } from "../../src/data/formats/pickled_mapping.ts";
import { subjectVertices } from "../../src/synthetic/subject_cortex.ts";
import { realData } from "../support/real_data.ts";
import { createToySubject } from "../support/toy_subject.ts";

const subject = createSubject(0), { rois, voxels } = subject, vertices = subjectVertices(subject);
const { places } = icosphere(FSAVERAGE);
const indices = Array.from({ length: voxels.count }, (_, voxel) => voxel);

/** Degrees between two vertices on the sphere. */
function degrees(a: number, b: number): number {
  const cosine = [0, 1, 2].reduce((sum, axis) => sum + places[3 * a + axis] * places[3 * b + axis], 0);
  return Math.acos(Math.min(1, cosine)) * 180 / Math.PI;
}

Deno.test("subjectVertices() gives no vertex to two voxels of a hemisphere, and the same again", () => {
  for (const side of [0, 1]) {
    const own = indices.filter((voxel) => voxels.hemisphere[voxel] === side).map((voxel) => vertices[voxel]);
    assertEquals(new Set(own).size, own.length);
  }
  const toy = createToySubject();
  assertEquals(subjectVertices(toy), subjectVertices(toy));
});

Deno.test("subjectVertices() puts regions around their published middles, apart from each other", () => {
  const known: Record<string, Record<string, { vertex: number }>> = JSON.parse(JSON.stringify(landmarks));
  for (const [side, hemisphere] of HEMISPHERES.entries()) {
    for (const [roi, name] of rois.entries()) {
      const own = indices.filter((voxel) => voxels.roi[voxel] === roi && voxels.hemisphere[voxel] === side);
      if (!known[name]) continue;
      const middle = [0, 1, 2].map((axis) =>
        own.reduce((sum, voxel) => sum + places[3 * vertices[voxel] + axis], 0)
      );
      const nearest = own.reduce((best, voxel) => {
        const along = (of: number) =>
          middle.reduce((sum, value, axis) => sum + value * places[3 * vertices[of] + axis], 0);
        return along(voxel) > along(best) ? voxel : best;
      });
      const far = degrees(vertices[nearest], known[name][hemisphere].vertex);
      assert(far < (name === "V4" ? 16 : 8), `${hemisphere} ${name}: ${far}°`);
      const spread = Math.max(...own.map((voxel) => degrees(vertices[voxel], vertices[nearest])));
      assert(spread < 16, `${hemisphere} ${name} reaches ${spread}°`);
    }
  }
});

Deno.test("subjectVertices() keeps each region's map: the fovea of V1 to V3 lies together, and the upper field ventral", () => {
  const at = (name: string, side: number, isIn: (voxel: number) => boolean) =>
    indices.filter((voxel) =>
      rois[voxels.roi[voxel]] === name && voxels.hemisphere[voxel] === side && isIn(voxel)
    );
  for (const [side, hemisphere] of HEMISPHERES.entries()) {
    const fovea = landmarks.fovea[hemisphere].vertex;
    const far = (some: number[]) =>
      some.reduce((sum, voxel) => sum + degrees(vertices[voxel], fovea), 0) / some.length;
    for (const name of ["V1", "V2", "V3"]) {
      const inner = far(at(name, side, (voxel) => voxels.outward[voxel] < 0.25));
      const outer = far(at(name, side, (voxel) => voxels.outward[voxel] > 0.75));
      assert(inner + 10 < outer, `${name}: ${inner}° and ${outer}°`);
    }
    const ventral = landmarks.PPA[hemisphere].vertex, dorsal = landmarks.OPA[hemisphere].vertex;
    for (const voxel of at("V3", side, (voxel) => voxels.outward[voxel] > 0.5)) {
      const isUpper = degrees(vertices[voxel], ventral) < degrees(vertices[voxel], dorsal);
      assertEquals(isUpper, voxels.elevation[voxel] > 0, `voxel ${voxel}`);
    }
  }
});

Deno.test("subjectVertices() says which region has no place", () => {
  const toy = createToySubject();
  assertEquals(new Set(subjectVertices(toy)).size <= toy.voxels.count, true);
  assertThrows(
    () => subjectVertices({ ...toy, rois: toy.rois.map((name) => name === "OFA" ? "MT" : name) }),
    RangeError,
    "The simulated subject's region MT has no place on the brain: add it to landmarks.py.",
  );
});

const ATLAS = realData("fsaverage_visual_rois");

Deno.test({
  name: "subjectVertices() agrees with a probabilistic atlas of V1 to V3 in most of its voxels",
  ignore: !ATLAS,
  fn: async () => {
    const mapping = parsePickledMapping(
      await readBytes(`${ATLAS}/roi_masks/mapping_prf-visualrois.npy`),
      "mapping",
    );
    const nearest = nearestOnFsaverage5(), shares: Record<string, number> = {};
    for (const [side, hemisphere] of HEMISPHERES.entries()) {
      const { data } = await readNpy(`${ATLAS}/roi_masks/${hemisphere}.prf-visualrois_fsaverage_space.npy`);
      for (const name of ["V1", "V2", "V3"]) {
        const own = indices.filter((voxel) =>
          rois[voxels.roi[voxel]] === name && voxels.hemisphere[voxel] === side
        );
        const atlas = own.map((voxel) => mapping.get(Number(data[nearest[vertices[voxel]]])) ?? "");
        const inside = own.map((voxel, i) =>
          `${name}${voxels.elevation[voxel] > 0 ? "v" : "d"}` === atlas[i]
        );
        shares[`${hemisphere} ${name}`] = inside.filter(Boolean).length / own.length;
      }
    }
    for (const [name, share] of Object.entries(shares)) {
      assert(share > 0.35, JSON.stringify({ name, ...shares }));
    }
    const mean = Object.values(shares).reduce((a, b) => a + b) / 6;
    assert(mean > 0.55, JSON.stringify(shares));
  },
});
