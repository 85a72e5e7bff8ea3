/** How pairs of channels correlate, as a chart: one row a kind of pair. */
import type { TopLevelSpec } from "vega-lite";
import { checkChartNumbers } from "../../report/chart.ts";
import type { Theme } from "../../report/theme.ts";
import { quantileOf } from "../../statistics/bootstrap.ts";

/** Correlations of one kind of pair. */
export interface CorrelationRow {
  label: string;
  r: Float64Array;
  /** What the text is about; others are drawn gray. */
  emphasis: boolean;
}

/**
 * Median (tick, with its number), middle half (bar) and middle four fifths (line) of the correlations of each kind.
 *
 * @param name of the chart, for screen readers and errors
 * @param rows from top to bottom, each of at least one pair
 * @param width in pixels
 * @param theme the colors
 * @returns a Vega-Lite spec
 * @throws RangeError "The chart … was given NaN …"
 */
export function correlationChart(
  name: string,
  rows: readonly CorrelationRow[],
  width: number,
  theme: Theme,
): TopLevelSpec {
  const values = rows.map(({ label, r, emphasis }) => {
    const sorted = r.toSorted(),
      [low, lower, median, upper, high] = [0.1, 0.25, 0.5, 0.75, 0.9].map((share) =>
        quantileOf(sorted, share)
      );
    checkChartNumbers(name, [low, lower, median, upper, high]);
    const number = median.toFixed(2).replace("-", "−");
    return { label, low, lower, median, upper, high, emphasis, number, note: `${label}: median r ${number}` };
  });
  const y = {
    field: "label",
    type: "nominal" as const,
    sort: null,
    scale: { domain: rows.map(({ label }) => label) },
    axis: { title: null, labelColor: theme.ink, labelLimit: 0 },
  };
  const scale = {
    domain: [Math.min(0, ...values.map(({ low }) => low)), Math.max(1, ...values.map(({ high }) => high))],
  };
  const x = (field: string) => ({
    field,
    type: "quantitative" as const,
    scale,
    axis: { title: "r on held-out images (−1 to 1)", tickCount: 5 },
  });
  const color = {
    field: "emphasis",
    type: "nominal" as const,
    legend: null,
    scale: { domain: [true, false], range: [theme.series[0], theme.muted] },
  };
  const labelWidth = 16 + 7 * Math.max(...rows.map(({ label }) => label.length));
  return {
    width: width - labelWidth - 16,
    height: { step: 34 },
    description: `${name}: correlation of pairs of channels on held-out images`,
    data: { values },
    layer: [
      {
        mark: { type: "rule", aria: false, strokeWidth: 1.5 },
        encoding: { x: x("low"), x2: { field: "high" }, y, color },
      },
      {
        mark: { type: "bar", aria: false, height: 10, opacity: 0.55 },
        encoding: { x: x("lower"), x2: { field: "upper" }, y, color },
      },
      {
        mark: { type: "tick", thickness: 3, size: 18 },
        encoding: {
          x: x("median"),
          y,
          color: { value: theme.ink },
          description: { field: "note", type: "nominal" },
        },
      },
      {
        mark: { type: "text", aria: false, dy: -14, fontSize: 11, color: theme.ink },
        encoding: { x: x("median"), y, text: { field: "number" } },
      },
    ],
  };
}
