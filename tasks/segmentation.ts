/** `./run segmentation`: the layer from which figure and ground, and categories, are separable, with a report. */
import { alignOf } from "../src/pipeline/align_cache.ts";
import { report } from "../src/data/files/skipped.ts";
import { pipelineTruth, segmentation } from "../src/experiments/segmentation/compute.ts";
import { type GraphCondition, layerGraphs } from "../src/experiments/segmentation/layer_graphs.ts";
import { writeSegmentationReport } from "../src/experiments/segmentation/report.ts";
import { experiment, type OpenPipeline, runExperiment } from "./shared/open_pipeline.ts";

/** Images of the graphs of single layers, and the layers that are also clustered after alignment. */
const IMAGES = 40, ALIGNED_LAYERS = [3, 6, 9, 12];

/** Scores every layer and writes the report. @returns the path of the page */
export async function runSegmentation(open: OpenPipeline): Promise<string> {
  const { pipeline, gpu, seed, cacheDir, data } = open;
  const truth = await pipelineTruth(pipeline);
  const brain = await open.stage("segmentation features", (tick) => data.readBrain(cacheDir, tick));
  const trained = (eigenWeight: number) =>
    open.stage(`segmentation align λ ${eigenWeight}`, async (tick) => {
      const { model, path } = await alignOf(
        gpu,
        brain,
        { eigenWeight, seed: 0 },
        cacheDir,
        tick,
      );
      return { model, key: path.replace(/^.*align-|\.arrow$/g, "") };
    });
  const alignments = { with: await trained(1), without: await trained(0) };
  for (const { model, layers: { length } } of pipeline.manifests) {
    const absent = ALIGNED_LAYERS.filter((layer) => layer > length).join(", ");
    if (absent) {
      report(`left out of segmentation after alignment: layers ${absent}, as ${model} has ${length}`);
    }
    if (length > ALIGNED_LAYERS.at(-1)!) {
      report(
        `left out of segmentation after alignment: all of the ${length} layers of ${model} but ${
          ALIGNED_LAYERS.join(", ")
        }`,
      );
    }
  }
  const images = Math.min(IMAGES, pipeline.images.length);
  const graphs = (name: string, condition: Omit<GraphCondition, "name"> = {}) =>
    open.stage(
      `segmentation graphs ${name}`,
      (tick) => layerGraphs(gpu, pipeline, open.stages, { name, ...condition }, images, seed, tick),
    );
  const all = {
    images,
    before: await graphs("before"),
    aligned: await graphs("aligned", { layers: ALIGNED_LAYERS, align: alignments.with }),
    noConstraint: await graphs("aligned_no_constraint", {
      layers: ALIGNED_LAYERS,
      align: alignments.without,
    }),
  };
  const found = await open.computed("segmentation", () => segmentation(pipeline, truth, all, seed), {
    code: ["src/experiments/segmentation/layer_graphs.ts"], // the graphs know their own
    inputs: { images, alignments: [alignments.with.key, alignments.without.key] },
  });
  return await writeSegmentationReport(open, found);
}

/** The task and its options. */
export const COMMAND = experiment("segmentation");

if (import.meta.main) await runExperiment(COMMAND, runSegmentation);
