/** `deno task concepts`: the visual concepts of a late layer, and what they do in brain space, with a report. */
import { createObserver } from "../fixtures/observer/mod.ts";
import { CATEGORIES, renderScene } from "../fixtures/scenes/mod.ts";
import { openAlgonauts } from "../src/data/algonauts.ts";
import { REGIONS } from "../src/experiments/brain_data.ts";
import { type Concepts, type ConceptTruth, findConcepts } from "../src/experiments/concepts.ts";
import { writeConceptsReport } from "../src/experiments/concepts_report.ts";
import { subjectOf } from "../src/experiments/embedded_world.ts";
import { tokenLabels } from "../src/experiments/oracle_segmentation.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Finds concepts, or reads those of an earlier run. */
export async function conceptsOf(open: OpenPipeline): Promise<Concepts> {
  const { pipeline, world, seed, timings } = open;
  return await runStage(timings, "concepts", () =>
    open.kept("concepts", {}, async () => {
      const subject = await openAlgonauts(subjectOf(world));
      const rois = new Map(REGIONS.flatMap((name) => {
        const voxels = subject.rois.get(name);
        return voxels ? [[name, voxels] as const] : [];
      }));
      const truth: ConceptTruth = {
        rois,
        categories: pipeline.images.map((_, i) => sceneCategories(i, pipeline.grid)),
      };
      return await findConcepts(pipeline, truth, { seed });
    }));
}

/** Category of every patch of a scene: the one with the most pixels, 0 for ground. */
function sceneCategories(scene: number, grid: { rows: number; cols: number }): Uint8Array {
  const { width, height, categoryMask } = renderScene(scene), classes = CATEGORIES.length + 1;
  const counts = tokenLabels({ width, height, data: categoryMask }, grid, classes);
  return Uint8Array.from({ length: grid.rows * grid.cols }, (_, p) => {
    const own = counts.subarray((p + 1) * classes, (p + 2) * classes);
    return own.indexOf(Math.max(...own));
  });
}

/** Finds concepts and writes the report. @returns the path of the page */
export async function runConcepts(open: OpenPipeline): Promise<string> {
  return await writeConceptsReport(open, await conceptsOf(open), createObserver(open.world.observerSeed));
}

const HELP = `deno task concepts [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("concepts", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runConcepts(open)}`);
    } finally {
      open.close();
    }
  });
}
