import type { TopLevelSpec } from "vega-lite";
import { sequenceOf, type Theme } from "../theme.ts";
import { colorBy, leftText } from "./encodings.ts";
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
  const color = colorBy("layer", layers.map(({ label }) => label), sequenceOf(theme, layers.length));
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
        mark: leftText({ baseline: "middle", fontWeight: 600 }),
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
