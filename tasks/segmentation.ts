/** `deno task segmentation`: from which layer on figure and ground, and categories, can be told apart, with a report. */
import { alignOf } from "../src/experiments/align_conditions.ts";
import { readBrainData } from "../src/experiments/brain_data.ts";
import { embeddedModels, subjectOf } from "../src/experiments/embedded_world.ts";
import { openStages } from "../src/data/stages.ts";
import { sceneTruth, segmentation } from "../src/experiments/segmentation.ts";
import { type GraphCondition, layerGraphs } from "../src/experiments/segmentation_graphs.ts";
import { writeSegmentationReport } from "../src/experiments/segmentation_report.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Images of the graphs of single layers, and the layers that are also clustered after align. */
const IMAGES = 40, ALIGNED_LAYERS = [3, 6, 9, 12];

/** Scores every layer and writes the report. @returns the path of the page */
export async function runSegmentation(open: OpenPipeline): Promise<string> {
  const { pipeline, gpu, seed, timings, cacheDir, world } = open;
  const data = await runStage(timings, "segmentation features", (onProgress) =>
    readBrainData({
      ...{ subject: subjectOf(world), models: embeddedModels(), cacheDir, identity: world.fingerprint },
      ...{ seed: 0, onProgress },
    }));
  const trained = (lambdaEigen: number) =>
    runStage(timings, `segmentation align λ ${lambdaEigen}`, async (tick) => {
      const { model, path } = await alignOf(
        gpu,
        data,
        { lambdaEigen, seed: 0 },
        cacheDir,
        ({ epoch }, all) => tick(epoch, all),
      );
      return { model, key: path.replace(/^.*align-|\.arrow$/g, "") };
    });
  const aligns = { with: await trained(1), without: await trained(0) };
  const images = Math.min(IMAGES, pipeline.images.length);
  const stages = openStages(`${cacheDir}/../runs`);
  const graphs = (name: string, condition: Omit<GraphCondition, "name"> = {}) =>
    runStage(
      timings,
      `segmentation graphs ${name}`,
      (tick) => layerGraphs(gpu, pipeline, stages, { name, ...condition }, images, seed, tick),
    );
  const all = {
    images,
    before: await graphs("before"),
    aligned: await graphs("aligned", { layers: ALIGNED_LAYERS, align: aligns.with }),
    noConstraint: await graphs("aligned_no_constraint", { layers: ALIGNED_LAYERS, align: aligns.without }),
  };
  const truth = sceneTruth(pipeline.images.length, pipeline.grid);
  const found = await runStage(
    timings,
    "segmentation",
    () =>
      open.kept("segmentation", { images }, () => Promise.resolve(segmentation(pipeline, truth, all, seed))),
  );
  return await writeSegmentationReport(open, found);
}

const HELP = `deno task segmentation [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("segmentation", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runSegmentation(open)}`);
    } finally {
      open.close();
    }
  });
}
