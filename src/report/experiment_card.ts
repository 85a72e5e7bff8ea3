/** An experiment in the index: its page, what it asks, and what became of the claims it tests. */
import { claimCounts, testedClaims, verdictMark, verdictStrip } from "./claims.ts";
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
  /** Of which run its numbers are, in a sentence, where the pages are of several. */
  of?: string;
}

/**
 * A card that leads to a page, and from each claim to its place there.
 * @param card The page and its claims.
 */
export function experimentCard({ title, question, href, claims, of }: ExperimentCard): Html {
  const lines = testedClaims(claims).map(({ paper, outcome, tests }) =>
    html`
      <li>
        ${verdictMark(outcome)}
        <div><a href="${href}#claim-${tests[0].id}">${paper}</a>${tests.length > 1
          ? html`<p>${verdictStrip(tests)} ${tests.length} tests</p>`
          : ""}<p>${tests[0].measured}${tests.length > 1 ? "; …" : ""}</p></div>
      </li>
    `
  );
  return html`
    <article class="experiment">
      <h3><a href="${href}">${title}</a></h3>
      <p>${question}</p>
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
