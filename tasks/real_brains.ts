/**
 * `./run real-brains`: encoders on measured voxels, and layers of the models beside human and monkey cortex and neurons,
 * with a report page. The data are not shipped: --data names their folder.
 */
import { createHash } from "node:crypto";
import type { Gpu } from "../mod.ts";
import { linearEncoder } from "../src/align/linear_encoder.ts";
import { ridge, type RidgeOptions } from "../src/align/ridge.ts";
import { DATA_OPTIONS } from "../src/cli/data_options.ts";
import { runCommand } from "../src/cli/options.ts";
import { type OptionValues, text, wholeNumber } from "../src/cli/option_kinds.ts";
import { dataTableText } from "../src/data/datasets/open_data.ts";
import { MAX_IMAGE_BYTES } from "../src/data/images/image.ts";
import { readKriegeskorte92 } from "../src/data/datasets/kriegeskorte92.ts";
import { readBytes } from "../src/data/formats/npy.ts";
import { isThere } from "../src/data/files/plain_file.ts";
import { CACHE_FOLDER } from "../src/data/files/project_folder.ts";
import { type Object2vec, readObject2vec } from "../src/data/datasets/object2vec.ts";
import {
  betweenBrains,
  brainSimilarity,
  type ModelSimilarity,
} from "../src/experiments/real_brains/rsa_by_layer.ts";
import {
  type EncoderScore,
  type VoxelResults,
  writeRealBrainsReport,
} from "../src/experiments/real_brains/report.ts";
import { type NeuronSession, neuronSession } from "../src/experiments/real_brains/neurons.ts";
import type { PictureResults } from "../src/experiments/real_brains/pictures_report.ts";
import { openRunModels, type RunModels } from "../src/pipeline/models.ts";
import { noiseCeiling } from "../src/statistics/rsa.ts";
import { type Encode, scoreHeldOut } from "../src/experiments/real_brains/encoding.ts";
import { openTaskGpu } from "./shared/open_task_gpu.ts";
import { adapter, figures, out, seed } from "./shared/options.ts";
import type { Tick } from "./shared/stage.ts";
import { openTaskRun } from "./shared/task_run.ts";

const MODELS = new URL("../fixtures/models", import.meta.url).pathname;
const CACHE = `${CACHE_FOLDER}/real-brains`;
const FOLDS = 9;

/** The task and its options. */
export const COMMAND = {
  task: "real-brains",
  usage: "./run real-brains --data DIR [options]",
  options: {
    data: text({
      value: "DIR",
      help:
        "a folder with object2vec81, kriegeskorte92 (with kriegeskorte92_more for a noise ceiling) and v4_macaque, " +
        "or some of them",
      shown: "$ALIGNEDCUT_REAL_DATA",
    }),
    model: DATA_OPTIONS.model,
    models: text({
      value: "DIR",
      help: "the old form of --model, for this version: a folder of ONNX files",
      shown: "none",
    }),
    hook: DATA_OPTIONS.hook,
    extract: DATA_OPTIONS.extract,
    out: { ...out, help: "where the page and results.json go" },
    figures,
    cache: text({
      value: "DIR",
      help: "where features are cached",
      default: CACHE,
      shown: ".cache/real-brains",
    }),
    resamples: wholeNumber({
      help: "bootstrap samples of the pictures and photographs",
      default: 1000,
      from: 1,
      to: 100_000,
    }),
    repeats: wholeNumber({
      help: "cross-validations of the voxels, each with folds of its own",
      default: 5,
      from: 1,
      to: 100,
    }),
    seed,
    adapter,
  },
};

/** What the options say, resolved. */
interface Options extends Omit<OptionValues<typeof COMMAND.options>, "data" | "models"> {
  data: string;
  /** As of `openKnownModel`. */
  models: string[];
  /** Whether they were asked for. */
  areGiven: boolean;
}

async function resolved(options: OptionValues<typeof COMMAND.options>): Promise<Options> {
  const { model, models: folder, data = Deno.env.get("ALIGNEDCUT_REAL_DATA") } = options;
  if (folder !== undefined && model.length > 0) {
    throw new RangeError("--models and --model are both given: write --model for each of them.");
  }
  if (folder !== undefined) {
    console.error("--models DIR is --model FILE now, or the name of a model that was added; once for each.");
  }
  if (!data) {
    throw new RangeError(
      "There is no data folder: give --data DIR, which holds object2vec81, kriegeskorte92 or v4_macaque.",
    );
  }
  const models = model.length > 0 ? model : await modelsOf(folder ?? MODELS);
  return { ...options, data, models, areGiven: model.length > 0 || folder !== undefined };
}

/** Full paths of a folder's models, by name. */
async function modelsOf(dir: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dir)) if (name.endsWith(".onnx")) names.push(name);
  } catch (error) {
    throw new Error(`Cannot list the models in ${dir}: give a folder that can be read.`, { cause: error });
  }
  if (names.length === 0) throw new Error(`The folder ${dir} has no models: expected .onnx files.`);
  return names.sort().map((name) => `${dir}/${name}`);
}

async function comparePictures(
  folder: string,
  { models: runModels }: RunModels,
  options: Options,
  tick: Tick,
): Promise<PictureResults> {
  const { resamples, seed, hook, cache: cacheDir } = options;
  const data = await readKriegeskorte92(folder);
  const hash = createHash("sha256");
  for (const path of data.images) hash.update(await readBytes(path, MAX_IMAGE_BYTES));
  const imagesKey = hash.digest("hex").slice(0, 16);
  const models: ModelSimilarity[] = [];
  for (const [i, { path, provider }] of runModels.entries()) {
    const onProgress: Tick = (done, total, note) => tick(i + done / total, runModels.length, note);
    models.push(
      await brainSimilarity(path, data, { cacheDir, imagesKey, hook, provider, resamples, seed, onProgress }),
    );
  }
  const { subjects } = data, bootstrap = { resamples, seed };
  return {
    pictures: data.images.length,
    models,
    between: betweenBrains(data, bootstrap),
    ...(subjects && {
      ceiling: {
        subjects: subjects.length,
        ofValues: noiseCeiling(subjects, bootstrap),
        ofRanks: noiseCeiling(subjects, { ...bootstrap, average: "ranks" }),
      },
    }),
    resamples,
  };
}

async function compareNeurons(
  gpu: Gpu,
  folder: string,
  models: RunModels,
  { cache, resamples, seed }: Options,
  tick: Tick,
): Promise<NeuronSession[]> {
  const names: string[] = [], sessions: NeuronSession[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/algonauts`)) {
    if (isDirectory) names.push(name);
  }
  for (const [i, name] of names.sort().entries()) {
    const onProgress: Tick = (done, total, note) => tick(i + done / total, names.length, note);
    const options = { models, cacheDir: `${cache}/v4_macaque`, resamples, seed, onProgress };
    sessions.push(await neuronSession(gpu, folder, name, options));
  }
  return sessions;
}

async function compareEncoders(
  gpu: Gpu,
  { alexnet, betas, rois, categories, skipped }: Object2vec,
  { repeats, seed }: Options,
  tick: Tick,
): Promise<VoxelResults> {
  const ridgeOf = (alphaFor: RidgeOptions["alphaFor"]): Encode => async ({ x, y }) =>
    (await ridge(gpu, x, y, { alphaFor, folds: FOLDS, seed })).predict;
  const kinds: [string, string, Encode][] = [
    ["ridge", "ridge, one λ", ridgeOf("all")],
    ["ridge_voxel_lambda", "ridge, λ per voxel", ridgeOf("voxel")],
    ["encoder", "L1 encoder", ({ x, y }) => linearEncoder(gpu, x, y, { steps: 150 })],
  ];
  const encoders: EncoderScore[] = [], each = repeats * FOLDS;
  for (const [i, [name, label, encode]] of kinds.entries()) {
    const onProgress: Tick = (folds) => tick(i * each + folds, kinds.length * each, label);
    const options = { encode, rois, folds: FOLDS, repeats, seed, onProgress };
    encoders.push({ name, label, score: await scoreHeldOut(alexnet, betas, options) });
  }
  return { categories: categories.length, voxels: betas.cols, skipped, folds: FOLDS, repeats, encoders };
}

async function realBrains(options: Options): Promise<void> {
  const { data } = options;
  const pictureFolder = `${data}/kriegeskorte92`, voxelFolder = `${data}/object2vec81`;
  const neuronFolder = `${data}/v4_macaque`, hasNeurons = await isThere(`${neuronFolder}/algonauts`);
  const [hasPictures, hasVoxels] = [await isThere(pictureFolder), await isThere(voxelFolder)];
  if (!hasPictures && !hasVoxels && !hasNeurons) {
    const { isFile } = await Deno.stat(data).catch(() => ({ isFile: false }));
    if (isFile) throw new Error(`--data is ${data}, a file: give the folder that the data folders are in.`);
    throw new Error(
      `The folder ${data} holds neither object2vec81 nor kriegeskorte92 nor v4_macaque/algonauts: give their folder with --data.`,
    );
  }
  if (options.model.length > 0 && !hasPictures && !hasNeurons) {
    throw new RangeError(
      `--model needs kriegeskorte92 or v4_macaque/algonauts in ${data}, which has only voxels: leave it out.`,
    );
  }
  const models = hasPictures || hasNeurons
    ? await openRunModels(options.models, { hook: options.hook, extract: options.extract }, true)
    : undefined;
  if (models && options.areGiven) console.error(dataTableText(models.table));
  const subject = hasVoxels ? await readObject2vec(voxelFolder) : undefined;
  for (const what of subject?.skipped ?? []) console.error(`object2vec81: left out: ${what}`);
  const run = await openTaskRun(COMMAND.task, options);
  using gpu = await openTaskGpu(options.adapter, options.cache);
  const stage = <T>(name: string, work: (tick: Tick) => Promise<T>) => run.stage(`real-brains ${name}`, work);
  const pictures = hasPictures
    ? await stage("pictures", (tick) => comparePictures(pictureFolder, models!, options, tick))
    : undefined;
  const neurons = hasNeurons
    ? await stage("neurons", (tick) => compareNeurons(gpu, neuronFolder, models!, options, tick))
    : undefined;
  const voxels = subject
    ? await stage("voxels", (tick) => compareEncoders(gpu, subject, options, tick))
    : undefined;
  const page = await writeRealBrainsReport({
    ...run,
    gpu,
    pictures,
    neurons,
    voxels,
  });
  await run.finish({ [COMMAND.task]: page });
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options }) => await realBrains(await resolved(options)));
}
