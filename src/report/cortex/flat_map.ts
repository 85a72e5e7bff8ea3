/** The flat map of fsaverage5 with voxels on it: a picture of its pixels, outlines and names as lines and text. */
import { encode } from "fast-png";
import { type Hemisphere, HEMISPHERES } from "../../data/datasets/subject.ts";
import type { Fsaverage5 } from "../../data/datasets/fsaverage5.ts";
import { extent } from "../extent.ts";
import { outlineOf, smoothPath } from "./outlines.ts";
import { drawMesh, emptyRaster, type Raster } from "./raster.ts";
import { foldColor, onFolds } from "./surface_colors.ts";
import { vertexRegions } from "./vertex_values.ts";

/** Voxels on the mesh; one entry a voxel in each list. */
export interface SurfaceVoxels {
  meshes: Fsaverage5;
  hemispheres: readonly Hemisphere[];
  /** Vertex of fsaverage5 in the voxel's hemisphere. */
  vertices: ArrayLike<number>;
  /** Index into `names`, −1 for none. */
  regions: ArrayLike<number>;
  names: readonly string[];
}

/** The name of a region, where it lies. */
export interface FlatLabel {
  text: string;
  x: number;
  y: number;
}

/** What is drawn again and again with other values. */
export interface FlatMap {
  /** In units of the drawing. */
  width: number;
  height: number;
  /** Where each hemisphere's part begins and ends. */
  sides: Record<Hemisphere, { left: number; right: number }>;
  /** SVG path data of the regions' outlines. */
  outlines: string;
  labels: FlatLabel[];
  /** Colors per voxel's vertex to a PNG data URI. */
  picture(color: (hemisphere: Hemisphere, at: FlatPoint) => readonly number[] | undefined): string;
}

/** What lies under a pixel: three vertices and their weights. */
export interface FlatPoint {
  vertices: readonly number[];
  weights: readonly number[];
}

/** Millimetres shown around the voxels, between hemispheres, and of the radius of the corners where the map is cut. */
const AROUND = 14, BETWEEN = 8, CORNER = 6;
/** Pixels of the picture for one unit of the drawing, for sharp screens and print. */
const DENSITY = 2;

/**
 * Lays out the flat map: the part of it in which the voxels lie, the left hemisphere at the left.
 *
 * @param voxels at least one
 * @param width of the drawing
 */
export function openFlatMap(voxels: SurfaceVoxels, width: number): FlatMap {
  const shown = HEMISPHERES.flatMap((hemisphere) => {
    const { flat, flatFaces } = voxels.meshes[hemisphere], isFlat = new Set(flatFaces);
    const own = [...voxels.hemispheres.keys()].filter((voxel) =>
      voxels.hemispheres[voxel] === hemisphere && isFlat.has(voxels.vertices[voxel])
    );
    if (own.length === 0) return [];
    const places = (axis: number) => own.map((voxel) => flat[2 * voxels.vertices[voxel] + axis]);
    const edge = (axis: number) => {
      let least = Infinity, most = -Infinity;
      for (const vertex of isFlat) {
        least = Math.min(least, flat[2 * vertex + axis]);
        most = Math.max(most, flat[2 * vertex + axis]);
      }
      const [from, to] = extent(places(axis));
      return [Math.max(least, from - AROUND), Math.min(most, to + AROUND)];
    };
    return [{ hemisphere, own, x: edge(0), y: edge(1) }];
  });
  const bottom = Math.min(...shown.map(({ y }) => y[0])), top = Math.max(...shown.map(({ y }) => y[1]));
  const wide = shown.reduce((sum, { x: [from, to] }) => sum + to - from, BETWEEN * (shown.length - 1));
  const scale = width / wide, height = Math.ceil((top - bottom) * scale);
  let left = 0;
  const parts = shown.map(({ hemisphere, own, x: [from, to] }) => {
    const start = left, { flat, flatFaces } = voxels.meshes[hemisphere];
    left += (to - from + BETWEEN) * scale;
    const places = Float32Array.from(
      flat,
      (value, i) => i % 2 === 0 ? start + (value - from) * scale : (top - value) * scale,
    );
    const regions = vertexRegions(
      own.map((voxel) => voxels.regions[voxel]),
      own.map((voxel) => voxels.vertices[voxel]),
      flat.length / 2,
    );
    return { hemisphere, places, faces: flatFaces, regions, left: start, right: start + (to - from) * scale };
  });
  const rasters = parts.map((part) => rasterOf(part, width, height, scale));
  const found = parts.flatMap(({ places, faces, regions }) =>
    voxels.names.flatMap((text, region) => {
      const own = [...regions.keys()].filter((vertex) => regions[vertex] === region);
      if (own.length === 0) return [];
      const lines = outlineOf((vertex) => regions[vertex] === region, places, faces);
      return [{ lines, labels: middlesOf(own, places, faces).map((at) => ({ text, ...at })) }];
    })
  );
  return {
    width,
    height,
    sides: Object.fromEntries(
      parts.map(({ hemisphere, left, right }) => [hemisphere, { left, right }]),
    ) as FlatMap["sides"],
    outlines: found.flatMap(({ lines }) => lines.map(smoothPath)).join(""),
    labels: apart(found.flatMap(({ labels }) => labels)),
    picture: (color) =>
      paint(width, height, (put) => {
        for (const [i, { hemisphere, faces }] of parts.entries()) {
          const { sulc } = voxels.meshes[hemisphere];
          paintSide(put, rasters[i], faces, sulc, (at) => color(hemisphere, at));
        }
      }),
  };
}

/** Which face is seen at each pixel. */
function rasterOf(
  { places, faces, left, right }: {
    places: Float32Array;
    faces: Uint16Array;
    left: number;
    right: number;
  },
  width: number,
  height: number,
  scale: number,
): Raster {
  const raster = emptyRaster(Math.round(width * DENSITY), Math.round(height * DENSITY));
  const pixels = Float32Array.from(
    { length: places.length / 2 * 3 },
    (_, i) => i % 3 === 2 ? 0 : places[Math.floor(i / 3) * 2 + i % 3] * DENSITY,
  );
  drawMesh(raster, pixels, faces);
  const from = left * DENSITY, to = right * DENSITY, radius = CORNER * scale * DENSITY;
  for (let pixel = 0; pixel < raster.face.length; pixel++) {
    const x = pixel % raster.width + 0.5, y = Math.floor(pixel / raster.width) + 0.5;
    // Out of the side's own part, or out of its rounded corners.
    const across = Math.max(from + radius - x, x - to + radius, 0);
    const down = Math.max(radius - y, y - raster.height + radius, 0);
    if (x < from || x > to || across * across + down * down > radius * radius) raster.face[pixel] = -1;
  }
  return raster;
}

/** Colors are few: a picture of indices into them is a third of one of colors. */
function paint(width: number, height: number, draw: (put: PutPixel) => void): string {
  const columns = Math.round(width * DENSITY), rows = Math.round(height * DENSITY);
  const data = new Uint8Array(columns * rows),
    palette = [[255, 255, 255, 0]],
    known = new Map<number, number>();
  draw((pixel, [red, green, blue]) => {
    const color = (red << 16) + (green << 8) + blue;
    let index = known.get(color);
    if (index === undefined) {
      if (palette.length === 256) {
        throw new RangeError("A flat map has more than 255 colors: give it fewer steps.");
      }
      index = palette.push([red, green, blue, 255]) - 1;
      known.set(color, index);
    }
    data[pixel] = index;
  });
  const png = encode({ width: columns, height: rows, data, channels: 1, depth: 8, palette }, {
    zlib: { level: 9 },
  });
  return `data:image/png;base64,${png.toBase64()}`;
}

/** Gives a pixel its red, green and blue. */
type PutPixel = (pixel: number, color: readonly number[]) => void;

/** The folds, and over them the colors of the voxels. */
function paintSide(
  put: PutPixel,
  { face, weights }: Raster,
  faces: Uint16Array,
  sulc: Float32Array,
  color: (at: FlatPoint) => readonly number[] | undefined,
): void {
  const vertices = [0, 0, 0], own = [0, 0, 0]; // of one pixel after the other
  for (let pixel = 0; pixel < face.length; pixel++) {
    if (face[pixel] < 0) continue;
    own[0] = weights[2 * pixel];
    own[1] = weights[2 * pixel + 1];
    own[2] = 1 - own[0] - own[1];
    let depth = 0;
    for (let i = 0; i < 3; i++) {
      vertices[i] = faces[3 * face[pixel] + i];
      depth += own[i] * sulc[vertices[i]];
    }
    const found = color({ vertices, weights: own });
    put(pixel, found ? onFolds(found, depth) : foldColor(depth));
  }
}

/** The middles of a region's pieces, as V2 and V3 have two; small ones have no name of their own. */
function middlesOf(
  own: readonly number[],
  places: Float32Array,
  faces: Uint16Array,
): { x: number; y: number }[] {
  return piecesOf(own, faces).filter(({ length }) => length >= NAMED * own.length).map((piece) => {
    const mean = (axis: number) =>
      piece.reduce((sum, vertex) => sum + places[2 * vertex + axis], 0) / piece.length;
    const x = mean(0), y = mean(1);
    const far = (vertex: number) => (places[2 * vertex] - x) ** 2 + (places[2 * vertex + 1] - y) ** 2;
    const nearest = piece.reduce((best, vertex) => far(vertex) < far(best) ? vertex : best);
    return { x: places[2 * nearest], y: places[2 * nearest + 1] - (piece.length < COVERED ? LINE : 0) };
  });
}

/** Vertices that faces connect. */
function piecesOf(own: readonly number[], faces: Uint16Array): number[][] {
  const inside = new Set(own), neighbours = new Map(own.map((vertex): [number, number[]] => [vertex, []]));
  for (let f = 0; f < faces.length; f++) {
    const a = faces[f], b = faces[f % 3 === 2 ? f - 2 : f + 1];
    if (!inside.has(a) || !inside.has(b)) continue;
    neighbours.get(a)!.push(b);
    neighbours.get(b)!.push(a);
  }
  const pieces: number[][] = [];
  for (const start of own) {
    if (!inside.delete(start)) continue;
    const piece = [start];
    for (const vertex of piece) {
      for (const next of neighbours.get(vertex)!) if (inside.delete(next)) piece.push(next);
    }
    pieces.push(piece);
  }
  return pieces;
}

/** Share of a region that a piece needs for a name, and vertices with which it is seen around its name, not below. */
const NAMED = 0.2, COVERED = 5;
/** Room of a name, for one letter and in height. */
const LETTER = 7, LINE = 13;

/** Moves names apart, up and down, that would lie on each other. */
function apart(labels: readonly FlatLabel[]): FlatLabel[] {
  const moved = labels.map((label) => ({ ...label }));
  for (let round = 0; round < 30; round++) {
    for (const [i, a] of moved.entries()) {
      for (const b of moved.slice(i + 1)) {
        const room = LETTER * (a.text.length + b.text.length) / 2, gap = Math.abs(a.y - b.y);
        if (Math.abs(a.x - b.x) >= room || gap >= LINE) continue;
        const [upper, lower] = a.y <= b.y ? [a, b] : [b, a];
        upper.y -= (LINE - gap) / 2;
        lower.y += (LINE - gap) / 2;
      }
    }
  }
  return moved;
}
