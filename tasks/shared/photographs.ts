/**
 * Photographs, or scenes, through one model: a spectral color for every token of every layer, each layer its own graph.
 *
 * The stages (extract, then one graph a layer) keep what they finish under the cache, by the hash of their inputs, so a
 * stopped run goes on where it stopped and an unchanged one only writes its report.
 */
import { createHash } from "node:crypto";
import { closeGpu } from "../../mod.ts";
import { reasonOf } from "../../src/data/files/atomic_write.ts";
import { patchSize } from "../../src/data/onnx/attention_outputs.ts";
import { findHookOutputs } from "../../src/data/onnx/block_hooks.ts";
import { commandLine, type Parsed, refuseWithoutEffect } from "../../src/cli/options.ts";
import type { Option } from "../../src/cli/option_kinds.ts";
import { openKnownModel } from "../../src/data/models/known_models.ts";
import { readOnnx } from "../../src/data/onnx/graph.ts";
import { preprocessMask, previewCrop } from "../../src/data/images/preprocess.ts";
import { skippedLines } from "../../src/data/files/skipped.ts";
import { openStages } from "../../src/data/cache/stages.ts";
import {
  baselineFigureGround,
  explainColors,
  runColors,
} from "../../src/experiments/layer_colors/compute.ts";
import { writeColorsReport } from "../../src/experiments/layer_colors/report.ts";
import { folderImages, type RunImage } from "../../src/pipeline/images.ts";
import { writeIndexPage } from "../../src/experiments/shared/index_page.ts";
import {
  rgbPositionFeatures,
  type TokenLabels,
  tokenLabels,
} from "../../src/experiments/shared/oracle_segmentation.ts";
import { featureStages } from "../../src/pipeline/pipeline.ts";
import { providerFor, shiftsFor, tellTaken } from "../../src/pipeline/models.ts";
import { sceneImages } from "../../src/synthetic/scene_images.ts";
import { openProgress } from "../../src/report/progress.ts";
import type { PIPELINE_OPTIONS } from "./options.ts";
import { runSettings } from "./run_settings.ts";
import { openTaskGpu } from "./open_task_gpu.ts";
import { openFolders } from "./task_folders.ts";
import type { Mask } from "../../src/data/images/picture.ts";
import { brokenShards, readExtracted } from "../../src/data/features/extract_parts.ts";

const MODEL = "mae_tiny";
const COMPONENTS = 20;

/** Options of the experiments on all layers in one graph, which these graphs of single layers have no use for. */
const OF_THE_PIPELINE = ["check-error", "neighbors", "landmarks", "sampling", "neighbor-search"];

/** Options of photographs through one model. */
type PhotographOptions = typeof PIPELINE_OPTIONS & {
  masks: Option<string | undefined>;
  registers: Option<number | undefined>;
};

function readOptions(parsed: Parsed<PhotographOptions>) {
  const { options, given } = parsed;
  refuseWithoutEffect(
    given,
    OF_THE_PIPELINE,
    "photographs through one model are solved exactly, each layer by itself; --data, or more than one --model, makes " +
      "one graph of all layers",
  );
  if (options.masks && !options.images) {
    throw new RangeError("--masks belongs to --images: the synthetic scenes have their own.");
  }
  return { ...options, ...runSettings(parsed), given: options.limit, model: options.model.at(0) ?? MODEL };
}

/** What tells images from others of the same names: every pixel. */
async function pixelHash(images: RunImage[]): Promise<string> {
  const hash = createHash("sha256");
  for (const image of images) {
    const { width, height, data } = await image.load();
    hash.update(`${image.name} ${width} ${height}`).update(data);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Masks of images that have them, as they are on disk, each as large as its image. */
async function masksOf(images: RunImage[]): Promise<(Mask | null)[]> {
  const masks: (Mask | null)[] = [];
  for (const { name, load, mask } of images) {
    const own = mask ? await mask().catch((error) => missingMask(error, name)) : null,
      image = own && await load();
    if (own && image && (own.width !== image.width || own.height !== image.height)) {
      throw new RangeError(
        `The mask of ${name} is ${own.width} × ${own.height}, the image ${image.width} × ${image.height}: they must be equal.`,
      );
    }
    masks.push(own);
  }
  return masks;
}

function missingMask(error: Error, name: string): never {
  if (!(error.cause instanceof Deno.errors.NotFound)) throw error;
  const path = error.message.replace(/^There is no image |\.$/g, "");
  throw new Error(`There is no mask of ${name}: expected ${path} in the folder of --masks.`, {
    cause: error,
  });
}

/** Reports masks that belong to no photograph. */
async function reportSpareMasks(folder: string, images: RunImage[]): Promise<void> {
  const names = new Set(images.map(({ name }) => name.replace(/\.[^.]*$/, ".png"))), spare: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) if (!names.has(name)) spare.push(name);
  } catch (error) {
    throw new Error(`Cannot list the masks of ${folder}: ${reasonOf(error)}; give --masks a folder.`, {
      cause: error,
    });
  }
  if (spare.length === 0) return;
  const shown = spare.sort().slice(0, 3).join(", "), more = spare.length - 3;
  console.error(
    `left out of ${folder}, as no photograph in use has that name: ${shown}${
      more > 0 ? ` and ${more} more` : ""
    }`,
  );
}

/**
 * Runs one model over photographs, or scenes, and writes the report.
 *
 * @param args as typed, for the page
 * @throws RangeError for options that do not fit, Error naming the file or image that is not usable
 */
export async function runPhotographs(
  parsed: Parsed<PhotographOptions>,
  args: readonly string[],
): Promise<void> {
  const options = readOptions(parsed), { "dry-run": explain, cache, out, seed, shardImages } = options;
  const started = performance.now();
  const timings: Record<string, number> = {};
  const timed = async <T>(stage: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work();
    timings[stage] = (performance.now() - from) / 1000;
    return result;
  };
  if (!explain) await openFolders({ "--out": out, "--cache": cache });
  const { path, preprocessor, ...known } = await openKnownModel(options.model);
  const graph = await readOnnx(path); // what is no model is said before photographs are read
  findHookOutputs(graph, options.hook);
  const shifts = options.stride && shiftsFor(path, patchSize(graph), options.stride);
  tellTaken(options);
  const provider = await providerFor(options.extract);
  const registers = options.registers ?? known.registers;
  const count = options.given ?? (options.quick ? 12 : 24);
  const images = options.images
    ? await folderImages(options.images, options.masks, options.given ?? (options.quick ? 12 : 100))
    : sceneImages(count, 0);
  if (options.masks) await reportSpareMasks(options.masks, images);
  const masks = await masksOf(images), stages = openStages(`${cache}/runs`, explain);
  const [features] = await featureStages({
    models: [{
      path,
      preprocessor,
      hook: options.hook,
      provider,
      ...(shifts && { shifts }),
      ...(registers !== undefined && { registers }),
    }],
    images,
    imagesKey: await pixelHash(images),
    shardImages,
    dtype: "float32",
  });
  for (const line of skippedLines()) console.error(line);
  const tell = () => {
    for (const { name, state, why } of stages.reports.splice(0)) {
      if (explain) console.log(`${name}: ${state} (${why})`);
      else if (/ is (?:missing|damaged)/.test(why)) console.error(`${name} was computed again: ${why}`);
    }
  };

  const extracting = explain ? null : openProgress("extract", images.length, "images");
  const folder = await timed("extract", () =>
    stages.run(
      `photographs-${features.name}`,
      features.input,
      async (folder) => void await features.extract(folder, (done) => extracting?.tick(done)),
      brokenShards,
    ).then((folder) => {
      extracting?.tick(images.length); // also where they were extracted before
      return folder;
    }).finally(() => extracting?.finish()));
  tell();
  if (!folder) return console.log("colors: would run (they need what the features are)");
  const manifest = await readExtracted(folder);
  const photos = [];
  const labels: TokenLabels = { counts: new Uint32Array(0), classes: 2 };
  const counts: Uint32Array[] = [], colorAndPlace: Float32Array[] = [];
  for (const [i, image] of images.entries()) {
    const photo = previewCrop(await image.load(), preprocessor, image.name), mask = masks[i];
    photos.push({ name: image.name, photo });
    if (!mask) continue;
    counts.push(tokenLabels(preprocessMask(mask, preprocessor), manifest.grid, labels.classes));
    colorAndPlace.push(rgbPositionFeatures(photo, manifest.grid).data);
  }
  const hasMasks = counts.length > 0;
  if (hasMasks) labels.counts = fill(new Uint32Array(total(counts)), counts);
  const layerOptions = {
    components: COMPONENTS,
    seed,
    labels: hasMasks ? labels : undefined,
    ...(options.quick ? { sample: 500, iterations: 250 } : { sample: 1000, iterations: 500 }),
    stages: openStages(folder, explain),
  };
  if (explain) {
    await explainColors(manifest, layerOptions);
    stages.reports.push(...layerOptions.stages.reports);
    return tell();
  }
  const gpu = await openTaskGpu(options.adapter, cache);
  try {
    console.error(
      `${images.length} images · ${gpu.adapter.description}${
        gpu.adapter.software ? " (software)" : ""
      } · seed ${seed}`,
    );
    console.error(
      `${manifest.model}: ${manifest.layers.length} layers, ${manifest.heads} heads, width ${manifest.width}, ${manifest.tokens} tokens an image${
        manifest.classToken ? "" : ", the mean of the patches in the place of a class token"
      }`,
    );
    const cutting = openProgress("cut + color", manifest.layers.length, "layers");
    const layers = await timed("cut and color", () =>
      runColors(gpu, manifest, {
        ...layerOptions,
        onProgress: (done, note) => cutting.tick(done, note),
      }).finally(() => cutting.finish()));

    const baseline = hasMasks
      ? await timed("baseline", () => {
        const data = fill(new Float32Array(total(colorAndPlace)), colorAndPlace);
        return baselineFigureGround(gpu, { data, rows: data.length / 5, cols: 5 }, labels, seed);
      })
      : undefined;

    timings.total = (performance.now() - started) / 1000;
    const command = commandLine("reproduce", args);
    const page = await writeColorsReport({
      out,
      command,
      data: options.images ? "photographs" : "embedded",
      gpu,
      manifest,
      photos,
      layers,
      baseline,
      timings,
      seed,
      figures: options.figures,
    });
    const index = await writeIndexPage(out, { photographs: page }, command);
    console.error(`done in ${timings.total.toFixed(1)} s: ${page}, beside the others in ${index}`);
  } finally {
    closeGpu(gpu);
  }
}

/** Copies parts one after the other into `all`. */
function fill<T extends Uint32Array | Float32Array>(all: T, parts: T[]): T {
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Values in all parts. */
function total(parts: ArrayLike<number>[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
