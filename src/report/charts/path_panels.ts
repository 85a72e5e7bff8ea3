import type { TopLevelSpec } from "vega-lite";
import { sequenceOf, type Theme } from "../theme.ts";
import { colorBy } from "./encodings.ts";
import { formatValue } from "./lines.ts";
import { type Plane, planeOf, type PlanePlace } from "./plane.ts";

/** Paths over a map, one in each panel, all panels on the same scale. */
export interface PathPanelsChart {
  /** What the map is, for screen readers. */
  name: string;
  /** Names of the stops, the same on every path. */
  steps: readonly string[];
  /** `sd` is drawn as a cross around each stop. */
  panels: readonly { title: string; places: readonly PlanePlace[]; sd?: readonly PlanePlace[] }[];
  /** Panels beside each other at 640 px; two where it is narrower. */
  across: number;
  width: number;
}

const GAP = 16, KEY_STEP = 28;
/** Size of the labels of both ends, the widest one, a line of them, and a label's distance from its stop, in pixels. */
const LABEL = 11, LABEL_WIDTH = 26, LINE = 14, AWAY = 11;

/**
 * Small multiples of paths: an arrow from stop to stop, colored from the first (blue) to the last (orange), the other
 * panels' paths in gray behind it, and the colors' key below.
 * @param chart Places of every path.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 * @throws RangeError When a path has another number of places than there are steps, or one is not finite.
 */
export function pathPanelsChart(chart: PathPanelsChart, theme: Theme): TopLevelSpec {
  const { name, steps, panels, width } = chart, across = width < 640 ? 2 : chart.across;
  for (const { title, places } of panels) {
    if (places.length === steps.length) continue;
    throw new RangeError(`The path ${title} has ${places.length} places, expected ${steps.length}.`);
  }
  const corners = panels.flatMap(({ places, sd }) =>
    places.flatMap(([x, y], i): PlanePlace[] => {
      const [dx, dy] = sd?.[i] ?? [0, 0];
      return [[x - dx, y - dy], [x + dx, y + dy]];
    })
  );
  const side = Math.floor((width - 10 - GAP * (across - 1)) / across);
  const plane = planeOf(name, corners, side), { x, y } = plane;
  const color = colorBy("step", [...steps], sequenceOf(theme, steps.length));
  const segments = panels.flatMap(({ places, title }) =>
    places.slice(1).map((to, i) => ({ title, step: steps[i + 1], ...segment(places[i], to) }))
  );
  const drawn = panels.map(({ title, places, sd }) => {
    const own = segments.filter((segment) => segment.title === title), labels = endLabels(places, plane);
    const stops = places.map(([x, y], i) => {
      const [dx, dy] = sd?.[i] ?? [0, 0];
      return {
        step: steps[i],
        x,
        y,
        left: x - dx,
        right: x + dx,
        low: y - dy,
        high: y + dy,
        text: `${title} · ${steps[i]}: ${formatValue(x)}, ${formatValue(y)}`,
      };
    });
    const rule = { type: "rule" as const, aria: false };
    const ends = { x2: { field: "x2" }, y2: { field: "y2" } };
    return {
      title: { text: title, color: theme.ink, fontSize: 13, anchor: "start" as const, offset: 4 },
      width: side,
      height: side,
      view: { stroke: theme.rule },
      layer: [
        {
          data: { values: segments.filter((segment) => segment.title !== title) },
          mark: { ...rule, strokeWidth: 1, color: theme.rule },
          encoding: { x, y, ...ends },
        },
        ...sd
          ? [
            { x: { ...x, field: "left" }, x2: { field: "right" }, y },
            { x, y: { ...y, field: "low" }, y2: { field: "high" } },
          ].map((cross) => ({
            data: { values: stops },
            mark: { ...rule, opacity: 0.3, strokeWidth: 2 },
            encoding: { ...cross, color },
          }))
          : [],
        { data: { values: own }, mark: { ...rule, strokeWidth: 2 }, encoding: { x, y, ...ends, color } },
        {
          data: { values: own.filter(({ length }) => length > 0) },
          mark: {
            type: "point" as const,
            shape: "triangle",
            filled: true,
            size: 70,
            opacity: 1,
            aria: false,
          },
          encoding: {
            x: { ...x, field: "middleX" },
            y: { ...y, field: "middleY" },
            angle: { field: "angle", type: "quantitative" as const, scale: null },
            color,
          },
        },
        {
          data: { values: stops },
          mark: { type: "point" as const, filled: true, size: 30, opacity: 1 },
          encoding: { x, y, color, description: { field: "text", type: "nominal" as const } },
        },
        ...[{ stroke: theme.page, strokeWidth: 3 }, { color: theme.ink }].map((look) => ({
          data: { values: labels.map(({ stop, up }) => ({ x: places[stop][0], up, step: steps[stop] })) },
          mark: { type: "text" as const, aria: false, fontSize: LABEL, ...look },
          encoding: { x, y: { ...y, field: "up" }, text: { field: "step" } },
        })),
      ],
    };
  });
  return {
    description: name,
    spacing: 14,
    vconcat: [{ concat: drawn, columns: across, spacing: GAP }, key()],
  };

  function key() {
    const perRow = Math.floor((width - 10) / KEY_STEP);
    return {
      width: Math.min(perRow, steps.length) * KEY_STEP,
      height: 18 * Math.ceil(steps.length / perRow),
      view: { stroke: null },
      data: {
        values: steps.map((step, i) => ({
          step,
          across: (i % perRow + 0.5) * KEY_STEP,
          down: (Math.floor(i / perRow) + 0.5) * 18,
        })),
      },
      mark: { type: "text" as const, aria: false, fontWeight: 600 as const },
      encoding: {
        x: { field: "across", type: "quantitative" as const, scale: null, axis: null },
        y: { field: "down", type: "quantitative" as const, scale: null, axis: null },
        text: { field: "step" },
        color,
      },
    };
  }
}

/**
 * The labels of a path's first and last stop, above them; where the path returns to its start, so that both would lie on
 * each other, the lower one stands below its stop, or, at the panel's lower edge, the upper one a line higher.
 *
 * @returns the stops' numbers, and the labels' heights on the map
 */
function endLabels(places: readonly PlanePlace[], plane: Plane): { stop: number; up: number }[] {
  const pixels = (stop: number) => plane.top(places[stop]), last = places.length - 1;
  const at = (stop: number, top: number) => ({
    stop,
    up: places[stop][1] + (pixels(stop) - top) / plane.pixels,
  });
  const above = [...new Set([0, last])].map((stop) => at(stop, pixels(stop) - AWAY));
  const isApart = Math.abs(places[0][0] - places[last][0]) * plane.pixels >= LABEL_WIDTH ||
    Math.abs(pixels(0) - pixels(last)) >= LINE;
  if (last <= 0 || isApart) return above;
  const [upper, lower] = pixels(0) <= pixels(last) ? [0, last] : [last, 0], below = pixels(lower) + AWAY;
  if (below + LABEL / 2 <= plane.side) return [at(upper, pixels(upper) - AWAY), at(lower, below)];
  const top = pixels(lower) - AWAY;
  return [at(upper, Math.min(pixels(upper) - AWAY, top - LINE)), at(lower, top)];
}

/** A straight piece of a path, and a place on it for its arrowhead; `angle` in degrees clockwise from up. */
function segment([x, y]: PlanePlace, [x2, y2]: PlanePlace) {
  const [dx, dy] = [x2 - x, y2 - y];
  return {
    x,
    y,
    x2,
    y2,
    middleX: x + 0.6 * dx,
    middleY: y + 0.6 * dy,
    length: Math.hypot(dx, dy),
    angle: Math.atan2(dx, dy) * 180 / Math.PI,
  };
}
