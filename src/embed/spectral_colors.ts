/** AlignedCut colors of all nodes. */
import { type Gpu, readBuffers } from "../gpu/mod.ts";
import { openSearch } from "../graph/knn.ts";
import { sampleLandmarks, type Sampling } from "../graph/landmarks.ts";
import { gatherRows, type NodeSource, PANEL_ROWS, readPanels } from "../graph/node_source.ts";
import { type Matrix, releaseMatrix, uploadMatrix } from "../linalg/matrix.ts";
import { sampleIndices, seededRandom } from "../linalg/random.ts";
import { colorsFromPoints } from "./color.ts";
import { trustworthiness } from "./trustworthiness.ts";
import { tsne, type TsneOptions } from "./tsne.ts";

/** Settings of `spectralColors`. */
export interface SpectralColorsOptions extends Omit<TsneOptions, "dimensions"> {
  /** Nodes that t-SNE is run on, at most 10,000; default 5,000, or all if there are fewer. */
  sample?: number;
  /** How they are chosen; default "farthest". */
  sampling?: Sampling;
  /** Share of the sample clipped at either end of a coordinate; default 0.01. */
  quantile?: number;
}

/** Colors and what they come from. */
export interface SpectralColors {
  /** N × 3 bytes, RGB. */
  colors: Uint8Array;
  /** Rows of the sample, ascending. */
  sample: Uint32Array;
  /** The sample's map, sample × 3. */
  points: Matrix;
  /** KL(P‖Q) of the map, nats. */
  kl: number;
  /** Trustworthiness of the map over 5 neighbours, of the sample or 1,000 of it. */
  trustworthiness: number;
}

const MOST = 10000;
/** Points among which trustworthiness is measured: it sorts all pairs. */
const TRUST_POINTS = 1000;
const TRUST_NEIGHBORS = 5;

/**
 * AlignedCut colors (METHOD, "Spectral-tSNE and AlignedCut color"): t-SNE of a sample's eigenvectors in 3 dimensions, read
 * as R, G, B; every other node takes the color of the one node of the sample whose eigenvectors are nearest.
 *
 * @param vectors N × C eigenvectors, read panel by panel
 * @returns a color for every node; the same eigenvectors have the same color whatever image, layer or model they are of
 * @throws RangeError for a sample below 4, above 10,000 or above N
 *
 * Cost: sample² pairs a step of t-SNE and N × sample × C for the nearest; memory O(sample) and the colors.
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
  options: SpectralColorsOptions = {},
): Promise<SpectralColors> {
  const { sample: count = Math.min(5000, vectors.rows), sampling, quantile, seed = 0 } = options;
  if (!(count >= 4 && count <= MOST)) {
    throw new RangeError(`sample is ${count}: t-SNE for colors takes 4 to ${MOST} nodes.`);
  }
  const sample = await sampleLandmarks(gpu, vectors, { count, sampling, seed });
  const base = await gatherRows(vectors, sample);
  const { points, kl } = await tsne(gpu, base, { ...options, dimensions: 3 });
  const sampleColors = colorsFromPoints(points, quantile);
  const colors = new Uint8Array(vectors.rows * 3);
  for await (const { first, nearest } of nearestRows(gpu, vectors, base)) {
    nearest.forEach((row, i) => colors.set(sampleColors.subarray(3 * row, 3 * row + 3), 3 * (first + i)));
  }
  return { colors, sample, points, kl, trustworthiness: trust(base, points, seed) };
}

/** The row of `base` nearest to every node, panel by panel (Euclidean, as in t-SNE). */
async function* nearestRows(
  gpu: Gpu,
  vectors: NodeSource,
  base: Matrix,
): AsyncGenerator<{ first: number; nearest: Uint32Array }> {
  const search = openSearch(gpu, base, { k: 1, metric: "euclidean", rows: PANEL_ROWS });
  try {
    for await (const { first, features } of readPanels(vectors)) {
      const panel = uploadMatrix(gpu, features, "panel of eigenvectors");
      const { indices } = search.record(panel, 0, features.rows);
      releaseMatrix(gpu, panel);
      const [bytes] = await readBuffers(gpu, [{ buffer: indices, bytes: features.rows * 4 }]);
      yield { first, nearest: new Uint32Array(bytes) };
    }
  } finally {
    search.release();
  }
}

/** Trustworthiness of a map, measured on a part of it where there are many points. */
function trust(x: Matrix, y: Matrix, seed: number): number {
  const rows = sampleIndices(x.rows, Math.min(TRUST_POINTS, x.rows), seededRandom(seed));
  const part = ({ data, cols }: Matrix): Matrix => ({
    data: Float32Array.from({ length: rows.length * cols }, (_, at) => {
      return data[rows[Math.floor(at / cols)] * cols + at % cols];
    }),
    rows: rows.length,
    cols,
  });
  const most = Math.ceil(rows.length / 2) - 1;
  return trustworthiness(part(x), part(y), Math.min(TRUST_NEIGHBORS, most));
}
