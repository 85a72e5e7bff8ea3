import { assert, assertEquals } from "@std/assert";
import { decode } from "fast-png";
import type { Hemisphere } from "../../../src/data/datasets/subject.ts";
import { readFsaverage5 } from "../../../src/data/datasets/fsaverage5.ts";
import { activationSheets } from "../../../src/experiments/shared/activation_sheets.ts";
import { cortexPicture } from "../../../src/experiments/shared/cortex_picture.ts";
import type { VoxelSheet } from "../../../src/pipeline/voxel_sheet.ts";
import { openFlatMap, type SurfaceVoxels } from "../../../src/report/cortex/flat_map.ts";
import { outlineOf, smoothPath } from "../../../src/report/cortex/outlines.ts";
import { drawMesh, emptyRaster } from "../../../src/report/cortex/raster.ts";
import { divergingColor, foldColor, onFolds, STEPS } from "../../../src/report/cortex/surface_colors.ts";
import { vertexMeans, vertexRegions } from "../../../src/report/cortex/vertex_values.ts";
import { standaloneSvg } from "../../../src/report/standalone_svg.ts";
import { lightTheme } from "../../../src/report/theme.ts";

const meshes = await readFsaverage5();

/** Voxels on all flat vertices within a few millimetres of one, in two regions, and one elsewhere. */
function sampleVoxels(): SurfaceVoxels {
  const hemispheres: Hemisphere[] = [], vertices: number[] = [], regions: number[] = [];
  for (const hemisphere of ["lh", "rh"] as const) {
    const { flat, flatFaces } = meshes[hemisphere];
    for (const vertex of new Set(flatFaces)) {
      const x = (hemisphere === "lh" ? 1 : -1) * flat[2 * vertex] - 100, y = flat[2 * vertex + 1];
      if (Math.hypot(x, y) > 20) continue;
      hemispheres.push(hemisphere);
      vertices.push(vertex);
      regions.push(x > 8 ? 1 : x < -12 ? -1 : 0);
    }
  }
  return { meshes, hemispheres, vertices, regions, names: ["V1", "a<b"] };
}

const SHEET: VoxelSheet = { places: [], surface: sampleVoxels(), note: "" };

function pictureIn(svg: string) {
  const [, base64] = /href="data:image\/png;base64,([^"]+)"/.exec(svg)!;
  const { data, width, height, palette } = decode(Uint8Array.fromBase64(base64));
  return { data, width, height, palette: palette! };
}

Deno.test("drawMesh() covers what lies inside of faces, the nearer face in front, with its corners' weights", () => {
  const raster = emptyRaster(4, 4);
  drawMesh(raster, [0, 0, 0, 4, 0, 0, 0, 4, 0], [0, 1, 2]);
  assertEquals([...raster.face], [0, 0, 0, 0, 0, 0, 0, -1, 0, 0, -1, -1, 0, -1, -1, -1]);
  assertEquals([...raster.weights.subarray(0, 2)], [0.75, 0.125]);
  drawMesh(raster, [4, 4, 1, 0, 4, 1, 4, 0, 1], [0, 1, 2], 7); // wound the other way
  drawMesh(raster, [0, 0, -1, 9, 0, -1, 0, 9, -1], [0, 1, 2], 8); // behind, and beyond the picture
  assertEquals([...raster.face], [0, 0, 0, 7, 0, 0, 7, 7, 0, 7, 7, 7, 7, 7, 7, 7]);
  drawMesh(raster, [0, 0, 0, 9, 0, 0, 0, 9, 0], [0, 1, 2], 6); // as near as the first, which stays
  assertEquals([...raster.face.subarray(0, 4)], [0, 0, 0, 7]);
  drawMesh(raster, [0, 0, 9, 1, 1, 9, 2, 2, 9, NaN, NaN, 9], [0, 1, 2, 0, 1, 3], 9); // no area
  assert(!raster.face.includes(9));
});

Deno.test("vertexMeans() and vertexRegions() take means and majorities, and tell where there is no voxel", () => {
  assertEquals([...vertexMeans([1, 3, -5, NaN, NaN], [2, 2, 0, 0, 1], 4)], [-5, NaN, 2, NaN]);
  assertEquals([...vertexRegions([1, 0, -1, 2, 2, 0], [0, 0, 1, 3, 3, 3], 4)], [0, -1, -1, 2]);
});

Deno.test("outlineOf() closes around a region inside of a mesh and ends at the mesh's edge", () => {
  // A 5 × 5 grid of vertices, two triangles a cell.
  const places = Array.from({ length: 25 }, (_, i) => [10 * (i % 5), 10 * Math.floor(i / 5)]).flat();
  const faces = Array.from({ length: 16 }, (_, i) => 5 * Math.floor(i / 4) + i % 4)
    .flatMap((a) => [a, a + 1, a + 5, a + 1, a + 6, a + 5]);
  const [inside, ...none] = outlineOf((vertex) => vertex === 12, places, faces);
  assertEquals([none.length, inside.length, inside.slice(0, 2)], [0, 14, inside.slice(-2)]);
  assert(smoothPath(inside).startsWith("M") && smoothPath(inside).split("q").length === 7);
  const [atEdge] = outlineOf((vertex) => vertex % 5 === 0, places, faces);
  assertEquals([atEdge.length, smoothPath(atEdge).split("q").length], [18, 8]);
  assertEquals(outlineOf(() => true, places, faces), []);
  const two = outlineOf((vertex) => vertex === 6 || vertex === 18, places, faces);
  assertEquals(two.length, 2);
});

Deno.test("openFlatMap() shows the part with the voxels, names every piece, and gives the same bits twice", () => {
  const voxels = SHEET.surface!, map = openFlatMap(voxels, 280);
  assert(map.height > 100 && map.height < 400, `${map.height}`);
  assert(map.sides.lh.left === 0 && map.sides.lh.right < map.sides.rh.left);
  assert(Math.abs(map.sides.rh.right - 280) < 0.01);
  assertEquals(map.labels.map(({ text }) => text).sort(), ["V1", "V1", "a<b", "a<b"]);
  for (const { text, x, y } of map.labels) {
    assert(x > 0 && x < 280 && y > 0 && y < map.height, `${text} ${x} ${y}`);
  }
  const sides = Object.values(map.sides).map(({ left, right }) =>
    map.labels.filter(({ x }) => x > left && x < right).length
  );
  assertEquals(sides, [2, 2]);
  const all = () => [8, 100, 200];
  assertEquals(map.picture(all), openFlatMap(voxels, 280).picture(all));
  const one = openFlatMap({ ...voxels, ...onlyOf(voxels, "rh") }, 280);
  assertEquals(Object.keys(one.sides), ["rh"]);
});

function onlyOf({ hemispheres, vertices, regions }: SurfaceVoxels, wanted: Hemisphere) {
  const own = [...hemispheres.keys()].filter((voxel) => hemispheres[voxel] === wanted);
  return {
    hemispheres: own.map((voxel) => hemispheres[voxel]),
    vertices: own.map((voxel) => vertices[voxel]),
    regions: own.map((voxel) => regions[voxel]),
  };
}

Deno.test("activationSheets() draws values on the folds, 0 pale, with a scale in the same colors and its unit", () => {
  const voxels = SHEET.surface!, count = voxels.hemispheres.length;
  const values = Float32Array.from(voxels.hemispheres, (hemisphere) => hemisphere === "lh" ? -2 : 2);
  const svg = activationSheets(SHEET, [[{ title: "x<y", values }, {
    title: "0",
    values: new Float32Array(count),
  }]], "sd & more");
  assert(svg.includes("x&lt;y") && svg.includes("a&lt;b") && svg.includes(">sd &amp; more</text>"));
  assert(svg.includes(">≤ −2</text>") && svg.includes(">0</text>") && svg.includes(">≥ 2</text>"));
  for (const share of [-1, 0, 1]) assert(svg.includes(`rgb(${divergingColor(share).join(" ")})`));
  const { data, width, height, palette } = pictureIn(svg);
  const at = (x: number, y: number) => palette[data[Math.round(y * height) * width + Math.round(x * width)]];
  const shades = (color: number[]) => [onFolds(color, -1), onFolds(color, 1)].map((own) => own.join());
  const seen = [at(0.25, 0.5), at(0.75, 0.5)].map((color) => color.slice(0, 3).join());
  assert(shades(divergingColor(-1)).includes(seen[0]), seen[0]);
  assert(shades(divergingColor(1)).includes(seen[1]), seen[1]);
  const bare = at(0.25, 0.02).slice(0, 3);
  assert(
    Array.from({ length: 41 }, (_, i) => foldColor(i / 40 - 0.5).join()).includes(bare.join()),
    bare.join(),
  );
  assertEquals(at(0, 0)[3], 0, "rounded corners show the page");
  assertEquals(divergingColor(0), divergingColor(0.4 / STEPS));
  const file = standaloneSvg(svg, lightTheme);
  assert(!file.includes("var(--"));
  assert(
    /^[^]*?<svg [^>]*xmlns:xlink=[^>]*>/.test(file) && file.includes(' xlink:href="data:image/png;base64,'),
  );
});

Deno.test("cortexPicture() colors regions on the flat map, and keeps to dots where vertices are not known", () => {
  const svg = cortexPicture(SHEET), narrow = cortexPicture(SHEET, "narrow");
  assert(svg.includes("left hemisphere") && svg.includes("right hemisphere") && svg.includes("<image "));
  assert(svg.includes('viewBox="0 0 640 ') && narrow.includes('viewBox="0 0 340 '));
  assert(pictureIn(svg).palette.some(([red, green, blue]) => red === 178 && green === 58 && blue === 44));
  const dots = cortexPicture({ places: [{ x: 0, y: 0, roi: "V1", hemisphere: "lh" }], note: "" });
  assert(!dots.includes("<image") && dots.includes("h0"));
});
