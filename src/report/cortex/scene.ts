/** Both hemispheres as they are seen from somewhere: inflated, or flat. Runs in pages and in Deno. */
import { drawMesh, emptyRaster, type PixelBox, type Raster } from "./raster.ts";
import { divergingColor, onFolds, shadeColor, shadeOf, SHADES, STEPS } from "./surface_colors.ts";

/** One hemisphere. */
export interface SceneSide {
  /** vertices × 3 in millimetres: x to the right, y forward, z up. */
  inflated: ArrayLike<number>;
  /** vertices × 2: x to the right, y up. */
  flat: ArrayLike<number>;
  /** faces × 3, of the closed surface and of the flat map. */
  faces: ArrayLike<number>;
  flatFaces: ArrayLike<number>;
  sulc: ArrayLike<number>;
  /** Vertices with voxels, which the flat map is cut out around. */
  shown: readonly number[];
}

/** Where from. In degrees. */
export interface View {
  isFlat: boolean;
  /** To the side; 0 from behind. */
  yaw: number;
  /** Up and down; −90 from below. */
  pitch: number;
  /** How far each hemisphere turns on its own: 90 shows the outer side of both, −90 the inner one. */
  open: number;
}

/** What is drawn. */
export interface Seen {
  raster: Raster;
  /** Per side vertices × 3: column, row, nearness in millimetres. */
  places: Float32Array[];
  /** Per side vertices × 3: the surface's direction as it is seen; none where it is flat. */
  normals?: Float32Array[];
  /** Number of the first face of each side in the raster, and the faces themselves. */
  firstFace: number[];
  faces: ArrayLike<number>[];
}

/** Millimetres between hemispheres, around the picture, and around the voxels on the flat map. */
const BETWEEN = 6, EDGE = 4, AROUND = 14;

/** Directions of a closed surface at its vertices: the mean over its faces, by their areas. */
export function vertexNormals(places: ArrayLike<number>, faces: ArrayLike<number>): Float32Array {
  const normals = new Float32Array(places.length);
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
    const ux = places[b] - places[a], uy = places[b + 1] - places[a + 1], uz = places[b + 2] - places[a + 2];
    const vx = places[c] - places[a], vy = places[c + 1] - places[a + 1], vz = places[c + 2] - places[a + 2];
    const normal = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const corner of [a, b, c]) {
      for (let axis = 0; axis < 3; axis++) normals[corner + axis] += normal[axis];
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const length = Math.hypot(normals[i], normals[i + 1], normals[i + 2]) || 1;
    for (let axis = 0; axis < 3; axis++) normals[i + axis] /= length;
  }
  return normals;
}

/**
 * Draws both sides, the left one first.
 *
 * @param sides left and right
 * @param normals of each, as `vertexNormals` gives them of the inflated surface
 * @param view where from
 * @param width of the picture in pixels; it is as high as what is seen needs, at most `height`
 */
export function drawScene(
  sides: readonly SceneSide[],
  normals: readonly Float32Array[],
  view: View,
  width: number,
  height: number,
): Seen {
  const raster = emptyRaster(width, height),
    seen = view.isFlat ? flatSides(sides) : turnedSides(sides, normals, view);
  const { places, box, limits } = seen;
  const zoom = Math.min(
    width / (box.right - box.left + 2 * EDGE),
    height / (box.bottom - box.top + 2 * EDGE),
  );
  const left = width / 2 - zoom * (box.left + box.right) / 2,
    top = height / 2 - zoom * (box.top + box.bottom) / 2;
  for (const own of places) {
    for (let i = 0; i < own.length; i += 3) {
      own[i] = left + zoom * own[i];
      own[i + 1] = top + zoom * own[i + 1];
    }
  }
  const faces = sides.map((side) => view.isFlat ? side.flatFaces : side.faces);
  const firstFace = faces.map((_, side) =>
    faces.slice(0, side).reduce((sum, own) => sum + own.length / 3, 0)
  );
  for (const [side, own] of places.entries()) {
    const box = limits?.[side];
    drawMesh(
      raster,
      own,
      faces[side],
      firstFace[side],
      box && {
        left: Math.max(0, Math.round(left + zoom * box.left)),
        right: Math.min(width, Math.round(left + zoom * box.right)),
        top: Math.max(0, Math.round(top + zoom * box.top)),
        bottom: Math.min(height, Math.round(top + zoom * box.bottom)),
      },
    );
  }
  return { raster, places, normals: seen.normals, firstFace, faces };
}

/** Columns, rows and nearness in millimetres, and the box around them. */
interface Placed {
  places: Float32Array[];
  normals?: Float32Array[];
  box: PixelBox;
  /** Beyond which a side is not drawn. */
  limits?: PixelBox[];
}

function turnedSides(sides: readonly SceneSide[], normals: readonly Float32Array[], view: View): Placed {
  const [yaw, pitch, open] = [view.yaw, view.pitch, view.open].map((degrees) => degrees * Math.PI / 180);
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  // What is round needs the same room from everywhere, so that it does not change in size as it turns.
  let reach = 0;
  const both = sides.map(({ inflated }, side) => {
    const own = (side === 0 ? 1 : -1) * open, cos = Math.cos(own), sin = Math.sin(own);
    let inner = -Infinity;
    const opened = new Float32Array(inflated.length);
    for (let i = 0; i < inflated.length; i += 3) {
      opened[i] = cos * inflated[i] - sin * inflated[i + 1];
      opened[i + 1] = sin * inflated[i] + cos * inflated[i + 1];
      opened[i + 2] = inflated[i + 2];
      inner = Math.max(inner, side === 0 ? opened[i] : -opened[i]);
    }
    const shift = (side === 0 ? -1 : 1) * (inner + BETWEEN / 2);
    for (let i = 0; i < opened.length; i += 3) opened[i] += shift;
    return { opened, cos, sin };
  });
  const cosYaw = Math.cos(yaw),
    sinYaw = Math.sin(yaw),
    cosPitch = Math.cos(pitch),
    sinPitch = Math.sin(pitch);
  const see = (values: Float32Array, isPlace: boolean) => {
    for (let i = 0; i < values.length; i += 3) {
      const x = cosYaw * values[i] - sinYaw * values[i + 1], y = sinYaw * values[i] + cosYaw * values[i + 1];
      const z = values[i + 2];
      values[i] = x;
      values[i + 1] = -(cosPitch * z - sinPitch * -y);
      values[i + 2] = cosPitch * -y + sinPitch * z;
      if (!isPlace) continue;
      reach = Math.max(reach, Math.abs(values[i]));
      box.top = Math.min(box.top, values[i + 1]);
      box.bottom = Math.max(box.bottom, values[i + 1]);
    }
    return values;
  };
  const places = both.map(({ opened }) => see(opened, true));
  const turned = both.map(({ cos, sin }, side) => {
    const own = new Float32Array(normals[side].length);
    for (let i = 0; i < own.length; i += 3) {
      own[i] = cos * normals[side][i] - sin * normals[side][i + 1];
      own[i + 1] = sin * normals[side][i] + cos * normals[side][i + 1];
      own[i + 2] = normals[side][i + 2];
    }
    return see(own, false);
  });
  return { places, normals: turned, box: { ...box, left: -reach, right: reach } };
}

function flatSides(sides: readonly SceneSide[]): Placed {
  const cut = sides.map(flatCut);
  const wide = cut.map(([left, right]) => right - left);
  const places = sides.map(({ flat }, side) => {
    const start = side === 0 ? 0 : wide[0] + BETWEEN;
    const own = new Float32Array(flat.length / 2 * 3);
    for (let i = 0; i < flat.length / 2; i++) {
      own[3 * i] = start + flat[2 * i] - cut[side][0];
      own[3 * i + 1] = -flat[2 * i + 1];
    }
    return own;
  });
  const top = -Math.max(...cut.map(([, , , top]) => top)),
    bottom = -Math.min(...cut.map(([, , bottom]) => bottom));
  const limits = wide.map((own, side) => {
    const left = side === 0 ? 0 : wide[0] + BETWEEN;
    return { left, right: left + own, top, bottom };
  });
  return { places, box: { left: 0, right: wide[0] + BETWEEN + wide[1], top, bottom }, limits };
}

/** The part of a flat map that holds its voxels: left, right, bottom, top. */
function flatCut({ flat, flatFaces, shown }: SceneSide): [number, number, number, number] {
  const isFlat = new Set(Array.from(flatFaces)), inside = shown.filter((vertex) => isFlat.has(vertex));
  const extent = (vertices: Iterable<number>, axis: number) => {
    let least = Infinity, most = -Infinity;
    for (const vertex of vertices) {
      least = Math.min(least, flat[2 * vertex + axis]);
      most = Math.max(most, flat[2 * vertex + axis]);
    }
    return [least, most];
  };
  const [x, y] = [0, 1].map((axis) => {
    const [least, most] = extent(isFlat, axis);
    const [from, to] = inside.length > 0 ? extent(inside, axis) : [least, most];
    return [Math.max(least, from - AROUND), Math.min(most, to + AROUND)];
  });
  return [x[0], x[1], y[0], y[1]];
}

/** What is painted on a side. */
export interface SidePaint {
  /** Per vertex a value, NaN where there is no voxel. */
  values: ArrayLike<number>;
  /** Per vertex a region, −1 for none. */
  regions: ArrayLike<number>;
  sulc: ArrayLike<number>;
}

/** The color of outlines; light comes from the viewer, a little from above and the left. */
const OUTLINE = [38, 40, 44], LIGHT = [-0.16, -0.22, 0.962], AMBIENT = 0.45, BRIGHTEST = 1.03;
/** Millimetres of depth between neighbouring pixels from which on one is behind the other. */
const BEHIND = 6;

/**
 * Paints what is seen.
 *
 * @param seen as `drawScene` gives it
 * @param sides what is on each
 * @param limit value at the end of the scale
 * @returns width × height × 4: red, green, blue, opacity
 */
export function paintScene(
  { raster, normals, firstFace, faces }: Seen,
  sides: readonly SidePaint[],
  limit: number,
): Uint8ClampedArray<ArrayBuffer> {
  const { width, height, face, weights, depth } = raster, count = width * height;
  const pixels = new Uint8ClampedArray(4 * count), regions = new Int16Array(count).fill(-1);
  const bare = Array.from({ length: SHADES + 1 }, (_, shade) => shadeColor(shade));
  const tints = Array.from({ length: 2 * STEPS + 1 }, (_, step) => divergingColor(step / STEPS - 1));
  const onGyrus = tints.map((tint) => onFolds(tint, -1)), inSulcus = tints.map((tint) => onFolds(tint, 1));
  for (let pixel = 0; pixel < count; pixel++) {
    if (face[pixel] < 0) continue;
    const side = face[pixel] >= firstFace[1] ? 1 : 0, corner = 3 * (face[pixel] - firstFace[side]);
    const { values, regions: own, sulc } = sides[side];
    const a = faces[side][corner], b = faces[side][corner + 1], c = faces[side][corner + 2];
    const wa = weights[2 * pixel], wb = weights[2 * pixel + 1], wc = 1 - wa - wb;
    let covered = 0, sum = 0;
    if (values[a] === values[a]) covered += wa, sum += wa * values[a];
    if (values[b] === values[b]) covered += wb, sum += wb * values[b];
    if (values[c] === values[c]) covered += wc, sum += wc * values[c];
    const shade = shadeOf(wa * sulc[a] + wb * sulc[b] + wc * sulc[c]);
    const step = Math.round(STEPS * (1 + Math.max(-1, Math.min(1, sum / covered / limit))));
    const color = covered < 0.5 ? bare[shade] : (2 * shade < SHADES ? onGyrus : inSulcus)[step];
    let light = 1;
    if (normals) {
      const n = normals[side];
      light = 0;
      for (let axis = 0; axis < 3; axis++) {
        light += LIGHT[axis] * (wa * n[3 * a + axis] + wb * n[3 * b + axis] + wc * n[3 * c + axis]);
      }
      light = AMBIENT + (BRIGHTEST - AMBIENT) * Math.max(0, light);
    }
    for (let i = 0; i < 3; i++) pixels[4 * pixel + i] = light * color[i];
    pixels[4 * pixel + 3] = 255;
    regions[pixel] = own[b] === own[c]
      ? own[wa > 0.5 ? a : b]
      : own[a] === own[b]
      ? own[wc > 0.5 ? c : a]
      : own[a] === own[c]
      ? own[wb > 0.5 ? b : a]
      : own[wa >= wb && wa >= wc ? a : wb >= wc ? b : c];
  }
  const differs = (pixel: number, next: number) =>
    face[next] >= 0 && regions[next] !== regions[pixel] && Math.abs(depth[next] - depth[pixel]) < BEHIND;
  for (let pixel = 0; pixel < count; pixel++) {
    if (face[pixel] < 0) continue;
    const isEdge = pixel % width < width - 1 && differs(pixel, pixel + 1) ||
      pixel + width < count && differs(pixel, pixel + width);
    if (isEdge) { for (let i = 0; i < 3; i++) pixels[4 * pixel + i] = OUTLINE[i]; }
  }
  return pixels;
}

/** The vertex that is nearest to a pixel, and its side; undefined beside the cortex. */
export function vertexAt(
  { raster: { face, weights }, firstFace, faces }: Seen,
  pixel: number,
): { side: number; vertex: number } | undefined {
  if (!(face[pixel] >= 0)) return undefined;
  const side = face[pixel] >= firstFace[1] ? 1 : 0, corner = 3 * (face[pixel] - firstFace[side]);
  const own = [weights[2 * pixel], weights[2 * pixel + 1], 1 - weights[2 * pixel] - weights[2 * pixel + 1]];
  return { side, vertex: faces[side][corner + own.indexOf(Math.max(...own))] };
}
