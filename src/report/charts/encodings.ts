/** Parts that several charts have alike. */
import type { Theme } from "../theme.ts";

/** How a label is drawn that begins at its place. */
export function leftText<const T extends object>(look: T) {
  return { type: "text" as const, aria: false, align: "left" as const, ...look };
}

/** Colors by name, without a legend. */
export function colorBy<T extends string | boolean>(field: string, domain: T[], range: string[]) {
  return { field, type: "nominal" as const, scale: { domain, range }, legend: null };
}

/** A panel of cells, each with its `label` in it, filled by `strength` in the color of its sign. */
export interface CellPanel<S extends string | boolean> {
  title: string;
  cells: object[];
  /** Pixels of a cell. */
  cell: readonly [width: number, height: number];
  columns: readonly [field: string, names: readonly string[]];
  rows: readonly [field: string, names: readonly string[]];
  /** Whether rows have their names at the left; default true. */
  isNamed?: boolean;
  /** The field, and its values that take the first and the second color of the theme. */
  sign: readonly [field: string, first: S, second: S];
  fontSize: number;
}

/** Draws a panel of cells. */
export function cellPanel<S extends string | boolean>(
  { title, cells, cell, columns: [column, across], rows: [row, down], isNamed = true, sign, fontSize }:
    CellPanel<
      S
    >,
  theme: Theme,
) {
  const axis = { title: null, domain: false, ticks: false, labelColor: theme.ink, labelAngle: 0 };
  const along = { type: "nominal" as const, sort: null };
  const x = {
    field: column,
    ...along,
    scale: { domain: [...across] },
    axis: { ...axis, orient: "top" as const },
  };
  const y = { field: row, ...along, scale: { domain: [...down] }, axis: isNamed ? axis : null };
  const [field, ...domain] = sign, range = [theme.series[0], theme.series[1]];
  return {
    title: { text: title, color: theme.ink, fontSize: 13, anchor: "start" as const, offset: 8 },
    width: cell[0] * across.length,
    height: cell[1] * down.length,
    data: { values: cells },
    layer: [
      {
        mark: { type: "rect" as const, stroke: theme.rule, strokeWidth: 1, strokeOpacity: 1 },
        encoding: {
          x,
          y,
          fill: { field, type: "nominal" as const, legend: null, scale: { domain, range } },
          fillOpacity: { field: "strength", type: "quantitative" as const, legend: null, scale: null },
          description: { field: "note", type: "nominal" as const },
        },
      },
      {
        mark: { type: "text" as const, aria: false, fontSize },
        encoding: { x, y, text: { field: "label", type: "nominal" as const } },
      },
    ],
  };
}

/** Panels above the key to their colors: in a row, some pixels apart, or one below the other. */
export function panelsWithKey<P, K>(name: string, panels: P[], key: K, row: number | null, spacing: number) {
  const common = { description: name, spacing, resolve: { scale: { fill: "independent" as const } } };
  return row === null
    ? { ...common, vconcat: [...panels, key] }
    : { ...common, vconcat: [{ hconcat: panels, spacing: row }, key] };
}
