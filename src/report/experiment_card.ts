/** An experiment in the index: its page, what it asks, and what became of the claims it tests. */
import { claimCounts, type TestedClaim, testedClaims, verdictMark, verdictStrip } from "./claims.ts";
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
  const lines = tested.map(({ paper, outcome, tests }) =>
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

/** A page's first claim: what became of it, and what was measured. */
function resultLine({ paper, outcome, tests }: TestedClaim): Html {
  const shown = tests.filter(({ verdict }) => verdict === "shown").length;
  const count = tests.length > 1 ? ` (${shown} of ${tests.length} tests)` : "";
  return html`
    <p class="result">${verdictMark(outcome)} <span><strong>${outcome}${count}:</strong> ${paper}</span></p>
    <p class="statistic">${tests[0].measured}</p>
  `;
}
