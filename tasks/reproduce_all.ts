/** Every experiment from one pipeline, with a page each and an index. */
import { createSubject } from "../fixtures/subject/mod.ts";
import type { Gpu } from "../mod.ts";
import type { PlannedData } from "../src/data/datasets/open_data.ts";
import { modelSha256 } from "../src/data/features/extract_parts.ts";
import { hashOfModules } from "../src/data/files/code_hash.ts";
import { writeSyntheticDataReport } from "../src/experiments/synthetic_data/report.ts";
import { UnsuitableData } from "../src/experiments/shared/unsuitable_data.ts";
import { formatSeconds } from "../src/report/progress.ts";
import { runBrainScore } from "./brain_score.ts";
import { SPACE_FILE } from "../src/data/fits/space_file.ts";
import { runColors, writeSpace } from "./colors.ts";
import { runConcepts } from "./concepts.ts";
import { runExplorer } from "./explorer.ts";
import { runFigureGround } from "./figure_ground.ts";
import { runGalleries } from "./galleries.ts";
import { runNystrom } from "./nystrom.ts";
import type { Parsed } from "../src/cli/options.ts";
import type { RunData } from "./shared/open_data.ts";
import { collectGarbage } from "./shared/collect_garbage.ts";
import { type FinishedPages, finishedPages } from "./shared/finished_pages.ts";
import type { TaskRun } from "./shared/task_run.ts";
import { type OpenPipeline, openPipeline } from "./shared/open_pipeline.ts";
import type { PIPELINE_OPTIONS, PipelineValues } from "./shared/options.ts";
import { runRosetta } from "./rosetta.ts";
import { runSegmentation } from "./segmentation.ts";
import { runTrajectories } from "./trajectories.ts";
import { runTransitions } from "./transitions.ts";

/** What summarizes the responses of regions. */
const REGION_SUMMARY = ["src/experiments/synthetic_data/roi_summary.ts", "fixtures/subject/mod.ts"];

/** Experiments by name; each writes its page. */
const EXPERIMENTS: Record<string, (open: OpenPipeline, options: PipelineValues) => Promise<string>> = {
  fixtures: ({ out, figures, data, command, timings, stage, memoized }) =>
    stage("fixtures", () => {
      if (!data.dataset) {
        throw new UnsuitableData("It shows the synthetic dataset, and these data are others.");
      }
      const { plan, folder: dataset } = data.dataset;
      return writeSyntheticDataReport({
        out,
        figures,
        dataset,
        plan,
        command,
        seconds: timings["synthetic dataset"],
        simulated: () => createSubject(plan.subjectSeed),
        keep: (summarize) => memoized("regions", REGION_SUMMARY, {}, summarize),
      });
    }),
  colors: async (open) => {
    await writeSpace(`${open.out}/${SPACE_FILE}`, open); // for ./run live
    return await runColors(open);
  },
  "figure-ground": runFigureGround,
  concepts: runConcepts,
  trajectories: runTrajectories,
  transitions: (open) => runTransitions(open),
  galleries: runGalleries,
  rosetta: runRosetta,
  nystrom: runNystrom,
  explorer: runExplorer,
  "brain-score": (open, { quick }) => runBrainScore(open, quick ? 1 : 5), // trainings of each condition
  segmentation: runSegmentation, // with two of brain-score's alignments
};

export const EXPERIMENT_NAMES: readonly string[] = Object.keys(EXPERIMENTS);

/**
 * Runs some experiments on a pipeline that is there, for their results to be kept; their pages are made in `out`, which is
 * removed in the end.
 *
 * @param planned as of `openData`
 * @returns largest sum of GPU buffers, bytes
 */
export async function runExperiments(
  { options, given }: Parsed<typeof PIPELINE_OPTIONS>,
  names: readonly string[],
  out: string,
  planned?: PlannedData,
): Promise<number> {
  const open = (await openPipeline("reproduce", { options: { ...options, out }, given }, [], { planned }))!;
  await using held = new AsyncDisposableStack();
  held.defer(() => Deno.remove(out, { recursive: true }).catch(() => {})); // nothing was written
  held.use(open);
  // brain-score looks at photographs and features alone: it does not hold the nodes of all others meanwhile.
  const isAlone = names.every((name) => name === "brain-score");
  if (isAlone) {
    open.pipeline.eigenvectors = { ...open.pipeline.eigenvectors, data: new Float32Array(0), rows: 0 };
  }
  for (const name of names) {
    try {
      await EXPERIMENTS[name](open, options);
    } catch (error) {
      if (!(error instanceof UnsuitableData)) throw error;
      console.error(`${name} is left out: ${error.message}`);
    }
  }
  return open.gpu.memory.peak;
}

/**
 * Runs or reads the pipeline, then every experiment.
 *
 * @param args as typed, for the pages
 * @param further pages that the index lists, too
 * @param options `skipsUnchanged`: leave pages as they are that an earlier run has made of the same inputs; `planned` as of
 *   `openData`
 * @returns bytes of GPU buffers, after the device was closed: those in use, or held, nobody gave back; null after `--dry-run`,
 *   and where an earlier run has made the same pages
 */
export async function reproduceAll(
  parsed: Parsed<typeof PIPELINE_OPTIONS>,
  args: string[] = Deno.args,
  further: Record<string, string> = {},
  { skipsUnchanged = false, planned }: { skipsUnchanged?: boolean; planned?: PlannedData } = {},
): Promise<Gpu["memory"] | null> {
  const { options } = parsed;
  let finished: FinishedPages | undefined;
  await using open = await openPipeline("reproduce", parsed, args, {
    planned,
    async areMade(run, data, gpu) {
      if (!skipsUnchanged) return false;
      finished = finishedPages(run, await allOf(run, data, gpu, options));
      if (options.verify || options["check-error"] || !await finished.areThere()) return false;
      console.error(
        `nothing has changed since these pages were made (${
          formatSeconds(run.seconds())
        }): ${run.out}/index.html`,
      );
      return true;
    },
  });
  if (!open) return null;
  const pages: Record<string, string> = {};
  const reasons: Record<string, string> = {};
  for (const [name, run] of Object.entries(EXPERIMENTS)) {
    try {
      pages[name] = await run(open, options);
      collectGarbage();
    } catch (error) {
      if (!(error instanceof UnsuitableData)) throw error;
      reasons[name] = error.message;
      console.error(`${name} is left out: ${error.message}`);
    }
  }
  await open.finish({ ...pages, ...further }, reasons);
  await finished?.note();
  return open.gpu.memory;
}

/** All that the pages depend on. */
async function allOf(
  { command, seed, figures }: TaskRun,
  data: RunData,
  { adapter }: Gpu,
  options: unknown,
): Promise<Record<string, unknown>> {
  return {
    code: await hashOfModules(["tasks/reproduce.ts"]),
    deno: Deno.version.deno,
    adapter,
    command,
    seed,
    figures,
    options,
    models: await Promise.all(
      data.models.map(async ({ path, ...model }) => ({ ...model, path, sha256: await modelSha256(path) })),
    ),
    imagesKey: data.imagesKey,
    labelsKey: data.labelsKey,
  };
}
