/** The report of the experiment `brain-score`. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import { dotsChart } from "../../report/charts/dots.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import { agreementMetrics } from "./agreement_report.ts";
import { brainScoreClaims } from "./claims.ts";
import type { Universality } from "./universality.ts";
import { universalSection } from "./universality_report.ts";
import { type BrainScoreReport, rOf } from "./results.ts";
import { writeReport } from "../shared/write_experiment.ts";
import { LAMBDAS } from "../../pipeline/align_cache.ts";
import { deviation, mean } from "../../statistics/summary.ts";

/** The paper's Table 1: mean r for λ_eigen 1, 0.1 and 0, each ± 0.001. */
const PAPER: Record<string, [number, number, number]> = {
  V1: [0.170, 0.167, 0.155],
  V4: [0.181, 0.179, 0.166],
  EBA: [0.295, 0.294, 0.296],
  all: [0.196, 0.193, 0.188],
};

const EQUATION = rawHtml(
  `<math display="block"><mover><mi>Y</mi><mo>^</mo></mover><mo>=</mo><mi>AvgPool</mi><mo>(</mo><munder><mo>∑</mo><mi>l</mi></munder><msub><mi>V</mi><mi>l</mi></msub><msub><mi>W</mi><mi>l</mi></msub><mo>)</mo><mi>β</mi><mo>+</mo><mi>ε</mi><mo>,</mo><mspace width="1em"/><mi>L</mi><mo>=</mo><msub><mi>L</mi><mi>brain</mi></msub><mo>+</mo><msub><mi>λ</mi><mi>eigen</mi></msub><msub><mi>L</mi><mi>eigen</mi></msub><mo>+</mo><msub><mi>λ</mi><mi>zero</mi></msub><msub><mi>L</mi><mi>zero</mi></msub><mo>+</mo><msub><mi>λ</mi><mi>cov</mi></msub><msub><mi>L</mi><mi>cov</mi></msub></math>`,
);

/** Alignments whose clusters are shown, of the first training. */
const ALIGNS = ["aligned_no_constraint", "aligned", "ridge_align"] as const;

/**
 * Writes `brain-score.html`, its chart specs, and the numbers under the experiment `brain-score`.
 *
 * @returns the path of the page
 */
export async function writeBrainScoreReport(report: BrainScoreReport): Promise<string> {
  const { out, conditions, ridge } = report;
  await Deno.mkdir(out, { recursive: true });
  const rois = [...Object.keys(ridge.rois), "all"];
  const claims = brainScoreClaims(report);
  const inputs = {
    models: report.models,
    images: report.images.training + report.images.test,
    nodes: 0,
    data: report.data,
  };
  return await writeReport(report, "brain-score", inputs, { metrics: metricsOf(report, rois), claims }, {
    title: "Brain score",
    question:
      "How well do the models' features predict the voxels, and what does the eigen-constraint change?",
    method:
      `Every layer of every model has a transform into one space; summed over layers and averaged over tokens, a linear encoder predicts ${report.ridge.voxels.length} voxels. Trained by the L1 loss on ${report.images.training} images for each weight of the eigen-constraint and ${
        seedsOf(conditions[0].scores.length)
      }, scored by Pearson r on ${report.images.test} held-out images. Ridge regression on the same pooled features and an encoder for each layer alone need no alignment.`,
    equation: EQUATION,
    sections: [
      ...(report.skipped.length > 0
        ? [{ heading: "Left out", body: report.skipped.map((what) => text(`${what}.`)) }]
        : []),
      { heading: "Scores by region", body: await scoreSection(report, rois) },
      { heading: "Where things are", body: positionSection(report) },
      { heading: "Clusters before and after alignment", body: effectSection(report) },
      { heading: "One space for all", body: universalSection(report) },
      { heading: "Models mixed in one graph", body: mixedSection(report) },
    ],
    settings: (peakMemory) => ({
      data: report.data,
      models: report.models.join(", "),
      seeds: conditions[0].scores.length,
      "peak memory": peakMemory,
    }),
  });
}

function metricsOf(report: BrainScoreReport, rois: string[]): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const roi of rois) {
    for (const { lambda, scores } of report.conditions) {
      const { mean, sd } = spread(scores.map((score) => rOf(score, roi)));
      metrics[`r.${roi}.lambda_${lambda}`] = mean;
      metrics[`r.${roi}.lambda_${lambda}.sd`] = sd;
    }
    metrics[`r.${roi}.ridge`] = rOf(report.ridge, roi);
    metrics[`r.${roi}.no_align`] = rOf(report.perSlot, roi);
    metrics[`r.${roi}.ridge_align`] = rOf(report.space, roi);
    metrics[`r.${roi}.ridge_align_trained_on`] = rOf(report.trainedOn, roi);
    const normalized = normalizedOf(report, roi);
    if (normalized !== undefined) metrics[`normalized.${roi}`] = normalized;
    if (report.position && roi !== "all") {
      metrics[`r.${roi}.position.whole`] = rOf(report.position.whole, roi);
      metrics[`r.${roi}.position.cells`] = rOf(report.position.parts, roi);
    }
  }
  for (const { lambda, eigen } of report.conditions) {
    metrics[`loss.eigen.lambda_${lambda}`] = spread(eigen).mean;
  }
  for (const { model, layer, before, after } of report.effects ?? []) {
    metrics[`miou.figure_ground.${model}.L${layer}.before`] = before;
    for (const name of ALIGNS) {
      const { miou, overlap } = after[name];
      metrics[`miou.figure_ground.${model}.L${layer}.${name}`] = miou;
      metrics[`overlap.${model}.L${layer}.${name}`] = overlap;
    }
  }
  for (const [name, { before, after, chance, gain }] of Object.entries(report.mixed ?? {})) {
    if (before !== undefined) metrics[`mixed.${name}.before`] = before;
    metrics[`mixed.${name}.after`] = after;
    metrics[`mixed.${name}.chance`] = chance;
    metrics[`mixed.${name}.p`] = gain.p;
  }
  const { universal } = report;
  addUniversality(metrics, "universality", {
    raw: universal?.raw,
    paper: universal?.paper,
    ridge: universal?.ridge,
  });
  addUniversality(metrics, "universality.one_width", {
    raw: universal?.oneWidth?.raw,
    ridge: universal?.oneWidth?.ridge,
  });
  return metrics;
}

function addUniversality(
  metrics: Record<string, number>,
  prefix: string,
  measured: Partial<Record<string, Universality>>,
): void {
  for (const [name, universality] of Object.entries(measured)) {
    const { converged: _, agreement: __, ...found } = universality ?? { converged: true };
    for (const [key, value] of Object.entries(found)) metrics[`${prefix}.${name}.${key}`] = value;
  }
  for (const [key, value] of Object.entries(agreementMetrics(measured))) metrics[`${prefix}.${key}`] = value;
}

/** r over the square root of the noise ceiling, λ = 1, mean over seeds. */
function normalizedOf({ conditions }: BrainScoreReport, roi: string): number | undefined {
  const values = conditions.at(-1)!.scores.map(({ rois }) => rois[roi]?.normalized);
  return values.every((value) => value !== undefined) ? spread(values as number[]).mean : undefined;
}

async function scoreSection(report: BrainScoreReport, rois: string[]): Promise<Html[]> {
  const cell = (values: number[]) => {
    const { mean, standardError } = spread(values), shown = formatNumber(mean, 3);
    return values.length > 1 ? `${shown}\u00a0±\u00a0${formatNumber(standardError, 3)}` : shown;
  };
  return [
    await responsiveChart(
      "brain-score",
      report.out,
      `Pearson r on n = ${report.images.test} held-out images, mean over each region's voxels: ridge regression on all layers, ridge alignment, and the paper's training with and without the eigen-constraint (mean over ${
        seedsOf(report.conditions[0].scores.length)
      }). The last two lie on each other where the constraint changes little; ${
        report.conditions[0].scores.length > 1
          ? "their standard errors over seeds are in the table below"
          : "one seed has no standard error"
      }.`,
      (theme, width) =>
        dotsChart({
          metric: "Pearson r on held-out images (−1 to 1)",
          rows: rois,
          series: [
            { label: "ridge regression", values: rois.map((roi) => rOf(report.ridge, roi)) },
            { label: "ridge alignment", values: rois.map((roi) => rOf(report.space, roi)) },
            ...[report.conditions.at(-1)!, report.conditions[0]].map(({ lambda, scores }) => ({
              label: lambda === 0 ? "paper's, no constraint" : "paper's, with constraint",
              values: rois.map((roi) => spread(scores.map((score) => rOf(score, roi))).mean),
            })),
          ],
          width,
        }, theme),
    ),
    table({
      caption:
        "Pearson r on held-out images, mean over voxels, ± standard error over seeds; the paper's Table 1 at the right (its subjects, its models)",
      columns: [
        "region",
        "voxels",
        ...LAMBDAS.map((lambda) => `λ ${lambda}`),
        "r / ceiling",
        "aligned",
        "trained on",
        "ridge",
        "unaligned",
        "paper λ 0",
        "paper λ 1",
      ],
      rows: rois.map((roi) => [
        roi,
        roi === "all" ? "all" : report.voxels[roi],
        ...report.conditions.map(({ scores }) => cell(scores.map((score) => rOf(score, roi)))),
        normalizedOf(report, roi) ?? "none",
        rOf(report.space, roi),
        rOf(report.trainedOn, roi),
        rOf(report.ridge, roi),
        rOf(report.perSlot, roi),
        PAPER[roi]?.[2] ?? "none",
        PAPER[roi]?.[0] ?? "none",
      ]),
    }),
    text(
      "Aligned: every layer by ridge regression to the same components of the responses, what the graph takes; trained on: the same as the start of the paper's training, kept near its own targets. Ridge: every voxel on the pooled features of all layers, its penalty chosen by cross-validation. Unaligned: each layer has an encoder of its own and each voxel takes the layer that predicts it best on training images held out for the choice. The ratio r / ceiling divides by the square root of each voxel's noise ceiling.",
    ),
  ];
}

function positionSection({ position, ridge }: BrainScoreReport): Html[] {
  if (!position) return [text("Not measured for these data.")];
  const { slot, cells, whole, parts } = position;
  return [
    text(
      `An encoder of features pooled over the whole image knows little of where things are. Ridge regression on ${slot} alone, pooled over ${cells} × ${cells} cells instead, shows how much of each region's score that costs.`,
    ),
    table({
      caption: `Pearson r of ridge regression on ${slot}`,
      columns: ["region", "whole image", `${cells} × ${cells} cells`, "gain"],
      rows: Object.keys(ridge.rois).map((roi) => [
        roi,
        rOf(whole, roi),
        rOf(parts, roi),
        rOf(parts, roi) - rOf(whole, roi),
      ]),
    }),
  ];
}

function effectSection({ effects }: BrainScoreReport): Html[] {
  if (!effects) return [text("Not measured: these images have no masks.")];
  return [
    text(
      "Ten eigenvectors of each layer's tokens, before alignment and after it. Overlap is the mean squared cosine of the principal angles between the two subspaces, 1 when alignment changes nothing; mIoU is that of figure against ground, by an oracle that knows the centres of both.",
    ),
    table({
      caption: "Figure-ground mIoU, and overlap with the eigenvectors before alignment",
      columns: [
        "layer",
        "mIoU before",
        "mIoU, λ 0",
        "mIoU, λ 1",
        "mIoU, ridge alignment",
        "overlap, λ 0",
        "overlap, λ 1",
        "overlap, ridge alignment",
      ],
      rows: effects.map(({ model, layer, before, after }) => {
        const [free, held, ridge] = [after.aligned_no_constraint, after.aligned, after.ridge_align];
        return [
          `${model} L${layer}`,
          before,
          free.miou,
          held.miou,
          ridge.miou,
          free.overlap,
          held.overlap,
          ridge.overlap,
        ];
      }),
    }),
  ];
}

function mixedSection({ mixed }: BrainScoreReport): Html[] {
  if (!mixed) {
    return [
      text("Not measured: it takes two models or more, and images with classes beyond those of the graph."),
    ];
  }
  const { nodes, images } = Object.values(mixed)[0];
  return [
    text(
      `${nodes} figure tokens at half, three quarters and the whole of the depth of all models (layers 6, 9 and 12 of twelve) in ${images} images that are not in the graph. Each is asked for its nearest token of another model, as deep and in another image. Summed over layers, the brain loss of the paper's training lets layers share the work in any way; ridge alignment maps each layer by itself to the same components of the responses. The graph of the other experiments uses ridge alignment unless --alignment paper is given.`,
    ),
    table({
      caption: "Share of nearest tokens across models that show the same category",
      columns: ["alignment", "before", "after", "chance", "p"],
      rows: Object.entries(mixed).map(([name, { before, after, chance, gain }]) => [
        name === "paper" ? "as in the paper" : "ridge",
        before ?? "widths differ",
        after,
        chance,
        gain.p,
      ]),
      digits: 4,
    }),
  ];
}

/** Mean, standard deviation and standard error of some values, as over seeds. */
function spread(values: number[]): { mean: number; sd: number; standardError: number } {
  const sd = values.length < 2 ? 0 : deviation(values);
  return { mean: mean(values), sd, standardError: sd / Math.sqrt(values.length) };
}

/** "1 seed", "5 seeds". */
function seedsOf(count: number): string {
  return `${count} seed${count === 1 ? "" : "s"}`;
}
