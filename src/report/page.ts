import { commandLine, contents, equationBlock, settingsList, text } from "./blocks.ts";
import { foldedClaims } from "./claims.ts";
import { type Html, html, rawHtml, unescapeHtml } from "./html.ts";
import { pageLinks, type PagesBeside } from "./page_links.ts";
import { pageHead } from "./page_style.ts";
import type { Claim } from "./results.ts";
import script from "./page_script.js" with { type: "text" };

/** One report page. */
export interface Page {
  /** Heading. */
  title: string;
  /** What the page answers, one sentence. */
  question: string;
  /** What the numbers come from, and for each whether it is real or synthetic; absent where no data are involved. */
  data?: string;
  /** How, in about three sentences; stands below the first section with a picture. */
  method: string;
  /** The method's equation as MathML. */
  equation?: Html;
  /** One below the other; the first one with a picture comes first of all. */
  sections: readonly { heading: string; body: Html | readonly Html[] }[];
  /** Claims of the paper that the page tests: folded, below the sections. */
  claims?: readonly Claim[];
  /** Everything that the numbers depend on: adapter, versions, seed, options. */
  settings: Readonly<Record<string, string | number>>;
  /** The command that makes the page again. */
  command: string;
  /** Pages to go on to; `writePage` finds them by the index beside the page. */
  beside?: PagesBeside;
}

/**
 * Renders a report page: one file that works from file:// and offline, light and dark, down to 360 px.
 * A Content-Security-Policy forbids every request, and every script but the page's own.
 * @param page What it says; all text is escaped.
 * @returns The HTML document.
 */
export function renderPage(page: Page): string {
  const { title, question, data, method, equation, sections, settings, command, claims = [], beside } = page;
  const [lead, rest] = takeLead(sections);
  const parts = [
    ...lead,
    { heading: "Method", body: [html`<p>${method}</p>\n`, html`${equation ? equationBlock(equation) : ""}`] },
    ...rest,
    ...claims.length > 0 ? [{ heading: "Claims", body: foldedClaims(claims) }] : [],
    { heading: "Settings", body: settingsList(settings) },
    { heading: "Make it again", body: [text("In the project's folder:"), commandLine(command)] },
  ];
  const ids = parts.map((_, i) => `part-${i + 1}`), links = pageLinks(beside);
  return html`
    <!DOCTYPE html>
    <html lang="en">
      ${pageHead(title, script)}
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
    <p class="project">AlignedCut</p>
    ${links}    <h1>${title}</h1>
    <p class="question">${question}</p>
    ${data === undefined ? "" : html`<p class="data"><strong>Data:</strong> ${data}</p>`}
    ${contents(parts.map(({ heading }, i) => ({ heading, id: ids[i] })))}        </header>
        <main id="content">
    ${parts.map(({ heading, body }, i) => section(ids[i], heading, body, i < lead.length))}</main>
        <footer>
    ${links}Every number on this page is in <code>results.json</code> beside it.
        </footer>
        <script>${rawHtml(script)}</script>
      </body>
    </html>
  `.markup;
}

const PICTURE = /<figure|class="color-grid"/, TABLE = /<table class="numbers/;

/** The first section that holds a picture, up to its first table below one, apart from the others. */
function takeLead(sections: Page["sections"]): [lead: Page["sections"], rest: Page["sections"]] {
  const at = sections.findIndex(({ body }) => PICTURE.test(html`${body}`.markup));
  if (at < 0) return [[], sections];
  const { heading, body } = sections[at], parts = "markup" in body ? [body] : body;
  const first = parts.findIndex(({ markup }) => PICTURE.test(markup));
  const cut = parts.findIndex(({ markup }, i) => i > first && TABLE.test(markup));
  if (cut < 0) return [[sections[at]], sections.toSpliced(at, 1)];
  return [
    [{ heading, body: parts.slice(0, cut) }],
    sections.with(at, { heading: `${heading}: numbers`, body: parts.slice(cut) }),
  ];
}

function section(id: string, heading: string, body: Html | readonly Html[], isLead: boolean): Html {
  return html`
    <section aria-labelledby="${id}" ${rawHtml(isLead ? ' class="lead"' : "")}>
    <h2 id="${id}">${heading}</h2>
    ${body}</section>
  `;
}

/**
 * Reads back what a page is called and asks.
 * @param markup Made by `renderPage`, or of a page with the same header.
 * @returns Plain text; undefined where there is no such header.
 */
export function headOfPage(markup: string): { title: string; question: string } | undefined {
  const [, title] = /<h1>([^<]*)<\/h1>/.exec(markup) ?? [];
  const [, question] = /<p class="question">([^<]*)<\/p>/.exec(markup) ?? [];
  if (title === undefined || question === undefined) return undefined;
  return { title: unescapeHtml(title), question: unescapeHtml(question) };
}
