/** The paper's claims on a page: one block a claim, whatever number of models and settings it was tested in. */
import { formatNumber } from "./blocks.ts";
import { type Html, html, rawHtml } from "./html.ts";
import type { Claim, Verdict } from "./results.ts";

/** What became of a claim over all models and settings that it was tested in. */
export type Outcome = "shown" | "partly" | "not shown" | "not testable here";

/** A claim of the paper, and its tests. */
export interface TestedClaim {
  /** In the paper's words; tests with the same words are of the same claim. */
  paper: string;
  outcome: Outcome;
  tests: readonly Claim[];
}

const OUTCOMES: readonly Outcome[] = ["shown", "partly", "not shown", "not testable here"];

/** A sign for each outcome, so that color is not all that tells them apart. */
const MARKS: Readonly<Record<Verdict | Outcome, string>> = {
  "shown": "✓",
  "partly": "◐",
  "not shown": "✕",
  "not testable": "–",
  "not testable here": "–",
};

/**
 * Tests by the claim that they are of.
 * @param tests As in results.json, of one page or of several.
 * @returns One entry for each of the paper's claims, in the order of their first tests. A claim is shown where every
 * test that could be made shows it, partly where only some do.
 */
export function testedClaims(tests: readonly Claim[]): TestedClaim[] {
  const groups = Map.groupBy(tests, ({ paper }) => paper);
  return [...groups].map(([paper, own]) => ({ paper, tests: own, outcome: outcomeOf(own) }));
}

function outcomeOf(tests: readonly Claim[]): Outcome {
  const testable = tests.filter(({ verdict }) => verdict !== "not testable");
  const shown = testable.filter(({ verdict }) => verdict === "shown").length;
  if (testable.length === 0) return "not testable here";
  return shown === testable.length ? "shown" : shown > 0 ? "partly" : "not shown";
}

/**
 * How many claims have each outcome, in words.
 * @param tests As in results.json.
 * @returns For instance `3 claims: 2 shown, 1 not testable here`; outcomes that none has are left out.
 */
export function claimCounts(tests: readonly Claim[]): string {
  const claims = testedClaims(tests);
  const counts = OUTCOMES.flatMap((outcome) => {
    const count = claims.filter((claim) => claim.outcome === outcome).length;
    return count > 0 ? `${count} ${outcome}` : [];
  });
  return `${claims.length} ${claims.length === 1 ? "claim" : "claims"}: ${counts.join(", ")}`;
}

/**
 * A sign for a verdict or outcome, with its name for those who do not see it.
 * @param kind Which.
 */
export function verdictMark(kind: Verdict | Outcome): Html {
  return html`<span class="mark ${classOf(kind)}" role="img" aria-label="${kind}">${MARKS[kind]}</span>`;
}

/**
 * One sign for each test of a claim, in order.
 * @param tests Of one claim.
 */
export function verdictStrip(tests: readonly Claim[]): Html {
  return html`<span class="strip">${tests.map(({ verdict }) => verdictMark(verdict))}</span>`;
}

/**
 * Claims, folded below the number of each outcome.
 * @param tests As in results.json.
 */
export function foldedClaims(tests: readonly Claim[]): Html {
  return html`<details class="claims"><summary>${claimCounts(tests)}</summary>\n${
    testedClaims(tests).map(claimBlock)
  }</details>\n`;
}

function claimBlock({ paper, outcome, tests }: TestedClaim): Html {
  return html`
    <div class="claim">
      <p class="verdict ${classOf(outcome)}">${MARKS[outcome]} ${outcome}</p>
      <p class="paper"><span>The paper says</span> ${paper}</p>
      <ul>${tests.map(testItem)}</ul>
    </div>
  `;
}

function testItem({ id, of, measured, statistic, n, p, verdict }: Claim): Html {
  const chance = p === undefined ? "" : `, p = ${formatNumber(p, 3)}`;
  return html`
    <li id="claim-${id}">
    ${verdictMark(verdict)}
    <div>
    <p>${of === undefined ? "" : html`
      <strong>${of}:</strong>
    `}${measured}</p>
    <p class="statistic">${statistic} (n = ${n}${chance})</p>
    </div>
    </li>
  `;
}

function classOf(kind: Verdict | Outcome): Html {
  return rawHtml(kind.replace(" here", "").replace(" ", "-"));
}
