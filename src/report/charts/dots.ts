import type { TopLevelSpec } from "vega-lite";
import { checkChartNumbers } from "../chart.ts";
import type { Theme } from "../theme.ts";
import { formatValue } from "./lines.ts";

/** One metric of several methods, by name. */
export interface DotsChart {
  /** Name of the metric with its unit. */
  metric: string;
  /** From top to bottom. */
  rows: readonly string[];
  /** At most six, one value a row each. */
  series: readonly { label: string; values: readonly number[] }[];
  width: number;
}

const SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "triangle-down"];

/**
 * A row of dots for each name, one dot a method, told apart by color and shape; the key stands above.
 * @param chart What to show.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 * @throws RangeError `The chart <metric> was given NaN …`, or when there are more methods than colors that can be told apart.
 */
export function dotsChart({ metric, rows, series, width }: DotsChart, theme: Theme): TopLevelSpec {
  checkChartNumbers(metric, series.flatMap(({ values }) => values));
  if (series.length > theme.series.length) {
    throw new RangeError(`A chart of dots holds ${theme.series.length} series, found ${series.length}.`);
  }
  const labels = series.map(({ label }) => label);
  const values = series.flatMap(({ label, values }) =>
    values.map((value, i) => ({
      row: rows[i],
      series: label,
      value,
      note: `${rows[i]}, ${label}: ${formatValue(value)}`,
    }))
  );
  const legend = {
    title: null,
    orient: "top" as const,
    columns: width < 480 ? 1 : 2,
    labelColor: theme.ink,
    labelLimit: 0,
  };
  return {
    width: width - 16 - 7 * Math.max(...rows.map((row) => row.length)) - 40,
    height: { step: 24 },
    description: `${metric} by name and method`,
    data: { values },
    mark: { type: "point", filled: true, size: 80, opacity: 0.9 },
    encoding: {
      x: {
        field: "value",
        type: "quantitative",
        scale: { zero: true },
        axis: { title: metric, tickCount: 5, grid: true },
      },
      y: {
        field: "row",
        type: "nominal",
        sort: null,
        scale: { domain: [...rows] },
        axis: { title: null, labelColor: theme.ink, labelLimit: 0, grid: true },
      },
      color: {
        field: "series",
        type: "nominal",
        scale: { domain: labels, range: labels.map((_, i) => theme.series[i]) },
        legend,
      },
      shape: {
        field: "series",
        type: "nominal",
        scale: { domain: labels, range: labels.map((_, i) => SHAPES[i]) },
        legend,
      },
      description: { field: "note", type: "nominal" },
    },
  };
}
