/** The figures of a page as files, for papers. */
import { dirname } from "node:path";
import { writeFileAtomic } from "../data/files/atomic_write.ts";
import { gridDrawings } from "./grid_drawing.ts";
import { standaloneSvg } from "./standalone_svg.ts";
import { lightTheme } from "./theme.ts";

/** Kinds of figure files. */
export const FIGURE_FORMATS = ["svg", "png"] as const;

/** One kind of figure file. */
export type FigureFormat = typeof FIGURE_FORMATS[number];

/** Pixels of a PNG for one of the drawing. */
const PNG_ZOOM = 2;

/** A drawing for columns inside `figure()`'s markup, and the name of its figure if it has one. */
const DRAWING =
  /<figure(?: id="figure-([\w.-]+)")?(?: class="broad")?>\s*<div><div class="wide" role="group" aria-label="[^"]*">(<svg [^]*?<\/svg>)<\/div>/g;

/**
 * Writes every chart, drawing and grid of maps and photographs of a page, in light colors, beside it:
 * `figures/<page>-<name>.svg` where the figure has a name, or a grid says what it shows, which is not repeated where it
 * begins with the page's, and `figures/<page>-<n>.svg` for the page's n-th.
 *
 * @param path of the page; its folder exists
 * @param markup of the page
 * @param formats of the files
 * @returns their paths
 * @throws Error "A PNG needs a font for its labels …" on a machine without one
 */
export async function saveFigures(
  path: string,
  markup: string,
  formats: readonly FigureFormat[],
): Promise<string[]> {
  return await saveDrawings(path, formats.length > 0 ? drawingsOf(markup) : [], formats);
}

/** A figure to be written. */
export interface Drawing {
  /** Unique on its page. */
  name: string;
  /** SVG with a viewBox, in the page's colors. */
  drawing: string;
}

/**
 * Writes drawings as `saveFigures` does, of a page that draws by script.
 *
 * @param path of the page; its folder exists
 * @param drawings with their names
 * @param formats of the files
 * @returns their paths
 */
export async function saveDrawings(
  path: string,
  drawings: readonly Drawing[],
  formats: readonly FigureFormat[],
): Promise<string[]> {
  if (drawings.length === 0 || formats.length === 0) return [];
  const folder = `${dirname(path)}/figures`, page = path.replace(/^.*\/|\.html$/g, "");
  await Deno.mkdir(folder, { recursive: true });
  const toPng = formats.includes("png") ? await openPngWriter() : undefined;
  const written: string[] = [];
  for (const { name, drawing } of drawings) {
    const base = name === page || name.startsWith(`${page}-`) ? name : `${page}-${name}`;
    const svg = standaloneSvg(drawing, lightTheme);
    for (const format of formats) {
      const file = `${folder}/${base}.${format}`;
      await writeFileAtomic(file, format === "svg" ? svg : toPng!(svg));
      written.push(file);
    }
  }
  return written;
}

/** Drawings with names that differ: charts by their figures' names, grids by what they show. */
function drawingsOf(markup: string): Drawing[] {
  const charts = [...markup.matchAll(DRAWING)].map(([, name, drawing], i) => ({
    name: name ?? String(i + 1),
    drawing,
  }));
  const grids = gridDrawings(markup).map(({ label, svg }) => ({
    name: label.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, ""),
    drawing: svg,
  }));
  const seen = new Map<string, number>();
  return [...charts, ...grids].map(({ name, drawing }) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return { name: times > 1 ? `${name}-${times}` : name, drawing };
  });
}

/** Loads the rasterizer, and proves that it has a font. */
async function openPngWriter(): Promise<(svg: string) => Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const letter = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">E</text></svg>';
  if (new Resvg(letter).getBBox() === undefined) {
    throw new Error(
      "A PNG needs a font for its labels and there is none: install fonts-dejavu-core, or write svg.",
    );
  }
  return (svg) => {
    // Resvg knows the attribute of SVG 1.1 only.
    const sharp = svg.replaceAll(
      /image-rendering: ?(?:pixelated|crisp-edges)/g,
      "image-rendering: optimizeSpeed",
    );
    return new Resvg(sharp, { background: "#ffffff", fitTo: { mode: "zoom", value: PNG_ZOOM } }).render()
      .asPng();
  };
}
