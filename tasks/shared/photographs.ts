/** Photographs, or scenes, through one model: a spectral color for every token of every layer, each layer its own graph. */
import { auditRun, auditSentence } from "../../src/experiments/nystrom/compute.ts";
import { matrixSource } from "../../mod.ts";
import { type Parsed, refuseWithoutEffect } from "../../src/cli/options.ts";
import type { Option } from "../../src/cli/option_kinds.ts";
import { baselineFigureGround, photographLayers } from "../../src/experiments/layer_colors/compute.ts";
import { writePhotographsReport } from "../../src/experiments/layer_colors/report.ts";
import { figureLabels } from "../../src/experiments/shared/image_truth.ts";
import { EMBEDDED } from "../../src/experiments/shared/run_data.ts";
import { folderImages, viewed } from "../../src/pipeline/images.ts";
import { openRunModels } from "../../src/pipeline/models.ts";
import { sceneImages } from "../../src/synthetic/scene_images.ts";
import { runLayers } from "./layer_run.ts";
import { askedOf } from "./open_data.ts";
import { COMPONENTS, type PIPELINE_OPTIONS } from "./options.ts";
import { runSettings } from "./run_settings.ts";
import { openTaskRun } from "./task_run.ts";

const MODEL = "mae_tiny";
/** Images that are used where no number is given. */
const PHOTOGRAPHS = 100, SCENES = 24, QUICK = 12;
/** Options by which graphs are not solved exactly. */
const APPROXIMATE = ["neighbors", "landmarks", "sampling", "neighbor-search", "preset"];

/** Options of photographs through one model. */
type PhotographOptions = typeof PIPELINE_OPTIONS & {
  masks: Option<string | undefined>;
  registers: Option<number | undefined>;
};

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
  const { options, given } = parsed, { images: folder, masks, quick, model: [name = MODEL] } = options;
  refuseWithoutEffect(
    given,
    ["alignment", "evaluation-images"],
    "photographs through one model are not aligned, each layer is a graph by itself; --data, or more than one --model, " +
      "makes one graph of all layers",
  );
  if (masks && !folder) {
    throw new RangeError("--masks belongs to --images: the synthetic scenes have their own.");
  }
  const settings = runSettings(parsed), { seed, landmarks, neighbors, sampling, knn } = settings;
  const approximation = APPROXIMATE.some((option) => given.has(option))
    ? { landmarks, neighbors, sampling, knn }
    : undefined;
  const run = await openTaskRun("reproduce", options, args);
  const { models: [model], view, patch } = await openRunModels([name], askedOf(options));
  const images = viewed(
    folder
      ? await folderImages(folder, masks, options.limit ?? (quick ? QUICK : PHOTOGRAPHS))
      : sceneImages(options.limit ?? (quick ? QUICK : SCENES), 0),
    view,
    patch,
  );
  const registers = options.registers ?? model.registers;
  const labelsOn = (grid: { rows: number; cols: number }) =>
    images[0].mask ? figureLabels(images, grid) : undefined;
  if (masks) await labelsOn({ rows: 1, cols: 1 }); // masks that cannot be used are said before anything is computed
  await runLayers(run, {
    name: "photographs",
    model: { ...model, ...(registers !== undefined && { registers }) },
    images,
    dtype: "float32",
    ...settings,
    solve: async (gpu, manifest, { stages, onProgress }) => {
      const layers = await photographLayers(gpu, manifest, await labelsOn(manifest.grid), {
        components: COMPONENTS,
        sample: quick ? 500 : 1000,
        seed,
        ...(approximation && { approximation }),
        ...(options["check-error"] && {
          checkError: async (features, vectors) =>
            auditSentence(await auditRun(gpu!, matrixSource(features), vectors, seed)),
        }),
        stages,
        onProgress,
      });
      for (const { layer, error } of layers) if (error) console.error(`error of layer ${layer}: ${error}`);
      return layers;
    },
    async write({ gpu, manifest, layers }) {
      const labels = await labelsOn(manifest.grid);
      const baseline = labels &&
        await run.stage("baseline", () => baselineFigureGround(gpu, images, manifest.grid, labels, seed));
      run.timings.total = run.seconds();
      return await writePhotographsReport({
        ...run,
        gpu,
        data: folder ? "photographs" : EMBEDDED,
        manifest,
        photos: await Promise.all(images.map(async ({ name, load }) => ({ name, photo: await load() }))),
        layers,
        approximation,
        baseline,
      });
    },
  });
}
