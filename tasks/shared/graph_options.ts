/** What the pipeline is run on, and how, from data and settings that are open. */
import type { AlignModel, Gpu } from "../../mod.ts";
import { alignmentOf, alignOf } from "../../src/pipeline/align_cache.ts";
import type { PipelineOptions } from "../../src/pipeline/pipeline_options.ts";
import { COMPONENTS } from "./options.ts";
import type { RunData } from "./open_data.ts";
import type { RunSettings } from "./run_settings.ts";
import { runStage } from "./stage.ts";

/** What the pipeline is run on, and how; the alignment is trained now where it is not there. */
export async function pipelineOptions(
  gpu: Gpu,
  data: RunData,
  settings: RunSettings,
  timings: Record<string, number>,
): Promise<PipelineOptions> {
  const { cache } = settings;
  const cacheDir = `${cache}/align`;
  const brain = await runStage(timings, "pooled features", (tick) => data.readBrain(cacheDir, tick));
  const { model: align, path } = await runStage(
    timings,
    "align",
    (tick) => alignOf(gpu, brain, alignmentOf(settings.alignment), cacheDir, tick),
  );
  return optionsWith(data, settings, align, path);
}

/** The same with an alignment that is there. */
export function optionsWith(
  data: RunData,
  { quick, sample, landmarks, sampling, knn, neighbors, seed, evaluated, shardImages }: RunSettings,
  align: AlignModel,
  alignPath: string,
): PipelineOptions {
  return {
    models: data.models,
    images: data.images,
    imagesSha256: data.imagesSha256,
    classes: data.classes,
    data: data.name,
    imagesKey: data.imagesKey,
    align,
    alignKey: alignPath.replace(/^.*align-|\.arrow$/g, ""),
    landmarks,
    sampling,
    knn,
    neighbors,
    components: COMPONENTS,
    seed,
    evaluated,
    shardImages,
    sample,
    iterations: quick ? 250 : 500,
  };
}
