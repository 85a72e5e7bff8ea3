/** AlignedCut colors of all nodes. */
import { assertKnown } from "../linalg/check_options.ts";
import type { Gpu } from "../gpu/mod.ts";
import type { NodeSource } from "../graph/node_source.ts";
import type { Matrix } from "../linalg/matrix.ts";
import type { RowNumbers } from "../linalg/random.ts";
import { colorsFromPoints } from "./color.ts";
import { MAP_OPTIONS, spectralMap, type SpectralMapOptions } from "./spectral_map.ts";

/** Settings of `spectralColors`. */
export interface SpectralColorsOptions extends Omit<SpectralMapOptions, "dimensions"> {
  /** Share of the sample clipped at either end of a coordinate; default 0.01. */
  quantile?: number;
}

const { dimensions: _, ...OF_MAP } = MAP_OPTIONS;

/** Colors and what they come from. */
export interface SpectralColors {
  /** N × 3 bytes, RGB. */
  colors: Uint8Array;
  /** Rows of the sample, ascending. */
  sample: RowNumbers;
  /** The sample's map, sample × 3. */
  points: Matrix;
  /** KL(P‖Q) of the map, nats. */
  kl: number;
  /** Trustworthiness of the map over 5 neighbours, of the sample or 1,000 of it. */
  trustworthiness: number;
}

/**
 * AlignedCut colors (METHOD, "Spectral-tSNE and AlignedCut color"): t-SNE of a sample's eigenvectors in 3 dimensions, read
 * as R, G, B; every other node takes the color of the one node of the sample whose eigenvectors are nearest.
 *
 * @param vectors N × C eigenvectors, read panel by panel
 * @returns a color for every node; equal eigenvectors have equal colors, whatever image, layer or model they come from
 * @throws RangeError for a sample below 4, above 10,000 or above N
 *
 * Cost: sample² pairs per step of t-SNE, and N × sample × C for the nearest; memory O(sample) and the colors.
 *
 * @example
 * ```ts
 * import { closeGpu, matrixSource, openGpu, spectralColors } from "../../mod.ts";
 * const gpu = await openGpu();
 * const data = Float32Array.from({ length: 300 }, (_, at) => at % 3 ? Number(at < 150) + Math.sin(at) / 99 : 1);
 * const vectors = matrixSource({ data, rows: 100, cols: 3 });
 * const { colors } = await spectralColors(gpu, vectors, { iterations: 50 });
 * if (colors.length !== 300) throw new Error("a color has three bytes");
 * closeGpu(gpu);
 * ```
 */
export async function spectralColors(
  gpu: Gpu,
  vectors: NodeSource,
  given: SpectralColorsOptions = {},
): Promise<SpectralColors> {
  assertKnown("spectralColors", given, { ...OF_MAP, quantile: true });
  const { quantile, ...options } = given;
  const { sample, nearest, maps: [map] } = await spectralMap(gpu, vectors, { ...options, dimensions: [3] });
  return { colors: nearestColors(map.points, nearest, quantile), sample, ...map };
}

/**
 * The color of every node from its nearest sample point.
 *
 * @param points sample × 3
 * @param nearest index into the sample, one a node
 * @param quantile as of `colorsFromPoints`
 * @returns N × 3 bytes, RGB
 */
export function nearestColors(points: Matrix, nearest: Uint32Array, quantile?: number): Uint8Array {
  const own = colorsFromPoints(points, quantile), colors = new Uint8Array(3 * nearest.length);
  nearest.forEach((row, i) => colors.set(own.subarray(3 * row, 3 * row + 3), 3 * i));
  return colors;
}
