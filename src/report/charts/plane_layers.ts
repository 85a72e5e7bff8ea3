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

/**
 * Points of every layer on one map, from early (blue) to late (orange), each layer's name at its middle.
 * @param chart Places of every layer.
 * @param theme The colors.
 * @returns A Vega-Lite spec.
 */
export function planeLayersChart({ name, layers, width }: PlaneLayersChart, theme: Theme): TopLevelSpec {
  const plane = planeOf(name, layers.flatMap(({ places }) => places), Math.min(width - 20, 440));
  const color = {
    field: "layer",
    type: "nominal" as const,
    scale: { domain: layers.map(({ label }) => label), range: sequenceOf(theme, layers.length) },
    legend: null,
  };
  const labels = layers.map(({ label, places }) => ({ layer: label, ...middleOf(places) }));
  const label = (mark: { stroke?: string; strokeWidth?: number }, colored: boolean) => ({
    data: { values: labels },
    mark: { type: "text" as const, aria: false, fontWeight: 700 as const, fontSize: 12, ...mark },
    encoding: {
      ...{ x: plane.x, y: plane.y, text: { field: "layer" } },
      ...(colored ? { color } : {}),
    },
  });
  return {
    ...{ width: plane.side, height: plane.side, description: name, view: { stroke: theme.rule } },
    layer: [
      {
        data: {
          values: layers.flatMap(({ label, places }) => places.map(([x, y]) => ({ layer: label, x, y }))),
        },
        mark: { type: "point" as const, filled: true, size: 14, opacity: 0.6, aria: false },
        encoding: { x: plane.x, y: plane.y, color },
      },
      label({ stroke: theme.page, strokeWidth: 4 }, false),
      label({}, true),
    ],
  };
}

/** The place of a layer nearest to its mean: the mean itself may lie where no patch is. */
function middleOf(places: readonly PlanePlace[]): { x: number; y: number } {
  const mean = [0, 1].map((c) => places.reduce((sum, place) => sum + place[c], 0) / places.length);
  const far = ([x, y]: PlanePlace) => Math.hypot(x - mean[0], y - mean[1]);
  const [x, y] = places.reduce((best, place) => far(place) < far(best) ? place : best);
  return { x, y };
}
