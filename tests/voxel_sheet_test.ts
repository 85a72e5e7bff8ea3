import { assert, assertEquals } from "@std/assert";
import { thinned } from "../src/experiments/cortex_picture.ts";
import { voxelSheet } from "../src/experiments/voxel_sheet.ts";

const VOXELS = { lh: 50, rh: 30, total: 80 };
const ROIS = new Map([
  ["V1", Uint32Array.from({ length: 20 }, (_, i) => i)],
  ["FFA", Uint32Array.of(30, 60, 61)],
  ["streams", Uint32Array.of(1, 2)],
]);
const SUBJECT = { voxels: VOXELS, rois: ROIS } as Parameters<typeof voxelSheet>[0];

Deno.test("voxelSheet() takes the subject's own places", () => {
  const places = Float32Array.from({ length: 160 }, (_, i) => i / 2);
  const sheet = voxelSheet({ ...SUBJECT, places });
  assertEquals(sheet.places[60], { x: 60, y: 60.5, roi: "FFA", hemisphere: "rh" });
  assertEquals(sheet.places.filter(({ roi }) => roi === "V1").length, 20);
  assert(!sheet.note.includes("scheme"));
});

Deno.test("voxelSheet() without places gives every voxel one of its own, region by region, hemispheres apart", () => {
  const { places, note } = voxelSheet(SUBJECT);
  assertEquals(places.length, 80);
  assertEquals(new Set(places.map(({ x, y }) => `${x} ${y}`)).size, 80);
  const right = Math.max(...places.slice(0, 50).map(({ x }) => x));
  assert(places.slice(50).every(({ x, hemisphere }) => x > right && hemisphere === "rh"));
  assertEquals([places[19].roi, places[20].roi, places[30].roi], ["V1", "", "FFA"]);
  assert(note.includes("a scheme"));
});

Deno.test("thinned() keeps all of few and an even part of many", () => {
  assertEquals(thinned([1, 2, 3]), [1, 2, 3]);
  const many = thinned(Array.from({ length: 39_548 }, (_, i) => i));
  assert(many.length <= 6000 && many.length > 5000 && many[1] - many[0] === 7);
});
