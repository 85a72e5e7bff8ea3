import type { TopLevelSpec } from "vega-lite";
import { checkChartNumbers } from "../chart.ts";
import type { Theme } from "../theme.ts";
import { colorBy, leftText } from "./encodings.ts";
import { formatValue } from "./lines.ts";

/** Named values as horizontal bars. */
export interface BarChart {
  /** Name of the metric with its unit. */
  metric: string;
  /** From top to bottom; `emphasis` marks the bars that the text is about. */
  bars: readonly { label: string; value: number; emphasis?: boolean }[];
  width: number;
}

/** Share of the width that names may take at the left; longer ones stand above their bars. */
const MAX_LABELS = 0.45;
/** Pixels for the numbers at the bars' ends, from bar to bar, with names above them, and from a bar's middle up to its name. */
const NUMBERS = 60, STEP = 30, TALL_STEP = 46, UP = 19;

/**
 * Horizontal bars from zero, each with its name at the left, or above it where names are long, and its number at its end.
 * @param chart What to show.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 * @throws RangeError `The chart <metric> was given NaN …`
 */
export function barChart(chart: BarChart, theme: Theme): TopLevelSpec {
  checkChartNumbers(chart.metric, chart.bars.map((bar) => bar.value));
  const labelWidth = 16 + 7 * Math.max(...chart.bars.map((bar) => bar.label.length));
  const isAbove = labelWidth > MAX_LABELS * chart.width;
  const hasEmphasis = chart.bars.some((bar) => bar.emphasis);
  const digits = decimalsOf(chart.bars.map((bar) => bar.value));
  const values = chart.bars.map((bar) => ({
    label: bar.label,
    value: bar.value,
    strong: !hasEmphasis || bar.emphasis === true,
    number: (Number(bar.value.toFixed(digits)) || 0).toFixed(digits).replace("-", "−"),
    note: `${bar.label}: ${formatValue(bar.value)}`,
  }));
  const domain = chart.bars.map((bar) => bar.label);
  const y = {
    field: "label",
    type: "nominal" as const,
    sort: null,
    scale: { domain },
    axis: isAbove ? null : { title: null, labelColor: theme.ink, labelLimit: 0 },
  };
  const x = { field: "value", type: "quantitative" as const, axis: { title: chart.metric, tickCount: 4 } };
  return {
    width: chart.width - (isAbove ? 0 : labelWidth) - NUMBERS,
    height: { step: isAbove ? TALL_STEP : STEP },
    description: `${chart.metric} by name`,
    data: { values },
    layer: [
      {
        mark: { type: "bar" as const, cornerRadiusEnd: 3, height: 18 },
        encoding: {
          x,
          y,
          color: colorBy("strong", [true, false], [theme.series[0], theme.muted]),
          description: { field: "note", type: "nominal" as const },
        },
      },
      {
        mark: leftText({ dx: 6, baseline: "middle", fontWeight: 600 }),
        encoding: { x: { ...x, stack: null }, y, text: { field: "number" } },
      },
      ...isAbove
        ? [{
          mark: leftText({ dy: -UP, baseline: "middle" }),
          encoding: { x: { value: 0 }, y, text: { field: "label" } },
        }]
        : [],
    ],
  };
}

/** Digits after the point that give the largest of some numbers three in all, the same for each; none if all are whole. */
function decimalsOf(values: readonly number[]): number {
  const largest = Math.max(...values.map(Math.abs));
  if (largest === 0 || values.every(Number.isInteger)) return 0;
  return Math.max(0, Math.min(6, 2 - Math.floor(Math.log10(largest))));
}
