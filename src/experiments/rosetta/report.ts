/** The report of the experiment `rosetta`. */
import sharp from "sharp";
import { formatNumber, table, text } from "../../report/blocks.ts";
import { type BarChart, barChart } from "../../report/charts/bar.ts";
import { type ColorBar, colorGrid } from "../../report/color_grid.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import { rosettaClaims } from "./claims.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { quantileOf } from "../../statistics/bootstrap.ts";
import { mean } from "../../statistics/summary.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import type { Rosetta, RosettaExample, RosettaPair } from "./compute.ts";
import { correlationChart } from "./chart.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";

const EQUATION = rawHtml(
  `<math display="block"><msub><mi>r</mi><mrow><mi>a</mi><mi>b</mi></mrow></msub><mo>=</mo><mfrac><mn>1</mn><mi>n</mi></mfrac><munder><mo>∑</mo><mi>i</mi></munder><msub><mi>z</mi><mrow><mi>i</mi><mi>a</mi></mrow></msub><msub><mi>z</mi><mrow><mi>i</mi><mi>b</mi></mrow></msub><mo>,</mo><mspace width="1em"/><mi>b</mi><mo>=</mo><munder><mi>arg&#160;max</mi><mrow><mi>b</mi><mo>′</mo></mrow></munder><mspace width="0.2em"/><msub><mi>r</mi><mrow><mi>a</mi><mi>b</mi><mo>′</mo></mrow></msub><mo>,</mo><mspace width="1em"/><mi>a</mi><mo>=</mo><munder><mi>arg&#160;max</mi><mrow><mi>a</mi><mo>′</mo></mrow></munder><mspace width="0.2em"/><msub><mi>r</mi><mrow><mi>a</mi><mo>′</mo><mi>b</mi></mrow></msub></math>`,
);

/** Kinds of pairs in the order of the charts. */
const KINDS = [
  { key: "rosetta", label: "Rosetta", long: "Rosetta pairs", emphasis: true },
  { key: "strongest", label: "Rosetta, strongest", long: "the strongest Rosetta pairs", emphasis: false },
  { key: "aligned", label: "aligned", long: "aligned, one number", emphasis: true },
  { key: "control", label: "aligned, control", long: "aligned, different numbers", emphasis: false },
  { key: "unchosen", label: "aligned, one layer", long: "aligned, one number and layer", emphasis: false },
  { key: "alignedMutual", label: "aligned, matched", long: "aligned, mutual best matches", emphasis: false },
  { key: "voxels", label: "voxels", long: "one voxel in the brain's space", emphasis: true },
  {
    key: "voxelControl",
    label: "voxels, control",
    long: "different voxels in the brain's space",
    emphasis: false,
  },
] as const;

/**
 * Writes `rosetta.html` and the experiment's numbers.
 *
 * @returns the path of the page
 */
export async function writeRosettaReport(run: ExperimentRun, found: Rosetta): Promise<string> {
  const claims = rosettaClaims(found), { images, alignedChannels, units, everywhere } = found;
  return await writeExperiment(run, "rosetta", { metrics: metricsOf(found), claims }, {
    title: "Rosetta neurons",
    question:
      "Do channels of different models answer to the same things, before and after channel alignment?",
    method:
      `A channel of a layer is a unit; its activation map is its value at every patch. Two units of two models are a Rosetta pair when each is the other's best match by Pearson correlation r of their z-scored maps over all patches of ${images.found} images (Dravid et al. 2023). Channel alignment gives channels numbers that all models share: an aligned channel is compared with the channel of its number, in those layers of both models that fit best on the same ${images.found} images. Both are then measured on ${images.measured} other images. So is each of ${found.voxels} voxels in the brain's space, V W β. The controls are maps beside those of another image, and aligned channels and voxels beside one of another number, whose layers are chosen in the same way.`,
    equation: EQUATION,
    sections: [
      { heading: choiceOf(found).title, body: [await choiceChart(run.out, found)] },
      ...await Promise.all(found.pairs.map(async (pair, i) => ({
        heading: pair.models.join(" and "),
        body: [
          await chartOf(run.out, pair, i, found.images.measured),
          ...(await examplesOf(run.pipeline, found.examples[i])),
        ],
      }))),
      { heading: "Numbers", body: [countsTable(found), correlationsTable(found), everywhereText(found)] },
    ],
    settings: {
      "images matched on": images.found,
      "images measured on": images.measured,
      ...Object.fromEntries(Object.entries(units).map(([model, count]) => [`units of ${model}`, count])),
      "aligned channels": alignedChannels,
      voxels: found.voxels,
      "units matched in all models": everywhere.count,
    },
  });
}

function metricsOf({ pairs, everywhere }: Rosetta): Record<string, number> {
  const metrics: Record<string, number> = { "matched_everywhere": everywhere.count };
  if (everywhere.r !== undefined) metrics["matched_everywhere.r"] = everywhere.r;
  for (const pair of pairs) {
    const name = pair.models.join(".");
    for (const { key } of KINDS) {
      metrics[`pairs.${key}.${name}`] = pair[key].pairs.length;
      if (pair[key].pairs.length === 0) continue;
      metrics[`r.${key}.${name}`] = median(pair[key].r);
      metrics[`r.${key}_shuffled.${name}`] = median(pair[key].shuffled);
      metrics[`r.${key}_matched_on.${name}`] = median(
        Float64Array.from(pair[key].pairs, ({ found }) => found),
      );
      metrics[`mean_r.${key}.${name}`] = mean(pair[key].r);
      metrics[`mean_r.${key}_shuffled.${name}`] = mean(pair[key].shuffled);
    }
    metrics[`same_number.${name}`] = pair.sameNumber;
    metrics[`as_strong.${name}`] = pair.asStrong;
    for (const [test, { p }] of Object.entries(pair.gains)) metrics[`p.${test}.${name}`] = p;
  }
  return metrics;
}

/** Kinds of pairs to choose from, each with what it is compared with. */
const CHOICES = [
  { key: "rosetta", than: (pair: RosettaPair) => pair.rosetta.shuffled, words: "Rosetta pairs" },
  { key: "aligned", than: (pair: RosettaPair) => pair.control.r, words: "aligned channels" },
  { key: "voxels", than: (pair: RosettaPair) => pair.voxelControl.r, words: "voxels" },
] as const;

/** The kind of pair that is furthest above its control in held-out images, and what to call the figure that says so. */
export function choiceOf({ pairs }: Pick<Rosetta, "pairs">): { title: string; bars: BarChart["bars"] } {
  const meanOf = (values: readonly Float64Array[]) =>
    mean(values.map((own) => own.length === 0 ? 0 : mean(own)));
  const means = CHOICES.map(({ key, than, words }) => ({
    words,
    own: meanOf(pairs.map((pair) => pair[key].r)),
    control: meanOf(pairs.map(than)),
  }));
  const best = means.reduce((a, b) => b.own - b.control > a.own - a.control ? b : a);
  return {
    title: best.own > best.control
      ? `To compare two models, choose ${best.words}: r ${formatNumber(best.own, 2)}, ${
        formatNumber(best.control, 2)
      } by chance`
      : "No kind of channel compares two models",
    bars: means.flatMap(({ words, own, control }) => [
      { label: words, value: own, emphasis: words === best.words },
      { label: `${words}, chance`, value: control },
    ]),
  };
}

async function choiceChart(out: string, found: Rosetta): Promise<Html> {
  return await responsiveChart(
    "rosetta-choice",
    out,
    `Mean correlation r of channels of two models on n = ${found.images.measured} images that they were not matched on, mean over ${found.pairs.length} pairs of models, beside what chance gives: another image's map, or channels and voxels of different numbers. One channel says most of another model where r is furthest above its chance.`,
    (theme, width) =>
      barChart({ metric: "mean r on held-out images (−1 to 1)", bars: choiceOf(found).bars, width }, theme),
  );
}

async function chartOf(out: string, pair: RosettaPair, i: number, images: number): Promise<Html> {
  const rows = [
    ...KINDS.filter(({ key }) => pair[key].pairs.length > 0).map(({ key, label, emphasis }) => ({
      label,
      emphasis,
      r: pair[key].r,
    })),
    ...(pair.rosetta.pairs.length > 0
      ? [{ label: "other image", emphasis: false, r: pair.rosetta.shuffled }]
      : []),
  ];
  const models = pair.models.join(" and ");
  return await responsiveChart(
    `rosetta-${i + 1}`,
    out,
    `Correlation of pairs of channels of ${models} on n = ${images} images they were not matched on: median, middle half (bar) and middle four fifths (line) of the pairs. "other image": Rosetta pairs with the second map taken from another image.`,
    (theme, width) => correlationChart(models, rows, width, theme),
  );
}

async function examplesOf(pipeline: Pipeline, example: RosettaExample): Promise<Html[]> {
  const { rows, cols } = pipeline.grid;
  const grid = await Promise.all(example.images.map(async (index, i) => ({
    label: pipeline.images[index].name,
    photo: await photoOf(pipeline, index),
    cells: example.columns.map(({ maps }) => pngDataUri(cols, rows, zColors(maps[i]))),
  })));
  const label = `Activation maps of matched channels of ${example.models.join(" and ")}`;
  return [
    text(
      "The pairs that fit best where they were matched, on held-out images: blue is below a channel's mean, orange above it, white at it; full color is two standard deviations.",
    ),
    colorGrid({ label, columns: example.columns.map(({ label }) => label), rows: grid, bar: Z_BAR }),
  ];
}

/** The middle square of an image, as a data URI. */
async function photoOf({ images }: Pipeline, index: number): Promise<string> {
  const { width, height, data } = await images[index].load();
  const side = Math.min(width, height);
  const photo = await sharp(data, { raw: { width, height, channels: 3 } })
    .extract({ left: (width - side) >> 1, top: (height - side) >> 1, width: side, height: side })
    .resize(Math.min(side, 160)).jpeg({ quality: 85 }).toBuffer();
  return `data:image/jpeg;base64,${new Uint8Array(photo).toBase64()}`;
}

/** The key to `zColors`. */
const Z_BAR: ColorBar = {
  title: "z-score of the channel",
  ends: ["−2 or less", "2 or more"],
  colors: ["rgb(0 103 165)", "rgb(255 255 255)", "rgb(194 80 10)"],
};

/** White at 0, towards orange above and blue below, full at two standard deviations. */
export function zColors(map: Float32Array): Uint8Array {
  const low = [0, 103, 165], high = [194, 80, 10], colors = new Uint8Array(3 * map.length);
  map.forEach((value, i) => {
    const share = Math.min(1, Math.abs(value) / 2), end = value < 0 ? low : high;
    for (let c = 0; c < 3; c++) colors[3 * i + c] = Math.round(255 + share * (end[c] - 255));
  });
  return colors;
}

function countsTable({ pairs, alignedChannels }: Rosetta): Html {
  return table({
    caption: "Pairs between two models",
    columns: [
      "models",
      "Rosetta pairs",
      "aligned channels",
      "as strong",
      "matched of one number",
      "by chance",
    ],
    rows: pairs.map(({ models, rosetta, asStrong, sameNumber }) => [
      models.join(" and "),
      rosetta.pairs.length,
      alignedChannels,
      asStrong,
      sameNumber,
      1 / alignedChannels,
    ]),
  });
}

function correlationsTable({ pairs }: Rosetta): Html {
  return table({
    caption:
      "Median correlation r where pairs were matched, on held-out images, and beside another image's map",
    columns: ["models", "kind", "pairs", "matched on", "held out", "other image"],
    rows: pairs.flatMap((pair) =>
      KINDS.filter(({ key }) => pair[key].pairs.length > 0).map(({ key, long }) => {
        const { pairs, r, shuffled } = pair[key];
        const found = median(Float64Array.from(pairs, ({ found }) => found));
        return [pair.models.join(" and "), long, pairs.length, found, median(r), median(shuffled)];
      })
    ),
  });
}

function everywhereText({ everywhere, pairs }: Rosetta): Html {
  const models = [...new Set(pairs.flatMap(({ models }) => models))];
  return text(
    everywhere.r === undefined
      ? `No unit of ${models[0]} has matches in all other models that are matches of each other too.`
      : `${everywhere.count} units of ${
        models[0]
      } have matches in all other models that are matches of each other too; their mean held-out r is ${
        formatNumber(everywhere.r, 3)
      }.`,
  );
}

function median(values: Float64Array): number {
  return quantileOf(values.toSorted(), 0.5);
}
