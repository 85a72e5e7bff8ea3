import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { readFsaverage5 } from "../../../src/data/datasets/fsaverage5.ts";
import {
  FSAVERAGE,
  FSAVERAGE5,
  icosphere,
  nearestOnFsaverage5,
  vertexCount,
} from "../../../src/data/datasets/icosphere.ts";
import { readNpy } from "../../../src/data/formats/npy.ts";
import golden from "../../golden/fsaverage.json" with { type: "json" };
import { realData } from "../../support/real_data.ts";

async function sha256(numbers: ArrayLike<number>): Promise<string> {
  const bytes = new Uint8Array(Uint32Array.from(numbers).buffer);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

Deno.test("icosphere() has FreeSurfer's vertices and faces in FreeSurfer's order, and coarser meshes lie in finer ones", async () => {
  const coarse = icosphere(FSAVERAGE5), fine = icosphere(FSAVERAGE);
  assertEquals(await sha256(coarse.faces), golden.faces5);
  assertEquals(await sha256(fine.faces), golden.faces7);
  assertEquals(fine.places.subarray(0, coarse.places.length), coarse.places);
  assertEquals([0, 5, 6, 7].map(vertexCount), [12, 10_242, 40_962, 163_842]);
  golden.sample.forEach((vertex, i) =>
    golden.sphere[i].forEach((place, axis) =>
      assertAlmostEquals(100 * coarse.places[3 * vertex + axis], place, 0.02)
    )
  );
});

Deno.test("nearestOnFsaverage5() is as near as a search in all vertices, and its own for the first 10,242", () => {
  const nearest = nearestOnFsaverage5(), { places } = icosphere(FSAVERAGE);
  assert(nearest.subarray(0, 10_242).every((vertex, i) => vertex === i));
  const { first, every, distance } = golden.nearest;
  distance.forEach((expected, i) => {
    const vertex = first + i * every, own = nearest[vertex];
    const found = Math.hypot(...[0, 1, 2].map((axis) => places[3 * vertex + axis] - places[3 * own + axis]));
    assertAlmostEquals(found, expected, 3e-4, `vertex ${vertex}`);
  });
  const { parents } = icosphere(FSAVERAGE5 + 1);
  for (let vertex = 10_242; vertex < vertexCount(6); vertex++) { // half-way between two: the first of them
    assertEquals(nearest[vertex], Math.min(parents[2 * (vertex - 12)], parents[2 * (vertex - 12) + 1]));
  }
  const counts = new Uint32Array(10_242);
  nearest.forEach((vertex) => counts[vertex]++);
  assertEquals([Math.min(...counts), Math.max(...counts)], [13, 19]);
});

Deno.test("readFsaverage5() reads what nibabel reads of nilearn's meshes", async () => {
  const meshes = await readFsaverage5();
  assertEquals(await sha256(meshes.faces), golden.faces5);
  for (const hemisphere of ["lh", "rh"] as const) {
    const { flat, flatFaces, inflated, sulc } = meshes[hemisphere], expected = golden[hemisphere];
    golden.sample.forEach((vertex, i) => {
      expected.flat[i].forEach((place, axis) => assertAlmostEquals(flat[2 * vertex + axis], place, 0.004));
      expected.inflated[i].forEach((place, axis) =>
        assertAlmostEquals(inflated[3 * vertex + axis], place, 0.004)
      );
      assertAlmostEquals(sulc[vertex], expected.sulc[i], 0.011);
    });
    const faces = Array.from(
      { length: flatFaces.length / 3 },
      (_, f) => [...flatFaces.subarray(3 * f, 3 * f + 3)].sort((a, b) => a - b),
    ).sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    assertEquals([faces.length, await sha256(faces.flat())], [expected.flatFaces, expected.flatFacesHash]);
    assertEquals(10_242 - new Set(flatFaces).size, expected.notFlat);
  }
});

const ATLAS = realData("fsaverage_visual_rois");

Deno.test({
  name: "a mask over fsaverage's vertices puts voxels on the flat map where another program put them",
  ignore: !ATLAS,
  fn: async () => {
    const meshes = await readFsaverage5();
    for (const hemisphere of ["lh", "rh"] as const) {
      const read = async (name: string) => {
        const { data } = await readNpy(`${ATLAS}/roi_masks/${hemisphere}.${name}.npy`);
        return Array.from(data as ArrayLike<number>, Number);
      };
      const places = await read("voxel_places"), mask = await read("all-vertices_fsaverage_space");
      const vertices = mask.flatMap((value, vertex) => value ? [vertex] : []);
      assertEquals(vertices.length, places.length / 2);
      const { flat, flatFaces } = meshes[hemisphere], isFlat = new Set(flatFaces);
      const both = vertices.flatMap((vertex, i) =>
        isFlat.has(vertex)
          ? [[places[2 * i] - flat[2 * vertex], places[2 * i + 1] + flat[2 * vertex + 1]]]
          : []
      );
      assert(both.length > 1300);
      for (const [x, y] of both) { // the right hemisphere is moved to the right of the left one
        assertAlmostEquals(x, both[0][0], 0.02);
        assertAlmostEquals(y, both[0][1], 0.02);
      }
    }
  },
});
