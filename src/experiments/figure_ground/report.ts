/** The report of the experiment `figure-ground`. */
import { claimBox, figure, formatNumber, table, text } from "../../report/blocks.ts";
import { lineByLayerChart } from "../../report/charts/line_by_layer.ts";
import { regionHeatMap } from "../../report/charts/region_heat_map.ts";
import { type Html, html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import type { Claim } from "../../report/results.ts";
import { cortexPicture } from "../shared/cortex_picture.ts";
import {
  type AlignEffect,
  FIGURE_LESS,
  FIGURE_MORE,
  type FigureGround,
  type ModelFigureGround,
  P,
  PAPER_LAYERS,
  PERMUTATIONS,
  type RegionActivation,
  regionsP,
  RESAMPLES,
} from "./compute.ts";
import { activationSheets } from "../shared/activation_sheets.ts";
import { similarityMaps } from "./pictures.ts";
import type { VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";
import { layerAxis } from "../shared/relative_layers.ts";

const EQUATION = rawHtml(
  `<math display="block"><msub><mi>B</mi><mi>l</mi></msub><mo>=</mo><msub><mi>V</mi><mi>l</mi></msub><msub><mi>W</mi><mi>l</mi></msub><mi>β</mi><mo>,</mo><mspace width="1em"/><msub><mi>b</mi><mtext>figure</mtext></msub><mo>=</mo><mi>mean</mi><mo>{</mo><msub><mi>v</mi><mi>i</mi></msub><mo>:</mo><mi>i</mi><mo>∈</mo><mtext>figure</mtext><mo>}</mo><msub><mi>W</mi><mi>l</mi></msub><mi>β</mi><mo>,</mo><mspace width="1em"/><msub><mi>s</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mi>cos</mi><mo>(</mo><msub><mi>x</mi><mi>i</mi></msub><mo>,</mo><msub><mi>x</mi><mi>j</mi></msub><mo>)</mo></math>`,
);

/** Two figures beside each other where there is room. */
const ROW = "display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: flex-start",
  CELL = "flex: 1 1 24rem; min-width: 0";

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
  const claims = [
    ...models.map((model) => regionClaim(model, found, "layer")),
    ...models.map((model) => regionClaim(model, found, "model")),
    ...found.pairs.length > 0 ? [patternClaim(found)] : [],
    ...models.map((model) => pixelClaim(model, found, "figure")),
    ...models.map((model) => pixelClaim(model, found, "ground")),
    ...effectClaims(found),
  ];
  const layers = models.map(({ model, layer }) => `${model} L${layer}`).join(", ");
  return await writeExperiment(run, "figure-ground", { metrics: metricsOf(found), claims }, {
    title: "Figure and ground",
    question: "What does figure do in the brain that ground does not, and does one pixel find all figures?",
    method:
      `Features of a layer are averaged over the figure patches and over the ground patches of every image and carried into brain space by the pipeline's align, B = V W β; the mean over a region's voxels is its activation. One pixel is compared with all patches of images of other categories by the cosine of their ${pipeline.eigenvectors.cols} joint eigenvectors; A is how often a patch of its own kind is more similar than one of the other kind in the same image. The layers are the paper's, whatever ours show: ${layers}.`,
    equation: EQUATION,
    sections: [
      { heading: "Claims", body: claims.map(claimBox) },
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
    for (const { roi, figure, ground, difference, p } of regions) {
      metrics[`activation.figure.${model}.${roi}`] = figure;
      metrics[`activation.ground.${model}.${roi}`] = ground;
      put(`activation.difference.${model}.${roi}`, difference);
      if (p !== null) metrics[`activation.p.${model}.${roi}`] = p;
    }
    for (const { roi, figure, ground, difference, p } of whole) {
      metrics[`activation.figure.${model}.${roi}.all`] = figure;
      metrics[`activation.ground.${model}.${roi}.all`] = ground;
      put(`activation.difference.${model}.${roi}.all`, difference);
      if (p !== null) metrics[`activation.p.${model}.${roi}.all`] = p;
    }
    for (const [name, search] of [["auc", figure], ["auc_ground", ground]] as const) {
      put(`similarity.${name}.${model}`, search.area);
      metrics[`similarity.${name}.${model}.p`] = search.p;
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
  for (const { models, r, p } of pairs) {
    put(`regions.r.${models.join(".")}`, r);
    metrics[`regions.p.${models.join(".")}`] = p;
  }
  for (const [name, effect] of [["maps", maps], ["across", across]] as const) {
    if (!effect) continue;
    metrics[`${name}.raw`] = effect.raw;
    metrics[`${name}.aligned`] = effect.aligned;
    metrics[`${name}.p`] = effect.p;
  }
  return metrics;
}

function regionClaim(
  { model, layer, layers, regions, whole }: ModelFigureGround,
  { images }: FigureGround,
  where: "layer" | "model",
): Claim {
  const tested = (where === "layer" ? regions : whole).filter(({ expected }) => expected !== 0);
  const named = (of: (region: RegionActivation) => boolean) =>
    tested.filter(of).map(({ roi }) => roi).join(", ");
  const holds = ({ p }: RegionActivation) => p! <= P;
  const reverse = ({ expected, difference }: RegionActivation) => expected * difference.value < 0;
  const missing = [
    [named((region) => !holds(region) && !reverse(region)), "not surely so in"],
    [named(reverse), "the reverse in"],
  ].filter(([names]) => names !== "");
  const common = {
    id: `figure-activates-early-and-face-regions-in-${slug(model)}${where === "model" ? "-all-layers" : ""}`,
    paper:
      "figure activates V1 to V4 and FFA, and OPA and PPA negatively; ground does the reverse, in CLIP, DINO and MAE",
    n: images.length,
  };
  if (tested.length < FIGURE_MORE.length + FIGURE_LESS.length) {
    return {
      ...common,
      measured: `the subject lacks some of ${[...FIGURE_MORE, ...FIGURE_LESS].join(", ")}`,
      statistic: "none",
      verdict: "not testable",
    };
  }
  const at = where === "layer" ? `${model} L${layer}` : `${model}, sum of its ${layers.length} layers`;
  return {
    ...common,
    measured: `${at}: figure is above ground in ${
      named((region) => holds(region) && region.expected === 1) || "no region"
    }, below it in ${named((region) => holds(region) && region.expected === -1) || "no region"}${
      missing.map(([names, how]) => `; ${how} ${names}`).join("")
    }`,
    statistic:
      `sign-flip tests over images of figure less ground: V1 to V4, OFA and FFA above 0, OPA and PPA below; all eight have to hold with p ≤ ${P}, so that the largest p counts and nothing is to be corrected; ${
        tested.map(({ roi, difference: { value } }) => `${roi} ${formatNumber(value, 3)}`).join(", ")
      }`,
    p: regionsP(tested),
    verdict: verdictOf(tested.every(holds), images.length),
  };
}

/** With n images flipping signs gives no p below 2⁻ⁿ: with few of them nothing could be shown. */
function verdictOf(isShown: boolean, images: number): Claim["verdict"] {
  return 2 ** -images > P ? "not testable" : isShown ? "shown" : "not shown";
}

function patternClaim({ pairs, rois }: FigureGround): Claim {
  const p = Math.max(...pairs.map((pair) => pair.p));
  return {
    id: "models-agree-on-regions",
    paper: "figure and ground activate similar regions in the three models",
    measured: pairs.map(({ models, r }) =>
      `${models.join(" and ")}: r = ${formatNumber(r.value, 2)} (95 % interval ${
        formatNumber(r.interval[0], 2)
      } to ${formatNumber(r.interval[1], 2)})`
    ).join("; "),
    statistic:
      `Pearson's r of figure less ground over the regions; regions of one model permuted; every pair has to hold with p ≤ ${P}, the largest p counts; intervals over bootstrapped images`,
    n: rois.length,
    p,
    verdict: p <= P ? "shown" : "not shown",
  };
}

function pixelClaim(own: ModelFigureGround, found: FigureGround, kind: "figure" | "ground"): Claim {
  const { model, layer, [kind]: { area, p, range } } = own;
  const shown = p <= P && area.interval[0] > 0.5;
  return {
    id: `one-${kind}-pixel-finds-${kind}-in-${slug(model)}`,
    paper: kind === "figure"
      ? "one pixel on a person is similar to the foreground of images of all other classes"
      : "the same holds for one background pixel and the background",
    measured: `${model} L${layer}: A = ${
      formatNumber(area.value, 3)
    } in images of other categories, mean of ${found.queries[kind].length} pixels (single pixels ${
      formatNumber(range[0], 2)
    } to ${formatNumber(range[1], 2)}); place alone ${formatNumber(found.place[kind], 3)}${
      area.interval[0] > 0.5 && p > P ? "; better than chance, not better than place" : ""
    }`,
    statistic: `95 % interval over bootstrapped images ${formatNumber(area.interval[0], 3)} to ${
      formatNumber(area.interval[1], 3)
    }; sign-flip test over images of A less that of nearness to the pixel's place; shown when p ≤ ${P} and the interval is above one half`,
    n: found.images.length,
    p,
    verdict: verdictOf(shown, found.images.length),
  };
}

function effectClaims({ maps, across }: FigureGround): Claim[] {
  const claim = (id: string, paper: string, what: string, effect: AlignEffect): Claim => ({
    id,
    paper,
    measured: `${what}: ${formatNumber(effect.aligned, 3)} aligned, ${formatNumber(effect.raw, 3)} unaligned`,
    statistic: "one-sided sign-flip test over images of aligned less unaligned",
    n: effect.images,
    p: effect.p,
    verdict: verdictOf(effect.p <= P, effect.images),
  });
  const paper = "the figure-ground concept is consistent across models, once their channels are aligned";
  return [
    ...maps
      ? [
        claim(
          "models-agree-on-similarity",
          paper,
          "r of two models' similarity maps of the same pixel",
          maps,
        ),
      ]
      : [],
    ...across
      ? [claim(
        "a-pixel-of-one-model-finds-figure-in-another",
        paper,
        "A of a figure pixel of one model among the patches of another, images of other categories",
        across,
      )]
      : [],
  ];
}

function slug(model: string): string {
  return model.replace(/[^\w]|_/g, "-");
}

async function regionSection(
  out: string,
  { models, rois }: FigureGround,
  sheet: VoxelSheet,
): Promise<Html[]> {
  const heatMap = await responsiveChart(
    "figure-ground-regions",
    out,
    `Mean activation of figure and of ground by region and model, in ${UNIT}; one layer's part of the prediction. Orange is positive, blue negative.`,
    (theme, width) =>
      regionHeatMap({
        name: `activation of figure and ground by region, ${UNIT}`,
        regions: rois,
        columns: ["figure", "ground"],
        panels: models.map(({ model, layer, regions }) => ({
          title: `${model} L${layer}`,
          values: regions.map(({ figure, ground }) => [figure, ground]),
        })),
        width,
      }, theme),
  );
  const caption = "Figure and ground on the cortex, all on one scale.";
  const sheets = figure({
    image: {
      svg: activationSheets(
        sheet,
        models.map(({ model, voxels }) => [
          { title: `${model}, figure`, values: voxels.figure },
          { title: `${model}, ground`, values: voxels.ground },
        ]),
        `mean activation, ${UNIT}`,
      ),
      narrowSvg: activationSheets(
        sheet,
        models.flatMap(({ model, voxels }) => [
          [{ title: `${model}, figure`, values: voxels.figure }],
          [{ title: `${model}, ground`, values: voxels.ground }],
        ]),
        `mean activation, ${UNIT}`,
      ),
    },
    caption,
    alt: caption,
    name: "figure-ground-cortex",
  });
  const regions = `Where the regions lie, voxels of none of them pale; ${sheet.note}.`;
  return [
    html`
      <div style="${ROW}">
        <div style="${CELL}">${heatMap}</div>
        <div style="${CELL}">${sheets}</div>
      </div>
    `,
    figure({
      image: { svg: cortexPicture(sheet), narrowSvg: cortexPicture(sheet, "narrow") },
      caption: regions,
      alt: regions,
      name: "figure-ground-where",
    }),
    regionTable(
      `Figure less ground at the tested layer, in ${UNIT}; p one-sided, in the paper's direction`,
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

async function layerSection(out: string, { models, rois }: FigureGround): Promise<Html[]> {
  const groups = GROUPS.map(({ label, rois: names }) => ({
    label,
    at: names.map((name) => rois.indexOf(name)).filter((r) => r >= 0),
  })).filter(({ at }) => at.length > 0);
  if (groups.length === 0) return [text("The subject has none of the regions of the claim.")];
  return await Promise.all(models.map(({ model, layers }) =>
    responsiveChart(
      `figure-ground-layers-${model}`,
      out,
      `Figure less ground in ${model} by layer, mean over the regions of a group, in ${UNIT}.`,
      (theme, width) =>
        lineByLayerChart({
          metric: `${model}: figure less ground`,
          width,
          layers: layers.map(({ layer }) => `L${layer}`),
          rule: { label: "", value: 0 },
          series: groups.map(({ label, at }) => ({
            label,
            values: layers.map(({ differences }) =>
              at.reduce((sum, r) => sum + differences[r].value, 0) / at.length
            ),
          })),
        }, theme),
    )
  ));
}

function areaChart(out: string, { models, place }: FigureGround): Promise<Html> {
  return responsiveChart(
    "figure-ground-pixel",
    out,
    `A of a figure pixel in images of other categories by layer; bars are 95 % intervals over bootstrapped images. The dashed line is nearness to the pixel's place. Tested are ${
      models.map(({ model, layer }) => `${model} L${layer}`).join(", ")
    }.`,
    (theme, width) =>
      lineByLayerChart({
        metric: "A, area under the curve",
        width,
        layers: layerAxis(models.flatMap(({ layers }) => layers)),
        rule: { label: "place alone", value: place.figure },
        series: models.map(({ model, layers }) => ({
          label: model,
          values: layers.map(({ area }) => area.value),
          intervals: layers.map(({ area }) => area.interval),
        })),
      }, theme),
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
