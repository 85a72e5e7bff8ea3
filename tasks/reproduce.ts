/**
 * `deno task reproduce`: every experiment from one cached pipeline, with a report page each and an index; or, with
 * `--images` or `--model`, one model's colors of photographs.
 */
import { writeFixturesReport } from "../src/experiments/fixtures_report.ts";
import { createObserver } from "../fixtures/observer/mod.ts";
import { UnsuitableData } from "../src/experiments/unsuitable_data.ts";
import { worldFolder } from "../src/experiments/embedded_world.ts";
import { writeIndexPage } from "../src/experiments/index_page.ts";
import { formatSeconds } from "../src/report/progress.ts";
import { runBrainScore } from "./brain_score.ts";
import { runColors } from "./colors.ts";
import { runConcepts } from "./concepts.ts";
import { runExplorer } from "./explorer.ts";
import { runFigureGround } from "./figure_ground.ts";
import { runGalleries } from "./galleries.ts";
import { runNystrom } from "./nystrom.ts";
import {
  type OpenPipeline,
  openPipeline,
  PIPELINE_HELP,
  type PipelineFlags,
  readPipelineFlags,
} from "./open_pipeline.ts";
import { runPhotographs } from "./photographs.ts";
import { runRosetta } from "./rosetta.ts";
import { runSegmentation } from "./segmentation.ts";
import { type Flags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";
import { runTrajectories } from "./trajectories.ts";
import { runTransitions } from "./transitions.ts";

const HELP = `deno task reproduce [options]

Every experiment, on the embedded scenes, models and observer or on data and models of your own:
${PIPELINE_HELP}

With --images or one --model, and without --data: that model's colors of photographs, each layer by itself

  --masks DIR       their figure-ground masks: NAME.png for NAME.jpg, white where the figure is
  --registers N     the model's register tokens (default: found from the size of its patches)`;

/** Experiments by name, in the order of the index; each writes its page. */
const EXPERIMENTS: Record<string, (open: OpenPipeline, flags: Flags) => Promise<string>> = {
  fixtures: ({ out, figures, data, command, timings, kept }) =>
    runStage(timings, "fixtures", () => {
      const plan = data.world;
      if (!plan) throw new UnsuitableData("It shows the embedded world, and these data are others.");
      const world = worldFolder(plan.training.count);
      return writeFixturesReport({
        ...{ out, figures, world, plan, command, seconds: timings.world },
        observer: createObserver(plan.observerSeed),
        keep: (summarize) => kept("regions", {}, summarize),
      });
    }),
  "brain-score": ({ gpu, data, out, figures, cacheDir, command, timings }, { quick }) =>
    runBrainScore({ gpu, data, out, figures, cacheDir, command, timings, seeds: quick ? 1 : 5 }),
  colors: runColors,
  segmentation: runSegmentation,
  "figure-ground": runFigureGround,
  concepts: runConcepts,
  trajectories: runTrajectories,
  transitions: runTransitions,
  galleries: runGalleries,
  rosetta: runRosetta,
  nystrom: runNystrom,
  explorer: runExplorer,
};

/**
 * Runs every experiment and writes the index.
 *
 * @returns bytes of GPU buffers that nobody gave back; null after `--explain`
 */
export async function reproduceAll(read: PipelineFlags): Promise<number | null> {
  const started = performance.now();
  const open = await openPipeline("reproduce", read);
  if (!open) return null;
  try {
    const pages: Record<string, string> = {};
    const reasons: Record<string, string> = {};
    for (const [name, run] of Object.entries(EXPERIMENTS)) {
      try {
        pages[name] = await run(open, read.flags);
      } catch (error) {
        if (!(error instanceof UnsuitableData)) throw error;
        reasons[name] = error.message;
        console.error(`${name} is left out: ${error.message}`);
      }
    }
    const page = await writeIndexPage(open.out, pages, open.command, reasons);
    console.error(`done in ${formatSeconds((performance.now() - started) / 1000)}: ${page}`);
    return open.gpu.memory.inUse;
  } finally {
    await open.close();
  }
}

if (import.meta.main) {
  await runTask(async () => {
    const photographs = ["masks", "registers"];
    const read = readPipelineFlags(photographs);
    if (!read) return console.log(HELP);
    const { flags, asked: { folders, models } } = read;
    const isLayerByLayer = photographs.some((name) => flags[name] !== undefined) || models.length === 1 ||
      folders.images !== undefined && models.length === 0;
    const others = Object.keys(folders).filter((kind) => kind !== "images");
    if (isLayerByLayer && others.length === 0) {
      return await runPhotographs({ ...flags, images: folders.images, model: models[0] });
    }
    await reproduceAll(read);
  });
}
