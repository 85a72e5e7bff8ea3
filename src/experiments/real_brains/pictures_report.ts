/** Of the page `real-brains`: layers of the models beside human and monkey inferior temporal cortex. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import type { LineByLayerChart } from "../../report/charts/line_by_layer.ts";
import type { Html } from "../../report/html.ts";
import { lineByLayerFigure } from "../../report/responsive_chart.ts";
import type { Agreement, Interval, NoiseCeiling } from "../../statistics/rsa.ts";
import { type Brain, type BrainAgreement, BRAINS, type ModelSimilarity } from "./rsa_by_layer.ts";

/** Pictures compared: models with each brain, and the brains with each other. */
export interface PictureResults {
  /** How many pictures. */
  pictures: number;
  /** In the order of the charts; at least one. */
  models: ModelSimilarity[];
  /** Human with monkey IT. */
  between: Agreement;
  /** Of the human subjects' own dissimilarities; absent where they are not there. */
  ceiling?: {
    /** How many. */
    subjects: number;
    /** Dissimilarities are averaged over subjects. */
    ofValues: NoiseCeiling;
    /** Their ranks are. */
    ofRanks: NoiseCeiling;
  };
  /** Bootstrap samples. */
  resamples: number;
}

/** What brains are called. */
export const NAMES: Record<Brain, string> = { hIT: "human IT", mIT: "monkey IT" };

/** Both rank correlations with their intervals, as `results.json` has them. */
export function putAgreement(
  metrics: Record<string, number>,
  name: string,
  { spearman, kendall }: Agreement,
): void {
  for (const [key, { value, low, high }] of [[name, spearman], [`${name}.kendall`, kendall]] as const) {
    Object.assign(metrics, { [key]: value, [`${key}.low`]: low, [`${key}.high`]: high });
  }
}

/** Names and what they measure, as `results.json` has them. */
export function pictureMetrics(results?: PictureResults): Record<string, number> {
  const metrics: Record<string, number> = {};
  const put = (name: string, found: Agreement) => putAgreement(metrics, name, found);
  const putAll = (name: string, found: BrainAgreement) => {
    for (const brain of BRAINS) put(`rsa.${brain}.${name}`, found[brain]);
    if (found.subjects) put(`rsa.hIT.subjects.${name}`, found.subjects);
  };
  if (results) put("rsa.hIT.mIT", results.between);
  const { ofValues, ofRanks } = results?.ceiling ?? {};
  for (const [name, ceiling] of Object.entries({ ceiling: ofValues, ceiling_of_ranks: ofRanks })) {
    if (!ceiling) continue;
    put(`rsa.hIT.${name}.low`, ceiling.lower);
    put(`rsa.hIT.${name}.high`, ceiling.upper);
  }
  for (const { model, pixels, layers } of results?.models ?? []) {
    putAll(`${model}.pixels`, pixels);
    for (const { layer, pooled, tokens, classToken } of layers) {
      putAll(`${model}.L${layer}`, pooled);
      putAll(`${model}.L${layer}.tokens`, tokens);
      if (classToken) putAll(`${model}.L${layer}.class`, classToken);
    }
  }
  return metrics;
}

/** A section for each brain. */
export async function pictureSections(
  out: string,
  results: PictureResults,
): Promise<{ heading: string; body: Html[] }[]> {
  const { models, between, resamples, pictures } = results;
  const sections: { heading: string; body: Html[] }[] = [];
  for (const brain of BRAINS) {
    const name = NAMES[brain];
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
        await layerChart(
          out,
          `rsa-${brain}`,
          `Spearman's ρ of pair dissimilarities with ${name}, by layer, features averaged over tokens; n = ${pictures} pictures, bars are 95 % intervals over them, dashed the pixels without a model.`,
          `Spearman's ρ with ${name} (−1 to 1)`,
          models,
          ({ pooled }) => pooled[brain].spearman,
          { rule: { label: "pixels", value: models[0].pixels[brain].spearman.value } },
        ),
        ...(brain === "hIT" ? await ceilingBlocks(out, results) : [
          text("No noise ceiling: the file has one matrix for monkey IT, none for each animal."),
        ]),
        similarityTable(models, brain),
      ],
    });
  }
  return sections;
}

async function ceilingBlocks(out: string, { models, ceiling, pictures }: PictureResults): Promise<Html[]> {
  if (!ceiling) {
    return [
      text(
        "No noise ceiling: the data folder has no kriegeskorte92_more with each subject's dissimilarities.",
      ),
    ];
  }
  const { subjects, ofValues: { lower, upper }, ofRanks } = ceiling;
  const [low, high] = [lower.spearman, upper.spearman];
  return [
    text(
      `Noise ceiling of ${subjects} subjects (Nili et al. 2014): the mean over subjects of Spearman's ρ that the best possible model can reach lies between ${
        shown(low)
      } and ${
        shown(high)
      }. It bounds the mean over subjects of the agreement with each one's own dissimilarities, as drawn here; the agreement with their averaged matrix, above, is higher, as averaging takes noise out of it. With ranks averaged in place of dissimilarities (as rsatoolbox does) the ceiling is ${
        formatNumber(ofRanks.lower.spearman.value, 3)
      } to ${formatNumber(ofRanks.upper.spearman.value, 3)}.`,
    ),
    await layerChart(
      out,
      "rsa-hIT-subjects",
      `Mean over n = ${subjects} subjects of Spearman's ρ with each one's human IT, by layer, features averaged over tokens; the band is the noise ceiling, bars are 95 % intervals over ${pictures} pictures.`,
      "mean ρ with a subject's IT (−1 to 1)",
      models,
      ({ pooled }) => pooled.subjects!.spearman,
      { band: { label: "noise ceiling", low: low.value, high: high.value } },
    ),
  ];
}

/** A chart of one number of every layer with its interval, a line for each model. */
export function layerChart<L>(
  out: string,
  file: string,
  caption: string,
  metric: string,
  models: readonly { model: string; layers: readonly L[] }[],
  of: (layer: L) => Interval,
  beside: Pick<LineByLayerChart, "rule" | "band">,
): Promise<Html> {
  const depth = Math.max(...models.map(({ layers }) => layers.length));
  return lineByLayerFigure(file, out, caption, {
    metric,
    layers: Array.from({ length: depth }, (_, i) => `L${i + 1}`),
    series: models.map(({ model, layers }) => ({
      label: models.length === 1 ? "" : model, // named in the text above
      values: layers.map((layer) => of(layer).value),
      intervals: layers.map((layer) => [of(layer).low, of(layer).high] as const),
    })),
    ...beside,
  });
}

function similarityTable(models: readonly ModelSimilarity[], brain: Brain): Html {
  const hasSubjects = brain === "hIT" && models.some(({ pixels }) => pixels.subjects);
  const row = (name: string, where: string, found: BrainAgreement) => [
    name,
    where,
    shown(found[brain].spearman),
    shown(found[brain].kendall),
    ...(hasSubjects ? [shown(found.subjects!.spearman)] : []),
  ];
  return table({
    caption: `Rank correlation with ${NAMES[brain]}, 95 % intervals in brackets`,
    columns: [
      "features",
      "tokens",
      "Spearman's ρ",
      "Kendall's τa",
      ...(hasSubjects ? ["mean ρ with a subject"] : []),
    ],
    rows: models.flatMap(({ model, pixels, layers }) => [
      row(`${model} input`, "pixels", pixels),
      ...layers.flatMap(({ layer, pooled, tokens, classToken }) => [
        row(`${model} L${layer}`, "mean", pooled),
        row(`${model} L${layer}`, "all", tokens),
        ...(classToken ? [row(`${model} L${layer}`, "class", classToken)] : []),
      ]),
    ]),
  });
}

/** A number with its interval in brackets. */
export function shown({ value, low, high }: Interval): string {
  const [a, b, c] = [value, low, high].map((number) => formatNumber(Number(number.toFixed(3)) || 0, 3));
  return `${a} [${b}, ${c}]`;
}
