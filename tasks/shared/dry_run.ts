/** `--dry-run`: what a task on the pipeline would run, and why. */
import { loadAlign } from "../../src/data/fits/align_file.ts";
import { brokenShards } from "../../src/data/features/extract_parts.ts";
import { NotFinished } from "../../src/data/cache/stages.ts";
import { alignFile, alignmentOf } from "../../src/pipeline/align_cache.ts";
import { featureStages, runPipeline } from "../../src/pipeline/pipeline.ts";
import type { PipelineOptions } from "../../src/pipeline/pipeline_options.ts";
import { optionsWith } from "./graph_options.ts";
import { type Asked, openRunData } from "./open_data.ts";
import type { RunSettings } from "./run_settings.ts";
import { sayStages, type TaskRun } from "./task_run.ts";

/** Prints stage by stage what would run, and why; computes nothing, and writes nothing. */
export async function dryRunPipeline(
  { cache, stages }: TaskRun,
  asked: Asked,
  settings: RunSettings,
): Promise<void> {
  const say = (name: string, state: string, why: string) => console.log(`${name}: ${state} (${why})`);
  const runs = (name: string, needed: string) => say(name, "would run", `it needs what ${needed} makes`);
  /** What is missing, or null. */
  const without = async (look: () => Promise<void>): Promise<NotFinished | null> => {
    try {
      await look();
      return null;
    } catch (error) {
      if (!(error instanceof NotFinished)) throw error;
      say(error.stage, "would run", error.why);
      return error;
    }
  };
  const noData = await without(async () => {
    using data = await openRunData(asked, { ...settings, timings: {}, explain: true });
    let options: PipelineOptions | undefined;
    const noPooled = await without(async () => {
      const brain = await data.readBrain(`${cache}/align`, () => {}, { explain: true });
      const { path } = await alignFile(`${cache}/align`, brain, alignmentOf(settings.alignment));
      const saved = await loadAlign(path).catch(() => null);
      if (!saved) throw new NotFinished("align", "never trained on these features");
      say("align", "cached", "trained on the same features");
      options = optionsWith(data, settings, saved.model, path);
    });
    if (options) return void await runPipeline(null, stages, options);
    if (noPooled!.stage !== "align") runs("align", noPooled!.stage);
    const never = () => Promise.reject(new Error("A dry run computes nothing."));
    for (const { name, input } of await featureStages({ ...settings, ...data })) {
      await stages.run(name, input, never, brokenShards);
    }
  });
  const named = stages.reports.map(({ name }) => name);
  sayStages(stages);
  for (
    const name of noData
      ? ["align", "features", "eigenvectors", "map", "colors"]
      : ["eigenvectors", "map", "colors"]
  ) {
    if (!named.includes(name)) runs(name, noData?.stage ?? "align");
  }
}
