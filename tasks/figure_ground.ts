/** `./run figure-ground`: figure and ground in brain space, and one pixel among images of other categories. */
import { regionsOf } from "../src/pipeline/regions.ts";
import { figureGround } from "../src/experiments/figure_ground/compute.ts";
import { writeFigureGroundReport } from "../src/experiments/figure_ground/report.ts";
import { imageCategories } from "../src/experiments/shared/image_truth.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";

/** Measures figure and ground and writes the report. @returns the path of the page */
export async function runFigureGround(open: OpenPipeline): Promise<string> {
  const { gpu, pipeline, data, seed } = open;
  const rois = regionsOf(data.subject);
  const categories = await imageCategories(pipeline.images, pipeline.classes);
  const found = await open.computed(
    "figure-ground",
    (tick) => figureGround(gpu, pipeline, rois, categories, seed, tick),
    { code: ["src/experiments/shared/image_truth.ts"] },
  );
  return await writeFigureGroundReport(open, found, open.sheet);
}

/** The task and its options. */
export const COMMAND = experiment("figure-ground");

if (import.meta.main) await runExperiment(COMMAND, runFigureGround);
