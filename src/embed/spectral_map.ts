/** Spectral-tSNE: maps of a sample of nodes, and of all others the sample's nearest. */
import { assertKnown } from "../linalg/check_options.ts";
import { takeRows } from "../linalg/host_matrix.ts";
import type { Gpu } from "../gpu/mod.ts";
import { sampleLandmarks, type Sampling } from "../graph/landmarks.ts";
import { openNearestRow } from "../graph/nearest_row.ts";
import { gatherRows, givenRows, type NodeSource, PANEL_ROWS, readPanels } from "../graph/node_source.ts";
import type { Matrix } from "../linalg/matrix.ts";
import { fork, type RowNumbers, sampleIndices, seededRandom } from "../linalg/random.ts";
import { trustworthiness } from "./trustworthiness.ts";
import { tsne, TSNE_OPTIONS, type TsneOptions } from "./tsne.ts";

/** Settings of `spectralMap`. */
export interface SpectralMapOptions extends Omit<TsneOptions, "dimensions"> {
  /** One map each, of 2 or 3 dimensions; default one of 3. */
  dimensions?: (2 | 3)[];
  /** Nodes that t-SNE is run on, at most 10,000, or their rows, ascending; default 5,000, or all if there are fewer. */
  sample?: number | RowNumbers;
  /** How they are chosen; default "farthest". */
  sampling?: Sampling;
}

/** The names of `SpectralMapOptions`. */
export const MAP_OPTIONS: Record<keyof SpectralMapOptions, true> = {
  ...TSNE_OPTIONS,
  sample: true,
  sampling: true,
};

/** Maps of a sample, and how every node finds its place in them. */
export interface SpectralMap {
  /** Rows of the sample, ascending. */
  sample: RowNumbers;
  /** Its eigenvectors, sample × C. */
  vectors: Matrix;
  /** Of every node the nearest node of the sample: an index into `sample`. */
  nearest: Uint32Array;
  /** In the order of the dimensions asked for. */
  maps: {
    /** sample × dimensions. */
    points: Matrix;
    /** KL(P‖Q), nats. */
    kl: number;
    /** Where t-SNE's perplexity had to be lower than asked for, the sentence that says so. */
    lowered?: string;
    /** Trustworthiness over 5 neighbours, of the sample or 1,000 of it. */
    trustworthiness: number;
  }[];
}

const MOST = 10000;
/** Points among which trustworthiness is measured: it sorts all pairs. */
const TRUST_POINTS = 1000;
const TRUST_NEIGHBORS = 5;

/**
 * t-SNE of a sample of nodes' eigenvectors, propagated to all nodes by the **one** nearest of the sample (METHOD,
 * "Spectral-tSNE and AlignedCut color": a mean of several lands between clusters).
 *
 * @param vectors N × C eigenvectors, read panel by panel
 * @returns the maps and every node's nearest sample point
 * @throws RangeError for a sample below 4, above 10,000 or above N
 *
 * Cost: sample² pairs per step of t-SNE, and N × sample × C for the nearest; memory O(sample) and 4 bytes per node.
 */
export async function spectralMap(
  gpu: Gpu,
  vectors: NodeSource,
  options: SpectralMapOptions = {},
): Promise<SpectralMap> {
  const map = await fitSpectralMap(gpu, vectors, options), base = map.vectors;
  const nearest = new Uint32Array(vectors.rows);
  for await (const panel of nearestRows(gpu, vectors, base)) nearest.set(panel.nearest, panel.first);
  return { ...map, nearest };
}

/** The maps of a sample alone: what `nearestRows` then places all nodes in, whoever does. Arguments as of `spectralMap`. */
export async function fitSpectralMap(
  gpu: Gpu,
  vectors: NodeSource,
  options: SpectralMapOptions = {},
): Promise<Omit<SpectralMap, "nearest">> {
  assertKnown("spectralMap", options, MAP_OPTIONS);
  const { sample: wanted = Math.min(5000, vectors.rows), sampling, dimensions = [3], ...embed } = options;
  const { seed = 0 } = embed;
  const count = typeof wanted === "number" ? wanted : wanted.length;
  if (!(count >= 4 && count <= MOST)) {
    throw new RangeError(`sample is ${count}: t-SNE for colors takes 4 to ${MOST} nodes.`);
  }
  const sample = typeof wanted === "number"
    ? await sampleLandmarks(gpu, vectors, { count, sampling, seed })
    : givenRows("sample", wanted, vectors);
  const base = await gatherRows(vectors, sample);
  const maps: SpectralMap["maps"] = [];
  for (const [i, each] of dimensions.entries()) {
    const { points, kl, lowered } = await tsne(gpu, base, {
      start: "columns",
      ...embed,
      dimensions: each,
      onProgress: (done, total) => options.onProgress?.(i * total + done, dimensions.length * total),
    });
    maps.push({
      points,
      kl,
      trustworthiness: trust(base, points, seed),
      ...(lowered && { lowered: lowered.reason }),
    });
  }
  return { sample, vectors: base, maps };
}

/**
 * The row of `base` nearest to every node in float64, panel by panel (Euclidean, as in t-SNE).
 *
 * @param base sample × C
 * @returns indices into `base`, with the number of a panel's first node
 */
export async function* nearestRows(
  gpu: Gpu,
  vectors: NodeSource,
  base: Matrix,
): AsyncGenerator<{ first: number; nearest: Uint32Array }> {
  const search = openNearestRow(gpu, base, PANEL_ROWS);
  try {
    for await (const { first, features } of readPanels(vectors)) {
      yield { first, nearest: await search.find(features) };
    }
  } finally {
    search.release();
  }
}

/** Trustworthiness of a map, measured on a part of it where there are many points. */
function trust(x: Matrix, y: Matrix, seed: number): number {
  const rows = sampleIndices(
    x.rows,
    Math.min(TRUST_POINTS, x.rows),
    seededRandom(fork(seed, "trustworthiness")),
  );
  const most = Math.ceil(rows.length / 2) - 1;
  return trustworthiness(takeRows(x, rows), takeRows(y, rows), Math.min(TRUST_NEIGHBORS, most));
}
