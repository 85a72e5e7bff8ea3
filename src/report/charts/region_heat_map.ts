import type { TopLevelSpec } from "vega-lite";
import { checkChartNumbers } from "../chart.ts";
import type { Theme } from "../theme.ts";
import { colorKey } from "./color_key.ts";
import { cellPanel, panelsWithKey } from "./encodings.ts";

/** Activation of regions, in a few columns a panel. */
export interface RegionHeatMap {
  /** What is shown, for screen readers. */
  name: string;
  /** Quantity and unit, for the key to the colors. */
  unit: string;
  /** From top to bottom. */
  regions: readonly string[];
  /** From left to right, in every panel. */
  columns: readonly string[];
  /** `values` has one row a region. */
  panels: readonly { title: string; values: readonly (readonly number[])[] }[];
  /** Pixels. */
  width: number;
}

/** Below this, ink on top of the color stays readable in light and dark. */
const STRONGEST = 0.55, CELL_WIDTH = 54, CELL_HEIGHT = 24, LABELS = 52, SPACING = 16;

/**
 * A heat map of regions, negative blue and positive orange, each number in its cell, with a key to the colors.
 * @param chart Values of every panel; all panels share one scale.
 * @param theme The colors.
 * @returns A Vega-Lite spec: panels in a row, or one below the other where that is too wide.
 * @throws RangeError `The chart <name> was given NaN …`
 */
export function regionHeatMap(chart: RegionHeatMap, theme: Theme): TopLevelSpec {
  const { name, unit, regions, columns, panels, width } = chart;
  const numbers = panels.flatMap(({ values }) => values.flat());
  checkChartNumbers(name, numbers);
  const most = Math.max(1e-9, ...numbers.map(Math.abs));
  const digits = Math.min(4, Math.max(2, Math.ceil(1 - Math.log10(most)))); // the largest has two that count
  const inRow = LABELS + panels.length * CELL_WIDTH * columns.length + SPACING * (panels.length - 1) <= width;
  const cell = inRow ? CELL_WIDTH : Math.min(84, (width - LABELS - 16) / columns.length);
  const parts = panels.map(({ title, values }, panel) => {
    const cells = values.flatMap((row, r) =>
      row.map((value, c) => ({
        region: regions[r],
        column: columns[c],
        strength: STRONGEST * Math.abs(value) / most,
        sign: value < 0 ? "negative" : "positive",
        label: signed(value, digits),
        note: `${title} · ${regions[r]} · ${columns[c]}: ${signed(value, 4)}`,
      }))
    );
    return cellPanel({
      title,
      cells,
      cell: [cell, CELL_HEIGHT],
      columns: ["column", columns],
      rows: ["region", regions],
      isNamed: !inRow || panel === 0,
      sign: ["sign", "negative", "positive"],
      fontSize: 12,
    }, theme);
  });
  const key = colorKey({
    title: unit,
    least: Math.min(0, ...numbers),
    most: Math.max(0, ...numbers),
    strongest: STRONGEST,
    width: inRow ? LABELS + panels.length * CELL_WIDTH * columns.length : LABELS + cell * columns.length,
  }, theme);
  return panelsWithKey(name, parts, key, inRow ? SPACING : null, SPACING);
}

/** A number with its sign, that of a zero left out. */
function signed(value: number, digits: number): string {
  const shown = value.toFixed(digits);
  if (Number(shown) === 0) return (0).toFixed(digits);
  return value > 0 ? `+${shown}` : shown.replace("-", "−");
}
