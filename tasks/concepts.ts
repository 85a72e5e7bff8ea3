/** `./run concepts`: the visual concepts of a late layer, and what they do in brain space, with a report. */
import { regionsOf } from "../src/pipeline/regions.ts";
import { type Concepts, type ConceptTruth, findConcepts } from "../src/experiments/concepts/compute.ts";
import { writeConceptsReport } from "../src/experiments/concepts/report.ts";
import { classLabels, majorityClasses } from "../src/experiments/shared/image_truth.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";

/** Finds concepts, or reads those of an earlier run. */
export async function conceptsOf(open: OpenPipeline): Promise<Concepts> {
  const { pipeline, data, seed } = open;
  return await open.computed("concepts", async () => {
    const { images, grid, classes, tokens } = pipeline;
    const under = majorityClasses(await classLabels(images, grid, classes));
    const truth: ConceptTruth = {
      rois: regionsOf(data.subject),
      categories: images.map((_, i) => under.subarray(i * tokens + 1, (i + 1) * tokens)),
    };
    return await findConcepts(pipeline, truth, { seed });
  }, { code: ["src/experiments/shared/image_truth.ts"] });
}

/** Finds concepts and writes the report. @returns the path of the page */
export async function runConcepts(open: OpenPipeline): Promise<string> {
  return await writeConceptsReport(open, await conceptsOf(open), open.sheet);
}

/** The task and its options. */
export const COMMAND = experiment("concepts");

if (import.meta.main) await runExperiment(COMMAND, runConcepts);
