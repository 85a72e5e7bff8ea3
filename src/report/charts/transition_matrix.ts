import type { TopLevelSpec } from "vega-lite";
import { checkChartNumbers } from "../chart.ts";
import type { Theme } from "../theme.ts";
import { colorKey } from "./color_key.ts";
import { cellPanel, panelsWithKey } from "./encodings.ts";

/** Matrices of proportions, side by side. */
export interface TransitionMatrixChart {
  /** What the matrices are, for screen readers. */
  name: string;
  /** Quantity and unit, for the key to the colors. */
  unit: string;
  from: readonly string[];
  to: readonly string[];
  /** Positive values take the color of figure, negative ones that of ground; null: nothing to count. */
  panels: readonly { title: string; rows: readonly (readonly (number | null)[])[]; negative?: boolean }[];
  width: number;
}

/** At a half, ink on top stays readable in light and dark. */
const STRONGEST = 0.5, CELL = 36, SPACING = 14;

/**
 * Matrices of where patches come from (rows) and go to (columns), each number in its cell, with a
 * key to the colors.
 * @param chart Numbers of every panel; `negative` panels are drawn in the color of ground.
 * @param theme The colors.
 * @returns A Vega-Lite spec: panels in a row, or one below the other where that is too wide.
 * @throws RangeError `The chart <name> was given NaN …`
 */
export function transitionMatrixChart(chart: TransitionMatrixChart, theme: Theme): TopLevelSpec {
  const { name, unit, from, to, panels, width } = chart;
  const numbers = panels.flatMap(({ rows }) => rows.flat()).filter((value) => value !== null);
  checkChartNumbers(name, numbers);
  const most = Math.max(1e-9, ...numbers.map(Math.abs));
  const inRow = panels.length * (CELL * to.length + 24) + SPACING * (panels.length - 1) <= width;
  const cell = inRow ? CELL : Math.min(44, (width - 60) / to.length);
  const parts = panels.map(({ title, rows, negative = false }) => {
    const cells = rows.flatMap((row, a) =>
      row.map((value, b) => ({
        from: from[a],
        to: to[b],
        strength: value === null ? 0 : STRONGEST * Math.abs(value) / most,
        ground: negative || (value ?? 0) < 0,
        label: value === null ? "–" : rounded(value, 2),
        note: `${title} · ${from[a]} to ${to[b]}: ${value === null ? "no patches" : rounded(value, 4)}`,
      }))
    );
    return cellPanel({
      title,
      cells,
      cell: [cell, cell],
      columns: ["to", to],
      rows: ["from", from],
      sign: ["ground", true, false],
      fontSize: inRow ? 11 : 12,
    }, theme);
  });
  const key = colorKey({
    title: unit,
    least: -most,
    most,
    strongest: STRONGEST,
    width: inRow ? panels.length * CELL * to.length : 60 + cell * to.length,
  }, theme);
  return panelsWithKey(name, parts, key, inRow ? SPACING : null, inRow ? SPACING : 18);
}

/** A number without the sign of a zero. */
function rounded(value: number, digits: number): string {
  const shown = value.toFixed(digits);
  return Number(shown) === 0 ? (0).toFixed(digits) : shown.replace("-", "−");
}
