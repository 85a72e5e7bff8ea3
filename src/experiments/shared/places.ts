/** Where patches are on the spectral map, and which stand for figure and ground. */
import { nodeOf, type Pipeline } from "../../pipeline/nodes.ts";
import { mean } from "../../statistics/summary.ts";

/** A place on the two-dimensional map. */
export type Place = [x: number, y: number];

/** Where a node is on the map. */
export function placeOf({ points2, nearest }: Pick<Pipeline, "points2" | "nearest">, node: number): Place {
  const at = 2 * nearest[node];
  return [points2.data[at], points2.data[at + 1]];
}

/** x and y of one image's patches in one slot. */
export function patchPlaces(pipeline: Pipeline, slot: number, image: number): Float32Array {
  const patches = pipeline.tokens - 1, first = nodeOf(pipeline, slot, image, 1);
  const places = new Float32Array(2 * patches);
  for (let p = 0; p < patches; p++) places.set(placeOf(pipeline, first + p), 2 * p);
  return places;
}

/** One pixel on its way. */
export interface ExamplePixel {
  image: number;
  /** Patch, row by row. */
  patch: number;
  kind: "figure" | "ground";
}

/**
 * A figure and a ground pixel of one image: of the figure the patch nearest to its centre, of the ground the farthest.
 *
 * @param labels 1 figure, 0 ground
 */
export function examplePixels(
  { rows, cols }: { rows: number; cols: number },
  labels: ArrayLike<number>,
  image: number,
): ExamplePixel[] {
  const patches = Array.from({ length: rows * cols }, (_, p) => p);
  const figure = patches.filter((p) => labels[p] === 1), ground = patches.filter((p) => labels[p] === 0);
  const y = mean(figure.map((p) => Math.floor(p / cols))), x = mean(figure.map((p) => p % cols));
  const far = (p: number) => (Math.floor(p / cols) - y) ** 2 + (p % cols - x) ** 2;
  const nearest = figure.reduce((best, p) => far(p) < far(best) ? p : best);
  const farthest = ground.reduce((best, p) => far(p) > far(best) ? p : best);
  return [{ image, patch: nearest, kind: "figure" }, { image, patch: farthest, kind: "ground" }];
}
