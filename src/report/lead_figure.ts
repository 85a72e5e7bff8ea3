/** The first figure of a page, for its card. */
import { type Html, html, rawHtml } from "./html.ts";

/** Pictures of a card at most. */
const PICTURES = 4;
/** Height of a card's drawing over its width, at most; what is taller is cut off there. */
const MAX_ASPECT = 1.4;

const FIGURE = /<figure[^>]*>[^]*?<\/figure>/, ROW = /<div class="row"[^]*?(?=<div class="row"|<\/section>)/;
const DRAWING = /<div class="(narrow|wide)" role="group" aria-label="[^"]*">(<svg [^]*?<\/svg>)<\/div>/g;
const PICTURE = /<img[^>]* src="(data:image\/[^"]+)"/g;

/**
 * The drawing for phones of a page's first figure, or some pictures of its first row of them.
 * @param markup Of a page.
 * @param name Keeps the ids of the drawing apart from those of other cards.
 * @returns Nothing where the page has no pictures.
 */
export function leadFigure(markup: string, name: string): Html | undefined {
  const main = markup.slice(markup.indexOf("<main"));
  const [figure, row] = [FIGURE, ROW].map((kind) => kind.exec(main));
  const first = !figure || row && row.index < figure.index ? row : figure;
  const drawings = [...(first?.[0] ?? "").matchAll(DRAWING)];
  const drawing = drawings.find(([, kind]) => kind === "narrow") ?? drawings[0];
  if (drawing) return rawHtml(cropped(withOwnIds(drawing[2], name)));
  const pictures = [...new Set([...(first?.[0] ?? main).matchAll(PICTURE)].map(([, source]) => source))];
  const shown = pictures.length <= PICTURES
    ? pictures
    : Array.from({ length: PICTURES }, (_, i) =>
      pictures[Math.round(i * (pictures.length - 1) / (PICTURES - 1))]);
  if (shown.length === 0) return undefined;
  return html`<span class="pictures">${shown.map((source) => html`<img src="${source}" alt="">`)}</span>`;
}

/** The upper part of a drawing that is too tall for a card. */
function cropped(svg: string): string {
  const found = /viewBox="([-\d.]+ [-\d.]+) ([\d.]+) ([\d.]+)"/.exec(svg);
  if (!found || Number(found[3]) <= MAX_ASPECT * Number(found[2])) return svg;
  const [box, place, width] = found, height = (MAX_ASPECT * Number(width)).toFixed(0);
  return svg.replace(box, `viewBox="${place} ${width} ${height}"`)
    .replace(/<svg ([^>]*?)\bheight="[^"]*"/, "<svg $1").replace("<svg ", '<svg class="cropped" ');
}

/** Ids are unique in a page; names of marks are not repeated there. */
function withOwnIds(svg: string, name: string): string {
  return svg.replaceAll(/\bid="/g, `id="card-${name}-`).replaceAll(/url\(#/g, `url(#card-${name}-`)
    .replaceAll(/ (?:xlink:)?href="#/g, (own) => `${own}card-${name}-`)
    .replaceAll(/ tabindex="[^"]*"/g, "");
}
