/** Pictures of a cortical sheet, and of the simulated subject's receptive fields, as SVG. */
import { SCENE_SIZE } from "../../../fixtures/scenes/mod.ts";
import { type Hemisphere, HEMISPHERES } from "../../data/datasets/subject.ts";
import { cachedDrawing } from "../../report/drawing_cache.ts";
import { extent } from "../../report/extent.ts";
import { escapeHtml } from "../../report/html.ts";
import { REGIONS } from "../../pipeline/regions.ts";
import { receptiveFields, type SimulatedSubject } from "../../synthetic/subject_voxels.ts";
import { type FlatMap, openFlatMap, type SurfaceVoxels } from "../../report/cortex/flat_map.ts";
import { vertexRegions } from "../../report/cortex/vertex_values.ts";
import type { SheetPlace, VoxelSheet } from "../../pipeline/voxel_sheet.ts";

/** Room for a heading between hemispheres, relative to their width. */
const GAP = 0.16;
const WIDE = 640, NARROW = 340, MARGIN = 16, HEADING = 24, FIELD = 200, CAPTION = 16;
/** Receptive fields of a region that are drawn, at most. */
export const SHOWN_FIELDS = 60;

/** A place on the sheet. */
interface Point {
  x: number;
  y: number;
}

/** Colors of twelve regions: hue turns by the golden angle, so that neighbours in the list differ. */
function roiColor(index: number): string {
  return `oklch(${index % 2 ? 57 : 66}% 0.15 ${Math.round(index * 137.5 + 25) % 360})`;
}

/** Colors of `REGIONS` on the flat map: a family each for early areas, bodies, faces, places and words. */
// deno-fmt-ignore
const REGION_COLORS = [
  [178, 58, 44], [217, 121, 52], [233, 182, 74], [168, 138, 62],
  [58, 138, 84], [134, 186, 96], [190, 70, 132], [230, 142, 182],
  [44, 106, 174], [120, 178, 222], [92, 74, 156], [160, 142, 210],
  [232, 229, 221], // of no region
];

/**
 * Draws the voxels colored by region, with the regions' names: on the flat map of fsaverage5 where their places on it are
 * known, else as one dot each.
 *
 * @param sheet where the voxels lie
 * @param shape for columns, or for phones
 * @returns `<svg …>` with a viewBox
 */
export function cortexPicture({ places, surface }: VoxelSheet, shape: "wide" | "narrow" = "wide"): string {
  return surface ? flatPicture(surface, shape) : dotPicture(places, shape);
}

/** The same, as an earlier run of the task has drawn it where nothing has changed. */
export async function cachedCortexPicture(sheet: VoxelSheet, shape: "wide" | "narrow"): Promise<string> {
  const code = ["src/experiments/shared/cortex_picture.ts"];
  return await cachedDrawing(code, [sheet, shape], () => cortexPicture(sheet, shape));
}

const maps = new WeakMap<SurfaceVoxels, Map<number, FlatMap>>();

/** `openFlatMap`, once for a width. */
export function flatMapOf(voxels: SurfaceVoxels, width: number): FlatMap {
  const own = maps.get(voxels) ?? new Map<number, FlatMap>();
  maps.set(voxels, own);
  const map = own.get(width) ?? openFlatMap(voxels, width);
  own.set(width, map);
  return map;
}

/** The names of the regions where they lie; dark with a light rim on every page, as the cortex below is. */
export function flatNames({ labels }: FlatMap, size: number): string {
  const names = labels.map(({ text, x, y }) =>
    `<text x="${x.toFixed(1)}" y="${(y + 0.35 * size).toFixed(1)}">${escapeHtml(text)}</text>`
  );
  return `<g font-size="${size}" font-weight="600" text-anchor="middle" paint-order="stroke" stroke="#ffffff" stroke-opacity="0.75" stroke-width="${
    (size / 4).toFixed(1)
  }" stroke-linejoin="round" fill="#16181c">${names.join("")}</g>`;
}

function flatPicture(voxels: SurfaceVoxels, shape: "wide" | "narrow"): string {
  const width = shape === "narrow" ? NARROW : WIDE, map = flatMapOf(voxels, width);
  const regions = Object.fromEntries(HEMISPHERES.map((hemisphere) => {
    const own = [...voxels.hemispheres.keys()].filter((voxel) => voxels.hemispheres[voxel] === hemisphere);
    return [
      hemisphere,
      vertexRegions(
        own.map((voxel) => voxels.regions[voxel] < 0 ? REGIONS.length : voxels.regions[voxel]),
        own.map((voxel) => voxels.vertices[voxel]),
        voxels.meshes[hemisphere].sulc.length,
      ),
    ];
  }));
  const picture = map.picture((hemisphere, { vertices, weights }) => {
    const own = regions[hemisphere];
    let region = -1, most = 0;
    for (let i = 0; i < 3; i++) {
      let share = 0;
      for (let k = 0; k < 3; k++) if (own[vertices[k]] === own[vertices[i]]) share += weights[k];
      if (share > most) [region, most] = [own[vertices[i]], share];
    }
    return REGION_COLORS[region];
  });
  const headings = Object.entries(map.sides).map(([hemisphere, { left, right }]) =>
    `<text x="${((left + right) / 2).toFixed(1)}" y="14" text-anchor="middle" fill="var(--muted)">${
      hemisphere === "lh" ? "left hemisphere" : "right hemisphere"
    }</text>`
  );
  return svg(width, map.height + HEADING, [
    ...headings,
    `<g transform="translate(0 ${HEADING})"><image width="${map.width}" height="${map.height}" href="${picture}"/><path d="${map.outlines}" fill="none" stroke="#26282c" stroke-width="1" stroke-linejoin="round"/>${
      flatNames(map, shape === "narrow" ? 10 : 13)
    }</g>`,
  ], width);
}

function dotPicture(all: readonly SheetPlace[], shape: "wide" | "narrow"): string {
  const narrow = shape === "narrow", width = narrow ? NARROW : WIDE;
  const shown = thinned(all), places = narrow ? stacked(shown) : shown;
  const [left, right] = extent(places.map(({ x }) => x)), [top, bottom] = extent(places.map(({ y }) => y));
  const scale = (width - 2 * MARGIN) / (right - left || 1);
  const height = Math.ceil((bottom - top) * scale + 2 * MARGIN + HEADING);
  const px = (x: number) => (MARGIN + (x - left) * scale).toFixed(1);
  const py = (y: number) => (MARGIN + HEADING + (y - top) * scale).toFixed(1);
  const rois = REGIONS.filter((roi) => places.some((place) => place.roi === roi));
  const others = places.filter(({ roi }) => roi === "").map(({ x, y }) => `M${px(x)} ${py(y)}h0`).join("");
  const ground = others
    ? [`<path d="${others}" stroke="var(--rule)" stroke-width="3" stroke-linecap="round" fill="none"/>`]
    : [];
  const parts = rois.map((roi) => {
    const index = REGIONS.indexOf(roi);
    const dots = places.filter((place) => place.roi === roi)
      .map(({ x, y }) => `M${px(x)} ${py(y)}h0`).join("");
    return `<path d="${dots}" stroke="${
      roiColor(index)
    }" stroke-width="4" stroke-linecap="round" fill="none"/>`;
  });
  const label = (name: string, { x, y }: Point, color = "ink") =>
    `<text x="${px(x)}" y="${
      py(y)
    }" dy="4" text-anchor="middle" paint-order="stroke" stroke="var(--page)" stroke-width="3" fill="var(--${color})">${
      escapeHtml(name)
    }</text>`;
  const labels = HEMISPHERES.flatMap((hemisphere) => {
    const side = places.filter((place) => place.hemisphere === hemisphere);
    const name = hemisphere === "lh" ? "left hemisphere" : "right hemisphere";
    return [
      label(name, { x: middle(side).x, y: Math.min(...side.map(({ y }) => y)) - HEADING / scale }, "muted"),
      ...rois.filter((roi) => side.some((place) => place.roi === roi))
        .map((roi) => label(roi, labelPlace(side, roi))),
    ];
  });
  return svg(width, height, [...ground, ...parts, ...labels]);
}

/** Most voxels that are drawn. */
const DRAWN = 6000;

/** Every voxel, or of many every second, third, …, so that a page stays small. */
export function thinned<T>(all: readonly T[]): T[] {
  const every = Math.ceil(all.length / DRAWN);
  return all.filter((_, i) => i % every === 0);
}

/** Moves the right hemisphere below the left one. */
function stacked(places: readonly SheetPlace[]): SheetPlace[] {
  const along = (hemisphere: Hemisphere, of: (place: SheetPlace) => number) =>
    extent(places.filter((place) => place.hemisphere === hemisphere).map(of));
  const x = ({ x }: SheetPlace) => x, y = ({ y }: SheetPlace) => y;
  const [left, right] = along("lh", x), across = left - along("rh", x)[0];
  const down = along("lh", y)[1] - along("rh", y)[0] + GAP * (right - left);
  return places.map((place) =>
    place.hemisphere === "lh" ? place : { ...place, x: place.x + across, y: place.y + down }
  );
}

/** The middle of a region; of its dorsal half where another region lies in the middle, as V1 does in V2 and V3. */
export function labelPlace(side: SheetPlace[], roi: string): Point {
  const own = side.filter((place) => place.roi === roi), center = middle(own);
  const distance = ({ x, y }: Point) => (x - center.x) ** 2 + (y - center.y) ** 2;
  const nearest = side.reduce((best, place) => distance(place) < distance(best) ? place : best);
  const dorsal = own.filter(({ y }) => y < center.y);
  return nearest.roi === roi || dorsal.length === 0 ? center : middle(dorsal);
}

function middle(points: Point[]): Point {
  const mean = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  return { x: mean(({ x }) => x), y: mean(({ y }) => y) };
}

/**
 * Draws a sample of the receptive fields of some regions, each region's over its own outline of the image.
 *
 * @param rois regions with receptive fields
 * @param columns outlines in a row
 */
export function receptiveFieldPicture(
  subject: SimulatedSubject,
  rois: readonly string[],
  columns: number,
): string {
  const scale = FIELD / SCENE_SIZE, step = FIELD + 2 * MARGIN;
  const parts = rois.map((roi, index) => {
    const fields = receptiveFields(subject, roi);
    const every = Math.max(1, Math.ceil(fields.length / SHOWN_FIELDS));
    const circles = fields.filter((_, i) => i % every === 0).map(({ x, y, sigma }) =>
      `<circle cx="${(x * scale).toFixed(1)}" cy="${(y * scale).toFixed(1)}" r="${
        (sigma * scale).toFixed(1)
      }"/>`
    );
    return `<g transform="translate(${MARGIN + index % columns * step} ${
      MARGIN + Math.floor(index / columns) * (step + CAPTION)
    })"><rect width="${FIELD}" height="${FIELD}" fill="none" stroke="var(--rule)"/><g fill="none" stroke="var(--accent)" stroke-opacity="0.6">${
      circles.join("")
    }</g><text x="${FIELD / 2}" y="${FIELD + 20}" text-anchor="middle" fill="var(--ink)">${
      escapeHtml(roi)
    }</text></g>`;
  });
  return svg(step * columns, Math.ceil(rois.length / columns) * (step + CAPTION), parts);
}

function svg(width: number, height: number, parts: string[], shown: number | string = "100%"): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${shown}" font-size="12" font-family="ui-sans-serif, system-ui, sans-serif">${
    parts.join("")
  }</svg>`;
}
