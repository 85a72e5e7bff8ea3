/** Approximate nearest landmarks through hnswlib, checked against the exact ones in every run. */
import hnswlib from "hnswlib-node";
import { type Gpu, readBuffers } from "../gpu/mod.ts";
import { assertNeighborCount, type Neighbors, openSearch } from "../graph/knn.ts";
import { gatherRows, type NodeSource } from "../graph/node_source.ts";
import type { NystromFit, PanelSearch } from "../graph/nystrom.ts";
import { normalizeRows } from "../linalg/row_normalize.ts";
import { type Matrix, releaseMatrix, uploadMatrix } from "../linalg/matrix.ts";
import { sampleIndices, seededRandom } from "../linalg/random.ts";

/**
 * "exact": all landmarks compared; "groups": those of nearby groups (`NystromOptions.search`); "hnsw": approximate;
 * "auto": exact or hnsw, whichever is faster here.
 */
export type NeighborMethod = "exact" | "groups" | "hnsw" | "auto";

/** What `chooseNeighborSearch` has decided. */
export interface NeighborChoice {
  /** The search for `NystromModel.transform`; undefined: the model's own. */
  search: PanelSearch | undefined;
  /** What was asked for. */
  asked: NeighborMethod;
  /** What is used. */
  used: "exact" | "groups" | "hnsw";
  /** Share of the true K nearest that the groups or hnsw found on the sample; null when that was not tried. */
  recall: number | null;
  /** Seconds predicted for all nodes, the building of the index included; null when not measured. */
  seconds: { exact: number; hnsw: number } | null;
  /** All this in one sentence. */
  reason: string;
}

/** Below this recall the exact search is used. */
const LEAST_RECALL = 0.95;
const SAMPLE = 1000;
/** Links a node, and candidates looked at while building; hnswlib's defaults. */
const LINKS = 16, BUILD_CANDIDATES = 200;

/**
 * Builds an hnsw index of landmarks (Malkov & Yashunin 2018).
 *
 * @param landmarks m × d features, no zero row
 * @param k neighbours a node, K
 * @returns the search: rows of the landmarks with affinities exp(cos − 1), nearest first; where fewer than K are found
 *   the rest has affinity 0
 */
export function hnswSearch(landmarks: Matrix, k: number, seed = 0): PanelSearch {
  const { data, rows, cols } = landmarks;
  assertNeighborCount(k, rows);
  const index = new hnswlib.HierarchicalNSW("cosine", cols);
  index.initIndex(rows, LINKS, BUILD_CANDIDATES, seed);
  for (let i = 0; i < rows; i++) index.addPoint(Array.from(data.subarray(i * cols, (i + 1) * cols)), i);
  index.setEf(Math.max(64, 2 * k));
  return (features) => {
    const out: Neighbors = {
      indices: new Uint32Array(features.rows * k),
      similarities: new Float32Array(features.rows * k),
      k,
    };
    for (let i = 0; i < features.rows; i++) {
      const row = Array.from(features.data.subarray(i * cols, (i + 1) * cols));
      const { neighbors, distances } = index.searchKnn(row, k);
      out.indices.set(neighbors, i * k);
      for (let at = 0; at < distances.length; at++) out.similarities[i * k + at] = Math.exp(-distances[at]);
    }
    return Promise.resolve(out);
  };
}

/**
 * Decides how the nearest landmarks of a source's nodes are found, from a sample of its nodes: "hnsw" must find at least
 * 95 % of the true K nearest there, else the exact search is used; "auto" also takes the one that is predicted to be
 * faster for all nodes.
 *
 * @param fit the fitted model; for "groups" one fitted so, for the others one with `search: "exact"`
 * @param source the nodes to be transformed
 * @param method what to use
 * @returns the search to hand to `transform`, and why
 */
export async function chooseNeighborSearch(
  gpu: Gpu,
  fit: Pick<NystromFit, "landmarks" | "neighbors" | "shortlist" | "seed">,
  source: NodeSource,
  method: NeighborMethod,
): Promise<NeighborChoice> {
  const exactly = { search: undefined, asked: method, used: "exact" as const };
  if (method === "exact") {
    return { ...exactly, recall: null, seconds: null, reason: "Exact nearest neighbours, as asked for." };
  }
  const { neighbors: k, shortlist, landmarks: { features: landmarks }, seed } = fit;
  if (method === "groups") {
    if (!shortlist) {
      const reason = "Exact nearest neighbours: too few landmarks, or their groups miss too many.";
      return { ...exactly, recall: null, seconds: null, reason };
    }
    const { share, recall } = shortlist, percent = (v: number) => (100 * v).toFixed(1);
    return {
      ...{ search: undefined, asked: method, used: "groups", recall, seconds: null },
      reason: `Nearest neighbours out of ${percent(share)} % of the landmarks, as asked for: ` +
        `${percent(recall)} % of the true ones were found for a sample of nodes.`,
    };
  }
  if (k === "all") {
    throw new RangeError(
      `A model with neighbors "all" searches no neighbours: fit it with a number of them to use "${method}".`,
    );
  }
  const count = Math.min(SAMPLE, source.rows);
  const sample = await gatherRows(source, sampleIndices(source.rows, count, seededRandom(seed)));
  const truth = await timedExact(gpu, landmarks, sample, k);

  const started = performance.now();
  const search = hnswSearch(landmarks, k, seed);
  const built = performance.now();
  const found = await search(sample);
  const hnswSeconds = (built - started + (performance.now() - built) * source.rows / count) / 1000;
  const seconds = { exact: truth.seconds * source.rows / count, hnsw: hnswSeconds };
  const recall = recallOf(found, truth.neighbors);

  const measured = `on ${count} nodes hnsw found ${(100 * recall).toFixed(1)} % of the ${k} nearest; ` +
    `all ${source.rows} nodes would take ${hnswSeconds.toFixed(1)} s with hnsw, ${
      seconds.exact.toFixed(1)
    } s exactly`;
  const decide = (used: "exact" | "hnsw", why: string): NeighborChoice => ({
    ...{ asked: method, used, search: used === "hnsw" ? search : undefined, recall, seconds },
    reason: `${used === "hnsw" ? "hnsw" : "Exact nearest neighbours"}, ${why}: ${measured}.`,
  });
  if (recall < LEAST_RECALL) return decide("exact", `because hnsw's recall is below ${100 * LEAST_RECALL} %`);
  if (method === "hnsw") return decide("hnsw", "as asked for");
  return seconds.hnsw < seconds.exact
    ? decide("hnsw", "which is faster here")
    : decide("exact", "faster here");
}

/** The true nearest landmarks, and the seconds they took once all is compiled and in place. */
async function timedExact(
  gpu: Gpu,
  landmarks: Matrix,
  sample: Matrix,
  k: number,
): Promise<{ neighbors: Neighbors; seconds: number }> {
  const search = openSearch(gpu, landmarks, { k, rows: sample.rows });
  const run = async () => {
    const raw = uploadMatrix(gpu, sample, "sample");
    const unit = normalizeRows(gpu, raw);
    const { values, indices } = search.record(unit, 0, sample.rows);
    const bytes = sample.rows * k * 4;
    releaseMatrix(gpu, raw, unit);
    return await readBuffers(gpu, [{ buffer: values, bytes }, { buffer: indices, bytes }]);
  };
  try {
    await run();
    const started = performance.now();
    const [values, indices] = await run();
    const seconds = (performance.now() - started) / 1000;
    return {
      neighbors: { indices: new Uint32Array(indices), similarities: new Float32Array(values), k },
      seconds,
    };
  } finally {
    search.release();
  }
}

/** Share of the true neighbours that were found; one as near as the farthest true one counts as found. */
export function recallOf(found: Neighbors, truth: Neighbors): number {
  const { k } = truth;
  let hits = 0;
  for (let at = 0; at < truth.indices.length; at += k) {
    const farthest = truth.similarities[at + k - 1];
    const wanted = new Set(truth.indices.subarray(at, at + k));
    for (let i = at; i < at + k; i++) {
      if (found.similarities[i] > 0 && (wanted.has(found.indices[i]) || found.similarities[i] >= farthest)) {
        hits++;
      }
    }
  }
  return hits / truth.indices.length;
}
