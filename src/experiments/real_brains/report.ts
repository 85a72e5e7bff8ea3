/** The report page `real-brains`: encoders of real voxels, and layers of models beside human and monkey cortex. */
import type { RoiScore } from "../../align/brain_score.ts";
import type { Gpu } from "../../gpu/mod.ts";
import { formatNumber, table, text } from "../../report/blocks.ts";
import { barChart } from "../../report/charts/bar.ts";
import { lineByLayerChart } from "../../report/charts/line_by_layer.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { writePage } from "../../report/write_page.ts";
import type { FigureFormat } from "../../report/figure_files.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import { mergeResults } from "../../report/results.ts";
import { type Brain, BRAINS, type ModelSimilarity } from "./rsa_by_layer.ts";
import { peakResidentMb } from "../shared/peak_memory.ts";
import type { HeldOutScore } from "./encoding.ts";
import type { Agreement, Interval } from "./rsa.ts";

/** One encoder's score on real voxels. */
export interface EncoderScore {
  /** In metric names: `ridge`, `ridge_voxel_lambda` or `encoder`. */
  name: string;
  /** In charts and tables. */
  label: string;
  /** By voxel and region. */
  score: HeldOutScore;
}

/** Pictures compared: models with each brain, and the brains with each other. */
export interface PictureResults {
  /** How many pictures. */
  pictures: number;
  /** In the order of the charts; at least one. */
  models: ModelSimilarity[];
  /** Human with monkey IT. */
  between: Agreement;
  /** Bootstrap samples. */
  resamples: number;
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

/** What the page tells of; what is absent was not measured. */
export interface RealBrainsReport {
  /** Folder of the page. */
  out: string;
  /** What makes the page again. */
  command: string;
  /** Where it ran. */
  gpu: Gpu;
  /** Of every random choice. */
  seed: number;
  /** Seconds by stage. */
  timings: Record<string, number>;
  /** The 92 pictures. */
  pictures?: PictureResults;
  /** The 81 categories of objects. */
  voxels?: VoxelResults;
  /** Formats in which the figures are also written as files; none if not given. */
  figures?: readonly FigureFormat[];
}

const NAMES: Record<Brain, string> = { hIT: "human IT", mIT: "monkey IT" };
const EQUATION = rawHtml(
  `<math display="block"><msub><mi>d</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mn>1</mn><mo>−</mo><mi>r</mi><mo>(</mo><msub><mi>f</mi><mi>i</mi></msub><mo>,</mo><msub><mi>f</mi><mi>j</mi></msub><mo>)</mo><mo>,</mo><mspace width="1em"/><mi>w</mi><mo>=</mo><msup><mrow><mo>(</mo><msup><mi>Z</mi><mi>T</mi></msup><mi>Z</mi><mo>+</mo><mi>λ</mi><mi>I</mi><mo>)</mo></mrow><mrow><mo>−</mo><mn>1</mn></mrow></msup><msup><mi>Z</mi><mi>T</mi></msup><mi>y</mi></math>`,
);

/**
 * Writes `real-brains.html`, its chart specs, and the numbers to `results.json` under the experiment `real-brains`.
 *
 * @returns the path of the page
 */
export async function writeRealBrainsReport(report: RealBrainsReport): Promise<string> {
  const { out, command, gpu, seed, timings, pictures, voxels } = report;
  await Deno.mkdir(out, { recursive: true });
  const version = JSON.parse(await Deno.readTextFile(new URL("../../../deno.json", import.meta.url))).version;
  const metrics = { ...pictureMetrics(pictures), ...voxelMetrics(voxels) };
  const results = await mergeResults(`${out}/results.json`, {
    version,
    deno: Deno.version.deno,
    adapter: { description: gpu.adapter.description, software: gpu.adapter.software },
    seed,
    command,
    inputs: {
      models: pictures?.models.map(({ model }) => model) ?? [],
      images: (pictures?.pictures ?? 0) + (voxels?.categories ?? 0),
      nodes: 0,
      data: "real",
    },
    timings,
    memory: {
      peak_rss_mb: peakResidentMb(),
      peak_gpu_mb: Math.round(gpu.memory.peak / 2 ** 20),
    },
    experiments: { "real-brains": { metrics, claims: [] } },
  });
  return await writePage(`${out}/real-brains.html`, {
    title: "Real brains",
    question: "Do these models and encoders hold on measured cortex, human and monkey?",
    method:
      "For each pair of pictures the dissimilarity of a layer is 1 less the correlation of its features (averaged over tokens, or all tokens side by side); its rank correlation with the dissimilarities in inferior temporal cortex says whether both find the same pictures alike. For voxels, an encoder is fitted to the features of most objects and predicts the responses to the others; r is Pearson's correlation over objects of predicted and measured responses, both less the mean of the objects fitted on.",
    equation: EQUATION,
    sections: [
      ...(pictures ? await pictureSections(out, pictures) : [missing("Real pictures", "kriegeskorte92")]),
      voxels
        ? { heading: "Real voxels", body: await voxelSection(out, voxels) }
        : missing("Real voxels", "object2vec81"),
      {
        heading: "Time",
        body: table({
          caption: "Wall time by stage, seconds",
          columns: ["stage", "seconds"],
          rows: Object.entries(timings),
          digits: 1,
        }),
      },
    ],
    settings: {
      adapter: `${gpu.adapter.description}${gpu.adapter.software ? " (software)" : ""}`,
      deno: Deno.version.deno,
      version: results.version,
      seed,
      ...(pictures && { "bootstrap samples": pictures.resamples }),
      ...(voxels && {
        "cross-validation":
          `${voxels.folds} folds, ${voxels.repeats} times; λ by ${voxels.folds} folds within each`,
      }),
    },
    command,
  }, report.figures);
}

function missing(heading: string, folder: string): { heading: string; body: Html } {
  return { heading, body: text(`Not measured: the data folder has no ${folder}.`) };
}

function pictureMetrics(results?: PictureResults): Record<string, number> {
  const metrics: Record<string, number> = {};
  const put = (name: string, { spearman, kendall }: Agreement) => {
    for (const [key, { value, low, high }] of [[name, spearman], [`${name}.kendall`, kendall]] as const) {
      Object.assign(metrics, { [key]: value, [`${key}.low`]: low, [`${key}.high`]: high });
    }
  };
  if (results) put("rsa.hIT.mIT", results.between);
  for (const { model, pixels, layers } of results?.models ?? []) {
    for (const brain of BRAINS) {
      put(`rsa.${brain}.${model}.pixels`, pixels[brain]);
      for (const { layer, pooled, tokens } of layers) {
        put(`rsa.${brain}.${model}.L${layer}`, pooled[brain]);
        put(`rsa.${brain}.${model}.L${layer}.tokens`, tokens[brain]);
      }
    }
  }
  return metrics;
}

function voxelMetrics(results?: VoxelResults): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const { name, score } of results?.encoders ?? []) {
    for (const [roi, { mean, standardError }] of score.rois) {
      metrics[`real.object2vec81.${name}.${roi}`] = mean;
      metrics[`real.object2vec81.${name}.${roi}.se`] = standardError;
    }
    metrics[`real.object2vec81.${name}.fold_spread`] = score.foldSpread;
  }
  return metrics;
}

async function pictureSections(
  out: string,
  results: PictureResults,
): Promise<{ heading: string; body: Html[] }[]> {
  const { models, between, resamples, pictures } = results;
  const sections: { heading: string; body: Html[] }[] = [];
  for (const brain of BRAINS) {
    const name = NAMES[brain], depth = Math.max(...models.map(({ layers }) => layers.length));
    const sentences = models.map(({ model, pixels, layers }) => {
      const ofLayer = layers.map((layer) => layer.pooled[brain].spearman.value);
      const best = layers[ofLayer.indexOf(Math.max(...ofLayer))];
      return `${model}: highest at layer ${best.layer}, ρ ${
        shown(best.pooled[brain].spearman)
      }; its pixels alone ${shown(pixels[brain].spearman)}.`;
    });
    sections.push({
      heading: name[0].toUpperCase() + name.slice(1),
      body: [
        text(
          `${sentences.join(" ")} Human and monkey IT agree with each other at ρ ${
            shown(between.spearman)
          }. Intervals are 95 %, ${resamples} bootstrap samples of the ${pictures} pictures; the highest layer was picked by the same pictures, so its value is on the high side.`,
        ),
        await responsiveChart(
          `rsa-${brain}`,
          out,
          `Spearman's ρ of pair dissimilarities with ${name}, by layer, features averaged over tokens; bars are 95 % intervals, dashed the pixels without a model.`,
          (theme, width) =>
            lineByLayerChart({
              metric: `Spearman's ρ with ${name}`,
              layers: Array.from({ length: depth }, (_, i) => `L${i + 1}`),
              series: models.map(({ model, layers }) => ({
                label: model,
                values: layers.map(({ pooled }) => pooled[brain].spearman.value),
                intervals: layers.map(({ pooled: { [brain]: { spearman: { low, high } } } }) =>
                  [low, high] as const
                ),
              })),
              rule: { label: "pixels", value: models[0].pixels[brain].spearman.value },
              width,
            }, theme),
        ),
        similarityTable(models, brain),
      ],
    });
  }
  return sections;
}

function similarityTable(models: ModelSimilarity[], brain: Brain): Html {
  const row = (name: string, where: string, { spearman, kendall }: Agreement) => [
    name,
    where,
    shown(spearman),
    shown(kendall),
  ];
  return table({
    caption: `Rank correlation with ${NAMES[brain]}, 95 % intervals in brackets`,
    columns: ["features", "tokens", "Spearman's ρ", "Kendall's τa"],
    rows: models.flatMap(({ model, pixels, layers }) => [
      row(`${model} input`, "pixels", pixels[brain]),
      ...layers.flatMap(({ layer, pooled, tokens }) => [
        row(`${model} L${layer}`, "mean", pooled[brain]),
        row(`${model} L${layer}`, "all", tokens[brain]),
      ]),
    ]),
  });
}

function shown({ value, low, high }: Interval): string {
  const [a, b, c] = [value, low, high].map((number) => formatNumber(Number(number.toFixed(3)) || 0, 3));
  return `${a} [${b}, ${c}]`;
}

async function voxelSection(out: string, results: VoxelResults): Promise<Html[]> {
  const { encoders, categories, voxels, skipped, folds, repeats } = results;
  const first = encoders[0], last = encoders[encoders.length - 1];
  const rois = [...first.score.rois.keys()];
  const of = ({ score }: EncoderScore, roi: string): RoiScore => score.rois.get(roi)!;
  const spread = Math.max(...encoders.map(({ score }) => score.foldSpread));
  const charted = first === last ? [first] : [first, last];
  return [
    text(
      `${voxels} voxels of one subject, ${categories} categories of objects, features of each from AlexNet; ${folds}-fold cross-validation, ${repeats} times with other folds. The choice of folds alone changes a region's mean by up to ${
        formatNumber(spread, 3)
      } (standard deviation).`,
    ),
    ...skipped.map((what) => text(`Left out: ${what}.`)),
    await responsiveChart(
      "real-voxels",
      out,
      `Mean r over the voxels of each region on held-out objects: ${
        charted.map(({ label }) => label).join(" and ")
      }.`,
      (theme, width) =>
        barChart({
          metric: "mean r",
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
