/** Grids of maps and photographs of a page as drawings, for files. */
import { escapeHtml, unescapeHtml } from "./html.ts";

/** Width of a map, and of the gaps and lines of text between maps. */
const SIDE = 160, GAP = 8, TEXT = 18, HEADING = 26;
/** Letters of a caption that fit below a map. */
const LETTERS = 26;
/** The color bar's length. */
const BAR = 192;

/** A grid of a page as a drawing. */
export interface GridDrawing {
  /** What the grid shows. */
  label: string;
  /** SVG with a viewBox, in the page's colors. */
  svg: string;
}

const GRID =
  /<div class="color-grid" role="group" aria-label="([^"]*)"\s+style="--across: (\d+); --lines: (\d+)">/g;
const ROW = /<div class="row"[^>]*>([^]*?)<\/div>\s*(?=<div class="row"|<p\b|<\/div>)/g;
const CELL = /<img src="([^"]*)" alt="[^"]*"><\/button><span>([^<]*)<\/span>/g;
const KEY = /<p class="bar"><span>([^<]*)<\/span><\/p>/;
const BAR_PARTS =
  /<p\s+class="bar"><span>([^<]*)<\/span> <span>([^<]*)<\/span> <span class="colors"[^>]*linear-gradient\(90deg, ([^"]*)\)"><\/span> <span>([^<]*)<\/span>/;

/**
 * The color grids of a page, as `colorGrid` has made them: the photograph of each row in front of its maps, as many in a
 * line as on a wide page, each with its caption below, and the color bar where there is one.
 *
 * @param markup of the page
 * @returns one drawing a grid, in the page's order
 */
export function gridDrawings(markup: string): GridDrawing[] {
  const starts = [...markup.matchAll(GRID)];
  return starts.map(({ index, 0: head, 1: label, 2: across }, i) => {
    const body = markup.slice(index + head.length, starts[i + 1]?.index);
    return { label: unescapeHtml(label), svg: drawing(unescapeHtml(label), body, Number(across)) };
  });
}

function drawing(label: string, body: string, across: number): string {
  const parts = [`<text y="16" font-size="14" fill="var(--ink)">${escapeHtml(label)}</text>`];
  const step = SIDE + GAP, down = SIDE + TEXT + GAP;
  let top = HEADING;
  for (const [, row] of body.matchAll(ROW)) {
    const cells = [...row.matchAll(CELL)];
    cells.forEach(([, source, caption], i) => {
      const line = i === 0 ? 0 : Math.floor((i - 1) / across), column = i === 0 ? 0 : 1 + (i - 1) % across;
      parts.push(cell(source, unescapeHtml(caption), column * step, top + line * down));
    });
    top += Math.max(1, Math.ceil((cells.length - 1) / across)) * down;
  }
  const [, title, low, colors, high] = BAR_PARTS.exec(body) ?? [];
  if (colors !== undefined) {
    parts.push(bar([title, low, high].map(unescapeHtml), colors.split(/,\s*(?![^(]*\))/), top));
    top += TEXT + HEADING;
  }
  const [, key] = KEY.exec(body) ?? [];
  if (key !== undefined) {
    parts.push(`<text y="${top + 12}" font-size="11" fill="var(--muted)">${key}</text>`);
    top += TEXT;
  }
  const width = (across + 1) * step - GAP;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}">${parts.join("")}</svg>`;
}

function cell(source: string, caption: string, x: number, y: number): string {
  const crisp = source.startsWith("data:image/png") ? ' style="image-rendering: pixelated"' : "";
  const shown = caption.length > LETTERS ? `${caption.slice(0, LETTERS - 1)}…` : caption;
  return `<image x="${x}" y="${y}" width="${SIDE}" height="${SIDE}" preserveAspectRatio="none"${crisp} href="${source}"/>` +
    `<text x="${x}" y="${y + SIDE + 13}" font-size="11" fill="var(--muted)">${escapeHtml(shown)}</text>`;
}

function bar([title, low, high]: string[], colors: readonly string[], y: number): string {
  const stops = colors.map((color, i) =>
    `<stop offset="${(i / Math.max(1, colors.length - 1)).toFixed(3)}" stop-color="${
      escapeHtml(commas(color))
    }"/>`
  );
  const text = (x: number, words: string, anchor: string) =>
    `<text x="${x}" y="${y + 30}" font-size="11" fill="var(--muted)" text-anchor="${anchor}">${
      escapeHtml(words)
    }</text>`;
  return `<defs><linearGradient id="bar">${stops.join("")}</linearGradient></defs>` +
    `<text y="${y + 12}" font-size="11" fill="var(--ink)">${escapeHtml(title)}</text>` +
    `<rect x="90" y="${y + 3}" width="${BAR}" height="12" fill="url(#bar)"/>` +
    text(90, low, "start") + text(90 + BAR, high, "end");
}

/** rgb(1 2 3) with commas, which every program knows. */
function commas(color: string): string {
  return color.trim().replace(/^rgb\((\d+) (\d+) (\d+)\)$/, "rgb($1, $2, $3)");
}
