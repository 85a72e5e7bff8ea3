/** Cortices colored by activation, with the scale. */
import { cachedDrawing } from "../../report/drawing_cache.ts";
import { divergingColor, STEPS } from "../../report/cortex/surface_colors.ts";
import { vertexMeans } from "../../report/cortex/vertex_values.ts";
import { extent } from "../../report/extent.ts";
import { escapeHtml } from "../../report/html.ts";
import { flatMapOf, flatNames, thinned } from "./cortex_picture.ts";
import type { SheetPlace, VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import type { FlatMap, FlatPoint, SurfaceVoxels } from "../../report/cortex/flat_map.ts";
import { type Hemisphere, HEMISPHERES } from "../../data/datasets/subject.ts";

/** One sheet of a row. */
export interface Sheet {
  /** Its heading. */
  title: string;
  /** One value a voxel, in the files' order; NaN is not drawn. */
  values: ArrayLike<number>;
}

const SHEET = 300, MARGIN = 10, HEADING = 26, LEVELS = 8;
const HEADING_SIZE = 14;
/** The scale below the sheets: its height with numbers, and its length. */
const SCALE = 46, BAR = 220;

/** How sheets are labelled. */
export interface SheetLabels {
  /** Whether regions are named on each sheet; default true. A page that names them on a map of their own leaves it out. */
  names?: boolean;
  /** Size of the headings, 14 if not given; the scale grows with it. */
  heading?: number;
}

/**
 * Cortices side by side: blue negative, orange positive, pale near 0, all on one scale, which is drawn below. Where the
 * voxels' places on fsaverage are known they are drawn on its flat map, else as one dot each.
 *
 * @param sheet where the voxels lie
 * @param rows sheets beside each other
 * @param unit of the values
 * @returns `<svg …>` with a viewBox
 */
export function activationSheets(
  sheet: VoxelSheet,
  rows: readonly (readonly Sheet[])[],
  unit: string,
  { names = true, heading = HEADING_SIZE }: SheetLabels = {},
): string {
  const { height, draw, bar } = openSheets(sheet, rows.flat().map(({ values }) => values), unit, names);
  const parts = rows.flatMap((row, r) =>
    row.map(({ title, values }, c) =>
      `<g transform="translate(${c * SHEET} ${
        r * height
      })"><text x="${MARGIN}" y="18" font-size="${heading}" fill="var(--ink)">${escapeHtml(title)}</text>${
        draw(values)
      }</g>`
    )
  );
  const width = SHEET * Math.max(...rows.map((row) => row.length)), bottom = height * rows.length;
  const zoom = heading / HEADING_SIZE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
    bottom + Math.ceil(zoom * SCALE)
  }" width="${width}" font-family="ui-sans-serif, system-ui, sans-serif">${
    parts.join("")
  }<g transform="translate(${(width - zoom * BAR) / 2} ${bottom + 4}) scale(${zoom.toFixed(2)})">${
    bar(0, 0)
  }</g></svg>`;
}

/** Cortices on one scale, to be put beside other things. */
export interface OpenSheets extends SheetKind {
  /** Of a cortex. */
  width: number;
  /** The scale, with its left upper corner. */
  bar(x: number, y: number): string;
}

/** Height of the scale below sheets. */
export const SCALE_HEIGHT = SCALE;

/**
 * Gets ready to draw cortices.
 *
 * @param sheet where the voxels lie
 * @param values of all that are on one scale
 * @param unit of the values
 * @param names whether regions are named on the flat map
 */
export function openSheets(
  { places, surface }: VoxelSheet,
  values: readonly ArrayLike<number>[],
  unit: string,
  names = true,
): OpenSheets {
  const most = values.reduce((sum, own) => Math.max(sum, scaleEnd(own)), 1e-9);
  const color = surface
    ? (share: number) => `rgb(${divergingColor(share).join(" ")})`
    : (share: number) => levelColor(Math.round(LEVELS * share));
  return {
    ...surface ? flatSheets(surface, most, names) : dotSheets(places, most),
    width: SHEET,
    bar: (x, y) => colorBar(x, y, { steps: surface ? STEPS : LEVELS, color, most, unit }),
  };
}

/** The same, as an earlier run of the task has drawn it where nothing has changed. */
export async function cachedActivationSheets(
  sheet: VoxelSheet,
  rows: readonly (readonly Sheet[])[],
  unit: string,
  labels: SheetLabels = {},
): Promise<string> {
  const code = ["src/experiments/shared/activation_sheets.ts"];
  return await cachedDrawing(
    code,
    [sheet, rows, unit, labels],
    () => activationSheets(sheet, rows, unit, labels),
  );
}

/** How sheets of one kind are drawn. */
interface SheetKind {
  /** With the heading. */
  height: number;
  /** Markup of one sheet below its heading. */
  draw(values: ArrayLike<number>): string;
}

function flatSheets(voxels: SurfaceVoxels, most: number, names: boolean): SheetKind {
  const map = flatMapOf(voxels, SHEET - 2 * MARGIN);
  return {
    height: map.height + HEADING + MARGIN,
    draw(values) {
      const means = Object.fromEntries(
        HEMISPHERES.map((hemisphere) => [hemisphere, hemisphereMeans(voxels, values, hemisphere)]),
      );
      const color = (hemisphere: Hemisphere, at: FlatPoint) => valueColor(means[hemisphere], at, most);
      return `<g transform="translate(${MARGIN} ${HEADING})"><image width="${map.width}" height="${map.height}" href="${
        map.picture(color)
      }"/>${outlinesOf(map)}${names ? flatNames(map, 9) : ""}</g>`;
    },
  };
}

/** The outlines of the regions, thin so that what is in them is seen. */
function outlinesOf({ outlines }: FlatMap): string {
  return `<path d="${outlines}" fill="none" stroke="#26282c" stroke-width="0.7" stroke-linejoin="round"/>`;
}

function hemisphereMeans(
  { hemispheres, vertices, meshes }: SurfaceVoxels,
  values: ArrayLike<number>,
  hemisphere: Hemisphere,
): Float32Array {
  const own = [...hemispheres.keys()].filter((voxel) => hemispheres[voxel] === hemisphere);
  return vertexMeans(
    own.map((voxel) => values[voxel]),
    own.map((voxel) => vertices[voxel]),
    meshes[hemisphere].sulc.length,
  );
}

/** The color between three vertices of which some may have no voxel. */
function valueColor(means: Float32Array, { vertices, weights }: FlatPoint, most: number) {
  let covered = 0, sum = 0;
  for (let i = 0; i < 3; i++) {
    const mean = means[vertices[i]];
    if (Number.isNaN(mean)) continue;
    covered += weights[i];
    sum += weights[i] * mean;
  }
  return covered >= 0.5 ? divergingColor(sum / covered / most) : undefined;
}

function dotSheets(all: readonly SheetPlace[], most: number): SheetKind {
  const places = thinned(all.map((place, voxel) => ({ ...place, voxel })));
  const [left, right] = extent(places.map(({ x }) => x)), [top, bottom] = extent(places.map(({ y }) => y));
  const scale = (SHEET - 2 * MARGIN) / (right - left || 1);
  return {
    height: Math.ceil((bottom - top) * scale) + HEADING + 2 * MARGIN,
    draw(values) {
      const dots = new Map<number, string>();
      places.forEach(({ x, y, voxel }) => {
        if (Number.isNaN(values[voxel])) return;
        const level = Math.max(-LEVELS, Math.min(LEVELS, Math.round(LEVELS * values[voxel] / most)));
        const dot = `M${(MARGIN + (x - left) * scale).toFixed(1)} ${
          (MARGIN + HEADING + (y - top) * scale).toFixed(1)
        }h0`;
        dots.set(level, (dots.get(level) ?? "") + dot);
      });
      const paths = [...dots].sort(([a], [b]) => Math.abs(a) - Math.abs(b)).map(([level, d]) =>
        `<path d="${d}" stroke="${levelColor(level)}"/>`
      );
      return `<g fill="none" stroke-width="3" stroke-linecap="round">${paths.join("")}</g>`;
    },
  };
}

/** The scale, in the steps that the sheets are drawn in. */
function colorBar(
  x: number,
  y: number,
  { steps, color, most, unit }: {
    steps: number;
    color: (share: number) => string;
    most: number;
    unit: string;
  },
): string {
  const count = 2 * steps + 1, each = BAR / count;
  const blocks = Array.from(
    { length: count },
    (_, i) =>
      `<rect x="${(x + i * each).toFixed(2)}" y="${y}" width="${(each + 0.2).toFixed(2)}" height="10" fill="${
        color((i - steps) / steps)
      }"/>`,
  );
  const end = Number(most.toPrecision(2));
  const number = (at: number, text: string) =>
    `<text x="${x + at}" y="${y + 22}" text-anchor="middle">${text}</text>`;
  return `<g font-size="11" fill="var(--muted)">${blocks.join("")}<rect x="${x}" y="${y}" width="${
    BAR + 0.2
  }" height="10" fill="none" stroke="var(--rule)"/>${number(0, `≤ −${end}`)}${number(BAR / 2, "0")}${
    number(BAR, `≥ ${end}`)
  }<text x="${x + BAR / 2}" y="${y + 36}" text-anchor="middle">${escapeHtml(unit)}</text></g>`;
}

/** The absolute value that all but one voxel in fifty stay below. */
function scaleEnd(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values, Math.abs).filter((value) => !Number.isNaN(value)).sort();
  return sorted.length > 0 ? sorted[Math.floor(0.98 * (sorted.length - 1))] : 0;
}

function levelColor(level: number): string {
  const end = level < 0 ? "var(--series-1)" : "var(--series-2)";
  return `color-mix(in oklab, ${end} ${Math.round(100 * Math.abs(level) / LEVELS)}%, var(--rule))`;
}
