/** The front page: the explorer where there is one, and a card for every page. */
import { type ExperimentCard, experimentCard } from "./experiment_card.ts";
import { EXPLORER_PLACE, type ExplorerParts } from "./explorer/page.ts";
import { html } from "./html.ts";
import type { Page } from "./page.ts";
import { renderScriptPage } from "./script_page.ts";

/** What it says. */
export interface FrontPage extends Pick<Page, "question" | "method" | "settings" | "command"> {
  /** As of `Page`. */
  data: string;
  /** The explorer, of these images; absent where there is none. */
  explorer?: ExplorerParts;
  cards: readonly ExperimentCard[];
  /** Pages that were not made, and why. */
  leftOut: Readonly<Record<string, string>>;
}

const LIVE =
  "Click a pixel: what is similar to it in any image, layer or model shows at once, and the cortex what it activates.";
const STYLE = `
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 1.25rem; }
.cards .experiment { margin: 0; padding: 1.1rem; }
`;

/**
 * Renders the front page, see `renderScriptPage`.
 *
 * @param page what it says; all text is escaped
 */
export async function renderFrontPage(page: FrontPage): Promise<string> {
  const { explorer, cards, leftOut, method, ...text } = page, skipped = Object.entries(leftOut);
  const hasClaims = cards.some(({ claims }) => claims.length > 0);
  const results = html`
    <section aria-labelledby="results">
      <h2 id="results">${hasClaims ? "What the experiments found" : "Pages"}</h2>
      <div class="cards">${cards.map(experimentCard)}</div>
    </section>
  `;
  const left = html`
    <section aria-labelledby="left-out">
      <h2 id="left-out">Left out</h2>
      ${skipped.map(([name, why]) => html`<p>${name}: ${why}</p>`)}
    </section>
  `;
  return await renderScriptPage({
    ...text,
    ...EXPLORER_PLACE,
    ...(!explorer && { skip: { id: "results", name: "results" } }),
    title: explorer ? "Explorer and results" : "Results",
    lead: explorer
      ? html`
        ${LIVE} <a href="explorer.html">The explorer</a> has more images; <a
          href="#results">what the experiments found</a> stands below.
      `
      : undefined,
    style: `${explorer?.style ?? ""}${STYLE}`,
    script: explorer?.script,
    body: [explorer?.body ?? html``, results, ...skipped.length > 0 ? [left] : []],
    method: [html`<p>${method}</p>`, ...explorer ? [explorer.method] : []],
    footer: html`Every number on these pages is in <code>results.json</code> beside them.`,
    end: explorer ? [explorer.end] : [],
  });
}
