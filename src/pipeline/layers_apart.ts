/** Whether the layers of a graph share one space, or its eigenvectors mostly tell layers apart. */
import { shareBetween } from "../statistics/variance_share.ts";
import type { Pipeline } from "./nodes.ts";

/**
 * Share of the variance of the eigenvectors that may lie between layers: 0.02 to 0.05 where ridge alignment was fitted on
 * images like those of the graph, 0.26 where it was not, 0.25 and more with the paper's alignment or none (docs/method.md).
 */
export const MAX_BETWEEN_LAYERS = 0.15;

/**
 * Says when colors of different layers cannot be compared.
 *
 * @param alignment as of `--alignment`
 * @returns a line without a full stop; null where layers share one space
 */
export function layersApart(
  { eigenvectors, slots }: Pick<Pipeline, "eigenvectors" | "slots">,
  alignment: string,
): string | null {
  const slotOf = new Uint32Array(eigenvectors.rows);
  slots.forEach(({ first }, s) => slotOf.fill(s, first));
  return layersApartLine(shareBetween(eigenvectors, slotOf, 1), alignment);
}

/** The same of a share that is known. */
export function layersApartLine(share: number, alignment: string): string | null {
  if (!(share > MAX_BETWEEN_LAYERS)) return null;
  const [found, limit] = [share, MAX_BETWEEN_LAYERS].map((value) => `${Math.round(100 * value)} %`);
  const remedy = alignment === "ridge"
    ? "fit the alignment on responses to images like those of the graph"
    : "--alignment ridge brings them together";
  return `${found} of the variance of the graph's eigenvectors lies between layers, more than ${limit}: ` +
    `layers do not share one space, so compare colors and segments within a layer only; ${remedy}`;
}
