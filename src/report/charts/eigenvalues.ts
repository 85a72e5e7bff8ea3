import type { TopLevelSpec } from "vega-lite";
import { sequenceOf, type Theme } from "../theme.ts";
import { linesChart } from "./lines.ts";

/** Eigenvalues of the normalised affinity, one line a layer. */
export interface EigenvaluesChart {
  /** `values` are in descending order; `firstComponent` is the number of the first of them. */
  layers: readonly { label: string; values: readonly number[] }[];
  /** 1, or 2 where the trivial λ₁ = 1 is left out. */
  firstComponent: number;
  yScale: "linear" | "log";
  width: number;
}

/**
 * Eigenvalues by component, one line a layer from early (blue) to late (orange), each named at its end.
 * @param chart Values of every layer, all of the same length.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 */
export function eigenvaluesChart(chart: EigenvaluesChart, theme: Theme): TopLevelSpec {
  const colors = sequenceOf(theme, chart.layers.length);
  const longest = Math.max(...chart.layers.map((layer) => layer.values.length));
  return linesChart({
    name: "eigenvalues",
    yTitle: "eigenvalue λ (at most 1)",
    xTitle: "component",
    steps: Array.from({ length: longest }, (_, i) => String(i + chart.firstComponent)),
    lines: chart.layers.map((layer, i) => ({ ...layer, color: colors[i] })),
    yScale: chart.yScale,
    ruleColor: theme.muted,
    width: chart.width,
  });
}
