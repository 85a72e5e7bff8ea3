/** The report page `real-brains`: encoders of real voxels, and layers of models beside human and monkey cortex. */
import type { RoiScore } from "../../align/brain_score.ts";
import { formatNumber, table, text } from "../../report/blocks.ts";
import { barChart } from "../../report/charts/bar.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import { dataLine, type DataPart } from "../../report/data_line.ts";
import { type RunContext, timeSection, writeReport } from "../shared/write_experiment.ts";
import { partsOfModels } from "../shared/run_data.ts";
import type { HeldOutScore } from "./encoding.ts";
import type { NeuronSession } from "./neurons.ts";
import { modelsOf, neuronMetrics, neuronSections, overview } from "./neurons_report.ts";
import { pictureMetrics, type PictureResults, pictureSections } from "./pictures_report.ts";

/** One encoder's score on real voxels. */
export interface EncoderScore {
  /** In metric names: `ridge`, `ridge_voxel_lambda` or `encoder`. */
  name: string;
  /** In charts and tables. */
  label: string;
  /** By voxel and region. */
  score: HeldOutScore;
}

/** Encoders compared on one subject's voxels. */
export interface VoxelResults {
  /** Categories of objects. */
  categories: number;
  /** Voxels of the subject. */
  voxels: number;
  /** What of them was left out, a sentence each. */
  skipped: readonly string[];
  /** Of each cross-validation, and of those within that choose λ. */
  folds: number;
  /** Cross-validations. */
  repeats: number;
  /** The first is charted beside the last. */
  encoders: EncoderScore[];
}

/** What the page shows; what is absent was not measured. */
export interface RealBrainsReport extends RunContext {
  pictures?: PictureResults;
  /** Neurons of macaque V4, by session. */
  neurons?: readonly NeuronSession[];
  /** The 81 categories of objects. */
  voxels?: VoxelResults;
}

const EQUATION = rawHtml(
  `<math display="block"><msub><mi>d</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mn>1</mn><mo>−</mo><mi>r</mi><mo>(</mo><msub><mi>f</mi><mi>i</mi></msub><mo>,</mo><msub><mi>f</mi><mi>j</mi></msub><mo>)</mo><mo>,</mo><mspace width="1em"/><mi>w</mi><mo>=</mo><msup><mrow><mo>(</mo><msup><mi>Z</mi><mi>T</mi></msup><mi>Z</mi><mo>+</mo><mi>λ</mi><mi>I</mi><mo>)</mo></mrow><mrow><mo>−</mo><mn>1</mn></mrow></msup><msup><mi>Z</mi><mi>T</mi></msup><mi>y</mi></math>`,
);

/**
 * Writes `real-brains.html`, its chart specs, and the numbers to `results.json` under the experiment `real-brains`.
 *
 * @returns the path of the page
 */
export async function writeRealBrainsReport(report: RealBrainsReport): Promise<string> {
  const { out, timings, pictures, voxels, neurons = [] } = report;
  await Deno.mkdir(out, { recursive: true });
  const metrics = { ...pictureMetrics(pictures), ...neuronMetrics(neurons), ...voxelMetrics(voxels) };
  const models = modelsOf(pictures, neurons);
  const inputs = {
    models,
    images: (pictures?.pictures ?? 0) + (voxels?.categories ?? 0) +
      neurons.reduce((sum, { photographs: { training, test } }) => sum + training + test, 0),
    nodes: 0,
    data: "real",
  };
  return await writeReport(report, "real-brains", inputs, { metrics, claims: [] }, {
    title: "Real brains",
    question: "Do these models and encoders hold on measured cortex, human and monkey?",
    data: dataLine([...originsOf(report), ...await partsOfModels(models)]),
    method:
      "For each pair of pictures the dissimilarity of a layer is 1 less the correlation of its features (averaged over tokens, or all tokens side by side); its rank correlation with the dissimilarities in inferior temporal cortex says whether both find the same pictures alike. For voxels, an encoder is fitted to the features of most objects and predicts the responses to the others; r is Pearson's correlation over objects of predicted and measured responses, both less the mean of the objects fitted on. For neurons, ridge regression is fitted to one part of the photographs and scored on the other.",
    equation: EQUATION,
    sections: [
      ...(models.length > 0
        ? [{ heading: "All brains, by layer", body: await overview(out, pictures, neurons) }]
        : []),
      ...(pictures ? await pictureSections(out, pictures) : [missing("Real pictures", "kriegeskorte92")]),
      ...(neurons.length > 0
        ? await neuronSections(out, neurons)
        : [missing("Macaque V4", "v4_macaque/algonauts")]),
      voxels
        ? { heading: "Real voxels", body: await voxelSection(out, voxels) }
        : missing("Real voxels", "object2vec81"),
      timeSection(timings),
    ],
    settings: {
      ...(pictures && { "bootstrap samples": pictures.resamples }),
      ...(voxels && {
        "cross-validation": `${voxels.folds} folds, ${
          voxels.repeats === 1 ? "once" : `${voxels.repeats} times`
        }; λ by ${voxels.folds} folds within each`,
      }),
    },
  });
}

/** What the numbers come from, but for the models. */
function originsOf({ pictures, neurons = [], voxels }: RealBrainsReport): DataPart[] {
  const found = [
    pictures && `${pictures.pictures} pictures with human fMRI and monkey recordings`,
    neurons.length > 0 &&
    `photographs and neurons of macaque V4 in ${neurons.length} session${neurons.length > 1 ? "s" : ""}`,
    voxels && `${voxels.voxels} voxels of one person with AlexNet's features`,
  ];
  return found.flatMap((what) => what ? [{ what, kind: "real" }] : []);
}

function missing(heading: string, folder: string): { heading: string; body: Html } {
  return { heading, body: text(`Not measured: the data folder has no ${folder}.`) };
}

function voxelMetrics(results?: VoxelResults): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const { name, score } of results?.encoders ?? []) {
    for (const [roi, { mean, standardError }] of score.rois) {
      metrics[`real.object2vec81.${name}.${roi}`] = mean;
      metrics[`real.object2vec81.${name}.${roi}.se`] = standardError;
    }
    if (score.foldSpread !== undefined) {
      metrics[`real.object2vec81.${name}.fold_spread`] = score.foldSpread;
    }
  }
  return metrics;
}

async function voxelSection(out: string, results: VoxelResults): Promise<Html[]> {
  const { encoders, categories, voxels, skipped, folds, repeats } = results;
  const first = encoders[0], last = encoders[encoders.length - 1];
  const rois = [...first.score.rois.keys()];
  const of = ({ score }: EncoderScore, roi: string): RoiScore => score.rois.get(roi)!;
  const spreads = encoders.flatMap(({ score: { foldSpread } }) => foldSpread ?? []);
  const choice = spreads.length > 0
    ? `${repeats} times with other folds. The choice of folds alone changes a region's mean by up to ${
      formatNumber(Math.max(...spreads), 3)
    } (standard deviation).`
    : "once: what the choice of folds alone changes is not known (--repeats 2 or more measures it).";
  const charted = first === last ? [first] : [first, last];
  return [
    text(
      `${voxels} voxels of one subject, ${categories} categories of objects, features of each from AlexNet; ${folds}-fold cross-validation, ${choice}`,
    ),
    ...skipped.map((what) => text(`Left out: ${what}.`)),
    await responsiveChart(
      "real-voxels",
      out,
      `Mean Pearson r over the voxels of each region on held-out objects, n = ${categories}: ${
        charted.map(({ label }) => label).join(" and ")
      }.`,
      (theme, width) =>
        barChart({
          metric: "mean r (−1 to 1)",
          bars: rois.flatMap((roi) =>
            charted.map((encoder) => ({
              label: `${roi} · ${encoder.label}`,
              value: of(encoder, roi).mean,
              emphasis: encoder === first,
            }))
          ),
          width,
        }, theme),
    ),
    table({
      caption: "Mean r by region ± standard error over voxels",
      columns: ["region", "voxels", ...encoders.map(({ label }) => label)],
      rows: rois.map((roi) => [
        roi,
        of(first, roi).voxels,
        ...encoders.map((encoder) => {
          const { mean, standardError } = of(encoder, roi);
          return `${formatNumber(mean, 3)} ± ${formatNumber(standardError, 3)}`;
        }),
      ]),
    }),
  ];
}
