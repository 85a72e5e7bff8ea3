import type { TopLevelSpec } from "vega-lite";
import { checkChartNumbers } from "../chart.ts";
import type { Theme } from "../theme.ts";

/** Means against standard deviations, with the parabola that fits them. */
export interface MeanSpread {
  /** What is shown, with its unit. */
  name: string;
  points: readonly { mean: number; sd: number; note: string }[];
  /** sd = constant + linear · mean + quadratic · mean². */
  parabola: { constant: number; linear: number; quadratic: number };
  /** Pixels. */
  width: number;
}

const STEPS = 60;

/**
 * A scatter of means (x) and standard deviations (y) with a fitted parabola.
 * @param chart Points and the parabola.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 * @throws RangeError `The chart <name> was given NaN …`
 */
export function meanSpreadChart({ name, points, parabola, width }: MeanSpread, theme: Theme): TopLevelSpec {
  checkChartNumbers(name, points.flatMap(({ mean, sd }) => [mean, sd]));
  const means = points.map(({ mean }) => mean), low = Math.min(...means), high = Math.max(...means);
  const most = Math.max(...points.map(({ sd }) => sd));
  const curve = Array.from({ length: STEPS + 1 }, (_, i) => {
    const mean = low + (high - low) * i / STEPS;
    return { mean, sd: parabola.constant + parabola.linear * mean + parabola.quadratic * mean * mean };
  }).filter(({ sd }) => sd >= 0 && sd <= 1.05 * most);
  const x = {
    field: "mean",
    type: "quantitative" as const,
    axis: { title: "mean activation of a region (sd of all patches)", grid: false },
  };
  const y = {
    field: "sd",
    type: "quantitative" as const,
    scale: { zero: true },
    axis: { title: "standard deviation over the concept's patches (sd of all patches)", tickCount: 5 },
  };
  return {
    description: name,
    width: width - 60,
    height: Math.min(360, 0.62 * width),
    layer: [
      {
        data: { values: [...points] },
        mark: { type: "point", filled: true, size: 26, opacity: 0.55, color: theme.series[0] },
        encoding: { x, y, description: { field: "note", type: "nominal" } },
      },
      {
        data: { values: curve },
        mark: { type: "line", color: theme.series[1], strokeWidth: 2.5, aria: false },
        encoding: { x, y },
      },
      {
        data: { values: curve.slice(-1) },
        mark: { type: "text", align: "right", dy: -24, color: theme.series[1], fontSize: 12, aria: false },
        encoding: { x, y, text: { value: "fitted parabola" } },
      },
    ],
  };
}
