import { assert, assertEquals } from "@std/assert";
import landmarks from "../../fixtures/subject/landmarks.json" with { type: "json" };
import { readFsaverage5 } from "../../src/data/datasets/fsaverage5.ts";
import { packSurface, unpackSurface } from "../../src/report/cortex/packed_surface.ts";
import { drawScene, paintScene, vertexAt, vertexNormals, type View } from "../../src/report/cortex/scene.ts";
import { divergingColor, onFolds } from "../../src/report/cortex/surface_colors.ts";

const meshes = await readFsaverage5();
const PPA = [landmarks.PPA.lh.vertex, landmarks.PPA.rh.vertex];
const packed = packSurface([meshes.lh, meshes.rh], [[PPA[0], PPA[0]], [PPA[1]]]);
const sides = unpackSurface(packed),
  normals = sides.map(({ inflated, faces }) => vertexNormals(inflated, faces));
const paints = sides.map(({ sulc }, side) => ({
  sulc,
  values: Float32Array.from(sulc, (_, vertex) => vertex === PPA[side] ? 1 : NaN),
  regions: Int16Array.from(sulc, (_, vertex) => vertex === PPA[side] ? 0 : -1),
}));
const see = (view: Partial<View>, width = 900, height = 600) =>
  drawScene(sides, normals, { isFlat: false, yaw: 0, pitch: 0, open: 0, ...view }, width, height);

Deno.test("unpackSurface() gives the meshes back that packSurface() packed", () => {
  for (const [side, hemisphere] of (["lh", "rh"] as const).entries()) {
    const { inflated, flat, flatFaces, sulc } = meshes[hemisphere];
    assertEquals(sides[side].inflated, inflated);
    assertEquals(sides[side].flat, flat);
    assertEquals(Uint16Array.from(sides[side].flatFaces), flatFaces);
    assertEquals(sides[side].sulc, sulc);
  }
  assertEquals(sides.map(({ shown }) => shown), [[PPA[0], PPA[0]], [PPA[1]]]);
});

Deno.test("vertexNormals() point out of the surface, one millimetre long", () => {
  for (const [side, { inflated }] of sides.entries()) {
    let outwards = 0;
    for (let i = 0; i < inflated.length; i += 3) {
      const own = normals[side].subarray(i, i + 3);
      assert(Math.abs(Math.hypot(...own) - 1) < 1e-5);
      if (own.reduce((sum, value, axis) => sum + value * inflated[i + axis], 0) > 0) outwards++;
    }
    assert(outwards > 0.99 * inflated.length / 3, `${outwards}`);
  }
});

Deno.test("drawScene() shows the left hemisphere at the left, from behind, from below, and both sides", () => {
  const place = (
    seen: ReturnType<typeof see>,
    side: number,
    vertex: number,
  ) => [...seen.places[side].subarray(3 * vertex, 3 * vertex + 3)];
  const extreme = (axis: number, sign: number, side: number) => {
    const { inflated } = sides[side];
    let best = 0;
    for (let v = 0; 3 * v < inflated.length; v++) {
      if (sign * inflated[3 * v + axis] > sign * inflated[3 * best + axis]) best = v;
    }
    return best;
  };
  const behind = see({}), below = see({ pitch: -90 }), outer = see({ open: 90 }), inner = see({ open: -90 });
  for (const seen of [behind, below, outer, inner]) {
    for (const side of [0, 1]) {
      const own = seen.places[side].filter((_, i) => i % 3 === 0);
      assert(side === 0 ? Math.max(...own) < 450 : Math.min(...own) > 450);
      assert(Math.min(...own) >= 0 && Math.max(...own) <= 900);
    }
  }
  for (const side of [0, 1]) {
    const top = extreme(2, 1, side), bottom = extreme(2, -1, side), back = extreme(1, -1, side);
    const front = extreme(1, 1, side), outside = extreme(0, side === 0 ? -1 : 1, side);
    assert(place(behind, side, top)[1] < place(behind, side, bottom)[1]);
    assert(place(behind, side, back)[2] > place(behind, side, front)[2]);
    assert(place(below, side, bottom)[2] > place(below, side, top)[2]);
    assert(place(below, side, back)[1] < place(below, side, front)[1]);
    assert(place(outer, side, outside)[2] > 0 && place(inner, side, outside)[2] < 0);
  }
});

Deno.test("paintScene() colors what is seen, outlines it, and gives the same bits twice", () => {
  for (const view of [{ pitch: -90 }, { isFlat: true }]) {
    const seen = see(view), pixels = paintScene(seen, paints, 1);
    assertEquals(paintScene(see(view), paints, 1), pixels);
    assert(
      pixels[3] === 0 && seen.raster.face[0] === -1 && vertexAt(seen, 0) === undefined || "isFlat" in view,
    );
    for (const side of [0, 1]) {
      const [x, y] = seen.places[side].subarray(3 * PPA[side], 3 * PPA[side] + 2);
      const pixel = Math.floor(y) * 900 + Math.floor(x),
        color = [...pixels.subarray(4 * pixel, 4 * pixel + 3)];
      assertEquals(vertexAt(seen, pixel), { side, vertex: PPA[side] });
      const orange = [-1, 1].map((sulc) => onFolds(divergingColor(1), sulc));
      if ("isFlat" in view) assert(orange.some((own) => own.join() === color.join()), color.join());
      else assert(color[0] > 1.5 * color[2], color.join());
    }
    const outline = Array.from({ length: 900 * 600 }, (_, i) => pixels.subarray(4 * i, 4 * i + 3).join())
      .filter((color) => color === "38,40,44").length;
    assert(outline > 8 && outline < 900, `${outline}`);
  }
  const bare = paintScene(
    see({}),
    paints.map((paint) => ({ ...paint, values: paint.values.map(() => NaN) })),
    1,
  );
  for (let i = 0; i < bare.length; i += 4) assert(Math.abs(bare[i] - bare[i + 2]) < 9, "gray without values");
});
