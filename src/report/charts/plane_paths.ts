import type { TopLevelSpec } from "vega-lite";
import type { Theme } from "../theme.ts";
import { formatValue } from "./lines.ts";
import { planeOf, type PlanePlace } from "./plane.ts";
import { spreadLabels } from "./spread_labels.ts";

/** Paths on a map. */
export interface PlanePathsChart {
  /** What the map is, for screen readers. */
  name: string;
  /** At most six. */
  paths: readonly {
    label: string;
    /** Dashed paths are told from others without color. */
    dashed?: boolean;
    /** In order; `sd` is drawn as a cross, `note` beside the stop. */
    stops: readonly { step: string; place: PlanePlace; sd?: PlanePlace; note?: string }[];
  }[];
  width: number;
}

const LABEL_GAP = 16;

/**
 * Paths over a map of two dimensions, each named at the right, at the height of its end.
 * @param chart Stops of every path.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 * @throws RangeError when there are more paths than colors that can be told apart.
 */
export function planePathsChart({ name, paths, width }: PlanePathsChart, theme: Theme): TopLevelSpec {
  if (paths.length > theme.series.length) {
    throw new RangeError(
      `A chart of paths holds ${theme.series.length} paths, found ${paths.length}: make two.`,
    );
  }
  const corners = paths.flatMap(({ stops }) =>
    stops.flatMap((
      { place: [x, y], sd: [dx, dy] = [0, 0] },
    ): PlanePlace[] => [[x - dx, y - dy], [x + dx, y + dy]])
  );
  const labelWidth = 26 + 7 * Math.max(...paths.map(({ label }) => label.length));
  const plane = planeOf(name, corners, Math.min(width - labelWidth - 10, 440));
  const values = paths.flatMap(({ label, dashed = false, stops }) =>
    stops.map(({ step, place: [x, y], sd: [dx, dy] = [0, 0], note = "" }, order) => ({
      path: label,
      dashed,
      order,
      x,
      y,
      note,
      left: x - dx,
      right: x + dx,
      low: y - dy,
      high: y + dy,
      text: `${label} · ${step}: ${formatValue(x)}, ${formatValue(y)}`,
    }))
  );
  const color = {
    field: "path",
    type: "nominal" as const,
    scale: { domain: paths.map(({ label }) => label), range: theme.series.slice(0, paths.length) },
    legend: null,
  };
  const ends = paths.map(({ stops }) => plane.top(stops[stops.length - 1].place));
  const heights = spreadLabels(ends, LABEL_GAP, plane.side);
  const labels = paths.map(({ label, stops }, i) => ({
    path: label,
    x: stops[stops.length - 1].place[0],
    from: ends[i],
    to: heights[i],
  }));
  const pixels = { type: "quantitative" as const, scale: null, axis: null };
  const { x, y } = plane;
  return {
    width: plane.side,
    height: plane.side,
    description: name,
    view: { stroke: theme.rule },
    layer: [
      {
        data: { values: labels },
        mark: { type: "rule" as const, aria: false, strokeDash: [2, 3], opacity: 0.6 },
        encoding: {
          x,
          x2: { value: plane.side + 6 },
          y: { field: "from", ...pixels },
          y2: { field: "to" },
          color,
        },
      },
      {
        data: { values: labels },
        mark: {
          type: "text" as const,
          aria: false,
          align: "left" as const,
          baseline: "middle" as const,
          fontWeight: 600,
        },
        encoding: {
          x: { value: plane.side + 10 },
          y: { field: "to", ...pixels },
          text: { field: "path" },
          color,
        },
      },
      ...(paths.some(({ stops }) => stops.some(({ sd }) => sd))
        ? [
          {
            data: { values },
            mark: { type: "rule" as const, aria: false, opacity: 0.28, strokeWidth: 2 },
            encoding: { x: { ...x, field: "left" }, x2: { field: "right" }, y, color },
          },
          {
            data: { values },
            mark: { type: "rule" as const, aria: false, opacity: 0.28, strokeWidth: 2 },
            encoding: { x, y: { ...y, field: "low" }, y2: { field: "high" }, color },
          },
        ]
        : []),
      {
        data: { values },
        mark: { type: "line" as const, aria: false, strokeWidth: 2, strokeJoin: "round" as const },
        encoding: {
          x,
          y,
          color,
          order: { field: "order" },
          strokeDash: {
            field: "dashed",
            type: "nominal" as const,
            scale: { domain: [false, true], range: [[1, 0], [6, 4]] },
            legend: null,
          },
        },
      },
      {
        data: { values },
        mark: { type: "point" as const, filled: true, size: 42, opacity: 1 },
        encoding: { x, y, color, description: { field: "text", type: "nominal" as const } },
      },
      ...[{ stroke: theme.page, strokeWidth: 3 }, {}].map((halo, i) => ({
        data: { values: values.filter(({ note }) => note) },
        mark: { type: "text" as const, aria: false, dx: 9, dy: -9, fontSize: 11, ...halo },
        encoding: { x, y, text: { field: "note" }, ...(i ? { color } : {}) },
      })),
    ],
  };
}
