/** Eigenvectors of graphs too large to solve: exact on landmarks, extended to all nodes from their nearest landmarks. */
import { type Gpu, halvings, retryOnOutOfMemory } from "../gpu/mod.ts";
import {
  allocateMatrix,
  downloadMatrix,
  type Matrix,
  releaseMatrix,
  rowWindows,
  uploadMatrix,
} from "../linalg/matrix.ts";
import { assertChoice, assertKnown, assertSeed, currentChoice } from "../linalg/check_options.ts";
import type { RowNumbers } from "../linalg/random.ts";
import { orthogonalizeColumns } from "../linalg/orthogonalize_columns.ts";
import { openExtension, orthogonalizedNystrom } from "./fowlkes.ts";
import { assertNeighborCount, type Neighbors, openSearch } from "./knn.ts";
import { chooseInvertedFile, extendByIvf, type InvertedFile, ivfPanelRows } from "./ivf_landmarks.ts";
import { sampleLandmarks, type Sampling } from "./landmarks.ts";
import { gatherRows, givenRows, type NodeSource, type Panel, PANEL_ROWS, readPanels } from "./node_source.ts";
import { type NormalizedCut, normalizedCut, type NormalizedCutOptions } from "./normalized_cut.ts";
import { propagate, recordPropagation } from "./propagate.ts";

/** Settings of `fitNystrom`. */
export interface NystromOptions {
  /** Landmarks, m, on which the normalised cut is solved exactly: how many, or which rows, ascending. */
  landmarks: number | RowNumbers;
  /**
   * Landmarks that a node's eigenvectors are extended from: the K nearest (the paper; default 32, or all if fewer), or
   * "all" of up to 2048, by Fowlkes' orthogonalised Nyström: fewer landmarks are needed, and the eigenvectors are nearer
   * to the exact ones.
   */
  neighbors?: number | "all";
  /**
   * How the K nearest are found: "exact", all landmarks compared; or "ivf" (default), an inverted file: those of the
   * cells near the node's own, if there are 1,024 landmarks or more and at least 99 % of the true K nearest are found so
   * for a sample of nodes, else all.
   */
  search?: "exact" | "ivf";
  /** Number of eigenvectors, including the first (eigenvalue 1); default 20, at most the number of landmarks. */
  components?: number;
  /** How landmarks are chosen, or how the given rows were; default "farthest". */
  sampling?: Sampling;
  /** Seed of every random choice; default 0. */
  seed?: number;
  /** Called after each iteration of the solver with the number of converged pairs. */
  onProgress?: NormalizedCutOptions["onProgress"];
  /** Stops the fit, which then rejects with the signal's reason; kept sums stay. */
  signal?: AbortSignal;
  /** Where sums over blocks of nodes are kept with "all", so that a fit that was stopped goes on; default: nowhere. */
  keepSums?: (name: string, make: () => Promise<Float64Array>) => Promise<Float64Array>;
}

/** What a fit has found: plain values, all that is needed to store it. */
export interface NystromFit {
  /** The landmarks' rows in the source, ascending, and their features, m × d. */
  landmarks: { indices: RowNumbers; features: Matrix };
  /** The normalised cut of the landmarks. */
  cut: Pick<
    NormalizedCut,
    "eigenvectors" | "eigenvalues" | "residuals" | "eigengap" | "converged" | "resolved" | "degrees"
  >;
  /** K, or "all". */
  neighbors: number | "all";
  /** The inverted file by which the nearest are found; null: all landmarks are compared. */
  ivf: InvertedFile | null;
  /** The projection that extends the eigenvectors from all landmarks, m × (C + 1); null when the nearest landmarks are used. */
  projection: Matrix | null;
  /** Components asked for that there are no eigenvectors for, with "all": `cut` has that many fewer; 0 or absent: none. */
  missing?: number;
  /** How the landmarks were chosen. */
  sampling: Sampling;
  /** The seed. */
  seed: number;
}

/** The vectors of a panel of nodes. */
export interface VectorPanel {
  /** Number of the panel's first node. */
  first: number;
  /** Its nodes' vectors, rows × C. */
  vectors: Matrix;
}

/** Finds the K nearest landmarks of a panel of features, with affinities exp(cos − 1). */
export type PanelSearch = (features: Matrix) => Promise<Neighbors>;

/** Settings of a model's `panels` and `transform`. */
export interface PanelOptions {
  /** In place of the model's own search. */
  search?: PanelSearch;
  /** Stops the work, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** A fitted model. */
export interface NystromModel extends NystromFit {
  /**
   * The eigenvectors for all nodes of a source, those of the fit or others.
   *
   * @param options `search`: in place of the model's own; `orthogonalize`: makes the columns orthonormal (Löwdin); `signal`:
   *   stops the work, which then rejects with its reason
   * @returns N × C
   * @throws RangeError when the source has another number of channels, or naming a node that is zero or not finite
   */
  transform(
    source: NodeSource,
    options?: PanelOptions & { orthogonalize?: boolean },
  ): Promise<Matrix>;
  /** The same panel by panel, in order, for graphs whose N × C values exceed memory. */
  panels(source: NodeSource, options?: PanelOptions): AsyncGenerator<VectorPanel>;
}

/**
 * The paper's Nyström-like approximation (METHOD, "Nyström-like approximation"): the normalised cut is solved on m
 * landmarks; a node takes the mean of the vectors of its K nearest landmarks, weighted by affinity, (4), or, with
 * `neighbors: "all"`, what `orthogonalizedNystrom` says (Fowlkes et al. 2004).
 *
 * @param source N nodes, read panel by panel
 * @param options m, K, C and how to choose; see `NystromOptions`
 * @returns the model, whose `transform` gives the vectors of these and of other nodes
 * @throws RangeError when there are fewer nodes than landmarks, fewer landmarks than neighbours or components, or naming
 *   a node that is zero or not finite
 *
 * Cost: 2 m² d operations for the landmarks' affinity and its eigenvectors, 2 N m d for all nodes where all landmarks are
 * compared, about a tenth of it with an inverted file; memory of the GPU O(m² within `normalizedCut`'s budget + m d) and a panel
 * of features, whatever N is. The columns are not strictly orthogonal.
 *
 * @example
 * ```ts
 * import { closeGpu, fitNystrom, matrixSource, openGpu } from "../../mod.ts";
 * const gpu = await openGpu();
 * const data = Float32Array.from({ length: 800 }, (_, at) => Number((at >> 1) % 2 === at % 2) + Math.sin(at) / 9);
 * const nodes = matrixSource({ data, rows: 400, cols: 2 });
 * const model = await fitNystrom(gpu, nodes, { landmarks: 100, components: 2 });
 * const { data: y } = await model.transform(nodes);
 * if (y[1] * y[3] > 0 || y[1] * y[5] < 0) throw new Error("even and odd nodes are two groups");
 * closeGpu(gpu);
 * ```
 */
export async function fitNystrom(
  gpu: Gpu,
  source: NodeSource,
  options: NystromOptions,
): Promise<NystromModel> {
  assertKnown("fitNystrom", options, {
    landmarks: true,
    neighbors: true,
    search: true,
    components: true,
    sampling: true,
    seed: true,
    onProgress: true,
    signal: true,
    keepSums: true,
  });
  const { landmarks, sampling = "farthest", seed = 0, onProgress, signal, keepSums: keep } = options;
  const count = typeof landmarks === "number" ? landmarks : landmarks.length;
  const { neighbors = Math.min(32, count), components = Math.min(20, count) } = options;
  const search = currentChoice("search", options.search ?? "ivf", { groups: "ivf" });
  assertSeed(seed);
  assertChoice("search", search, ["exact", "ivf"]);
  if (neighbors !== "all" && count >= 1 && count <= source.rows) assertNeighborCount(neighbors, count); // else sampleLandmarks says it
  const indices = typeof landmarks === "number"
    ? await sampleLandmarks(gpu, source, { count, sampling, seed, signal })
    : givenRows("landmarks", landmarks, source);
  const features = await gatherRows(source, indices);
  const ivf = search === "ivf" && neighbors !== "all"
    ? await chooseInvertedFile(gpu, source, features, { k: neighbors, seed, signal })
    : null;
  const fitted = { landmarks: { indices, features }, neighbors, ivf, sampling, seed };
  if (neighbors === "all") {
    assertComponents(components, count);
    return nystromModel(gpu, {
      ...fitted,
      ...await orthogonalizedNystrom(gpu, source, features, components, { onProgress, signal, keep }),
    });
  }
  const { eigenvectors, eigenvalues, residuals, eigengap, converged, resolved, degrees } =
    await normalizedCut(
      gpu,
      features,
      { components, seed, onProgress, signal, name: "landmarks" },
    );
  const cut = { eigenvectors, eigenvalues, residuals, eigengap, converged, resolved, degrees };
  return nystromModel(gpu, { ...fitted, projection: null, cut });
}

/**
 * The model of a fit, as `fitNystrom` returns it; for fits read from a file.
 *
 * @param gpu what `transform` runs on
 * @param fit m landmarks with C eigenvectors, as `fitNystrom` found them
 * @returns the fit, with a `transform` that gives N × C vectors by METHOD (4), or by Fowlkes' extension where the fit has a
 *   projection; it throws a RangeError naming a node that is zero, not finite or of another width
 */
export function nystromModel(gpu: Gpu, fit: NystromFit): NystromModel {
  const { eigenvectors } = fit.cut, { features } = fit.landmarks;
  const extend = (source: NodeSource, { rows, from, search }: Span & { search?: PanelSearch }) => {
    if (!fit.projection && !search && fit.ivf) {
      const options = { share: fit.ivf.share, k: fit.neighbors as number, seed: fit.seed };
      return extendByIvf(gpu, source, features, eigenvectors, { ...options, rows, from });
    }
    const panels = readPanels(source, rows, from);
    if (fit.projection) return extendFromAll(gpu, panels, features, fit.projection);
    if (search) return extendFound(gpu, panels, search, eigenvectors);
    return extendExactly(gpu, panels, features, { rows, k: fit.neighbors as number }, eigenvectors);
  };
  const panels: NystromModel["panels"] = (source, options = {}) => {
    assertKnown("panels", options, { search: true, signal: true });
    const { search, signal } = options;
    if (source.cols !== features.cols) {
      throw new RangeError(
        `${source.name ?? "features"} has ${source.cols} channels, but the model was fitted on ` +
          `${features.cols}: give features of the same kind.`,
      );
    }
    const rows = fit.ivf && !search ? ivfPanelRows(gpu, source) : PANEL_ROWS;
    return inPanelsThatFit(gpu, source.rows, rows, (span) => extend(source, { ...span, search }), signal);
  };
  return {
    ...fit,
    panels,
    async transform(source, given = {}) {
      assertKnown("transform", given, { search: true, signal: true, orthogonalize: true });
      const { orthogonalize = false, ...options } = given;
      const { rows } = source, { cols } = eigenvectors;
      const all = { data: new Float32Array(rows * cols), rows, cols };
      for await (const { first, vectors } of panels(source, options)) {
        all.data.set(vectors.data, first * cols);
      }
      return orthogonalize ? orthogonalizeColumns(all) : all;
    },
  };
}

/** Rows of a panel, and the node that the first one begins with. */
interface Span {
  rows: number;
  from: number;
}

/** Extends panel by panel; where the device has no memory for one, it goes on there with panels of half the rows. */
async function* inPanelsThatFit(
  gpu: Gpu,
  nodes: number,
  most: number,
  extend: (span: Span) => AsyncGenerator<VectorPanel>,
  signal?: AbortSignal,
): AsyncGenerator<VectorPanel> {
  let rows = most, from = 0, extended = extend({ rows, from });
  try {
    while (from < nodes) {
      signal?.throwIfAborted();
      const panel = await retryOnOutOfMemory(gpu, halvings(rows), async (size) => {
        if (size < rows) extended = extend({ rows: rows = size, from });
        return (await extended.next()).value as VectorPanel;
      });
      from += panel.vectors.rows;
      yield panel;
    }
  } finally {
    await extended.return(undefined);
  }
}

function assertComponents(components: number, landmarks: number): void {
  if (Number.isInteger(components) && components >= 1 && components <= landmarks) return;
  throw new RangeError(
    `components is ${components}, but landmarks has only ${landmarks} nodes: ask for 1 to ${landmarks}.`,
  );
}

/** (4) with the exact nearest landmarks; nothing but features goes up and nothing but vectors comes down. */
async function* extendExactly(
  gpu: Gpu,
  panels: AsyncIterable<Panel>,
  landmarks: Matrix,
  { k, rows }: { k: number; rows: number },
  eigenvectors: Matrix,
): AsyncGenerator<VectorPanel> {
  using search = openSearch(gpu, landmarks, { k, rows });
  const values = uploadMatrix(gpu, eigenvectors, "eigenvectors");
  try {
    for await (const { first, features } of panels) {
      const unit = search.upload(features, "panel of features");
      const out = allocateMatrix(gpu, features.rows, eigenvectors.cols, "panel of vectors");
      try {
        const lists = search.record(unit, 0, features.rows);
        for (const window of rowWindows(out)) recordPropagation(gpu, lists, window.first, k, values, window);
        yield { first, vectors: await downloadMatrix(gpu, out) };
      } finally {
        releaseMatrix(gpu, unit, out);
      }
    }
  } finally {
    releaseMatrix(gpu, values);
  }
}

/** From all landmarks, by the projection of the fit. */
async function* extendFromAll(
  gpu: Gpu,
  panels: AsyncIterable<Panel>,
  landmarks: Matrix,
  projection: Matrix,
): AsyncGenerator<VectorPanel> {
  using extension = openExtension(gpu, landmarks, projection);
  for await (const { first, features } of panels) {
    yield { first, vectors: await extension.extend(features) };
  }
}

/** (4) with landmarks found by another search. */
async function* extendFound(
  gpu: Gpu,
  panels: AsyncIterable<Panel>,
  search: PanelSearch,
  eigenvectors: Matrix,
): AsyncGenerator<VectorPanel> {
  for await (const { first, features } of panels) {
    yield { first, vectors: await propagate(gpu, await search(features), eigenvectors) };
  }
}
