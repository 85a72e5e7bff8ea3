/** One layer's graph: its eigenvectors, and a color for every token. */
import { takeRows } from "../../linalg/host_matrix.ts";
import type { Gpu } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { sampleIndices, seededRandom } from "../../linalg/random.ts";
import { nearestNeighbors } from "../../graph/knn.ts";
import { hostNormalizedCut, type NormalizedCut, normalizedCut } from "../../graph/normalized_cut.ts";
import { propagate } from "../../graph/propagate.ts";
import { colorsFromPoints } from "../../embed/color.ts";
import { hostTsne, MAX_HOST_POINTS } from "../../embed/host_tsne.ts";
import type { SpectralColors } from "../../embed/spectral_colors.ts";
import { tsne, type TsneOptions } from "../../embed/tsne.ts";
import { trustworthiness } from "../../embed/trustworthiness.ts";

/** Settings of `layerColors`. */
export interface LayerColorsOptions {
  /** Eigenvectors; default 20, the paper's. */
  components?: number;
  /** Tokens that t-SNE places; the rest take the color of their nearest one. Default 1000. */
  sample?: number;
  seed?: number;
  /** As of `normalizedCut`. */
  storage?: "stored" | "tiled";
  /** Finds the eigenvectors in another way than by the exact cut. */
  solve?: () => Promise<NormalizedCut>;
  /** Name of the layer in error messages. */
  name?: string;
  /** Called with how much of the work is done, of how much. */
  onProgress?: (done: number, total: number) => void;
}

/** What `layerColors` finds. */
export interface LayerColors extends Pick<SpectralColors, "colors" | "kl" | "trustworthiness"> {
  cut: NormalizedCut;
  /** Wall time, seconds. */
  seconds: { cut: number; tsne: number };
}

const TRUST_POINTS = 1000;

/**
 * Joint normalised cut of all tokens of one layer, then the AlignedCut color of every token: t-SNE of the eigenvectors to
 * three dimensions on a sample, extended to all tokens with one nearest neighbour (METHOD, "Spectral-tSNE and AlignedCut
 * color").
 *
 * @param gpu null where there is none: then up to 400 tokens
 * @param features n × d, one token a row
 * @returns the cut, n colors, and the quality of the map
 * @throws RangeError naming the token that is a zero vector or not finite
 */
export async function layerColors(
  gpu: Gpu | null,
  features: Matrix,
  options: LayerColorsOptions = {},
): Promise<LayerColors> {
  const { components = 20, sample = 1000, seed = 0, storage, name, onProgress } = options;
  const started = performance.now();
  const solve = {
    components,
    seed,
    storage,
    name,
    onProgress: (done: number, wanted: number) => onProgress?.(done / wanted, 2),
  };
  const cut = options.solve
    ? await options.solve()
    : gpu
    ? await normalizedCut(gpu, features, solve)
    : await hostNormalizedCut(features, solve);
  const cutDone = performance.now();
  const chosen = sampleIndices(features.rows, Math.min(sample, features.rows), seededRandom(seed));
  const landmarks = takeRows(cut.eigenvectors, chosen);
  const embed: TsneOptions = {
    start: "columns",
    seed,
    onProgress: (done: number, total: number) => onProgress?.(1 + done / total, 2),
  };
  const isFew = gpu === null || chosen.length <= MAX_HOST_POINTS;
  const map = isFew ? hostTsne(landmarks, embed) : await tsne(gpu, landmarks, embed);
  const points = gpu === null || chosen.length === features.rows
    ? map.points
    : await nearestPoints(gpu, cut.eigenvectors, landmarks, map.points);
  const seconds = { cut: (cutDone - started) / 1000, tsne: (performance.now() - cutDone) / 1000 };
  const checked = Uint32Array.from({ length: Math.min(TRUST_POINTS, chosen.length) }, (_, i) => i);
  return {
    cut,
    colors: colorsFromPoints(points),
    kl: map.kl,
    trustworthiness: trustworthiness(takeRows(landmarks, checked), takeRows(map.points, checked)),
    seconds,
  };
}

/** Every node at the place of the nearest one of the sample. */
async function nearestPoints(gpu: Gpu, vectors: Matrix, sample: Matrix, points: Matrix): Promise<Matrix> {
  const nearest = await nearestNeighbors(gpu, vectors, sample, { k: 1, metric: "euclidean" });
  nearest.similarities.fill(1); // one neighbour has all the weight
  return await propagate(gpu, nearest, points);
}
