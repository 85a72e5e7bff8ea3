/** An experiment in the index: its page, what it asks, and what became of the claims it tests. */
import { claimCounts, effectWords, testedClaims, verdictMark, verdictStrip, verdictWords } from "./claims.ts";
import { type Html, html } from "./html.ts";
import type { Claim } from "./results.ts";

/** One page of the index. */
export interface ExperimentCard {
  title: string;
  question: string;
  /** File beside the index. */
  href: string;
  /** As in results.json; none for pages that test nothing. */
  claims: readonly Claim[];
  /** Its first figure, small. */
  figure?: Html;
  /** Of which run its numbers are, in a sentence, where the pages are of several. */
  of?: string;
}

/**
 * A card that leads to a page, and from each claim to its place there.
 * @param card The page, its figure and its claims.
 */
export function experimentCard({ title, question, href, claims, figure, of }: ExperimentCard): Html {
  const tested = testedClaims(claims);
  const lines = tested.map(({ id, paper, verdict, cells }) =>
    html`
      <li>
        ${verdictMark(verdict)}
        <div><a href="${href}#claim-${id}">${paper}</a>${cells.length > 1
          ? html`<p>${verdictStrip(cells)} ${cells.length} tests</p>`
          : ""}<p>${effectWords(cells)}</p></div>
      </li>
    `
  );
  return html`
    <article class="experiment">
      ${figure === undefined
        ? ""
        : html`<a class="lead-figure" href="${href}" aria-hidden="true" tabindex="-1">${figure}</a>`}
      <h3><a href="${href}">${title}</a></h3>
      <p>${question}</p>
      ${tested.length === 0 ? "" : resultLine(tested[0])}
      ${of === undefined ? "" : html`<p class="counts">${of}</p>`}
      ${claims.length === 0 ? "" : html`
        <details>
          <summary class="counts">${claimCounts(claims)}</summary>
          <ul>${lines}</ul>
        </details>
      `}
    </article>
  `;
}

/** A page's first claim: what became of it, and its effects; the page has what was measured in full. */
function resultLine({ paper, verdict, cells }: Claim): Html {
  const effects = effectWords(cells);
  const shown = cells.filter((cell) => cell.verdict === "shown").length;
  const count = cells.length > 1 ? ` (${shown} of ${cells.length} tests)` : "";
  return html`
    <p class="result">${verdictMark(verdict)} <span><strong>${verdictWords(
      verdict,
    )}${count}:</strong> ${paper}</span></p>
    ${effects === "" ? "" : html`<p class="statistic">Effect: ${effects}</p>`}
  `;
}
