/**
 * `deno task reproduce`: every experiment from one cached pipeline, with a report page each and an index; or, with
 * `--images` or `--model`, one model's colors of photographs.
 */
import { writeFixturesReport } from "../src/experiments/fixtures_report.ts";
import { createObserver } from "../fixtures/observer/mod.ts";
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
  PIPELINE_FLAGS,
  PIPELINE_HELP,
  PIPELINE_SWITCHES,
} from "./open_pipeline.ts";
import { runPhotographs } from "./photographs.ts";
import { runRosetta } from "./rosetta.ts";
import { runSegmentation } from "./segmentation.ts";
import { type Flags, readFlags, runTask } from "./read_flags.ts";
import { runStage } from "./stage.ts";
import { runTrajectories } from "./trajectories.ts";
import { runTransitions } from "./transitions.ts";

const HELP = `deno task reproduce [options]

Every experiment on the embedded scenes, models and observer:
${PIPELINE_HELP}

One model's colors of photographs, each layer by itself:

  --images DIR      photographs (JPEG, PNG)
  --masks DIR       their figure-ground masks: NAME.png for NAME.jpg, white where the figure is
  --model FILE      a vision transformer as ONNX, FILE.preprocessor.json beside it (default: the embedded mae_tiny)
  --registers N     its register tokens (default: found from the size of its patches)`;

/** Experiments by name, in the order of the index; each writes its page. */
const EXPERIMENTS: Record<string, (open: OpenPipeline, flags: Flags) => Promise<string>> = {
  fixtures: ({ out, figures, world, command, timings, kept }) =>
    runStage(timings, "fixtures", () =>
      writeFixturesReport({
        ...{
          out,
          figures,
          world: worldFolder(world.training.count),
          plan: world,
          command,
          seconds: timings.world,
        },
        observer: createObserver(world.observerSeed),
        keep: (summarize) => kept("regions", {}, summarize),
      })),
  "brain-score": ({ gpu, world, out, figures, cacheDir, command, timings }, { quick }) =>
    runBrainScore({ gpu, world, out, figures, cacheDir, command, timings, seeds: quick ? 1 : 5 }),
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

async function reproduceAll(flags: Flags): Promise<void> {
  const started = performance.now();
  const open = await openPipeline("reproduce", flags);
  if (!open) return;
  try {
    const pages: Record<string, string> = {};
    for (const [name, run] of Object.entries(EXPERIMENTS)) pages[name] = await run(open, flags);
    const page = await writeIndexPage(open.out, pages, open.command);
    console.error(`done in ${formatSeconds((performance.now() - started) / 1000)}: ${page}`);
  } finally {
    open.close();
  }
}

if (import.meta.main) {
  await runTask(async () => {
    const photographs = ["images", "masks", "model", "registers"];
    const flags = readFlags(Deno.args, [...photographs, ...PIPELINE_FLAGS], PIPELINE_SWITCHES);
    if (!flags) console.log(HELP);
    else if (photographs.some((name) => flags[name] !== undefined)) await runPhotographs(flags);
    else await reproduceAll(flags);
  });
}
