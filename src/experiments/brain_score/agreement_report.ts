/** The table of agreement across models: what was found, what chance gives, and the most that could be found. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import type { Html } from "../../report/html.ts";
import { bootstrapDraws, type Estimate, percentileInterval } from "../../statistics/bootstrap.ts";
import { type Agreement, agreementOf, type Tally, timesChance } from "./agreement.ts";
import type { Tallies, Universality } from "./universality.ts";

/** Times that images are resampled. */
const RESAMPLES = 2000;
/** What agreement over chance is to be of that of raw features, with real models. */
const TARGET = 1.5;

/** A statistic of some tallies, images resampled alike in all of them. */
function estimate(tallies: Tally[], statistic: (found: Agreement[]) => number): Estimate {
  const draws = bootstrapDraws(tallies[0].asked.length, RESAMPLES, 0);
  const of = (draw?: Uint32Array) => statistic(tallies.map((tally) => agreementOf(tally, draw)));
  return { value: of(), interval: percentileInterval(draws.map(of).filter(Number.isFinite)) };
}

/** For `results.json`: κ with its interval, the bound, and the ceilings, by kind of features. */
export function agreementMetrics(measured: Partial<Record<string, Universality>>): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const [name, universality] of Object.entries(measured)) {
    if (!universality?.agreement) continue;
    const { others, ...ceilings } = universality.agreement;
    const { value, interval: [low, high] } = kappaOf(others);
    metrics[`${name}.kappa`] = value;
    metrics[`${name}.kappa.low`] = low;
    metrics[`${name}.kappa.high`] = high;
    metrics[`${name}.neighbors.bound`] = 1 / agreementOf(others).chance;
    for (const [ceiling, own] of Object.entries(ceilings)) {
      metrics[`${name}.neighbors.${ceiling}`] = timesChance(own);
      metrics[`${name}.kappa.${ceiling}`] = agreementOf(own).kappa;
    }
  }
  return metrics;
}

function kappaOf(tally: Tally): Estimate {
  return estimate([tally], ([{ kappa }]) => kappa);
}

function withInterval({ value, interval: [low, high] }: Estimate): string {
  return `${formatNumber(value, 3)} (${formatNumber(low, 3)} to ${formatNumber(high, 3)})`;
}

/**
 * The table, with a sentence on the ratio of aligned to raw features.
 *
 * @param measured raw features, where they share a graph, and aligned ones
 * @param headings of its columns, by name
 * @param isTargeted whether the ratio has a target, as with real models
 */
export function agreementSection(
  measured: Partial<Record<string, Universality>>,
  headings: Record<string, string>,
  isTargeted: boolean,
): Html[] {
  const names = Object.keys(measured).filter((name) => measured[name]?.agreement);
  if (names.length === 0) return [];
  const tallies = names.map((name) => measured[name]!.agreement!);
  const row = (label: string, value: (tallies: Tallies) => number | string) => [label, ...tallies.map(value)];
  return [
    text(
      "How much nearest nodes could agree. Agreement over chance can be at most 1 / chance. The nearest node of the same model needs no alignment between models. The oracle is a linear classifier of every layer, trained on the masks of other images: a node finds any node of another model that is predicted to be of its own predicted class. κ = (found − chance) / (1 − chance) is 0 by chance and 1 at best (Cohen 1960); in brackets its 95 % interval, images resampled.",
    ),
    table({
      caption: "Figure nodes whose nearest node of another model, in another image, has their class",
      columns: ["", ...names.map((name) => headings[name])],
      rows: [
        row("found", ({ others }) => agreementOf(others).observed),
        row("by chance", ({ others }) => agreementOf(others).chance),
        row("found, × chance", ({ others }) => timesChance(others)),
        row("bound: 1 / chance", ({ others }) => 1 / agreementOf(others).chance),
        row("ceiling: nearest of the same model, × chance", ({ own }) => timesChance(own)),
        row("ceiling: oracle, × chance", ({ oracle }) => timesChance(oracle)),
        row("found, κ", ({ others }) => withInterval(kappaOf(others))),
        row("ceiling: nearest of the same model, κ", ({ own }) => agreementOf(own).kappa),
        row("ceiling: oracle, κ", ({ oracle }) => agreementOf(oracle).kappa),
      ],
    }),
    ...(measured.raw?.agreement && measured.ridge?.agreement
      ? [text(ratioSentence(measured.raw.agreement, measured.ridge.agreement, isTargeted))]
      : []),
  ];
}

function ratioSentence(raw: Tallies, ridge: Tallies, isTargeted: boolean): string {
  if (timesChance(raw.others) === 0) {
    return "No node finds its class by raw features, so that agreement after alignment has no ratio to theirs.";
  }
  const pair = [ridge.others, raw.others];
  const ratio = estimate(pair, ([a, b]) => a.observed / a.chance / (b.observed / b.chance));
  const own = Math.max(timesChance(raw.own), timesChance(ridge.own)) / timesChance(raw.others);
  const oracle = Math.max(timesChance(raw.oracle), timesChance(ridge.oracle)) / timesChance(raw.others);
  const verdict = ratio.value >= TARGET
    ? "met"
    : own < TARGET
    ? "missed, and beyond what nearest nodes of one model reach"
    : oracle < TARGET
    ? "missed, and beyond what the oracle reaches"
    : "missed";
  const limits = [own, oracle].map((value) => formatNumber(value, 2));
  return `Ridge alignment gives ${withInterval(ratio)} × the agreement over chance of raw features${
    isTargeted ? `; target ${TARGET}: ${verdict}` : ""
  }. By the same measure nearest nodes of one model reach ${limits[0]} ×, the oracle ${limits[1]} ×. ${
    kappaSentence(raw.others, ridge.others)
  }`;
}

/** A ratio of κ has an interval only where that of raw features is above chance. */
function kappaSentence(raw: Tally, ridge: Tally): string {
  const [before, after] = [kappaOf(raw), kappaOf(ridge)], isAbove = before.interval[0] > 0;
  const ratio = isAbove
    ? withInterval(estimate([ridge, raw], ([a, b]) => a.kappa / b.kappa))
    : before.value > 0
    ? `${
      formatNumber(after.value / before.value, 2)
    } (no interval, as raw features are not distinguishable from chance)`
    : "no number, as raw features are not above chance";
  const difference = estimate([ridge, raw], ([a, b]) => a.kappa - b.kappa);
  return `Corrected for chance, κ is ${formatNumber(before.value, 3)} for raw features and ${
    formatNumber(after.value, 3)
  } after ridge alignment: their ratio is ${ratio}, their difference ${withInterval(difference)}.`;
}
