/** `./run galleries`: more images of each experiment, on one page. */
import { writeGalleries } from "../src/experiments/galleries/compute.ts";
import { imageCategories } from "../src/experiments/shared/image_truth.ts";
import { figurePatches } from "../src/experiments/shared/patch_labels.ts";
import { conceptsOf } from "./concepts.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";
import { examplePixels } from "../src/experiments/shared/places.ts";

/** Draws all galleries. @returns the path of the page */
export async function runGalleries(open: OpenPipeline): Promise<string> {
  const { pipeline } = open, concepts = await conceptsOf(open);
  return await open.stage("galleries", async () => {
    const categories = await imageCategories(pipeline.images, pipeline.classes);
    const labels = await figurePatches(pipeline);
    const image = labels.findIndex((own) => own.includes(1) && own.includes(0));
    const [pixel] = examplePixels(pipeline.grid, labels[image], image);
    return await writeGalleries(open, categories, pixel, concepts);
  });
}

/** The task and its options. */
export const COMMAND = experiment("galleries");

if (import.meta.main) await runExperiment(COMMAND, runGalleries);
