/**
 * The pipeline that the experiments share: features of every layer of every model, aligned into one space, one graph of
 * all their tokens, its eigenvectors, a spectral map and colors.
 */
import { basename } from "node:path";
import { extractFeatures, extractRange } from "../data/features/extract.ts";
import { hashOfModules } from "../data/files/code_hash.ts";
import { type ImageRange, shardRanges } from "../data/features/feature_shards.ts";
import { imagesPerFile, MAX_FILES } from "../data/features/node_dataset.ts";
import type { FeatureType } from "../data/features/feature_store.ts";
import { loadNystrom } from "../data/fits/nystrom_file.ts";
import { report } from "../data/files/skipped.ts";
import type { Stages } from "../data/cache/stages.ts";
import { nearestColors } from "../embed/spectral_colors.ts";
import type { Gpu } from "../gpu/mod.ts";
import { copyFeatures, evaluationImages, nearestOfImages, vectorsOfImages } from "./evaluation.ts";
import { brokenInDataset } from "./node_batches.ts";
import type { Pipeline } from "./nodes.ts";
import { solveGraph } from "./solve_graph.ts";
import { makeColors, makeMap, openVectors, readMatrix } from "./spectral_stages.ts";
import { forModels } from "./images.ts";
import type { PipelineOptions } from "./pipeline_options.ts";
import {
  brokenShards,
  type FeatureManifest,
  modelSha256,
  namesSha256,
  readExtracted,
  readHeader,
} from "../data/features/extract_parts.ts";

/** What computes each stage; photographs are read and cropped by the last two of features. */
export const PIPELINE_CODE = {
  features: ["src/data/features/extract.ts", "src/data/datasets/open_data.ts", "src/pipeline/images.ts"],
  eigenvectors: ["src/pipeline/solve_graph.ts"],
  map: ["src/pipeline/spectral_stages.ts"],
  evaluation: ["src/pipeline/evaluation.ts"],
};

/** The stage of one model's features. */
export interface FeatureStage {
  /** Of the stage. */
  name: string;
  /** All that its result depends on. */
  input: Record<string, unknown>;
  /** Images of each shard. */
  ranges: ImageRange[];
  /** All ranges, into the stage's folder. */
  extract(folder: string, onProgress?: (done: number, total: number) => void): Promise<FeatureManifest>;
  /** One range alone. */
  extractRange(folder: string, range: ImageRange): Promise<FeatureManifest>;
}

/** The stages of the features, one a model. */
export async function featureStages(
  { models, images, imagesSha256, imagesKey, shardImages = imagesPerFile(images.length), dtype = "float16" }:
    & Pick<PipelineOptions, "models" | "images" | "imagesSha256" | "imagesKey" | "shardImages">
    & { dtype?: FeatureType },
): Promise<FeatureStage[]> {
  if (images.length > MAX_FILES * shardImages) {
    throw new RangeError(
      `--images-per-shard ${shardImages} gives ${
        Math.ceil(images.length / shardImages)
      } files in a folder: give ` +
        `${imagesPerFile(images.length)} or more, ${MAX_FILES} files are few enough.`,
    );
  }
  const ranges = shardRanges(images.length, shardImages),
    names = imagesSha256 ?? namesSha256(images),
    code = await hashOfModules(PIPELINE_CODE.features);
  return await Promise.all(models.map(async ({ path, ...as }) => {
    const options = (outDir: string) => ({
      model: path,
      ...as,
      images: forModels(images),
      imagesSha256,
      outDir,
      shardImages,
      dtype,
    });
    return {
      name: `features-${basename(path).replace(/\.onnx$/, "")}`,
      input: {
        code,
        model: await modelSha256(path),
        ...as,
        imagesKey,
        images: names,
        dtype,
      },
      ranges,
      extract: (folder, onProgress) => extractFeatures({ ...options(folder), onProgress }),
      extractRange: (folder, range) => extractRange(options(folder), range),
    } satisfies FeatureStage;
  }));
}

/** All that the eigenvectors depend on, as the stage "eigenvectors" has it. */
export async function graphInputs(
  features: FeatureStage[],
  options: PipelineOptions,
): Promise<Record<string, unknown>> {
  const { alignKey, landmarks, neighbors, knn, components, sampling, seed } = options;
  const inputs = features.map(({ input }) => input);
  const code = await hashOfModules(PIPELINE_CODE.eigenvectors);
  return { code, features: inputs, alignKey, landmarks, neighbors, knn, components, sampling, seed };
}

/**
 * Runs the pipeline, stage by stage; what is finished under `stages` is read instead.
 *
 * @param gpu null only where the stages only explain
 * @param onProgress called with the stage, and how much of it is done
 * @returns null when the stages only explain
 */
export async function runPipeline(
  gpu: Gpu | null,
  stages: Stages,
  options: PipelineOptions,
  onProgress: (stage: string, done: number, total: number) => void = () => {},
): Promise<Pipeline | null> {
  const { models, images, align, seed, classes, data } = options;
  const features = await featureStages(options);
  const manifests: FeatureManifest[] = [];
  for (const [i, { name, input, extract }] of features.entries()) {
    const tick = (done: number) =>
      onProgress("extract", i * images.length + done, models.length * images.length);
    const compute = async (folder: string) => void await extract(folder, tick);
    const folder = await stages.run(name, input, compute, brokenShards);
    if (folder) manifests.push(await readHeader(folder));
  }
  for (const { model, classToken } of manifests) {
    if (!classToken) report(`${model} has no class token: the mean of its patches takes its place`);
  }

  const graph = await graphInputs(features, options), inputs = await mapInputs(graph, options);
  const cut = await stages.run("eigenvectors", graph, async (folder) => {
    await solveGraph({ gpu: gpu!, folder, manifests, options }, onProgress);
  }, (folder, all) => brokenInDataset(folder, "eigenvectors", all));
  const map = await stages.run("map", inputs, async (folder) => {
    await makeMap(gpu!, folder, cut!, manifests, options, (done, total) => onProgress("map", done, total));
  });
  const placed = await stages.run("colors", inputs, async (folder) => {
    const tick = (done: number, total: number) => onProgress("colors", done, total);
    await makeColors(gpu!, folder, { cut: cut!, map: map!, manifests }, tick);
  }, (folder, all) => brokenInDataset(folder, "colors", all));
  const chosen = evaluationImages(images.length, options.evaluated, seed);
  const looked = chosen.length === images.length ? manifests : await copyOfEach(stages, features, manifests, {
    chosen,
    names: chosen.map((i) => images[i].name),
  }, onProgress);
  if (stages.explains || !cut || !map || !placed) return null;

  assertComparable(manifests);
  const files = {
    eigenvectors: `${cut}/eigenvectors.json`,
    fit: `${cut}/fit.arrow`,
    search: `${cut}/neighbors.txt`,
    points2: `${map}/points2.npy`,
    points3: `${map}/points3.npy`,
    sample: `${map}/sample.npy`,
    vectors: `${map}/vectors.npy`,
    map: `${map}/map.json`,
    colors: `${placed}/colors.json`,
  };
  const [first] = manifests, points3 = await readMatrix(files.points3);
  await using vectors = await openVectors(cut, manifests);
  const eigenvectors = await vectorsOfImages(vectors, chosen);
  const nearest = await nearestOfImages(placed, vectors, chosen);
  const colors = nearestColors(points3, nearest);
  let at = 0;
  const slots = manifests.flatMap(({ model, layers, tokens }) =>
    layers.map(({ layer }) => {
      const slot = { model, layer, first: at };
      at += chosen.length * tokens;
      return slot;
    })
  );
  return {
    models: manifests.map(({ model }) => model),
    classes,
    data,
    manifests: looked,
    slots,
    images: chosen.map((image) => images[image]),
    total: { images: images.length, nodes: vectors.rows },
    tokens: first.tokens,
    grid: first.grid,
    points3,
    sampleVectors: await readMatrix(files.vectors),
    nearest,
    colors,
    align,
    eigenvectors,
    fit: await loadNystrom(gpu!, files.fit),
    search: (await Deno.readTextFile(files.search)).trim(),
    points2: await readMatrix(files.points2),
    map: JSON.parse(await Deno.readTextFile(files.map)),
    files: Object.values(files),
  };
}

/** All that the map depends on, and with it the colors. */
export async function mapInputs(
  graph: Record<string, unknown>,
  { sample, iterations }: PipelineOptions,
): Promise<Record<string, unknown>> {
  return {
    ...graph,
    graphCode: graph.code,
    code: await hashOfModules(PIPELINE_CODE.map),
    sample,
    iterations,
  };
}

/** Manifests of copies of some images' features, one a model. */
async function copyOfEach(
  stages: Stages,
  features: FeatureStage[],
  manifests: FeatureManifest[],
  { chosen, names }: { chosen: number[]; names: string[] },
  onProgress: (stage: string, done: number, total: number) => void,
): Promise<FeatureManifest[]> {
  const code = await hashOfModules(PIPELINE_CODE.evaluation), copies: FeatureManifest[] = [];
  for (const [at, { name, input }] of features.entries()) {
    const copy = await stages.run(`evaluation-${name}`, { code, features: input, chosen }, async (folder) => {
      const { length } = manifests[at].layers;
      const tick = (done: number) => onProgress("evaluation", at * length + done, features.length * length);
      await copyFeatures(folder, manifests[at], chosen, names, tick);
    }, brokenShards);
    if (copy) copies.push(await readExtracted(copy));
  }
  return copies;
}

/** Patches of all models lie in the same places. */
function assertComparable([first, ...others]: FeatureManifest[]): void {
  const other = others.find(({ grid }) => grid.rows !== first.grid.rows || grid.cols !== first.grid.cols);
  if (!other) return;
  throw new Error(
    `${first.model} sees ${first.grid.rows} × ${first.grid.cols} patches, ${other.model} ${other.grid.rows} × ${other.grid.cols}: export one of them for images of another size.`,
  );
}
