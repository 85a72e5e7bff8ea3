/** The report of the experiment `segmentation`. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { lineByLayerFigure } from "../../report/responsive_chart.ts";
import { segmentationClaims, WORDS } from "./claims.ts";
import {
  type AlignedScore,
  type GraphSegmentation,
  KINDS,
  ORDER_RULE,
  RESAMPLES,
  type Segmentation,
} from "./compute.ts";
import { exampleSegmentations } from "./pictures.ts";
import { GRAPH_LANDMARKS, GRAPH_NEIGHBORS } from "./layer_graphs.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";
import { layerAxis } from "../shared/relative_layers.ts";
import { ORACLE_COMPONENTS, THRESHOLDS } from "../shared/oracle_segmentation.ts";

const EQUATION = rawHtml(
  `<math display="block"><msub><mi>c</mi><mi>k</mi></msub><mo>=</mo><mi>mean</mi><mo>{</mo><msub><mi>x</mi><mi>i</mi></msub><mo>:</mo><mi>i</mi><mo>∈</mo><mtext>mask&#160;</mtext><mi>k</mi><mo>}</mo><mo>,</mo><mspace width="1em"/><msub><mi>k</mi><mi>i</mi></msub><mo>=</mo><munder><mi>arg&#160;max</mi><mi>k</mi></munder><mspace width="0.2em"/><mi>cos</mi><mo>(</mo><msub><mi>x</mi><mi>i</mi></msub><mo>,</mo><msub><mi>c</mi><mi>k</mi></msub><mo>)</mo><mo>,</mo><mspace width="1em"/><mtext>background where it is below&#160;</mtext><mi>θ</mi></math>`,
);

const BRACKETS = text("In brackets: the layers that 95 % of the bootstrapped sets of images choose.");

/**
 * Writes `segmentation.html`, its chart specs, and the numbers under the experiment `segmentation`.
 *
 * @returns the path of the page
 */
export async function writeSegmentationReport(run: ExperimentRun, found: Segmentation): Promise<string> {
  await Deno.mkdir(run.out, { recursive: true });
  const { single, joint, aligned } = found, { pipeline, out } = run;
  const claims = segmentationClaims(found);
  const layers = [...new Set(aligned.map(({ layer }) => layer))];
  return await writeExperiment(run, "segmentation", { metrics: metricsOf(found), claims }, {
    title: "Segmentation",
    question: "From which layer on are figure and ground separable, and from which on categories?",
    method:
      `The tokens of all images are clustered together, and each is described by the first ${ORACLE_COMPONENTS} eigenvectors x. An oracle that knows the masks places one centre c in every class, the background included; a token takes the class of the most similar centre, or the background below a threshold θ, and of ${THRESHOLDS.length} even thresholds in [0, 1] the best mIoU counts (pixels of all images together, mean over classes). The layer from which on a distinction is there is the first that reaches ${
        100 * ORDER_RULE.reached
      } % of the curve's peak.`,
    equation: EQUATION,
    sections: [
      {
        heading: "Each layer by itself",
        body: [
          text(
            `One graph a layer, of the features as the model gives them, on the first ${single.images} images. Bars are 95 % intervals over bootstrapped images, the centres held.`,
          ),
          ...await curvesAndTables(out, "segmentation-single", single),
        ],
      },
      {
        heading: "All layers and models in one graph",
        body: [
          text(
            `The pipeline's graph of aligned features on all ${joint.images} images. Its first eigenvectors also have to tell layers and models apart.`,
          ),
          ...await curvesAndTables(out, "segmentation-joint", joint),
        ],
      },
      {
        heading: "Before and after alignment",
        body: [
          text(
            `Graphs of ${layers.length === 1 ? "layer" : "layers"} ${
              layers.join(", ")
            } of every model by themselves, on the first ${single.images} images; aligned with the eigen-constraint (λ = 1) and without it (λ = 0), one training of each.`,
          ),
          ...await alignedCharts(out, aligned, layers, single.images),
          alignedTable(aligned),
        ],
      },
      {
        heading: "Example segmentations",
        body: [
          text("From the graphs of single layers; every token takes one color."),
          ...await exampleSegmentations(pipeline, single, "figure_ground"),
          ...await exampleSegmentations(pipeline, single, "category"),
        ],
      },
    ],
    settings: {
      "images, single layers": single.images,
      "images, all layers and models": joint.images,
      "layers after alignment": layers.join(", "),
      eigenvectors: ORACLE_COMPONENTS,
      thresholds: THRESHOLDS.length,
      "landmarks of a single layer": GRAPH_LANDMARKS,
      "nearest landmarks of a node": GRAPH_NEIGHBORS,
      "bootstrap resamples": RESAMPLES,
    },
  });
}

function metricsOf({ single, joint, aligned, constraint, loss }: Segmentation): Record<string, number> {
  const metrics: Record<string, number> = { "images.single": single.images, "images.joint": joint.images };
  const put = (name: string, { value, interval }: { value: number; interval: [number, number] }) => {
    [metrics[name], metrics[`${name}.low`], metrics[`${name}.high`]] = [value, ...interval];
  };
  for (const [suffix, graph] of [["", single], [".joint", joint]] as const) {
    for (const kind of KINDS) {
      put(`miou.${kind}.baseline_rgb_position${suffix}`, graph.baseline[kind]);
      for (const { model, scores, order } of graph.models) {
        for (const score of scores[kind]) {
          const name = `miou.${kind}.${model}.L${score.layer}${suffix}`;
          put(name, score);
          metrics[`${name}.threshold`] = score.threshold;
        }
        metrics[`reached.${kind}.${model}${suffix}`] = order.reached[kind].layer;
        metrics[`peak.layer.${kind}.${model}${suffix}`] = order.peak[kind].layer;
      }
    }
    for (const { model, order } of graph.models) {
      metrics[`order.p.${model}${suffix}`] = order.earlier.p;
      metrics[`order.kept.${model}${suffix}`] = order.stays.effect + ORDER_RULE.kept;
      metrics[`order.baseline_p.${model}${suffix}`] = order.beyondBaseline.p;
    }
  }
  for (const { model, layer, aligned: own, noConstraint } of aligned) {
    for (const kind of KINDS) {
      put(`miou.${kind}.${model}.L${layer}.aligned`, own[kind]);
      put(`miou.${kind}.${model}.L${layer}.aligned_no_constraint`, noConstraint[kind]);
    }
  }
  for (const kind of KINDS) {
    for (const [name, { [kind]: { effect, low, high, p } }] of Object.entries({ constraint, loss })) {
      put(`${name}.${kind}`, { value: effect, interval: [low, high] });
      metrics[`${name}.${kind}.p`] = p;
    }
  }
  return metrics;
}

function intervalText([low, high]: [number, number]): string {
  return low === high ? formatNumber(low, 0) : `${formatNumber(low, 0)} to ${formatNumber(high, 0)}`;
}

async function curvesAndTables(out: string, name: string, found: GraphSegmentation): Promise<Html[]> {
  const { models, baseline, images } = found;
  const curves = await Promise.all(KINDS.map((kind) =>
    lineByLayerFigure(
      `${name}-${kind}`,
      out,
      `${
        kind === "category" ? "Category" : "Figure-ground"
      } mIoU (mean intersection over union, 0 to 1) by layer; n = ${images} images, bars are 95 % intervals over bootstrapped images. The dashed line is the same oracle with color and position of the patches instead of eigenvectors.`,
      {
        metric: `${WORDS[kind]} mIoU (0 to 1)`,
        layers: layerAxis(models.flatMap(({ scores }) => scores[kind])),
        rule: { label: "color and position", value: baseline[kind].value },
        series: models.map(({ model, scores }) => ({
          label: model,
          values: scores[kind].map(({ value }) => value),
          intervals: scores[kind].map(({ interval }) => interval),
        })),
      },
    )
  ));
  return [...curves, orderTable(found), BRACKETS, layerTable(found)];
}

function layerTable({ models, baseline }: GraphSegmentation): Html {
  const range = ([low, high]: [number, number]) =>
    `${formatNumber(low, 3)}\u00a0to\u00a0${formatNumber(high, 3)}`;
  return table({
    caption: "mIoU by layer, with 95 % intervals",
    columns: ["layer", "figure-ground", "interval", "category", "interval"],
    rows: [
      ...models.flatMap(({ model, scores }) =>
        scores.figure_ground.map(({ layer, value, interval }, i) => [
          `${model} L${layer}`,
          value,
          range(interval),
          scores.category[i].value,
          range(scores.category[i].interval),
        ])
      ),
      [
        "color and position",
        baseline.figure_ground.value,
        range(baseline.figure_ground.interval),
        baseline.category.value,
        range(baseline.category.interval),
      ],
    ],
  });
}

function orderTable({ models }: GraphSegmentation): Html {
  return table({
    caption: "First layer that reaches 95 % of the peak, and the layer of the peak; the paper's beside ours",
    columns: ["model", "figure-ground from", "peak at", "mIoU", "category from", "peak at", "mIoU"],
    rows: [
      ...models.map(({ model, order: { reached, peak } }) => [
        model,
        ...KINDS.flatMap((kind) => [
          `L${reached[kind].layer} (${intervalText(reached[kind].interval)})`,
          `L${peak[kind].layer} (${intervalText(peak[kind].interval)})`,
          formatNumber(peak[kind].value, 3),
        ]),
      ]),
      ["the paper's CLIP, photographs", "L4", "L4, stays", "0.6", "not reported", "L9 and L10", "0.5"],
    ],
  });
}

const CONDITIONS = [
  { name: "before alignment", of: (score: AlignedScore) => score.before },
  { name: "with constraint", of: (score: AlignedScore) => score.aligned },
  { name: "without", of: (score: AlignedScore) => score.noConstraint },
] as const;

function alignedCharts(
  out: string,
  aligned: AlignedScore[],
  layers: number[],
  images: number,
): Promise<Html[]> {
  const mean = (layer: number, of: (score: AlignedScore) => number) => {
    const own = aligned.filter((score) => score.layer === layer);
    return own.reduce((sum, score) => sum + of(score), 0) / own.length;
  };
  return Promise.all(KINDS.map((kind) =>
    lineByLayerFigure(
      `segmentation-aligned-${kind}`,
      out,
      `${
        kind === "category" ? "Category" : "Figure-ground"
      } mIoU (mean intersection over union, 0 to 1) by layer before and after alignment, mean over the models that have the layer; n = ${images} images.`,
      {
        metric: `${WORDS[kind]} mIoU, mean over models (0 to 1)`,
        layers: layers.map((layer) => `L${layer}`),
        series: CONDITIONS.map(({ name, of }) => ({
          label: name,
          values: layers.map((layer) => mean(layer, (score) => of(score)[kind].value)),
        })),
      },
    )
  ));
}

function alignedTable(aligned: AlignedScore[]): Html {
  return table({
    caption:
      "mIoU of single layers before alignment, after it with the eigen-constraint, and after it without",
    columns: ["layer", ...KINDS.flatMap((kind) => [`${WORDS[kind]} before`, "with", "without"])],
    rows: aligned.map((score) => [
      `${score.model} L${score.layer}`,
      ...KINDS.flatMap((kind) => CONDITIONS.map(({ of }) => of(score)[kind].value)),
    ]),
  });
}
