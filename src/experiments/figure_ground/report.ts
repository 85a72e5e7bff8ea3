/** The report of the experiment `figure-ground`. */
import { figure, formatNumber, table, text } from "../../report/blocks.ts";
import { regionHeatMap } from "../../report/charts/region_heat_map.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { lineByLayerFigure, responsiveChart } from "../../report/responsive_chart.ts";
import { cachedCortexPicture } from "../shared/cortex_picture.ts";
import { FIGURE_LESS, PAPER_LAYERS, PERMUTATIONS, RESAMPLES } from "./compute.ts";
import { cachedActivationSheets } from "../shared/activation_sheets.ts";
import { similarityMaps } from "./pictures.ts";
import type { VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";
import { layerAxis } from "../shared/relative_layers.ts";
import { figureGroundClaims } from "./claims.ts";
import type { FigureGround, RegionActivation } from "./results.ts";

const EQUATION = rawHtml(
  `<math display="block"><msub><mi>B</mi><mi>l</mi></msub><mo>=</mo><msub><mi>V</mi><mi>l</mi></msub><msub><mi>W</mi><mi>l</mi></msub><mi>β</mi><mo>,</mo><mspace width="1em"/><msub><mi>b</mi><mtext>figure</mtext></msub><mo>=</mo><mi>mean</mi><mo>{</mo><msub><mi>v</mi><mi>i</mi></msub><mo>:</mo><mi>i</mi><mo>∈</mo><mtext>figure</mtext><mo>}</mo><msub><mi>W</mi><mi>l</mi></msub><mi>β</mi><mo>,</mo><mspace width="1em"/><msub><mi>s</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mi>cos</mi><mo>(</mo><msub><mi>x</mi><mi>i</mi></msub><mo>,</mo><msub><mi>x</mi><mi>j</mi></msub><mo>)</mo></math>`,
);

const UNIT = "standard deviations of a voxel";

/** Regions drawn together by layer. */
const GROUPS = [
  { label: "V1–V4", rois: ["V1", "V2", "V3", "V4"] },
  { label: "faces", rois: ["OFA", "FFA"] },
  { label: "places", rois: FIGURE_LESS },
];

/**
 * Writes `figure-ground.html`, its chart specs, and the numbers under the experiment `figure-ground`.
 *
 * @param sheet one place a voxel, and what is to be said of it
 * @returns the path of the page
 */
export async function writeFigureGroundReport(
  run: ExperimentRun,
  found: FigureGround,
  sheet: VoxelSheet,
): Promise<string> {
  await Deno.mkdir(run.out, { recursive: true });
  const { pipeline, out } = run, { models } = found;
  const claims = figureGroundClaims(found);
  const layers = models.map(({ model, layer }) => `${model} L${layer}`).join(", ");
  return await writeExperiment(run, "figure-ground", { metrics: metricsOf(found), claims }, {
    title: "Figure and ground",
    question:
      "Which regions does the figure activate more than the ground, and does one pixel find all figures?",
    method:
      `Features of a layer are averaged over the figure patches and over the ground patches of every image and mapped into brain space by the pipeline's alignment, B = V W β; the mean over a region's voxels is its activation. One pixel is compared with all patches of images of other categories by the cosine of their ${pipeline.eigenvectors.cols} joint eigenvectors; A is how often a patch of its own kind is more similar than one of the other kind in the same image. The layers are the paper's, whatever ours show: ${layers}.`,
    equation: EQUATION,
    sections: [
      { heading: "Figure and ground in brain space", body: await regionSection(out, found, sheet) },
      { heading: "By layer", body: await layerSection(out, found) },
      {
        heading: "One pixel in images of other categories",
        body: [
          text(
            "The first row shows the photographs, the pixel framed in the left one; below, each model's similarity to it, dark at 0 or less, bright at 1.",
          ),
          await similarityMaps(pipeline, found, "figure"),
          await similarityMaps(pipeline, found, "ground"),
          await areaChart(out, found),
          areaTable(found),
        ],
      },
    ],
    settings: {
      "images with figure and ground": found.images.length,
      "pixels that are pointed at":
        `${found.queries.figure.length} of figure, ${found.queries.ground.length} of ground`,
      "tested layers": layers,
      "bootstrap resamples": RESAMPLES,
      permutations: PERMUTATIONS,
    },
  });
}

function metricsOf({ models, pairs, place, maps, across, images }: FigureGround): Record<string, number> {
  const metrics: Record<string, number> = {
    images: images.length,
    "similarity.auc.place": place.figure,
    "similarity.auc_ground.place": place.ground,
  };
  const put = (name: string, { value, interval }: { value: number; interval: [number, number] }) => {
    [metrics[name], metrics[`${name}.low`], metrics[`${name}.high`]] = [value, ...interval];
  };
  for (const { model, layer, regions, whole, layers, figure, ground } of models) {
    metrics[`layer.${model}`] = layer;
    for (const [of, own] of [["", regions], [".all", whole]] as const) {
      for (const { roi, figure, ground, difference, p } of own) {
        metrics[`activation.figure.${model}.${roi}${of}`] = figure;
        metrics[`activation.ground.${model}.${roi}${of}`] = ground;
        put(`activation.difference.${model}.${roi}${of}`, difference);
        if (p !== null) metrics[`activation.p.${model}.${roi}${of}`] = p;
      }
    }
    for (const [name, search] of [["auc", figure], ["auc_ground", ground]] as const) {
      put(`similarity.${name}.${model}`, search.area);
      metrics[`similarity.${name}.${model}.p`] = search.beyondPlace.p;
      metrics[`similarity.${name}.${model}.aligned`] = search.aligned;
      metrics[`similarity.${name}.${model}.raw`] = search.raw;
      [metrics[`similarity.${name}.${model}.lowest`], metrics[`similarity.${name}.${model}.highest`]] =
        search.range;
    }
    for (const { layer, differences, area } of layers) {
      regions.forEach(({ roi }, r) => put(`activation.difference.${model}.${roi}.L${layer}`, differences[r]));
      put(`similarity.auc.${model}.L${layer}`, area);
    }
  }
  for (const { models, agreement: { effect, low, high, p } } of pairs) {
    put(`regions.r.${models.join(".")}`, { value: effect, interval: [low, high] });
    metrics[`regions.p.${models.join(".")}`] = p;
  }
  for (const [name, effect] of [["maps", maps], ["across", across]] as const) {
    if (!effect) continue;
    metrics[`${name}.raw`] = effect.raw;
    metrics[`${name}.aligned`] = effect.aligned;
    metrics[`${name}.p`] = effect.gain.p;
  }
  return metrics;
}

async function regionSection(
  out: string,
  { models, rois, images }: FigureGround,
  sheet: VoxelSheet,
): Promise<Html[]> {
  const heatMap = await responsiveChart(
    "figure-ground-regions",
    out,
    `Mean activation of figure and of ground (columns) by region (rows) and model, in ${UNIT}; n = ${images.length} images; one layer's part of the prediction.`,
    (theme, width) =>
      regionHeatMap({
        name: `activation of figure and ground by region, ${UNIT}`,
        unit: `mean activation (${UNIT})`,
        regions: rois,
        columns: ["figure", "ground"],
        panels: models.map(({ model, layer, regions }) => ({
          title: `${model} L${layer}`,
          values: regions.map(({ figure, ground }) => [figure, ground]),
        })),
        width,
      }, theme),
  );
  const caption =
    `Mean activation by figure and by ground on the cortex, in ${UNIT}, all on one scale; n = ${images.length} images. The map below says which region is which.`;
  const cortexOf = (kind: "figure" | "ground") =>
    models.map(({ model, voxels }) => ({ title: `${model}, ${kind}`, values: voxels[kind] }));
  const [byFigure, byGround] = [cortexOf("figure"), cortexOf("ground")];
  const unit = `mean activation, ${UNIT}`;
  const sheets = figure({
    image: {
      svg: await cachedActivationSheets(sheet, [byFigure, byGround], unit, { names: false }),
      narrowSvg: await cachedActivationSheets(
        sheet,
        byFigure.map((own, i) => [own, byGround[i]]),
        unit,
        { names: false, heading: 20 },
      ),
    },
    caption,
    alt: caption,
    name: "figure-ground-cortex",
  });
  const regions =
    `Where the regions lie, voxels of none of them pale; n = ${sheet.places.length} voxels; ${sheet.note}.`;
  return [
    sheets,
    heatMap,
    figure({
      image: {
        svg: await cachedCortexPicture(sheet, "wide"),
        narrowSvg: await cachedCortexPicture(sheet, "narrow"),
      },
      caption: regions,
      alt: regions,
      name: "figure-ground-where",
    }),
    regionTable(
      `Figure minus ground at the tested layer, in ${UNIT}; p one-sided, in the paper's direction`,
      models.map(({ model, layer, regions }) => ({ name: `${model} L${layer}`, regions })),
    ),
    text("One layer is a small part of the prediction, which is the sum over all of them."),
    regionTable(
      "The same of all layers of a model together, summed as in the prediction",
      models.map(({ model, whole }) => ({ name: model, regions: whole })),
    ),
  ];
}

function regionTable(caption: string, parts: { name: string; regions: RegionActivation[] }[]): Html {
  return table({
    caption,
    columns: ["region", "figure", "ground", "difference", "low", "high", "paper: more", "p"],
    rows: parts.flatMap(({ name, regions }) =>
      regions.map(({ roi, figure, ground, difference, expected, p }) => [
        `${name} ${roi}`,
        figure,
        ground,
        difference.value,
        ...difference.interval,
        expected === 1 ? "figure" : expected === -1 ? "ground" : "–",
        p === null ? "–" : formatNumber(p, 4),
      ])
    ),
  });
}

async function layerSection(out: string, { models, rois, images }: FigureGround): Promise<Html[]> {
  const groups = GROUPS.map(({ label, rois: names }) => ({
    label,
    at: names.map((name) => rois.indexOf(name)).filter((r) => r >= 0),
  })).filter(({ at }) => at.length > 0);
  if (groups.length === 0) return [text("The subject has none of the regions of the claim.")];
  return await Promise.all(models.map(({ model, layers }) =>
    lineByLayerFigure(
      `figure-ground-layers-${model}`,
      out,
      `Figure minus ground in ${model} by layer, mean over the regions of a group, in ${UNIT}; n = ${images.length} images.`,
      {
        metric: `${model}: figure minus ground (sd of a voxel)`,
        layers: layers.map(({ layer }) => `L${layer}`),
        rule: { label: "", value: 0 },
        series: groups.map(({ label, at }) => ({
          label,
          values: layers.map(({ differences }) =>
            at.reduce((sum, r) => sum + differences[r].value, 0) / at.length
          ),
        })),
      },
    )
  ));
}

function areaChart(out: string, { models, place, images }: FigureGround): Promise<Html> {
  return lineByLayerFigure(
    "figure-ground-pixel",
    out,
    `A of a figure pixel (0 to 1) in images of other categories by layer; n = ${images.length} images, bars are 95 % intervals over bootstrapped images. The dashed line is nearness to the pixel's place. Tested are ${
      models.map(({ model, layer }) => `${model} L${layer}`).join(", ")
    }.`,
    {
      metric: "A, area under the curve (0 to 1)",
      layers: layerAxis(models.flatMap(({ layers }) => layers)),
      rule: { label: "place alone", value: place.figure },
      series: models.map(({ model, layers }) => ({
        label: model,
        values: layers.map(({ area }) => area.value),
        intervals: layers.map(({ area }) => area.interval),
      })),
    },
  );
}

function areaTable({ models, place }: FigureGround): Html {
  const paper = (model: string) => {
    const own = PAPER_LAYERS.find(({ name }) => model.toUpperCase().includes(name));
    return own ? `${own.name} L${own.layer}` : "none";
  };
  return table({
    caption: "A of one pixel at the tested layer: in eigenvectors, and in the layer's features",
    columns: ["model", "the paper's", "figure", "aligned", "raw", "ground", "aligned", "raw"],
    rows: [
      ...models.map(({ model, layer, figure, ground }) => [
        `${model} L${layer}`,
        paper(model),
        figure.area.value,
        figure.aligned,
        figure.raw,
        ground.area.value,
        ground.aligned,
        ground.raw,
      ]),
      [
        "place alone",
        "–",
        place.figure,
        place.figure,
        place.figure,
        place.ground,
        place.ground,
        place.ground,
      ],
    ],
  });
}
