/** Layers that the paper names for its models, which have twelve, in models of another depth. */

/** Layers of the paper's models. */
const TWELVE = 12;

/**
 * The layer that lies as deep as one of twelve: the 6th of 12 is the 3rd of 6 and the 12th of 24; at least the first.
 *
 * @param ofTwelve from 1 to 12
 * @param depth layers of the model
 */
export function layerLike(ofTwelve: number, depth: number): number {
  return Math.max(1, Math.round(ofTwelve * depth / TWELVE));
}

/** As `layerLike`, each layer once. */
export function layersLike(ofTwelve: readonly number[], depth: number): number[] {
  return [...new Set(ofTwelve.map((layer) => layerLike(layer, depth)))];
}

/** L1 to the last of some layers: the axis of charts on which models of any depth are drawn. */
export function layerAxis(layers: readonly { layer: number }[]): string[] {
  return Array.from({ length: Math.max(...layers.map(({ layer }) => layer)) }, (_, i) => `L${i + 1}`);
}
