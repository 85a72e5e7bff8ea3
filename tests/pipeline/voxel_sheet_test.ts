import { assert, assertEquals } from "@std/assert";
import { readFsaverage5 } from "../../src/data/datasets/fsaverage5.ts";
import { icosphere } from "../../src/data/datasets/icosphere.ts";
import { thinned } from "../../src/experiments/shared/cortex_picture.ts";
import { voxelSheet } from "../../src/pipeline/voxel_sheet.ts";

const VOXELS = { lh: 50, rh: 30, total: 80 };
const ROIS = new Map([
  ["V1", Uint32Array.from({ length: 20 }, (_, i) => i)],
  ["FFA", Uint32Array.of(30, 60, 61)],
  ["streams", Uint32Array.of(1, 2)],
]);
const SUBJECT = { voxels: VOXELS, rois: ROIS };

Deno.test("voxelSheet() takes the subject's own places, even where its vertices are known", async () => {
  const places = Float32Array.from({ length: 160 }, (_, i) => i / 2);
  const sheet = await voxelSheet({ ...SUBJECT, places, surfaceVertices: new Uint32Array(80) });
  assertEquals(sheet.surface, undefined);
  assertEquals(sheet.places[60], { x: 60, y: 60.5, roi: "FFA", hemisphere: "rh" });
  assertEquals(sheet.places.filter(({ roi }) => roi === "V1").length, 20);
  assert(!sheet.note.includes("scheme"));
});

Deno.test("voxelSheet() without places gives every voxel one of its own, region by region, hemispheres apart", async () => {
  const { places, note } = await voxelSheet(SUBJECT);
  assertEquals(places.length, 80);
  assertEquals(new Set(places.map(({ x, y }) => `${x} ${y}`)).size, 80);
  const right = Math.max(...places.slice(0, 50).map(({ x }) => x));
  assert(places.slice(50).every(({ x, hemisphere }) => x > right && hemisphere === "rh"));
  assertEquals([places[19].roi, places[20].roi, places[30].roi], ["V1", "", "FFA"]);
  assert(note.includes("a scheme"));
});

Deno.test("voxelSheet() puts vertices of fsaverage onto fsaverage5, and counts those that lie elsewhere", async () => {
  const meshes = await readFsaverage5(), medial = medialVertex(meshes.rh.flatFaces);
  const surfaceVertices = Uint32Array.from({ length: 80 }, (_, i) => i < 40 ? 100 + i : 163_000 + i);
  surfaceVertices[79] = medial;
  const { places, surface, note } = await voxelSheet({ ...SUBJECT, surfaceVertices });
  const { vertices, regions, names, hemispheres } = surface!;
  const { places: sphere } = icosphere(7);
  for (const voxel of [0, 39, 40, 60]) {
    const own = surfaceVertices[voxel], drawn = vertices[voxel];
    const far = Math.hypot(...[0, 1, 2].map((axis) => sphere[3 * own + axis] - sphere[3 * drawn + axis]));
    assert(voxel < 40 ? far === 0 : far > 0 && far < 0.03, `${voxel}: ${far}`);
    assertEquals(places[voxel].y, -meshes[hemispheres[voxel]].flat[2 * drawn + 1]);
  }
  assertEquals([names[regions[0]], regions[20], names[regions[60]]], ["V1", -1, "FFA"]);
  assert(note.includes("41 of 80 voxels lie on a vertex of it"), note);
  assert(/\d on the medial wall/.test(note), note);
});

function medialVertex(flatFaces: Uint16Array): number {
  const isFlat = new Set(flatFaces);
  return Array.from({ length: 10_242 }, (_, vertex) => vertex).find((vertex) => !isFlat.has(vertex))!;
}

Deno.test("thinned() keeps all of few and an even part of many", () => {
  assertEquals(thinned([1, 2, 3]), [1, 2, 3]);
  const many = thinned(Array.from({ length: 39_548 }, (_, i) => i));
  assert(many.length <= 6000 && many.length > 5000 && many[1] - many[0] === 7);
});
