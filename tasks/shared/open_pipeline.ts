/** What the tasks of the experiments share: their options, and the one pipeline that they read. */
import { createHash } from "node:crypto";
import { type AlignModel, closeGpu, type Gpu } from "../../mod.ts";
import { DATA_HELP, takeDataFlags } from "../../src/cli/data_flags.ts";
import { SHARD_IMAGES } from "../../src/data/features/feature_shards.ts";
import { loadAlign } from "../../src/data/fits/align_file.ts";
import { tell } from "../../src/data/files/skipped.ts";
import { memoize } from "../../src/data/cache/memoize.ts";
import { NotFinished, openStages } from "../../src/data/cache/stages.ts";
import { alignFile, alignmentOf, ALIGNMENTS, alignOf } from "../../src/pipeline/align_cache.ts";
import { auditRun, auditSentence } from "../../src/experiments/nystrom/compute.ts";
import { alignedSource, openRawFeatures } from "../../src/pipeline/aligned_source.ts";
import { CACHE_FOLDER } from "../../src/data/files/project_folder.ts";
import { featureStages, type Pipeline, runPipeline } from "../../src/pipeline/pipeline.ts";
import { type VoxelSheet, voxelSheet } from "../../src/pipeline/voxel_sheet.ts";
import { type FigureFormat, figureFormats } from "../../src/report/figure_files.ts";
import { openProgress, type Progress } from "../../src/report/progress.ts";
import { type Asked, openRunData, type RunData } from "./open_data.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import {
  adapterOf,
  commandLine,
  type Flags,
  oneOf,
  readFlags,
  refuseWithoutEffect,
  runTask,
  wholeNumber,
} from "../../src/cli/read_flags.ts";
import { runStage } from "./stage.ts";
import { openFolders, sweepFolders } from "./task_folders.ts";
import type { PipelineOptions } from "../../src/pipeline/pipeline_options.ts";
import { brokenShards } from "../../src/data/features/extract_parts.ts";

/** Options that every experiment takes, for `readFlags`. */
const PIPELINE_FLAGS = [
  "data",
  "images",
  "model",
  "hook",
  "stride",
  "extract", // taken out before, and here so that a wrong option finds them
  "limit",
  "alignment",
  "preset",
  "landmarks",
  "sampling",
  "neighbors",
  "knn",
  "shard-images",
  "out",
  "figures",
  "cache",
  "seed",
  "adapter",
];
/** Switches that every experiment takes. */
const PIPELINE_SWITCHES = ["quick", "audit", "explain"];
/** Their help. */
export const PIPELINE_HELP = `${DATA_HELP}
  --limit N         the first N images of each kind (default: 100; 12 with --quick)
  --alignment HOW   ridge: every layer by ridge regression to the same components of the responses; or paper: trained as
                    in the paper, with the eigen-constraint (default: ridge)
  --preset paper    all as in the paper: --alignment paper --neighbors 100 --sampling farthest, 50 landmarks and at
                    least 10 points of the t-SNE an image (for its 1,000 images 50,000 and 10,000)
  --neighbors K     landmarks that a node takes its eigenvectors from: all (Fowlkes' Nyström, nearest to the exact
                    answer), or the K nearest (the paper's, for which 32 is usual) (default: all)
  --landmarks N     landmarks (default: 300; with K nearest 5000, or 1500 with --quick)
  --sampling HOW    landmarks: uniform, at random; or farthest, spread over the features as in the paper, but further
                    from the exact answer here (default: uniform)
  --knn HOW         nearest landmarks: exact; groups or hnsw (approximate, recall measured); or auto: exact or hnsw
                    (default: exact)
  --shard-images N  images of a file of features, a multiple of 8 (default: 64)
  --out DIR         where the report goes (default: reports/out)
  --figures LIST    every figure also as a file in DIR/figures: svg, png or svg,png (default: none)
  --cache DIR       where finished stages are kept (default: .cache)
  --seed N          seed of every random choice (default: 0)
  --adapter KIND    hardware or software (default: hardware if there is one)
  --quick           fewer scenes, landmarks and steps
  --audit           tell how far the eigenvectors are from the exact ones, on 3,000 random nodes
  --explain         tell what would run, and why; run nothing
  --help            this text`;

/** What reads data, masks and classes for experiments, and the pipeline's results. */
const READING = ["tasks/shared/open_data.ts", "src/pipeline/pipeline.ts"];
/** Images a run of a model: what a shard of features holds a whole number of. */
const BATCH = 8;
const PRESETS = ["paper"] as const;
/** Counts of the preset, an image: the paper's for its 1,000 images; and no more than its own. */
const PAPER = { neighbors: 100, landmarks: 50, mostLandmarks: 50_000, sample: 10, mostSample: 10_000 };
const SAMPLINGS = ["uniform", "farthest"] as const;
const KNN = ["exact", "groups", "hnsw", "auto"] as const;

/** Options of a task on the pipeline. */
export interface PipelineFlags {
  /** By name. */
  flags: Flags;
  /** Data and models. */
  asked: Asked;
}

/**
 * Reads the options of a task on the pipeline.
 *
 * @param values options of its own that take a value
 * @param switches options of its own that do not
 * @param args as `Deno.args`
 * @returns null when help is asked for
 */
export function readPipelineFlags(
  values: string[] = [],
  switches: string[] = [],
  args: string[] = Deno.args,
): PipelineFlags | null {
  const { rest, ...asked } = takeDataFlags(args);
  const flags = readFlags(rest, [...values, ...PIPELINE_FLAGS], [...switches, ...PIPELINE_SWITCHES]);
  return flags && { flags, asked };
}

/** The options of a pipeline, resolved. */
export interface RunSettings {
  quick: boolean;
  /** Images of each kind. */
  limit: number;
  alignment: typeof ALIGNMENTS[number];
  /** Nodes that t-SNE is run on. */
  sample: number;
  landmarks: number;
  sampling: typeof SAMPLINGS[number];
  neighbors: number | "all";
  knn: typeof KNN[number];
  seed: number;
  /** Images of a shard of features. */
  shardImages: number;
  out: string;
  cache: string;
  figures: FigureFormat[];
  adapter: "hardware" | "software" | undefined;
}

/**
 * Resolves options.
 *
 * @throws RangeError one sentence that names the option that is wrong
 */
export function runSettings(flags: Flags): RunSettings {
  const quick = flags.quick === true;
  const knn = oneOf(flags, "knn", KNN) ?? "exact",
    preset = oneOf(flags, "preset", PRESETS),
    sampling = oneOf(flags, "sampling", SAMPLINGS) ?? (preset ? "farthest" : "uniform");
  const alignment = oneOf(flags, "alignment", ALIGNMENTS) ?? (preset ? "paper" : "ridge");
  const adapter = adapterOf(flags);
  const neighbors = flags.neighbors === "all" ? "all" : wholeNumber(flags, "neighbors", 1, 128) ??
    (preset ? PAPER.neighbors : "all");
  const seed = wholeNumber(flags, "seed", 0) ?? 0;
  const limit = wholeNumber(flags, "limit", 1, 10_000) ?? (quick ? 12 : 100);
  const landmarks = wholeNumber(flags, "landmarks", 100, 50_000) ??
    (preset
      ? Math.min(PAPER.mostLandmarks, Math.max(1000, PAPER.landmarks * limit))
      : neighbors === "all"
      ? 300
      : quick
      ? 1500
      : 5000);
  const usual = quick ? 1000 : 3000;
  const sample = preset ? Math.min(PAPER.mostSample, Math.max(usual, PAPER.sample * limit)) : usual;
  const shardImages = wholeNumber(flags, "shard-images", BATCH, 4096) ?? SHARD_IMAGES;
  const figures = figureFormats(flags.figures as string | undefined);
  if (neighbors === "all" && knn !== "exact") {
    throw new RangeError(
      `--knn ${knn} searches the nearest landmarks, but all are used: say how many, as --neighbors 32.`,
    );
  }
  if (neighbors !== "all" && neighbors > landmarks) {
    throw new RangeError(
      `--neighbors is ${neighbors}, more than the ${landmarks} landmarks that there are: give fewer, or more --landmarks.`,
    );
  }
  if (flags.explain) {
    refuseWithoutEffect(flags, ["audit"], "--explain computes nothing, so leave one of them out");
  }
  if (shardImages % BATCH > 0) {
    throw new RangeError(
      `--shard-images is ${shardImages}: give a multiple of ${BATCH}, a batch of the models.`,
    );
  }
  return {
    quick,
    limit,
    alignment,
    sample,
    landmarks,
    sampling,
    neighbors,
    knn,
    seed,
    shardImages,
    figures,
    out: String(flags.out || "reports/out"),
    cache: String(flags.cache || CACHE_FOLDER),
    adapter,
  };
}

/** What the pipeline is run on, and how; the align is trained now where it is not there. */
export async function pipelineOptions(
  gpu: Gpu,
  data: RunData,
  settings: RunSettings,
  timings: Record<string, number>,
): Promise<PipelineOptions> {
  const { cache } = settings;
  const cacheDir = `${cache}/align`;
  const brain = await runStage(timings, "pooled features", (tick) => data.readBrain(cacheDir, tick));
  const { model: align, path } = await runStage(
    timings,
    "align",
    (tick) => alignOf(gpu, brain, alignmentOf(settings.alignment), cacheDir, tick),
  );
  return optionsWith(data, settings, align, path);
}

function optionsWith(
  data: RunData,
  { quick, sample, landmarks, sampling, knn, neighbors, seed, shardImages }: RunSettings,
  align: AlignModel,
  alignPath: string,
): PipelineOptions {
  return {
    models: data.models,
    images: data.images,
    classes: data.classes,
    data: data.name,
    identity: data.identity,
    align,
    alignKey: alignPath.replace(/^.*align-|\.arrow$/g, ""),
    landmarks,
    sampling,
    knn,
    neighbors,
    components: 20,
    seed,
    shardImages,
    sample,
    iterations: quick ? 250 : 500,
  };
}

/** Tells stage by stage what would run, and why; computes nothing, and writes nothing. */
async function explainPipeline(asked: Asked, settings: RunSettings): Promise<void> {
  const { cache } = settings, stages = openStages(`${cache}/runs`, true);
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
    const data = await openRunData(asked, { ...settings, timings: {}, explain: true });
    try {
      let options: PipelineOptions | undefined;
      const noPooled = await without(async () => {
        const brain = await data.readBrain(`${cache}/align`, () => {}, { explain: true });
        const { path } = await alignFile(`${cache}/align`, brain, alignmentOf(settings.alignment));
        const saved = await loadAlign(path).catch(() => null);
        if (!saved) throw new NotFinished("align", "never trained on these features");
        say("align", "kept", "trained on the same features");
        options = optionsWith(data, settings, saved.model, path);
      });
      if (options) return void await runPipeline(null, stages, options);
      if (noPooled!.stage !== "align") runs("align", noPooled!.stage);
      const never = () => Promise.reject(new Error("An explanation computes nothing."));
      for (const { name, input } of await featureStages({ ...settings, ...data })) {
        await stages.run(name, input, never, brokenShards);
      }
    } finally {
      data.close();
    }
  });
  for (const { name, state, why } of stages.reports) say(name, state, why);
  const named = stages.reports.map(({ name }) => name);
  for (const name of noData ? ["align", "features", "eigenvectors", "map"] : ["eigenvectors", "map"]) {
    if (!named.includes(name)) runs(name, noData?.stage ?? "align");
  }
}

/** An open pipeline. */
export interface OpenPipeline {
  data: RunData;
  /** Where the subject's voxels are drawn. */
  sheet: VoxelSheet;
  /** Where aligns are kept. */
  cacheDir: string;
  /** The file of this run's align. */
  alignPath: string;
  gpu: Gpu;
  pipeline: Pipeline;
  out: string;
  /** Formats in which figures are also written as files. */
  figures: FigureFormat[];
  seed: number;
  /** Seconds by stage; stages that were kept take none. */
  timings: Record<string, number>;
  /** As typed, for reports. */
  command: string;
  /**
   * The result of an experiment on this pipeline, of an earlier run if nothing it depends on has changed; `code` names the
   * modules that compute it, those that read data aside.
   */
  kept<T>(
    name: string,
    code: readonly string[],
    inputs: Record<string, unknown>,
    compute: () => Promise<T>,
  ): Promise<T>;
  /** Gives everything back, and removes what killed runs have left. */
  close(): Promise<void>;
}

/**
 * Runs or reads all stages up to the pipeline.
 *
 * @param task its name, for the command on the page
 * @returns null after `--explain`, which has printed what would run
 */
export async function openPipeline(
  task: string,
  { flags, asked }: PipelineFlags,
  args: string[] = Deno.args,
): Promise<OpenPipeline | null> {
  const settings = runSettings(flags), { cache, out, figures, seed, knn } = settings;
  if (flags.explain) {
    await explainPipeline(asked, settings);
    return null;
  }
  await openFolders({ "--out": out, "--cache": cache });
  const timings: Record<string, number> = {};
  const data = await openRunData(asked, { ...settings, timings });
  if (flags.limit !== undefined && data.images.length < settings.limit) {
    report(`--limit ${settings.limit} changes nothing: there are ${data.images.length} photographs`);
  }
  const gpu = await openTaskGpu(settings.adapter, cache);
  try {
    const cacheDir = `${cache}/align`;
    const options = await pipelineOptions(gpu, data, settings, timings);
    const stages = openStages(`${cache}/runs`);
    const progress = stageProgress(timings);
    const pipeline = (await runPipeline(gpu, stages, options, progress.tick).finally(progress.finish))!;
    for (const { name, why } of stages.reports) {
      if (/ is (?:missing|damaged)/.test(why)) console.error(`${name} was computed again: ${why}`);
    }
    if (knn !== "exact") console.error(pipeline.search);
    const { length } = pipeline.fit.landmarks.indices;
    if (flags.landmarks !== undefined && length < settings.landmarks) {
      report(
        `--landmarks ${settings.landmarks} is more than the ${length} nodes that there are: all of them are taken`,
      );
    }
    if (flags.audit) console.error(`audit: ${auditSentence(await audited(gpu, pipeline, seed))}`);
    let own: string | undefined;
    const command = commandLine(task, args);
    return {
      data,
      sheet: await voxelSheet(data.subject),
      cacheDir,
      alignPath: `${cacheDir}/align-${options.alignKey}.arrow`,
      gpu,
      pipeline,
      out,
      figures,
      seed,
      timings,
      command,
      async kept(name, code, inputs, compute) {
        const of = {
          pipeline: own ??= fingerprint(pipeline, `${data.identity} ${data.truth}`),
          seed,
          ...inputs,
        };
        return await memoize(`${cache}/runs`, [...READING, ...code], name, of, compute);
      },
      async close() {
        closeGpu(gpu);
        data.close();
        await sweepFolders([out, cache]);
      },
    };
  } catch (error) {
    closeGpu(gpu);
    data.close();
    throw error;
  }
}

/** Says at once, and on every page, what of a command line has no effect. */
function report(line: string): void {
  tell(line);
  console.error(line);
}

/** A hash of all that experiments read of a pipeline. */
function fingerprint(
  { manifests, images, eigenvectors, points2, points3, nearest, align }: Pipeline,
  data: string,
): string {
  const hash = createHash("sha256").update(data).update(images.map(({ name }) => name).join("\n"));
  for (const { layers } of manifests) hash.update(layers.map(({ path }) => path.split("/").at(-2)).join());
  for (const { data } of [eigenvectors, points2, points3, { data: nearest }, align.transforms, align.beta]) {
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

async function audited(gpu: Gpu, { manifests, align, eigenvectors }: Pipeline, seed: number) {
  const raw = await openRawFeatures(manifests);
  try {
    return await auditRun(gpu, alignedSource(gpu, raw, align), eigenvectors, seed);
  } finally {
    await raw.close();
  }
}

/** One display after the other, and the wall time of each. */
function stageProgress(timings: Record<string, number>) {
  let current: { stage: string; started: number; progress: Progress } | null = null;
  const finish = () => {
    if (!current) return;
    current.progress.finish();
    timings[current.stage] = (performance.now() - current.started) / 1000;
    current = null;
  };
  return {
    finish,
    tick(stage: string, done: number, total: number) {
      if (current?.stage !== stage) {
        finish();
        current = { stage, started: performance.now(), progress: openProgress(stage, 100) };
      }
      current.progress.tick(100 * done / total);
    },
  };
}

/**
 * A task that runs one experiment on the pipeline, when it is the program.
 *
 * @param name of the task
 * @param run writes the page and returns its path
 * @param own help and names of options of its own, and what reads them: asked once before anything is computed
 */
export async function experimentTask(
  name: string,
  run: (open: OpenPipeline, flags: Flags) => Promise<string>,
  own: { help?: string; values?: string[]; read?: (flags: Flags, asked: Asked) => unknown } = {},
): Promise<void> {
  await runTask(async () => {
    const read = readPipelineFlags(own.values);
    if (!read) return console.log(`./run ${name} [options]\n${own.help ?? ""}${PIPELINE_HELP}`);
    own.read?.(read.flags, read.asked);
    const open = await openPipeline(name, read);
    if (!open) return;
    try {
      console.error(`done: ${await run(open, read.flags)}`);
    } finally {
      await open.close();
    }
  });
}
