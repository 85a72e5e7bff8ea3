/** Pages with a script of their own: the project's modules, linked. */
import { commandLine, contents, settingsList } from "./blocks.ts";
import { linkModules } from "./explorer/link_modules.ts";
import { type Html, html, rawHtml, unescapeHtml } from "./html.ts";
import { pageLinks } from "./page_links.ts";
import type { Page } from "./page.ts";
import { pageHead } from "./page_style.ts";

/** What such a page holds. */
export interface ScriptPage extends Pick<Page, "title" | "question" | "data" | "settings" | "command"> {
  /** Below the question, one sentence. */
  lead?: string | Html;
  /** What there is without JavaScript. */
  noScript: string;
  /** Id of what the first link leads to, and its name. */
  skip: { id: string; name: string };
  /** Beside those of all pages. */
  style: string;
  /** The module that the page runs: its file: URL, or its text with nothing left to load; absent where none runs. */
  script?: URL | string;
  /** All above the method. */
  body: readonly Html[];
  method: readonly Html[];
  footer: Html;
  /** Data blocks, and what lies over the page. */
  end: readonly Html[];
}

/**
 * Renders a page that works from file:// and offline; its Content-Security-Policy forbids every request and every script but
 * its own, which holds the project's modules and shaders as they are.
 *
 * @throws Error when the script would end its own element
 */
export async function renderScriptPage(page: ScriptPage): Promise<string> {
  const { title, question, data, lead, noScript, skip, style, body, method, settings, command } = page;
  const linked = page.script instanceof URL ? await linkModules(page.script) : page.script;
  if (linked && /<\/script|<!--/i.test(linked)) {
    throw new Error(`The script of ${title} would end its own element.`);
  }
  const source = linked === undefined ? undefined : `\n${linked}`;
  return html`
    <!DOCTYPE html>
    <html lang="en">
      ${pageHead(title, source, `\n    ${style}`)}
      <body>
        <a class="skip" href="#${skip.id}">Skip to the ${skip.name}</a>
        <header>
          <p class="project">AlignedCut</p>
          ${pageLinks()}
          <h1>${title}</h1>
          <p class="question">${question}</p>
          ${lead === undefined ? "" : html`<p class="lead">${lead}</p>`}
          ${data === undefined ? "" : html`<p class="data"><strong>Data:</strong> ${data}</p>`}
          ${source === undefined ? "" : html`<noscript><p>${noScript}</p></noscript>`}
          ${contents([...headingsOf(html`${body}`.markup), ...ENDING])}
        </header>
        <main>
    ${body}
          <section aria-labelledby="method">
            <h2 id="method">Method</h2>
            ${method}
          </section>
          <section aria-labelledby="settings">
            <h2 id="settings">Settings</h2>
            ${settingsList(settings)}
          </section>
          <section aria-labelledby="again">
            <h2 id="again">Make it again</h2>
            ${commandLine(command)}
          </section>
        </main>
        <footer>${page.footer}</footer>
    ${page.end}
        ${source === undefined ? "" : html`<script type="module">${rawHtml(source)}</script>`}
      </body>
    </html>
  `.markup;
}

/** Sections at the end of every such page. */
const ENDING = [
  { heading: "Method", id: "method" },
  { heading: "Settings", id: "settings" },
  { heading: "Make it again", id: "again" },
];

/** Headings of sections, with their ids. */
function headingsOf(markup: string): { heading: string; id: string }[] {
  return [...markup.matchAll(/<h2 id="([\w-]+)">([^<]*)<\/h2>/g)].map(([, id, heading]) => ({
    id,
    heading: unescapeHtml(heading),
  }));
}

/** Numbers as a block that no browser runs, in base64. */
export function dataBlock(id: string, { buffer, byteOffset, byteLength }: ArrayBufferView): Html {
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  return rawHtml(`<script type="text/plain" id="${id}">${bytes.toBase64()}</script>\n`);
}

/** The block of JSON; `<` cannot close it early. */
export function jsonBlock(value: unknown): Html {
  const json = JSON.stringify(value).replaceAll("<", "\\u003c");
  return html`
    <script type="application/json" id="content">${rawHtml(json)}</script>
  `;
}
