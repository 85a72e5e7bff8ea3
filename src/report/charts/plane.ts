import { checkChartNumbers } from "../chart.ts";

/** A place on a map of two dimensions. */
export type PlanePlace = readonly [x: number, y: number];

/** A square that shows a map with both axes alike. */
export interface Plane {
  /** Side of the square in pixels. */
  side: number;
  /** Pixels of one unit of the map. */
  pixels: number;
  /** Encodings of the fields `x` and `y`, without axes: a t-SNE map has no units. */
  x: ReturnType<typeof encoding>;
  y: ReturnType<typeof encoding>;
  /** Pixels from the top of a place. */
  top(place: PlanePlace): number;
}

const MARGIN = 0.06;

/**
 * The square around all places of a chart.
 * @param name The chart, for the message.
 * @param places Everything that is drawn.
 * @param side Pixels.
 * @returns Scales in which a circle stays round.
 * @throws RangeError `The chart <name> was given NaN …`
 */
export function planeOf(name: string, places: readonly PlanePlace[], side: number): Plane {
  checkChartNumbers(name, places.flat());
  const ends = [0, 1].map((c) => {
    let low = Infinity, high = -Infinity;
    for (const place of places) {
      low = Math.min(low, place[c]);
      high = Math.max(high, place[c]);
    }
    return { low, high };
  });
  const span = (1 + 2 * MARGIN) * Math.max(...ends.map(({ low, high }) => high - low), 1e-6);
  const [x, y] = ends.map(({ low, high }): [number, number] => [
    (low + high) / 2 - span / 2,
    (low + high) / 2 + span / 2,
  ]);
  return {
    side,
    pixels: side / span,
    x: encoding("x", x),
    y: encoding("y", y),
    top: (place) => side * (y[1] - place[1]) / span,
  };
}

function encoding(field: string, domain: [number, number]) {
  return {
    field,
    type: "quantitative" as const,
    scale: { domain, nice: false, zero: false },
    axis: null,
  };
}
