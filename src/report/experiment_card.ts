/** An experiment in the index: its page, what it asks, and its verdicts. */
import { type Html, html, rawHtml } from "./html.ts";
import type { Claim, Verdict } from "./results.ts";
import { VERDICT_MARKS } from "./blocks.ts";

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

const VERDICTS: readonly Verdict[] = ["shown", "not shown", "not testable"];

/**
 * How often each verdict was given, as words.
 * @param claims As in results.json.
 * @returns for instance `2 shown, 1 not testable`; verdicts that none has are left out
 */
export function verdictCounts(claims: readonly Claim[]): string {
  const counts = VERDICTS.map((verdict) => ({
    verdict,
    count: claims.filter((claim) => claim.verdict === verdict).length,
  }));
  return counts.filter(({ count }) => count > 0).map(({ verdict, count }) => `${count} ${verdict}`).join(
    ", ",
  );
}

/**
 * A card that leads to a page, and from each claim to its place there.
 * @param card The page and its claims.
 */
export function experimentCard({ title, question, href, claims, of }: ExperimentCard): Html {
  const lines = claims.map(({ id, paper, measured, verdict }) => {
    const kind = rawHtml(verdict.replace(" ", "-"));
    return html`
      <li>
        <span class="mark ${kind}" role="img" aria-label="${verdict}">${VERDICT_MARKS[verdict]}</span>
        <div><a href="${href}#claim-${id}">${paper}</a><p>${measured}</p></div>
      </li>
    `;
  });
  return html`
    <article class="experiment">
      <h3><a href="${href}">${title}</a></h3>
      <p>${question}</p>
      ${of === undefined ? "" : html`<p class="counts">${of}</p>`}
      ${of === undefined ? "" : html`<p class="counts">${of}</p>`}
      ${claims.length === 0 ? "" : html`
        <p class="counts">${verdictCounts(claims)}</p>
        <ul>${lines}</ul>
      `}
    </article>
  `;
}
