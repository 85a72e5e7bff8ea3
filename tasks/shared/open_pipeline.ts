/** The one pipeline that the tasks of the experiments read. */
import { createHash } from "node:crypto";
import type { Gpu } from "../../mod.ts";
import { type Command, type Parsed, runCommand } from "../../src/cli/options.ts";
import type { Options, OptionValues } from "../../src/cli/option_kinds.ts";
import { memoize } from "../../src/data/cache/memoize.ts";
import type { PlannedData } from "../../src/data/datasets/open_data.ts";
import { report } from "../../src/data/files/skipped.ts";
import { auditRun, auditSentence } from "../../src/experiments/nystrom/compute.ts";
import { layersApart } from "../../src/pipeline/layers_apart.ts";
import { alignedSource, openRawFeatures } from "../../src/pipeline/aligned_source.ts";
import { runPipeline } from "../../src/pipeline/pipeline.ts";
import type { Pipeline } from "../../src/pipeline/nodes.ts";
import { type VoxelSheet, voxelSheet } from "../../src/pipeline/voxel_sheet.ts";
import { openProgress, PERCENT, type Progress } from "../../src/report/progress.ts";
import { collectGarbage } from "./collect_garbage.ts";
import { dryRunPipeline } from "./dry_run.ts";
import { pipelineOptions } from "./graph_options.ts";
import { askedOf, openRunData, type RunData } from "./open_data.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import { PIPELINE_OPTIONS } from "./options.ts";
import { runSettings } from "./run_settings.ts";
import type { Tick } from "./stage.ts";
import { sweepFolders } from "./task_folders.ts";
import { openTaskRun, sayStages, type TaskRun } from "./task_run.ts";

/** What reads photographs, masks and classes for experiments; of all else that they take the values are hashed. */
export const READING = ["src/data/datasets/open_data.ts", "src/pipeline/images.ts"];

export interface OpenPipeline extends TaskRun {
  data: RunData;
  /** Where the subject's voxels are drawn. */
  sheet: VoxelSheet;
  /** Where alignments are kept. */
  cacheDir: string;
  /** The file of this run's alignment. */
  alignPath: string;
  gpu: Gpu;
  pipeline: Pipeline;
  /**
   * The result of an experiment on this pipeline, of an earlier run if nothing it depends on has changed; `code` names the
   * modules that compute it, those that read data aside.
   */
  memoized<T>(
    name: string,
    code: readonly string[],
    inputs: Record<string, unknown>,
    compute: () => Promise<T>,
  ): Promise<T>;
  /** The same in a stage of its own: what the experiment's own `compute.ts` finds; `code` names further modules. */
  computed<T>(
    name: string,
    compute: (tick: Tick) => T | Promise<T>,
    also?: { code?: readonly string[]; inputs?: Record<string, unknown> },
  ): Promise<T>;
  /** Gives everything back, and removes what killed runs have left. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What is called while the pipeline is opened, and what is known before. */
export interface PipelineHooks {
  /** As of `openData`. */
  planned?: PlannedData;
  /** Before anything is computed: whether the run's pages are there already. */
  areMade?(run: TaskRun, data: RunData, gpu: Gpu): Promise<boolean>;
}

/**
 * Runs or reads all stages up to the pipeline.
 *
 * @param task its name, for the command on the page
 * @param hooks called on the way
 * @returns null after `--dry-run`, which has printed what would run, and where the pages are there
 */
export async function openPipeline(
  task: string,
  parsed: Parsed<typeof PIPELINE_OPTIONS>,
  args: string[] = Deno.args,
  { areMade, planned }: PipelineHooks = {},
): Promise<OpenPipeline | null> {
  const { options: typed, given } = parsed, asked = askedOf(typed);
  const settings = runSettings(parsed), { cache, out, seed, knn } = settings;
  const run = await openTaskRun(task, typed, args), { timings } = run;
  if (run.stages.explains) {
    await dryRunPipeline(run, asked, settings);
    return null;
  }
  using opened = new DisposableStack();
  const data = opened.use(await openRunData(asked, { ...settings, planned, timings }));
  if (given.has("limit") && data.images.length < settings.limit) {
    reportAtOnce(`--limit ${settings.limit} changes nothing: there are ${data.images.length} photographs`);
  }
  const gpu = opened.use(await openTaskGpu(settings.adapter, cache));
  if (await areMade?.(run, data, gpu)) return null;
  const cacheDir = `${cache}/align`;
  const options = await pipelineOptions(gpu, data, settings, timings);
  const progress = stageProgress(timings);
  const pipeline = (await runPipeline(gpu, run.stages, options, progress.tick).finally(progress.finish))!;
  sayStages(run.stages);
  if (knn !== "exact") console.error(pipeline.search);
  const { length } = pipeline.fit.landmarks.indices;
  if (given.has("landmarks") && length < settings.landmarks) {
    reportAtOnce(
      `--landmarks ${settings.landmarks} is more than the ${length} nodes that there are: all of them are taken`,
    );
  }
  const apart = layersApart(pipeline, settings.alignment);
  if (apart) reportAtOnce(apart);
  if (typed["check-error"]) console.error(`error: ${auditSentence(await audited(gpu, pipeline, seed))}`);
  let own: string | undefined;
  const memoized: OpenPipeline["memoized"] = async (name, code, inputs, compute) => {
    own ??= fingerprint(pipeline, `${data.imagesKey} ${data.labelsKey}`);
    return await memoize(
      run.stages,
      [...READING, ...code],
      name,
      { pipeline: own, seed, ...inputs },
      compute,
    );
  };
  const held = opened.move();
  return {
    ...run,
    data,
    sheet: await voxelSheet(data.subject),
    cacheDir,
    alignPath: `${cacheDir}/align-${options.alignKey}.arrow`,
    gpu,
    pipeline,
    memoized,
    computed(name, compute, { code = [], inputs = {} } = {}) {
      const own = `src/experiments/${name.replace("-", "_")}/compute.ts`;
      return run.stage(
        name,
        (tick) => memoized(name, [own, ...code], inputs, async () => await compute(tick)),
      );
    },
    async [Symbol.asyncDispose]() {
      held.dispose();
      await sweepFolders([out, cache]);
    },
  };
}

/** Says at once, and on every page, what of a command line has no effect. */
function reportAtOnce(line: string): void {
  report(line);
  console.error(line);
}

/** A hash of all that experiments read of a pipeline. */
function fingerprint(
  { manifests, images, eigenvectors, points2, points3, nearest, colors, align }: Pipeline,
  data: string,
): string {
  const hash = createHash("sha256").update(data).update(images.map(({ name }) => name).join("\n"));
  for (const { layers } of manifests) hash.update(layers.map(({ path }) => path.split("/").at(-2)).join());
  for (
    const { data } of [
      eigenvectors,
      points2,
      points3,
      { data: nearest },
      { data: colors },
      align.transforms,
      align.beta,
    ]
  ) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

async function audited(gpu: Gpu, { manifests, align, eigenvectors }: Pipeline, seed: number) {
  await using raw = await openRawFeatures(manifests);
  return await auditRun(gpu, alignedSource(gpu, raw, align), eigenvectors, seed);
}

/** One display after the other, and the wall time of each. */
function stageProgress(timings: Record<string, number>) {
  let current: { stage: string; started: number; progress: Progress } | null = null;
  const finish = () => {
    if (!current) return;
    current.progress.finish();
    timings[current.stage] = (performance.now() - current.started) / 1000;
    current = null;
    collectGarbage();
  };
  return {
    finish,
    tick(stage: string, done: number, total: number) {
      if (current?.stage !== stage) {
        finish();
        current = { stage, started: performance.now(), progress: openProgress(stage, 100, PERCENT) };
      }
      current.progress.tick(100 * done / total);
    },
  };
}

/** A task that runs one experiment on the pipeline: the options of the pipeline, and its own. */
export function experiment<S extends Options = Record<never, never>>(
  task: string,
  own: S = {} as S,
): Command<typeof PIPELINE_OPTIONS & S> {
  return { task, options: { ...own, ...PIPELINE_OPTIONS } };
}

/**
 * Runs a task with one experiment on the pipeline, and lists its page in the index.
 *
 * @param run writes the page and returns its path
 * @param check is called with the options before anything is computed, and throws where they do not go together
 */
export async function runExperiment<S extends Options>(
  command: Command<typeof PIPELINE_OPTIONS & S>,
  run: (open: OpenPipeline, options: OptionValues<typeof PIPELINE_OPTIONS & S>) => Promise<string>,
  check?: (parsed: Parsed<typeof PIPELINE_OPTIONS & S>) => void | Promise<void>,
): Promise<void> {
  await runCommand(command, async (parsed) => {
    await check?.(parsed);
    await using open = await openPipeline(command.task, parsed as Parsed<typeof PIPELINE_OPTIONS>);
    if (open) await open.finish({ [command.task]: await run(open, parsed.options) });
  });
}
