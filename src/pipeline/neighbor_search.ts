/** Approximate nearest landmarks through hnswlib, checked against the exact ones in every run. */
import { reasonOf } from "../data/files/atomic_write.ts";
import { type Gpu, readBuffers } from "../gpu/mod.ts";
import { assertNeighborCount, nearestByDistance, type Neighbors, openSearch } from "../graph/knn.ts";
import { gatherRows, type NodeSource } from "../graph/node_source.ts";
import type { NystromFit, PanelSearch } from "../graph/nystrom.ts";
import { centredUnitRows } from "../linalg/centred_rows.ts";
import { type Matrix, releaseMatrix } from "../linalg/matrix.ts";
import { fork, sampleRows, seededRandom } from "../linalg/random.ts";

/**
 * "exact": all landmarks compared; "ivf": those of nearby cells of an inverted file (`NystromOptions.search`); "hnsw": approximate;
 * "auto": exact or hnsw, whichever is faster here.
 */
export type NeighborMethod = "exact" | "ivf" | "hnsw" | "auto";

/** What `chooseNeighborSearch` has decided. */
export interface NeighborChoice {
  /** The search for `NystromModel.transform`; undefined: the model's own. */
  search: PanelSearch | undefined;
  /** What was asked for. */
  asked: NeighborMethod;
  used: "exact" | "ivf" | "hnsw";
  /** Share of the true K nearest that the inverted file or hnsw found on the sample; null when that was not tried. */
  recall: number | null;
  /** Seconds predicted for all nodes, the building of the index included; null when not measured. */
  seconds: { exact: number; hnsw: number } | null;
  /** All this in one sentence. */
  reason: string;
}

/** Below this recall the exact search is used. */
const MIN_RECALL = 0.95;
const SAMPLE = 1000;
/** Links a node, and candidates looked at while building; hnswlib's defaults. */
const LINKS = 16, BUILD_CANDIDATES = 200;

/** The package, or why it does not load: its addon is compiled on the machine, and everything else works without. */
const hnswlib = await import("hnswlib-node").then((module) => module.default, reasonOf);

/** What hnsw found: with the squared distances |x̂ − ŷ|², n × K, Infinity where fewer than K were found. */
type FoundByHnsw = Neighbors & { distances: Float64Array };

/**
 * Builds an hnsw index of landmarks (Malkov & Yashunin 2018): of centred unit rows, each different one once, since equal ones
 * would take all the links of each other.
 *
 * @param landmarks m × d features, no zero row
 * @param k neighbours a node, K
 * @throws Error "--neighbor-search hnsw and auto need the package hnswlib-node, which does not load (…): …"
 * @returns the search: rows of the landmarks with affinities exp(cos − 1), nearest first; where fewer than K are found
 *   the rest has affinity 0
 */
export function hnswSearch(
  landmarks: Matrix,
  k: number,
  seed = 0,
): (features: Matrix) => Promise<FoundByHnsw> {
  const { rows, cols } = landmarks;
  assertNeighborCount(k, rows);
  if (typeof hnswlib === "string") {
    throw new Error(
      `--neighbor-search hnsw and auto need the package hnswlib-node, which does not load (${
        hnswlib.split(". ")[0]
      }): compile its addon by ` +
        "`npm rebuild hnswlib-node`, or leave --neighbor-search out; all else works without it.",
    );
  }
  const centred = centredUnitRows(landmarks, "landmarks"), equal = equalRows(centred.rows);
  const index = new hnswlib.HierarchicalNSW("l2", cols);
  index.initIndex(equal.length, LINKS, BUILD_CANDIDATES, fork(seed, "hnsw") % 2 ** 31);
  equal.forEach(([first], i) => index.addPoint(rowOf(centred.rows, first), i));
  index.setEf(Math.max(64, 2 * k));
  return (features) => {
    const out: FoundByHnsw = {
      indices: new Uint32Array(features.rows * k),
      similarities: new Float32Array(features.rows * k),
      distances: new Float64Array(features.rows * k).fill(Infinity),
      k,
    };
    const queries = centredUnitRows(features, "features", centred.centre).rows;
    for (let i = 0; i < features.rows; i++) {
      const { neighbors, distances } = index.searchKnn(rowOf(queries, i), Math.min(k, equal.length));
      let at = i * k;
      neighbors.forEach((group, found) => {
        for (const row of equal[group]) {
          if (at === (i + 1) * k) return;
          out.indices[at] = row;
          out.distances[at] = distances[found];
          out.similarities[at++] = Math.exp(-distances[found] / 2);
        }
      });
    }
    return Promise.resolve(out);
  };
}

function rowOf({ data, cols }: Matrix, i: number): number[] {
  return Array.from(data.subarray(i * cols, (i + 1) * cols));
}

/** Rows that equal each other, ascending, in the order of their first. */
function equalRows({ data, rows, cols }: Matrix): number[][] {
  const known = new Map<string, number[]>();
  for (let i = 0; i < rows; i++) {
    const key = data.subarray(i * cols, (i + 1) * cols).join();
    const same = known.get(key);
    if (same) same.push(i);
    else known.set(key, [i]);
  }
  return [...known.values()];
}

/**
 * Decides how the nearest landmarks of a source's nodes are found, from a sample of its nodes: "hnsw" must find at least
 * 95 % of the true K nearest there, and the nearest one for 95 % of the nodes, counted by landmark, so that small groups of
 * nodes far from the others weigh as much as large ones; else the exact search is used; "auto" also takes the one that is predicted to be
 * faster for all nodes.
 *
 * @param fit the fitted model; for "ivf" one fitted so, for the others one with `search: "exact"`
 * @param source the nodes to be transformed
 * @param method what to use
 * @returns the search to hand to `transform`, and why
 */
export async function chooseNeighborSearch(
  gpu: Gpu,
  fit: Pick<NystromFit, "landmarks" | "neighbors" | "ivf" | "seed">,
  source: NodeSource,
  method: NeighborMethod,
): Promise<NeighborChoice> {
  const exactly = { search: undefined, asked: method, used: "exact" as const };
  if (method === "exact") {
    return { ...exactly, recall: null, seconds: null, reason: "Exact nearest neighbours, as asked for." };
  }
  const { neighbors: k, ivf, landmarks: { features: landmarks }, seed } = fit;
  if (method === "ivf") {
    if (!ivf) {
      const reason = "Exact nearest neighbours: too few landmarks, or the inverted file misses too many.";
      return { ...exactly, recall: null, seconds: null, reason };
    }
    const { share, recall } = ivf, percent = (v: number) => (100 * v).toFixed(1);
    return {
      search: undefined,
      asked: method,
      used: "ivf",
      recall,
      seconds: null,
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
  const sample = await gatherRows(
    source,
    sampleRows(source.rows, count, seededRandom(fork(seed, "neighbour sample"))),
  );
  const truth = await timedExact(gpu, landmarks, sample, k);

  const started = performance.now();
  const search = hnswSearch(landmarks, k, seed);
  const built = performance.now();
  const found = await search(sample);
  const hnswSeconds = (built - started + (performance.now() - built) * source.rows / count) / 1000;
  const seconds = { exact: truth.seconds * source.rows / count, hnsw: hnswSeconds };
  const recall = recallOf(found, truth.neighbors), nearest = nearestRecall(found, truth.neighbors);

  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const measured = `on ${count} nodes hnsw found ${percent(recall)} of the ${k} nearest; ` +
    `all ${source.rows} nodes would take ${hnswSeconds.toFixed(1)} s with hnsw, ${
      seconds.exact.toFixed(1)
    } s exactly; ` +
    `the nearest landmark itself was found for ${percent(nearest)}, group by group`;
  const decide = (used: "exact" | "hnsw", why: string): NeighborChoice => ({
    asked: method,
    used,
    search: used === "hnsw" ? search : undefined,
    recall,
    seconds,
    reason: `${used === "hnsw" ? "hnsw" : "Exact nearest neighbours"}, ${why}: ${measured}.`,
  });
  if (recall < MIN_RECALL) return decide("exact", `because hnsw's recall is below ${100 * MIN_RECALL} %`);
  if (nearest < MIN_RECALL) {
    return decide("exact", "because hnsw misses the nearest landmark of some groups of nodes");
  }
  if (method === "hnsw") return decide("hnsw", "as asked for");
  return seconds.hnsw < seconds.exact
    ? decide("hnsw", "which is faster here")
    : decide("exact", "faster here");
}

/** The true nearest landmarks by distance, and the seconds a search takes once all is compiled and in place. */
async function timedExact(
  gpu: Gpu,
  landmarks: Matrix,
  sample: Matrix,
  k: number,
): Promise<{ neighbors: Neighbors; seconds: number }> {
  using search = openSearch(gpu, landmarks, { k, rows: sample.rows });
  const run = async () => {
    const unit = search.upload(sample, "sample");
    const { values, indices } = search.record(unit, 0, sample.rows);
    const bytes = sample.rows * k * 4;
    releaseMatrix(gpu, unit);
    await readBuffers(gpu, [{ buffer: values, bytes }, { buffer: indices, bytes }]);
  };
  await run();
  const started = performance.now();
  await run();
  const seconds = (performance.now() - started) / 1000;
  return { neighbors: await nearestByDistance(gpu, sample, landmarks, { k }), seconds };
}

/** A distance in float32 is known to this share of itself; rows closer than that to none are equal. */
const SAME = 1e-4, NOTHING = 1e-12;

/**
 * Share of nodes whose nearest landmark was found, or one as near: the mean over the true nearest landmarks (equal ones as one)
 * of the share among their nodes.
 */
function nearestRecall(found: FoundByHnsw, truth: Neighbors): number {
  const shares = new Map<number, { nodes: number; hits: number }>();
  for (let at = 0; at < truth.indices.length; at += truth.k) {
    const least = -truth.similarities[at], share = shares.get(truth.indices[at]) ?? { nodes: 0, hits: 0 };
    share.nodes++;
    share.hits += Number(found.distances[at] <= least * (1 + SAME) + NOTHING);
    shares.set(truth.indices[at], share);
  }
  let sum = 0;
  for (const { nodes, hits } of shares.values()) sum += hits / nodes;
  return sum / shares.size;
}

/** Share of the true neighbours that were found; one as near as the farthest true one counts as found. */
export function recallOf(found: Neighbors & { distances?: Float64Array }, truth: Neighbors): number {
  const { k } = truth;
  let hits = 0;
  for (let at = 0; at < truth.indices.length; at += k) {
    const farthest = truth.similarities[at + k - 1];
    const isAsNear = (i: number) =>
      found.distances && farthest <= 0
        ? found.distances[i] <= -farthest * (1 + SAME) + NOTHING
        : found.similarities[i] >= farthest;
    const wanted = new Set(truth.indices.subarray(at, at + k));
    for (let i = at; i < at + k; i++) {
      if (found.similarities[i] > 0 && (wanted.has(found.indices[i]) || isAsNear(i))) hits++;
    }
  }
  return hits / truth.indices.length;
}
