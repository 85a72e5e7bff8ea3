/** One model, each of its layers a graph of its own, and a page of them. */
import type { Gpu } from "../../mod.ts";
import { brokenShards, type FeatureManifest, readExtracted } from "../../src/data/features/extract_parts.ts";
import type { FeatureType } from "../../src/data/features/feature_store.ts";
import { openStages, type Stages } from "../../src/data/cache/stages.ts";
import { skippedLines } from "../../src/data/files/skipped.ts";
import type { SolvedLayer } from "../../src/experiments/shared/solved_layers.ts";
import { pixelHash, type RunImage } from "../../src/pipeline/images.ts";
import type { RunModel } from "../../src/pipeline/models.ts";
import { featureStages } from "../../src/pipeline/pipeline.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import type { Tick } from "./stage.ts";
import { sayStages, type TaskRun } from "./task_run.ts";

export interface LayerRun<L extends SolvedLayer> {
  /** Of the page. */
  name: string;
  model: RunModel;
  /** As the model sees them. */
  images: RunImage[];
  dtype: FeatureType;
  /** Images of a shard of features. */
  shardImages?: number;
  adapter?: "hardware" | "software";
  /** Solves all layers; `gpu` is null where the stages only explain. */
  solve(
    gpu: Gpu | null,
    manifest: FeatureManifest,
    settings: { stages: Stages; onProgress: Tick },
  ): Promise<L[]>;
  /** @returns the path of the page */
  write(found: { gpu: Gpu; manifest: FeatureManifest; layers: L[] }): Promise<string>;
}

/**
 * Extracts features, solves every layer, and writes the page: what is finished under the run's cache, by the hash of its
 * inputs, is read instead.
 *
 * @returns the path of the page; null after `--dry-run`, which has printed what would run
 */
export async function runLayers<L extends SolvedLayer>(
  run: TaskRun,
  { name, model, images, dtype, shardImages, adapter, solve, write }: LayerRun<L>,
): Promise<string | null> {
  const imagesKey = await pixelHash(images);
  for (const line of skippedLines()) console.error(line);
  const [features] = await featureStages({ models: [model], images, imagesKey, shardImages, dtype });
  const extracted = (tick?: Tick) =>
    run.stages.run(`${name}-${features.name}`, features.input, async (folder) => {
      await features.extract(folder, tick);
    }, brokenShards);
  const { explains } = run.stages;
  const folder = await (explains ? extracted() : run.stage("extract", extracted));
  sayStages(run.stages);
  if (!folder) {
    console.log("colors: would run (they depend on the features)");
    return null;
  }
  const manifest = await readExtracted(folder), { length } = manifest.layers;
  const stages = openStages(folder, explains);
  if (explains) {
    await solve(null, manifest, { stages, onProgress: () => {} });
    sayStages(stages);
    return null;
  }
  using gpu = await openTaskGpu(adapter, run.cache);
  console.error(
    `${images.length} images · ${gpu.adapter.description}${
      gpu.adapter.software ? " (software)" : ""
    } · seed ${run.seed}`,
  );
  console.error(
    `${manifest.model}: ${length} layers, ${manifest.heads} heads, width ${manifest.width}, ${manifest.tokens} tokens an image${
      manifest.classToken ? "" : ", the mean of the patches in the place of a class token"
    }`,
  );
  const layers = await run.stage(
    "cut and color",
    (onProgress) => solve(gpu, manifest, { stages, onProgress }),
  );
  const page = await write({ gpu, manifest, layers });
  await run.finish({ [name]: page });
  return page;
}
