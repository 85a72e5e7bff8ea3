/** `deno task galleries`: more images of each experiment, on one page. */
import { renderScene } from "../fixtures/scenes/mod.ts";
import { writeGalleries } from "../src/experiments/galleries.ts";
import { figurePatches } from "../src/experiments/patch_labels.ts";
import { examplePixels } from "../src/experiments/trajectories.ts";
import { conceptsOf } from "./concepts.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Draws all galleries. @returns the path of the page */
export async function runGalleries(open: OpenPipeline): Promise<string> {
  const { pipeline, timings } = open, concepts = await conceptsOf(open);
  return await runStage(timings, "galleries", async () => {
    const categories = pipeline.images.map((_, i) => renderScene(i).category);
    const labels = await figurePatches(pipeline);
    const image = labels.findIndex((own) => own.includes(1) && own.includes(0));
    const [pixel] = examplePixels(pipeline.grid, labels[image], image);
    return await writeGalleries(open, categories, pixel, concepts);
  });
}

const HELP = `deno task galleries [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("galleries", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runGalleries(open)}`);
    } finally {
      open.close();
    }
  });
}
