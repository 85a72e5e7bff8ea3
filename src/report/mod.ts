/**
 * Pages that work offline, in the style of the toolkit's own, and what stands in them. Charts of one's own: `chartSvg` and
 * `savePage` of `@alignedcut/alignedcut/script`.
 *
 * ```ts ignore
 * import { html, renderPage, table } from "@alignedcut/alignedcut/report";
 * const body = [html`<p>Two layers.</p>`, table({ caption: "Scores", columns: ["layer", "r"], rows: [["L1", 0.2], ["L2", 0.4]] })];
 * const page = { title: "Scores", question: "Which layer is best?", method: "As measured.", settings: {}, command: "" };
 * await Deno.writeTextFile("scores.html", renderPage({ ...page, sections: [{ heading: "Scores", body }] }));
 * ```
 *
 * @module
 */
export { type Html, html, type HtmlPart, rawHtml } from "./html.ts";
export { type Figure, figure, type Table, table, text } from "./blocks.ts";
export { type ColorBar, type ColorGrid, colorGrid } from "./color_grid.ts";
export { type Page, renderPage } from "./page.ts";
export { FIGURE_FORMATS, type FigureFormat } from "./figure_files.ts";
export type { PageLink, PagesBeside } from "./page_links.ts";
export type { Cell, Claim, Verdict } from "./results.ts";
export { writePage } from "./write_page.ts";
export { standaloneSvg } from "./standalone_svg.ts";
export { darkTheme, lightTheme, type Theme } from "./theme.ts";
