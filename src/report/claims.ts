/** The paper's claims on a page: one row a claim, with a strip of the effects in all models and settings. */
import { formatNumber } from "./blocks.ts";
import { type EffectScale, effectScale, effectWhisker } from "./charts/effect_whisker.ts";
import { type Html, html, rawHtml } from "./html.ts";
import type { Cell, Claim, Verdict } from "./results.ts";

const OUTCOMES: readonly Verdict[] = ["shown", "partly", "not shown", "not testable"];

/** A sign for each outcome, so that color is not all that tells them apart. */
const MARKS: Readonly<Record<Verdict, string>> = {
  "shown": "✓",
  "partly": "◐",
  "not shown": "✕",
  "not testable": "–",
};

/** How p becomes a verdict, for the head of a list of claims. */
const RULE =
  "Every verdict follows from the p in its row: shown where p ≤ 0.01, and where all of five or six units agree, whose signs allow no p below 2⁻ⁿ. A claim is shown where all its rows are, partly where some are. Dots are effects, above 0 as the paper has them, with 95 % intervals (the range of fewer than ten units). False alarms are simulations without the effect in which any row was shown.";

/**
 * Claims as they count: those with the same words are one, whatever pages test them.
 *
 * @param claims As in results.json, of one page or of several.
 * @returns One entry for each of the paper's claims, in order, with all its cells.
 */
export function testedClaims(claims: readonly Claim[]): Claim[] {
  return [...Map.groupBy(claims, ({ paper }) => paper).values()].map((own) => {
    if (own.length === 1) return own[0];
    const cells = own.flatMap((claim) => claim.cells);
    return {
      ...own[0],
      measured: own.map(({ measured }) => measured).join("; "),
      cells,
      verdict: verdictOf(cells),
    };
  });
}

/**
 * What follows for a claim from its tests.
 *
 * @param cells At least one.
 */
export function verdictOf(cells: readonly Pick<Cell, "verdict">[]): Verdict {
  const testable = cells.filter(({ verdict }) => verdict !== "not testable");
  const shown = testable.filter(({ verdict }) => verdict === "shown").length;
  if (testable.length === 0) return "not testable";
  return shown === testable.length ? "shown" : shown > 0 ? "partly" : "not shown";
}

/** A verdict in words. */
export function verdictWords(verdict: Verdict): string {
  return verdict === "not testable" ? "not testable here" : verdict;
}

/**
 * How many claims have each outcome, in words.
 * @param claims As in results.json.
 * @returns For instance `3 claims: 2 shown, 1 not testable here`; outcomes that none has are left out.
 */
export function claimCounts(claims: readonly Claim[]): string {
  const tested = testedClaims(claims);
  const counts = OUTCOMES.flatMap((outcome) => {
    const count = tested.filter(({ verdict }) => verdict === outcome).length;
    return count > 0 ? `${count} ${verdictWords(outcome)}` : [];
  });
  return `${tested.length} ${tested.length === 1 ? "claim" : "claims"}: ${counts.join(", ")}`;
}

/**
 * A sign for a verdict, with its name for those who do not see it.
 * @param verdict Which.
 */
export function verdictMark(verdict: Verdict): Html {
  return html`<span class="mark ${classOf(verdict)}" role="img" aria-label="${verdictWords(verdict)}">${
    MARKS[verdict]
  }</span>`;
}

/**
 * One sign for each test of a claim, in order.
 * @param cells Of one claim.
 */
export function verdictStrip(cells: readonly Cell[]): Html {
  return html`<span class="strip">${cells.map(({ verdict }) => verdictMark(verdict))}</span>`;
}

/**
 * Claims, one row each, folded below the number of each outcome.
 * @param claims As in results.json.
 */
export function foldedClaims(claims: readonly Claim[]): Html {
  return html`<details class="claims"><summary>${claimCounts(claims)}</summary>\n<p>${RULE}</p>\n${
    testedClaims(claims).map(claimRow)
  }</details>\n`;
}

function claimRow({ id, paper, measured, statistic, cells, verdict, false_alarm: alarm }: Claim): Html {
  const scales = new Map(
    [...Map.groupBy(cells, ({ unit }) => unit)].map(([unit, own]) => [unit, effectScale(own)] as const),
  );
  const alarms = alarm === undefined ? "" : html`
    <p class="statistic">False alarms: ${Math.round(alarm.rate * alarm.worlds)} of ${alarm
      .worlds} simulations without the effect.</p>
  `;
  return html`
    <div class="claim" id="claim-${id}">
      <div>
        <p class="verdict ${classOf(verdict)}">${MARKS[verdict]} ${verdictWords(verdict)}</p>
        <p class="paper"><span>The paper says</span> ${paper}</p>
        <p>${sentence(measured)}</p>
        <p class="statistic">${sentence(statistic)}</p>
        ${alarms}
      </div>
      <ul class="effects">${cells.map((cell) => effectRow(cell, scales.get(cell.unit)!))}</ul>
    </div>
  `;
}

/** Words as a sentence: a first word in small letters gets a capital one, symbols like r and mIoU stay. */
function sentence(words: string): string {
  return `${/^[a-z]{2,}\b/.test(words) ? words[0].toUpperCase() + words.slice(1) : words}.`;
}

/**
 * The effects of a claim's tests in a few words, for a card; above 0 as the paper has it.
 *
 * @param cells Of one claim.
 * @returns `0.040 of mIoU (0.031 to 0.049)` of one test, `0.02 to 0.11 of r` of several, by unit; "" where nothing was tested.
 */
export function effectWords(cells: readonly Cell[]): string {
  return [...Map.groupBy(cells, ({ unit }) => unit)].flatMap(([unit, own]) => {
    const scale = effectScale(own), number = (value: number) => effectNumber(value, scale);
    const effects = own.flatMap(({ effect }) => effect ?? []);
    if (effects.length === 0) return [];
    const { low, high } = own[0], ends = [Math.min(...effects), Math.max(...effects)].map(number);
    if (effects.length > 1) return [`${[...new Set(ends)].join(" to ")} ${unit}`];
    return [`${ends[0]} ${unit}${own.length > 1 ? "" : ` (${number(low!)} to ${number(high!)})`}`];
  }).join("; ");
}

/** As many digits as the largest effect of its unit deserves. */
function effectNumber(value: number, { largest }: EffectScale): string {
  return formatNumber(value, largest >= 10 ? 1 : largest >= 1 ? 2 : 3, false);
}

/** One test: where, its whisker, and its numbers. */
function effectRow(cell: Cell, scale: EffectScale): Html {
  const { model, setting, unit, effect, low, high, p, n, note, verdict } = cell;
  const number = (value: number) => effectNumber(value, scale);
  const numbers = effect === undefined || low === undefined || high === undefined || p === undefined
    ? html`n = ${n}`
    : html`${number(effect)} (${number(low)} to ${number(high)}) ${unit}, p = ${
      formatNumber(p, 3)
    }, n = ${n}`;
  return html`
    <li>
      ${verdictMark(verdict)}
      <p>${model}${setting === undefined ? "" : `, ${setting}`}</p>
      ${effect === undefined ? rawHtml("<span></span>") : rawHtml(effectWhisker(cell, scale))}
      <p class="statistic">${numbers}${note === undefined ? "" : html`
        · ${note}
      `}</p>
    </li>
  `;
}

function classOf(verdict: Verdict): Html {
  return rawHtml(verdict.replace(" ", "-"));
}
