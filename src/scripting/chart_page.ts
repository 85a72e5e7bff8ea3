/** Charts and pages of your own in the style of the toolkit's pages. */
import type { TopLevelSpec } from "vega-lite";
import { makeFolderOf } from "./photographs.ts";

/** A Vega-Lite spec as JSON: marks and data; the style is the page's. */
export type ChartSpec = Readonly<Record<string, unknown>>;

/** One part of a page. */
export interface ChartSection {
  /** Above it. */
  heading: string;
  /** Paragraphs before the chart. */
  text?: readonly string[];
  /** The chart; without a width it takes that of the page, and of the phone. */
  chart?: ChartSpec;
  /** What the chart shows in words, for those who do not see it; needed with a chart. */
  caption?: string;
  /** Rows by column; the first column names them. */
  table?: {
    /** Their names. */
    columns: readonly string[];
    /** One cell per column. */
    rows: readonly (readonly (string | number)[])[];
  };
}

/** A page of charts. */
export interface ChartPage {
  /** Heading. */
  title: string;
  /** What the page answers, one sentence. */
  question: string;
  /** How, in a few sentences. */
  method: string;
  /** One after the other. */
  sections: readonly ChartSection[];
  /** What the numbers depend on. */
  settings?: Readonly<Record<string, string | number>>;
}

/** What pages of experiments end with, and what these do. */
const REPORT_FOOTER = /<footer>[^]*?<\/footer>/;
const CHART_FOOTER =
  "<footer>The data of every chart are in its <code>.vl.json</code> beside this page.</footer>";

/**
 * Draws a Vega-Lite chart without a browser.
 *
 * @param spec the chart
 * @returns SVG in light colors
 * @throws Error "The chart chart has no marks …" when there is nothing to draw
 */
export async function chartSvg(spec: ChartSpec): Promise<string> {
  const { renderChart } = await import("../report/chart.ts");
  const { lightTheme } = await import("../report/theme.ts");
  return await renderChart(spec as unknown as TopLevelSpec, lightTheme, "chart");
}

/**
 * Writes a page that works offline, in light and dark, down to 360 px, and every chart's spec beside it (`.vl.json`).
 *
 * @param path ends in .html; the file appears whole or not at all
 * @param page what it says; all text is escaped
 * @throws Error when a chart has nothing to draw
 */
export async function savePage(path: string, page: ChartPage): Promise<void> {
  const { table, text } = await import("../report/blocks.ts");
  const { responsiveChart } = await import("../report/responsive_chart.ts");
  const { renderPage } = await import("../report/page.ts");
  const { writeFileAtomic } = await import("../data/files/atomic_write.ts");
  const { shellLine } = await import("../report/shell_line.ts");
  await makeFolderOf(path);
  const out = path.replace(/[^/]*$/, "").replace(/\/$/, "") || ".", base = path.replace(/^.*\/|\.html$/g, "");
  const sections = [];
  for (
    const [i, { heading, text: paragraphs = [], chart, caption, table: cells }] of page.sections.entries()
  ) {
    const body = [text(...paragraphs)];
    if (chart) {
      const drawn = (width: number) => ({ width: width - 90, ...chart }) as unknown as TopLevelSpec;
      body.push(
        await responsiveChart(`${base}-${i + 1}`, out, caption ?? heading, (_, width) => drawn(width)),
      );
    }
    if (cells) body.push(table({ caption: heading, ...cells }));
    sections.push({ heading, body });
  }
  const command = shellLine(["./run", "script", scriptPath(), ...Deno.args]);
  const { title, question, method } = page, settings = { deno: Deno.version.deno, ...page.settings };
  const markup = renderPage({ title, question, method, sections, settings, command });
  await writeFileAtomic(path, markup.replace(REPORT_FOOTER, CHART_FOOTER));
}

/** Where the script is, from the project's folder on where it lies in it. */
function scriptPath(): string {
  const root = new URL("../../", import.meta.url).href, main = Deno.mainModule;
  return main.startsWith(root) ? main.slice(root.length) : decodeURI(main.replace(/^file:\/\//, ""));
}
