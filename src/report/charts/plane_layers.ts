import type { TopLevelSpec } from "vega-lite";
import { sequenceOf, type Theme } from "../theme.ts";
import { planeOf, type PlanePlace } from "./plane.ts";

/** Places of the layers on a map. */
export interface PlaneLayersChart {
  /** What the map is, for screen readers. */
  name: string;
  /** From early to late. */
  layers: readonly { label: string; places: readonly PlanePlace[] }[];
  width: number;
}

const KEY_STEP = 16, KEY_WIDTH = 44;

/**
 * Points of every layer on one map, from early (blue) to late (orange), with the layers' names at the right.
 * @param chart Places of every layer.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 */
export function planeLayersChart({ name, layers, width }: PlaneLayersChart, theme: Theme): TopLevelSpec {
  const plane = planeOf(name, layers.flatMap(({ places }) => places), Math.min(width - KEY_WIDTH - 10, 440));
  const color = {
    field: "layer",
    type: "nominal" as const,
    scale: { domain: layers.map(({ label }) => label), range: sequenceOf(theme, layers.length) },
    legend: null,
  };
  const key = layers.map(({ label }, i) => ({ layer: label, at: KEY_STEP * (i + 0.5) }));
  return {
    width: plane.side,
    height: plane.side,
    description: name,
    view: { stroke: theme.rule },
    layer: [
      {
        data: {
          values: layers.flatMap(({ label, places }) => places.map(([x, y]) => ({ layer: label, x, y }))),
        },
        mark: { type: "point" as const, filled: true, size: 14, opacity: 0.6, aria: false },
        encoding: { x: plane.x, y: plane.y, color },
      },
      {
        data: { values: key },
        mark: {
          type: "text" as const,
          aria: false,
          align: "left" as const,
          baseline: "middle" as const,
          fontWeight: 600 as const,
        },
        encoding: {
          x: { value: plane.side + 10 },
          y: { field: "at", type: "quantitative" as const, scale: null, axis: null },
          text: { field: "layer" },
          color,
        },
      },
    ],
  };
}
