import type { TopLevelSpec } from "vega-lite";
import type { Theme } from "../theme.ts";
import { planeOf, type PlanePlace } from "./plane.ts";

/** Circles of one layer on a map, over its points. */
export interface PlaneCirclesChart {
  /** What the map is, for screen readers. */
  name: string;
  circles: readonly { label: string; centre: PlanePlace }[];
  /** In units of the map. */
  radius: number;
  points: readonly { place: PlanePlace; figure: boolean }[];
  width: number;
}

/**
 * Named circles over the points of a layer: figure as filled dots, ground as rings.
 * @param chart Circles and points.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 */
export function planeCirclesChart(chart: PlaneCirclesChart, theme: Theme): TopLevelSpec {
  const { name, circles, radius, points, width } = chart;
  const corners = circles.flatMap(({ centre: [x, y] }): PlanePlace[] => [
    [x - radius, y - radius],
    [x + radius, y + radius],
  ]);
  const { side, pixels, x, y } = planeOf(
    name,
    [...corners, ...points.map(({ place }) => place)],
    Math.min(width - 20, 400),
  );
  const centres = circles.map(({ label, centre: [x, y] }) => ({ label, x, y, note: `circle ${label}` }));
  const dots = (figure: boolean, color: string) => ({
    data: {
      values: points.filter((point) => point.figure === figure).map(({ place: [x, y] }) => ({ x, y })),
    },
    mark: {
      type: "point" as const,
      aria: false,
      size: 16,
      opacity: 0.75,
      color,
      filled: figure,
      strokeWidth: 1.2,
    },
    encoding: { x, y },
  });
  return {
    width: side,
    height: side,
    description: name,
    view: { stroke: theme.rule },
    layer: [
      dots(false, theme.series[0]),
      dots(true, theme.series[1]),
      {
        data: { values: centres },
        mark: {
          type: "point" as const,
          filled: false,
          stroke: theme.ink,
          strokeWidth: 1.5,
          opacity: 1,
          // Vega takes a circle's size as its squared diameter.
          size: (2 * radius * pixels) ** 2,
        },
        encoding: { x, y, description: { field: "note", type: "nominal" as const } },
      },
      ...[{ stroke: theme.page, strokeWidth: 4 }, { color: theme.ink }].map((style) => ({
        data: { values: centres },
        mark: { type: "text" as const, aria: false, fontWeight: 700 as const, fontSize: 14, ...style },
        encoding: { x, y, text: { field: "label" } },
      })),
    ],
  };
}
