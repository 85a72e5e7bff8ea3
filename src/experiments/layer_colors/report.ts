/** The report of photographs through one model: the page, results.json and the chart specs. */
import { cutWarning } from "../../graph/normalized_cut.ts";
import { HOOK_NAMES } from "../../data/onnx/block_hooks.ts";
import { formatNumber, table, text } from "../../report/blocks.ts";
import { eigenvaluesChart } from "../../report/charts/eigenvalues.ts";
import { colorGrid } from "../../report/color_grid.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { lineByLayerFigure, responsiveChart } from "../../report/responsive_chart.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import type { PhotographLayer } from "./compute.ts";
import { runDataLine } from "../shared/run_data.ts";
import { type RunContext, timeSection, writeReport } from "../shared/write_experiment.ts";
import type { RgbImage } from "../../data/images/picture.ts";
import { type Approximation, layerMetrics } from "../shared/solved_layers.ts";
import { mean } from "../../statistics/summary.ts";
import type { FeatureManifest } from "../../data/features/extract_parts.ts";

/** What the report says. */
export interface PhotographsReport extends RunContext {
  data: string;
  manifest: FeatureManifest;
  /** Every image as the model saw it. */
  photos: { name: string; photo: RgbImage }[];
  layers: PhotographLayer[];
  /** How graphs were solved that were not solved exactly. */
  approximation?: Approximation;
  /** Figure-ground mIoU from color and position alone, where there are masks. */
  baseline?: number;
}

const EQUATION = rawHtml(
  `<math display="block"><msup><mi>D</mi><mrow><mo>−</mo><mn>½</mn></mrow></msup><mi>A</mi><msup><mi>D</mi><mrow><mo>−</mo><mn>½</mn></mrow></msup><mi>X</mi><mo>=</mo><mi>X</mi><mi>Λ</mi><mo>,</mo><mspace width="1em"/><msub><mi>A</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mi>exp</mi><mo>(</mo><mi>cos</mi><mo>(</mo><msub><mi>v</mi><mi>i</mi></msub><mo>,</mo><msub><mi>v</mi><mi>j</mi></msub><mo>)</mo><mo>−</mo><mn>1</mn><mo>)</mo></math>`,
);

function solvedText({ approximation }: PhotographsReport): string {
  if (!approximation) return "computed to a residual of 1e-5";
  const { landmarks, neighbors, sampling } = approximation;
  return `computed on ${landmarks} landmarks, or all tokens where these are fewer (${sampling}), and extended to the others from ${
    neighbors === "all" ? "all of them (Fowlkes)" : `the ${neighbors} nearest`
  }`;
}

function tokensText({ classToken }: FeatureManifest): string {
  return `${classToken ? "class token" : "the mean of the patches, as there is no class token,"} and patches`;
}

/**
 * Writes `photographs.html`, its entry in `results.json` and the chart specs to the output folder.
 *
 * @returns the path of the page
 */
export async function writePhotographsReport(report: PhotographsReport): Promise<string> {
  const { out, data, manifest, photos, layers } = report;
  await Deno.mkdir(out, { recursive: true });
  const nodes = photos.length * manifest.tokens;
  const eigenvalues = await responsiveChart(
    "photographs-eigenvalues",
    out,
    `Eigenvalues (at most 1) of each layer's graph, the first (always 1) left out, by component; n = ${photos.length} photographs. A sharp drop says how many groups there are.`,
    (theme, width) =>
      eigenvaluesChart({
        layers: layers.map((layer) => ({ label: `L${layer.layer}`, values: layer.eigenvalues.slice(1) })),
        firstComponent: 2,
        yScale: "log",
        width,
      }, theme),
  );
  const names = photos.map(({ name }) => name).join(", ");
  const inputs = { models: [manifest.model], images: photos.length, nodes, data };
  const metrics = { ...colorMetrics(layers), ...segmentationMetrics(report) };
  return await writeReport(report, "photographs", inputs, { metrics, claims: [] }, {
    data: await runDataLine(data, inputs.models, false),
    title: "Photographs",
    question: `What does each layer of ${manifest.model} group together, over ${photos.length} images?`,
    method: `For every layer, the ${nodes} tokens of all images (${tokensText(manifest)}; ${
      HOOK_NAMES[manifest.hook]
    }) form one graph, and its ${layers[0].eigenvalues.length} leading eigenvectors are ${
      solvedText(report)
    }. t-SNE places a sample of tokens in three dimensions by their eigenvectors; the other tokens take the place of their nearest one. The three coordinates are read as red, green and blue: within a layer, equal colors mean that tokens belong together. Colors of different layers are not comparable here.`,
    equation: EQUATION,
    sections: [
      {
        heading: "Images and layers",
        body: [
          text("Equal colors belong together within a layer, not from one layer to another."),
          grid(report),
        ],
      },
      { heading: "Eigenvalues", body: [eigenvalues, layerTable(layers)] },
      ...await segmentationSection(report),
      timeSection(report.timings),
    ],
    settings: (peakMemory) => ({
      model: manifest.model,
      hook: manifest.hook,
      patches: `${manifest.grid.cols} × ${manifest.grid.rows}`,
      images: `${photos.length}: ${names.length > 400 ? names.slice(0, 400) + " …" : names}`,
      nodes: `${nodes} a layer`,
      "peak memory": peakMemory,
    }),
  });
}

function colorMetrics(layers: PhotographLayer[]): Record<string, number> {
  const gaps = layers.flatMap(({ eigengap }) => eigengap ?? []);
  const metrics: Record<string, number> = {
    "tsne.kl": mean(layers.map(({ kl }) => kl)),
    "tsne.trustworthiness": mean(layers.map((layer) => layer.trustworthiness)),
  };
  if (gaps.length) metrics.eigengap = Math.min(...gaps);
  return { ...metrics, ...layerMetrics(layers) };
}

function segmentationMetrics({ layers, manifest, baseline }: PhotographsReport): Record<string, number> {
  if (baseline === undefined) return {};
  const metrics: Record<string, number> = { "miou.figure_ground.baseline_rgb_position": baseline };
  for (const { layer, figureGround } of layers) {
    metrics[`miou.figure_ground.${manifest.model}.L${layer}`] = figureGround!.miou;
    metrics[`threshold.figure_ground.${manifest.model}.L${layer}`] = figureGround!.threshold;
  }
  return metrics;
}

async function segmentationSection(report: PhotographsReport): Promise<{ heading: string; body: Html[] }[]> {
  const { layers, baseline, manifest, photos, out } = report;
  if (baseline === undefined) return [];
  const scores = layers.map(({ figureGround }) => figureGround!.miou);
  const best = layers[scores.indexOf(Math.max(...scores))];
  const difference = best.figureGround!.miou - baseline;
  const image = await lineByLayerFigure(
    "photographs-figure-ground",
    out,
    `Oracle figure-ground mIoU (mean intersection over union, 0 to 1) by layer, against color and position without a model (dashed); n = ${photos.length} photographs.`,
    {
      metric: "figure-ground mIoU (0 to 1)",
      layers: layers.map(({ layer }) => `L${layer}`),
      series: [{ label: manifest.model, values: scores }],
      rule: { label: "color + position", value: baseline },
    },
  );
  const verdict = difference > 0
    ? `Layer ${best.layer} segments best, mIoU ${formatNumber(best.figureGround!.miou, 3)}, ${
      formatNumber(difference, 3)
    } above color and position alone (${formatNumber(baseline, 3)}).`
    : `No layer beats color and position alone (mIoU ${
      formatNumber(baseline, 3)
    }): the best, layer ${best.layer}, reaches ${formatNumber(best.figureGround!.miou, 3)}.`;
  return [{
    heading: "Figure and ground",
    body: [
      text(
        `${verdict} An oracle knows the mean eigenvector of figure and ground over these ${photos.length} images and gives each patch to the nearer one (10 eigenvectors, the best of 10 thresholds); the score is the mean intersection over union of the two, over pixels. It says what the eigenvectors hold, not what a segmenter without ground truth would reach.`,
      ),
      image,
    ],
  }];
}

function grid({ photos, layers, manifest }: PhotographsReport): Html {
  const { rows, cols } = manifest.grid;
  const colors = layers.map((layer) => Uint8Array.fromBase64(layer.colors));
  return colorGrid({
    label: "Color maps by image and layer",
    key:
      "Color is the place of a patch on the t-SNE map of its layer: red, green and blue are its three coordinates; from one layer to another they mean nothing",
    columns: layers.map(({ layer }) => `L${layer}`),
    rows: photos.map(({ name, photo }, i) => ({
      label: name,
      photo: pngDataUri(photo.width, photo.height, photo.data),
      cells: colors.map((all) => {
        const patches = (i * manifest.tokens + 1) * 3; // after the class token
        return pngDataUri(cols, rows, all.subarray(patches, patches + rows * cols * 3));
      }),
    })),
  });
}

function layerTable(layers: PhotographLayer[]): Html {
  return table({
    caption:
      "How far each layer can be trusted: largest residual, eigengap after the last component, applications of the affinity, t-SNE's KL divergence (nats) and trustworthiness; wall time",
    columns: ["layer", "residual", "eigengap", "applications", "KL", "trust", "cut, s", "t-SNE, s"],
    rows: layers.map((layer) => [
      [`L${layer.layer}`, ...[cutWarning(layer)].filter(Boolean).map((warning) => `(${warning})`)].join(" "),
      layer.residual,
      layer.eigengap ?? "none",
      layer.applications,
      layer.kl,
      layer.trustworthiness,
      layer.seconds.cut,
      layer.seconds.tsne,
    ]),
    digits: 4,
  });
}
