import { checkPicture } from "./blocks.ts";
import { type Html, html, rawHtml } from "./html.ts";

/** Color maps of images (rows) by layer (columns). */
export interface ColorGrid {
  /** What the grid shows, for screen readers. */
  label: string;
  /** What a row is, "image" if not given. */
  corner?: string;
  /** Names of the maps of a row, each below its map. */
  columns: readonly string[];
  /** `photo` and `cells` are data URIs of pictures; one cell a column. */
  rows: readonly { label: string; photo: string; cells: readonly string[] }[];
  /** Rows that are seen at once, 6 if not given; the rest is folded where it is more than two. */
  open?: number;
  /** Where the maps' colors are numbers: what of, and the colors from the lowest to the highest. */
  bar?: ColorBar;
  /** What the maps' colors are where they are no numbers, one sentence without its full stop. */
  key?: string;
}

/** A key to colors that are numbers. */
export interface ColorBar {
  /** Quantity and unit. */
  title: string;
  /** At the ends, for instance "0 or less" and "1". */
  ends: readonly [low: string, high: string];
  /** CSS colors, evenly spaced. */
  colors: readonly string[];
}

/** Maps beside each other on a wide page: as many are at least 160 px wide there, with the photograph. */
const ACROSS = 6;
/** Rows of a grid that are seen at once; a few more are no reason to fold them. */
const OPEN = 6, FEW_MORE = 2;

/**
 * Color maps beside their photographs, at least 160 px wide; a row of many maps takes several lines of equal length.
 * Readers choose whether pixels are crisp or smooth; a click or Enter enlarges a map beside its photograph, and arrow
 * keys walk through the maps (by the page's script). Rows beyond the first ones are folded.
 * @param grid Labels and pictures.
 * @throws RangeError `The row horse.png of the color grid has 11 maps, expected 12.`
 */
export function colorGrid(
  { label, corner = "image", columns, rows, open = OPEN, bar, key }: ColorGrid,
): Html {
  const lines = Math.ceil(columns.length / ACROSS), across = Math.max(1, Math.ceil(columns.length / lines));
  const body = rows.map((row, i) => {
    if (row.cells.length !== columns.length) {
      throw new RangeError(
        `The row ${row.label} of the color grid has ${row.cells.length} maps, expected ${columns.length}.`,
      );
    }
    const cells = row.cells.map((map, j) =>
      cell(map, `${row.label} · ${columns[j]}`, columns[j], i + j === 0)
    );
    return html`<div class="row" role="group" aria-label="${corner} ${row.label}">\n${
      cell(row.photo, row.label, row.label, false)
    }${cells}</div>\n`;
  });
  return html`
    <div class="color-grid" role="group" aria-label="${label}"
      style="--across: ${across}; --lines: ${lines}">
    <p><label><input type="checkbox"> smooth</label></p>
    ${folded(body, corner, open)}${bar === undefined ? "" : colorBar(bar)}${key === undefined
      ? ""
      : html`<p class="bar"><span>${key}.</span></p>`}</div>
  `;
}

function folded(rows: Html[], corner: string, open: number): Html {
  if (rows.length <= open + FEW_MORE) return html`${rows}`;
  const more = rows.slice(open);
  return html`${
    rows.slice(0, open)
  }<details class="more"><summary>${more.length} more ${corner}s</summary>\n${more}</details>\n`;
}

function cell(source: string, alt: string, caption: string, isFirst: boolean): Html {
  checkPicture(source);
  const index = rawHtml(` tabindex="${isFirst ? 0 : -1}"`);
  return html`
    <div
      class="cell"><button type="button" class="enlarge"${index}><img src="${source}" alt="${alt}"></button><span>${caption}</span></div>
  `;
}

function colorBar({ title, ends: [low, high], colors }: ColorBar): Html {
  return html`
    <p
      class="bar"><span>${title}:</span> <span>${low}</span> <span class="colors" role="img" aria-label="colors from ${low} to ${high}" style="background: linear-gradient(90deg, ${colors
        .join(", ")})"></span> <span>${high}</span></p>
  `;
}
