/** The layers of one model, each a graph of its own: what `layerColors` finds of it, and what an experiment adds. */
import { memoize } from "../../data/cache/memoize.ts";
import { NotFinished, type Stages } from "../../data/cache/stages.ts";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";
import { readFeatures } from "../../data/features/feature_shards.ts";
import { type Gpu, trim } from "../../gpu/mod.ts";
import { matrixSource } from "../../graph/node_source.ts";
import type { NormalizedCut } from "../../graph/normalized_cut.ts";
import { fitNystrom } from "../../graph/nystrom.ts";
import { chooseNeighborSearch } from "../../pipeline/neighbor_search.ts";
import { assertWhole } from "../../pipeline/solve_graph.ts";
import type { PipelineOptions } from "../../pipeline/pipeline_options.ts";
import type { Storage } from "../../graph/affinity_operator.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { type LayerColors, layerColors, type LayerColorsOptions } from "./layer_colors.ts";

/** What is kept of one layer; plain JSON, so that a stopped run goes on after its last finished layer. */
export interface SolvedLayer
  extends
    Pick<NormalizedCut, "eigengap" | "converged" | "resolved" | "applications">,
    Pick<LayerColors, "kl" | "trustworthiness" | "seconds"> {
  /** 1 is the first. */
  layer: number;
  eigenvalues: number[];
  residual: number;
  storage: string;
  /** n × 3 bytes, base64. */
  colors: string;
  /** What `checkError` says. */
  error?: string;
}

/** How graphs are solved that are not solved exactly: as of the pipeline. */
export type Approximation = Pick<PipelineOptions, "landmarks" | "neighbors" | "sampling" | "knn">;

/** Settings of the graphs of all layers. */
export interface SolveSettings extends Required<Pick<LayerColorsOptions, "components" | "sample" | "seed">> {
  /** Absent: exactly. */
  approximation?: Approximation;
  /** Says in a sentence how far eigenvectors are from the exact ones of the features. */
  checkError?: (features: Matrix, eigenvectors: Matrix) => Promise<string>;
  /** Of finished layers, in the folder of their features. */
  stages: Stages;
  /** Called with how many layers are done, parts of one included, and which is worked on. */
  onProgress?: (done: number, total: number, note: string) => void;
}

/** What an experiment makes of a layer. */
export interface LayerWork<T> {
  name: string;
  /** Modules that compute what it adds. */
  code: readonly string[];
  /** What that depends on beside features and settings. */
  inputs: Record<string, unknown>;
  /** The nodes' features; default: of all tokens. */
  nodesOf?(tokens: Matrix): Matrix;
  /** As of `normalizedCut`. */
  storageOf?(nodes: number): Storage | undefined;
  add(eigenvectors: Matrix): T;
}

/**
 * Runs every layer of one model, one joint graph of all images' tokens a layer.
 *
 * @param gpu null only where the stages only explain
 * @param manifest what `extractFeatures` wrote
 * @returns one result a layer, in order; layers finished before are read from the cache. None where the stages only explain
 * @throws Error when a layer's file cannot be read, RangeError naming a bad token
 */
export async function solveLayers<T>(
  gpu: Gpu | null,
  manifest: FeatureManifest,
  { stages, checkError, onProgress, ...settings }: SolveSettings,
  { name, code, inputs, nodesOf = (tokens) => tokens, storageOf, add }: LayerWork<T>,
): Promise<(SolvedLayer & T)[]> {
  const layers: (SolvedLayer & T)[] = [], all = [CODE, ...code], count = manifest.layers.length;
  for (const [at, { layer, path }] of manifest.layers.entries()) {
    const stage = `${name}-L${String(layer).padStart(2, "0")}`, note = `layer ${layer}`;
    const progress = (done: number, total: number) => onProgress?.(at + done / total, count, note);
    try {
      const found = await memoize(
        stages,
        all,
        stage,
        { ...settings, ...inputs, ...(checkError && { isChecked: true }) },
        async () => {
          const features = nodesOf(await readFeatures(path));
          const { cut, colors, ...map } = await layerColors(gpu, features, {
            ...settings,
            name: note,
            storage: storageOf?.(features.rows),
            ...(settings.approximation && { solve: () => extendedCut(gpu!, features, settings) }),
            onProgress: progress,
          });
          const error = await checkError?.(features, cut.eigenvectors);
          const added = add(cut.eigenvectors),
            { eigengap, converged, resolved, applications, storage } = cut;
          trim(gpu!);
          return {
            layer,
            eigenvalues: [...cut.eigenvalues],
            residual: Math.max(...cut.residuals),
            eigengap,
            converged,
            resolved,
            applications,
            storage,
            ...map,
            colors: colors.toBase64(),
            ...(error && { error }),
            ...added,
          };
        },
      );
      layers.push(found);
      progress(1, 1);
    } catch (error) {
      if (!(stages.explains && error instanceof NotFinished)) throw error;
    }
  }
  return layers;
}

const CODE = "src/experiments/shared/solved_layers.ts";

/** Eigenvectors extended from landmarks, with the eigenvalues and residuals of these. */
async function extendedCut(
  gpu: Gpu,
  features: Matrix,
  { approximation, components, seed }: Omit<SolveSettings, "stages">,
): Promise<NormalizedCut> {
  const { landmarks, knn, ...how } = approximation!, source = matrixSource(features);
  const fit = await fitNystrom(gpu, source, {
    ...how,
    landmarks: Math.min(landmarks, features.rows),
    components,
    seed,
    search: knn === "ivf" ? "ivf" : "exact",
  });
  assertWhole(fit, components);
  const { search } = await chooseNeighborSearch(gpu, fit, source, knn);
  return {
    ...fit.cut,
    eigenvectors: await fit.transform(source, { search }),
    applications: 0,
    storage: "dense",
  };
}

/** The numbers of every layer, as results.json has them. */
export function layerMetrics(layers: readonly SolvedLayer[]): Record<string, number> {
  const metrics: Record<string, number> = {
    "residual.max": Math.max(...layers.map(({ residual }) => residual)),
  };
  for (const { layer, eigenvalues, eigengap, ...own } of layers) {
    eigenvalues.forEach((value, i) => metrics[`eigenvalue.L${layer}.${i + 1}`] = value);
    if (eigengap !== null) metrics[`eigengap.L${layer}`] = eigengap;
    metrics[`residual.L${layer}`] = own.residual;
    metrics[`resolved.L${layer}`] = own.resolved;
    metrics[`applications.L${layer}`] = own.applications;
    metrics[`tsne.kl.L${layer}`] = own.kl;
    metrics[`tsne.trustworthiness.L${layer}`] = own.trustworthiness;
    metrics[`seconds.cut.L${layer}`] = own.seconds.cut;
    metrics[`seconds.tsne.L${layer}`] = own.seconds.tsne;
  }
  return metrics;
}
