/** The experiment `colors`: a spectral color for every token of every image and layer, and what its eigenvectors segment. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { type Gpu, trim } from "../../gpu/mod.ts";
import type { Matrix } from "../../linalg/matrix.ts";
import { normalizedCut } from "../../graph/normalized_cut.ts";
import { openFeatures } from "../../data/features/feature_shards.ts";
import { memoize } from "../../data/cache/memoize.ts";
import { NotFinished, type Stages } from "../../data/cache/stages.ts";
import { layerColors } from "../shared/layer_colors.ts";
import { ORACLE_COMPONENTS, oracleSegmentation, type TokenLabels } from "../shared/oracle_segmentation.ts";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";

/** What is kept of one layer; plain JSON, so that a stopped run goes on after its last finished layer. */
export interface LayerResult {
  /** 1 is the first. */
  layer: number;
  eigenvalues: number[];
  residual: number;
  eigengap: number | null;
  converged: boolean;
  /** Leading components that float32 tells from a null space. */
  resolved: number;
  applications: number;
  storage: string;
  kl: number;
  trustworthiness: number;
  seconds: { cut: number; tsne: number };
  /** n × 3 bytes, base64. */
  colors: string;
  /** Figure-ground by the oracle, where there are masks. */
  figureGround?: { miou: number; threshold: number };
}

/** Settings of `runColors`. */
export interface ColorsOptions {
  components: number;
  sample: number;
  iterations: number;
  seed: number;
  /** Of finished layers. */
  stages: Stages;
  /** Figure and ground pixels under every token, all images one after the other. */
  labels?: TokenLabels;
  onProgress?: (done: number, note: string) => void;
}

/** What computes a layer. */
const CODE = ["src/experiments/layer_colors/compute.ts"];

/**
 * Runs every layer of one model, one joint graph of all images' tokens a layer.
 *
 * @param manifest what `extractFeatures` wrote
 * @returns one result a layer, in order; layers finished before are read from the cache
 * @throws Error when a layer's file cannot be read, RangeError naming a bad token
 */
export async function runColors(
  gpu: Gpu,
  manifest: FeatureManifest,
  options: ColorsOptions,
): Promise<LayerResult[]> {
  const { labels, onProgress, components, sample, iterations, seed } = options;
  const results: LayerResult[] = [];
  for (const { layer, path } of manifest.layers) {
    const done = results.length;
    results.push(
      await keptLayer(layer, options, async () => {
        const features = await readAll(path);
        const found = await layerColors(gpu, features, {
          components,
          sample,
          iterations,
          seed,
          name: `layer ${layer}`,
          onProgress: (share) => onProgress?.(done + share, `layer ${layer}`),
        });
        const { cut } = found;
        const result: LayerResult = {
          layer,
          eigenvalues: [...cut.eigenvalues],
          residual: Math.max(...cut.residuals),
          eigengap: cut.eigengap,
          converged: cut.converged,
          resolved: cut.resolved,
          applications: cut.applications,
          storage: cut.storage,
          kl: found.kl,
          trustworthiness: found.trustworthiness,
          seconds: found.seconds,
          colors: Buffer.from(found.colors).toString("base64"),
        };
        if (labels) result.figureGround = figureGround(cut.eigenvectors, labels);
        trim(gpu);
        return result;
      }),
    );
    onProgress?.(done + 1, `layer ${layer}`);
  }
  return results;
}

/** Reports, to the stages of the options, which layers would be computed; none is. */
export async function explainColors(
  manifest: FeatureManifest,
  options: Omit<ColorsOptions, "onProgress">,
): Promise<void> {
  for (const { layer } of manifest.layers) {
    await keptLayer(layer, options, () => Promise.reject(new Error("An explanation computes nothing.")))
      .catch((error) => {
        if (!(error instanceof NotFinished)) throw error;
      });
  }
}

/** A layer's result under what it depends on, its features aside: the stages are in their folder. */
async function keptLayer(
  layer: number,
  { stages, labels, components, sample, iterations, seed }: ColorsOptions,
  compute: () => Promise<LayerResult>,
): Promise<LayerResult> {
  const labelsHash = labels &&
    createHash("sha256").update(JSON.stringify([labels.classes, ...labels.counts])).digest("hex");
  const own = { components, sample, iterations, seed, labels: labelsHash };
  return await memoize(stages, CODE, `colors-L${String(layer).padStart(2, "0")}`, own, compute);
}

/** Oracle figure-ground of the first eigenvectors. */
function figureGround(eigenvectors: Matrix, labels: TokenLabels): { miou: number; threshold: number } {
  const { miou, threshold } = oracleSegmentation(firstColumns(eigenvectors, ORACLE_COMPONENTS), labels);
  return { miou, threshold };
}

/** The same segmentation from color and position alone, the bar that a model has to pass. */
export async function baselineFigureGround(
  gpu: Gpu,
  features: Matrix,
  labels: TokenLabels,
  seed: number,
): Promise<number> {
  const cut = await normalizedCut(gpu, features, {
    components: ORACLE_COMPONENTS,
    seed,
    name: "color and position",
  });
  return oracleSegmentation(cut.eigenvectors, labels).miou;
}

async function readAll(path: string): Promise<Matrix> {
  const store = await openFeatures(path);
  try {
    return { data: await store.readRows(0, store.rows), rows: store.rows, cols: store.cols };
  } finally {
    await store.close();
  }
}

function firstColumns(x: Matrix, cols: number): Matrix {
  const data = new Float32Array(x.rows * cols);
  for (let i = 0; i < x.rows; i++) data.set(x.data.subarray(i * x.cols, i * x.cols + cols), i * cols);
  return { data, rows: x.rows, cols };
}
