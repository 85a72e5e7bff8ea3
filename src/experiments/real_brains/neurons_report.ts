/** Of the page `real-brains`: layers of the models beside neurons of macaque V4, and all brains side by side. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import type { Html } from "../../report/html.ts";
import { lineByLayerFigure } from "../../report/responsive_chart.ts";
import type { NeuronSession } from "./neurons.ts";
import { layerChart, NAMES, type PictureResults, putAgreement, shown } from "./pictures_report.ts";
import { BRAINS } from "./rsa_by_layer.ts";

/** Names and what they measure, as `results.json` has them. */
export function neuronMetrics(sessions: readonly NeuronSession[] = []): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const { name, pixels, models, repeats } of sessions) {
    putAgreement(metrics, `rsa.V4.${name}.pixels`, pixels);
    if (repeats) {
      metrics[`rsa.V4.${name}.halves`] = repeats.halves;
      metrics[`rsa.V4.${name}.ceiling`] = repeats.ceiling;
    }
    for (const { model, layers } of models) {
      for (const { layer, encoding, similarity } of layers) {
        const key = `V4.${name}.${model}.L${layer}`;
        putAgreement(metrics, `rsa.${key}`, similarity);
        metrics[`r.${key}`] = encoding.mean;
        metrics[`r.${key}.se`] = encoding.standardError;
        if (encoding.normalized !== undefined) metrics[`normalized.${key}`] = encoding.normalized;
      }
    }
  }
  return metrics;
}

/** A section for each session. */
export async function neuronSections(
  out: string,
  sessions: readonly NeuronSession[],
): Promise<{ heading: string; body: Html[] }[]> {
  const sections: { heading: string; body: Html[] }[] = [];
  for (const session of sessions) {
    const { name, neurons, photographs, skipped, pixels, models, repeats } = session;
    const hasCeilings = models.some(({ layers }) => layers.some(({ encoding }) => encoding.normalized));
    const best = models.map(({ model, layers }) => {
      const top = layers.reduce((a, b) => b.encoding.mean > a.encoding.mean ? b : a);
      const { mean, standardError, normalized } = top.encoding;
      return `${model}: best at layer ${top.layer}, mean r ${formatNumber(mean, 3)} ± ${
        formatNumber(standardError, 3)
      }${
        normalized === undefined
          ? ""
          : `, ${formatNumber(normalized, 3)} of what the noise ceilings allow (mean of r / √ceiling)`
      }.`;
    });
    sections.push({
      heading: `Macaque V4, session ${name}`,
      body: [
        text(
          `${neurons} neurons of one monkey. Ridge regression from a layer's features, averaged over tokens, to each neuron, fitted to ${photographs.training} photographs with a penalty chosen there, scored on ${photographs.test} others. ${
            best.join(" ")
          } Similarity compares the dissimilarities of these ${photographs.test} photographs; pixels alone reach ρ ${
            shown(pixels.spearman)
          }.`,
          repeats
            ? `The neurons' dissimilarities from one half of the repeats and from the other agree at ρ ${
              formatNumber(repeats.halves, 3)
            } (mean of ${repeats.splits} random splits): a model of the true dissimilarities reaches about ${
              formatNumber(repeats.ceiling, 3)
            }, √(2ρ / (1 + ρ)).`
            : "No ceiling of the similarity: single repeats are not in the data folder.",
          ...(hasCeilings ? [] : ["No noise ceilings of the neurons are in the data folder."]),
        ),
        ...skipped.map((what) => text(`Left out: ${what}.`)),
        await layerChart(
          out,
          `v4-r-${name}`,
          `Mean r over n = ${neurons} neurons on ${photographs.test} held-out photographs, by layer; bars are ± 1 standard error over neurons.`,
          `mean r, V4 ${name} (−1 to 1)`,
          models,
          ({ encoding: { mean: value, standardError: e } }) => ({ value, low: value - e, high: value + e }),
          {},
        ),
        await layerChart(
          out,
          `v4-rsa-${name}`,
          `Spearman's ρ of the dissimilarities of n = ${photographs.test} photographs with those of the neurons, by layer; bars are 95 % intervals over photographs, dashed ${
            repeats ? "what repeats allow" : "the pixels without a model"
          }.`,
          `Spearman's ρ with V4 ${name} (−1 to 1)`,
          models,
          ({ similarity }) => similarity.spearman,
          {
            rule: repeats
              ? { label: "ceiling of the repeats", value: repeats.ceiling }
              : { label: "pixels", value: pixels.spearman.value },
          },
        ),
        table({
          caption:
            `Layers and V4, session ${name}: mean r over neurons ± standard error, rank correlations with 95 % intervals`,
          columns: [
            "features",
            "mean r",
            ...(hasCeilings ? ["r / √ceiling"] : []),
            "Spearman's ρ",
            "Kendall's τa",
          ],
          rows: models.flatMap(({ model, layers }) =>
            layers.map(({ layer, encoding, similarity }) => [
              `${model} L${layer}`,
              `${formatNumber(encoding.mean, 3)} ± ${formatNumber(encoding.standardError, 3)}`,
              ...(hasCeilings ? [formatNumber(encoding.normalized ?? 0, 3)] : []),
              shown(similarity.spearman),
              shown(similarity.kendall),
            ])
          ),
        }),
      ],
    });
  }
  return sections;
}

/** Names of all models. */
export function modelsOf(pictures: PictureResults | undefined, sessions: readonly NeuronSession[]): string[] {
  const all = [...pictures?.models ?? [], ...sessions.flatMap(({ models }) => models)];
  return [...new Set(all.map(({ model }) => model))];
}

/** Spearman's ρ of every layer with all brains, a chart and a table for each model. */
export async function overview(
  out: string,
  pictures: PictureResults | undefined,
  sessions: readonly NeuronSession[],
): Promise<Html[]> {
  const blocks: Html[] = [];
  for (const model of modelsOf(pictures, sessions)) {
    const similar = pictures?.models.find((found) => found.model === model);
    const brains = [
      ...BRAINS.flatMap((brain) =>
        similar ? [{ label: NAMES[brain], found: similar.layers.map(({ pooled }) => pooled[brain]) }] : []
      ),
      ...sessions.flatMap(({ name, models }) => {
        const layers = models.find((found) => found.model === model)?.layers;
        return layers ? [{ label: `V4 ${name}`, found: layers.map(({ similarity }) => similarity) }] : [];
      }),
    ];
    const layers = Array.from(
      { length: Math.max(...brains.map(({ found }) => found.length)) },
      (_, i) => `L${i + 1}`,
    );
    blocks.push(
      await lineByLayerFigure(
        `brains-${model}`,
        out,
        `${model}: Spearman's ρ of each layer's dissimilarities with each brain's, by layer; ${
          pictures ? `n = ${pictures.pictures} pictures of IT, ` : ""
        }${
          sessions.map(({ name, photographs }) => `n = ${photographs.test} photographs of V4 ${name}, `).join(
            "",
          )
        }bars are 95 % intervals over them.`,
        {
          metric: "Spearman's ρ (−1 to 1)",
          layers,
          series: brains.map(({ label, found }) => ({
            label,
            values: found.map(({ spearman }) => spearman.value),
            intervals: found.map(({ spearman: { low, high } }) => [low, high] as const),
          })),
        },
      ),
      table({
        caption: `${model}: Spearman's ρ by layer, features averaged over tokens, 95 % intervals in brackets`,
        columns: ["layer", ...brains.map(({ label }) => label)],
        rows: layers.map((layer, i) => [layer, ...brains.map(({ found }) => shown(found[i].spearman))]),
      }),
    );
  }
  return blocks;
}
