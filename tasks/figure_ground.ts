/** `deno task figure-ground`: figure and ground in brain space, and one pixel among images of other categories. */
import { createObserver } from "../fixtures/observer/mod.ts";
import { renderScene } from "../fixtures/scenes/mod.ts";
import { openAlgonauts } from "../src/data/algonauts.ts";
import { REGIONS } from "../src/experiments/brain_data.ts";
import { subjectOf } from "../src/experiments/embedded_world.ts";
import { figureGround } from "../src/experiments/figure_ground.ts";
import { writeFigureGroundReport } from "../src/experiments/figure_ground_report.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";

/** Measures figure and ground and writes the report. @returns the path of the page */
export async function runFigureGround(open: OpenPipeline): Promise<string> {
  const { gpu, pipeline, world, seed, timings } = open;
  const subject = await openAlgonauts(subjectOf(world));
  const rois = new Map(REGIONS.flatMap((name) => {
    const voxels = subject.rois.get(name);
    return voxels ? [[name, voxels] as const] : [];
  }));
  const categories = pipeline.images.map((_, i) => renderScene(i).category);
  const found = await runStage(
    timings,
    "figure-ground",
    (tick) => open.kept("figure-ground", {}, () => figureGround(gpu, pipeline, rois, categories, seed, tick)),
  );
  return await writeFigureGroundReport(open, found, createObserver(world.observerSeed));
}

const HELP = `deno task figure-ground [options]
${PIPELINE_HELP}`;

if (import.meta.main) {
  await runTask(async () => {
    const flags = readFlags(Deno.args, PIPELINE_FLAGS, PIPELINE_SWITCHES);
    if (!flags) return console.log(HELP);
    const open = await openPipeline("figure-ground", flags);
    if (!open) return;
    try {
      console.error(`done: ${await runFigureGround(open)}`);
    } finally {
      open.close();
    }
  });
}
