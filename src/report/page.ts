import { createHash } from "node:crypto";
import { commandLine, settingsList } from "./blocks.ts";
import { type Html, html, rawHtml, unescapeHtml } from "./html.ts";
import { pageStyle } from "./page_style.ts";
import script from "./page_script.js" with { type: "text" };
import { themeCss } from "./theme.ts";

/** One report page. */
export interface Page {
  /** Heading. */
  title: string;
  /** What the page answers, one sentence. */
  question: string;
  /** What the numbers come from, and for each whether it is real or synthetic; absent where no data are involved. */
  data?: string;
  /** How, in about three sentences. */
  method: string;
  /** The method's equation as MathML. */
  equation?: Html;
  /** One below the other. */
  sections: readonly { heading: string; body: Html | readonly Html[] }[];
  /** Everything that the numbers depend on: adapter, versions, seed, options. */
  settings: Readonly<Record<string, string | number>>;
  /** The command that makes the page again. */
  command: string;
  /** Pages beside this one; the one with this page's title is marked as the current. */
  links?: readonly { title: string; href: string }[];
}

/**
 * Renders a report page: one file that works from file:// and offline, light and dark, down to 360 px.
 * A Content-Security-Policy forbids every request, and every script but the page's own.
 * @param page What it says; all text is escaped.
 * @returns The HTML document.
 */
export function renderPage(page: Page): string {
  const { title, question, data, method, equation, sections, settings, command, links = [] } = page;
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; " +
    `script-src '${hashOf(script)}'; base-uri 'none'; form-action 'none'`;
  const parts = [
    { heading: "Method", body: [html`<p>${method}</p>\n`, html`${equation ? block(equation) : ""}`] },
    ...sections,
    { heading: "Settings", body: settingsList(settings) },
    { heading: "Make it again", body: commandLine(command) },
  ];
  return html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="${rawHtml(policy)}">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <title>${title} · AlignedCut</title>
        <style>
    ${rawHtml(themeCss())}
    ${rawHtml(pageStyle)}</style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
    <p class="project">AlignedCut</p>
    <h1>${title}</h1>
    <p class="question">${question}</p>
    ${data === undefined ? "" : html`<p class="data"><strong>Data:</strong> ${data}</p>`}
    ${links.length > 0 ? navigation(title, links) : ""}
        </header>
        <main id="content">
    ${parts.map(({ heading, body }, i) => section(`part-${i + 1}`, heading, body))}</main>
        <footer>Every number on this page is in <code>results.json</code> beside it.</footer>
        <script>${rawHtml(script)}</script>
      </body>
    </html>
  `.markup;
}

function hashOf(source: string): string {
  return `sha256-${createHash("sha256").update(source).digest("base64")}`;
}

function block(equation: Html): Html {
  return html`<div class="equation" tabindex="0" role="region" aria-label="Equation">${equation}</div>\n`;
}

function section(id: string, heading: string, body: Html | readonly Html[]): Html {
  return html`
    <section aria-labelledby="${id}">
    <h2 id="${id}">${heading}</h2>
    ${body}</section>
  `;
}

function navigation(title: string, links: NonNullable<Page["links"]>): Html {
  const items = links.map((link) => {
    const current = rawHtml(link.title === title ? ' aria-current="page"' : "");
    return html`<li><a href="${checkHref(link.href)}"${current}>${link.title}</a></li>\n`;
  });
  return html`
    <nav aria-label="Reports">
      <ul>${items}</ul>
    </nav>
  `;
}

/** Links lead to files beside the page only. */
function checkHref(href: string): string {
  if (/^[\w.-]+(#[\w-]+)?$/.test(href)) return href;
  throw new TypeError(`A page links to files beside it only, found "${href}".`);
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
