import type { TopLevelSpec } from "vega-lite";
import type { Theme } from "../theme.ts";
import { linesChart } from "./lines.ts";

/** One metric by layer, a line for each model or method. */
export interface LineByLayerChart {
  /** Name of the metric with its unit. */
  metric: string;
  /** `L1` … in order. */
  layers: readonly string[];
  /** At most six. */
  series: readonly {
    label: string;
    values: readonly number[];
    /** Low and high end of each value's interval. */
    intervals?: readonly (readonly [low: number, high: number])[];
  }[];
  /** The paper's value, or a baseline. */
  rule?: { label: string; value: number };
  /** A range to compare with: a noise ceiling. */
  band?: { label: string; low: number; high: number };
  width: number;
}

/**
 * A metric by layer, each line named at its end, with the paper's value or a baseline as a dashed rule.
 * @param chart One value a layer for every series.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 * @throws RangeError when there are more series than colors that can be told apart.
 */
export function lineByLayerChart(chart: LineByLayerChart, theme: Theme): TopLevelSpec {
  if (chart.series.length > theme.series.length) {
    throw new RangeError(
      `A chart by layer holds ${theme.series.length} lines, found ${chart.series.length}: make two.`,
    );
  }
  return linesChart({
    name: chart.metric,
    yTitle: chart.metric,
    xTitle: "layer",
    steps: chart.layers,
    lines: chart.series.map((series, i) => ({ ...series, color: theme.series[i] })),
    yScale: "linear",
    rule: chart.rule,
    band: chart.band,
    ruleColor: theme.muted,
    width: chart.width,
  });
}
