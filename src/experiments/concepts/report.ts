/** The report of the experiment `concepts`. */
import { figure, formatNumber, table, text } from "../../report/blocks.ts";
import { meanSpreadChart } from "../../report/charts/mean_spread.ts";
import { regionHeatMap } from "../../report/charts/region_heat_map.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import { conceptClaims } from "./claims.ts";
import { type Concept, type Concepts, layerPlaces, RULES } from "./compute.ts";
import { conceptGrid, conceptSheet } from "./pictures.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import type { VoxelSheet } from "../../pipeline/voxel_sheet.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";

const EQUATION = rawHtml(
  `<math display="block"><mi>b</mi><mo>=</mo><mi>v</mi><msub><mi>W</mi><mi>l</mi></msub><mi>β</mi><mo>,</mo><mspace width="1em"/><mi>sd</mi><mo>(</mo><mi>b</mi><mo>)</mo><mo>≈</mo><msub><mi>c</mi><mn>0</mn></msub><mo>+</mo><msub><mi>c</mi><mn>1</mn></msub><mi>mean</mi><mo>(</mo><mi>b</mi><mo>)</mo><mo>+</mo><msub><mi>c</mi><mn>2</mn></msub><msup><mrow><mi>mean</mi><mo>(</mo><mi>b</mi><mo>)</mo></mrow><mn>2</mn></msup></math>`,
);

/** Concepts that are drawn, and photographs of each. */
const SHOWN = 5, PHOTOS = 6;

/**
 * Writes `concepts.html`, its chart specs, and the numbers under the experiment `concepts`.
 *
 * @param sheet one place a voxel, and what is to be said of it
 * @returns the path of the page
 */
export async function writeConceptsReport(
  run: ExperimentRun,
  found: Concepts,
  sheet: VoxelSheet,
): Promise<string> {
  await Deno.mkdir(run.out, { recursive: true });
  const { concepts, parabola, shape, purity, model, layer } = found;
  const metrics: Record<string, number> = {
    concepts: concepts.length,
    "mean_sd.quadratic": parabola.quadratic,
    "mean_sd.quadratic.low": -shape.high,
    "mean_sd.quadratic.high": -shape.low,
    "mean_sd.p": shape.p,
    radius: found.radius,
  };
  if (purity) {
    metrics["purity.mean"] = purity.mean;
    metrics["purity.chance"] = purity.mean - purity.effect;
    metrics["purity.p"] = purity.p;
  }
  const claims = conceptClaims(found);
  const shown = shownConcepts(concepts),
    names = shown.map((concept, i) => nameOf(concept, i, run.pipeline.classes));
  return await writeExperiment(run, "concepts", { metrics, claims }, {
    title: "Concepts",
    question:
      `Which visual concepts does layer ${layer} of ${model} hold, and are strong ones more consistent?`,
    method:
      `On the map of three dimensions, ${RULES.centres} farthest points among the patches of the layer are the centres of spheres; the patches inside a sphere are a concept if there are at least ${RULES.patches} of them from ${RULES.images} images. Each patch is mapped into brain space by the pipeline's alignment; mean and standard deviation are taken over the patches of a concept, region by region, in units of the standard deviation over all patches of the layer, after subtracting their mean. A parabola is fitted to all concepts and regions.`,
    equation: EQUATION,
    sections: [
      {
        heading: "Five concepts",
        body: [
          text(
            `Those whose figure patches agree most on a category, of those seen in most images first where equal; they are named for it, or mixed where it has less than half, so that two may share a name. Photographs are gray where the concept is not.`,
          ),
          ...await brainSection(run, found, shown, names, sheet),
          await conceptGrid(run.pipeline, shown, names, PHOTOS - 1, "Photographs of five concepts"),
        ],
      },
      { heading: "Strength and consistency", body: await shapeSection(run.out, found) },
      { heading: "All concepts", body: [conceptTable(found, run.pipeline)] },
    ],
    settings: {
      model,
      layer,
      images: found.images,
      "centres left out": found.dropped,
      "radius of the spheres": formatNumber(found.radius, 3),
      "bootstrap resamples": RULES.resamples,
      permutations: RULES.resamples,
    },
  });
}

/** The concepts drawn: of the most agreed category first, then of more images. */
function shownConcepts(concepts: readonly Concept[], count = SHOWN): Concept[] {
  const share = ({ category, figure, patches }: Concept) =>
    category && figure * patches.length >= RULES.patches ? category.share : -1;
  return [...concepts].sort((a, b) => share(b) - share(a) || b.images - a.images).slice(0, count);
}

/** A concept's number and the category of at least half of its figure patches. */
export function nameOf({ category }: Concept, i: number, classes: readonly string[]): string {
  if (classes.length === 0) return `concept ${i + 1}`;
  return `${i + 1} ${category && category.share >= 0.5 ? classes[category.index] : "mixed"}`;
}

/** Of what is drawn on the cortex. */
const UNIT = "mean activation, standard deviations of a voxel";

async function brainSection(
  { out, pipeline }: ExperimentRun,
  { rois, model, layer, images }: Concepts,
  shown: readonly Concept[],
  names: readonly string[],
  sheet: VoxelSheet,
): Promise<Html[]> {
  if (shown.length === 0) return [];
  const slot = pipeline.slots.findIndex((own) => own.model === model && own.layer === layer);
  const places = layerPlaces(pipeline, slot),
    drawn = shown.map((concept, i) => ({ concept, name: names[i] }));
  const draw = (across: number) => conceptSheet(pipeline, drawn, places, { sheet, unit: UNIT, across });
  const caption =
    `Each concept as the patches nearest to its centre on the map, of different images (framed, with their neighbours), and its ${UNIT}, minus the mean over all patches, on the cortex; layer ${layer} of ${model}, n = ${images} images; ${sheet.note}.`;
  return [
    figure({
      image: { svg: await draw(4), narrowSvg: await draw(2) },
      caption,
      alt: caption,
      name: "concepts-cortex",
    }),
    await responsiveChart(
      "concepts-regions",
      out,
      `Activation of the regions (rows) by each concept (columns): mean and standard deviation over its patches, in standard deviations of all patches of the layer; n = ${
        shown.map(({ patches }) => patches.length).join(", ")
      } patches.`,
      (theme, width) =>
        regionHeatMap({
          name: "activation of regions by concept",
          unit: "activation (standard deviations of all patches)",
          regions: rois,
          columns: shown.map((_, i) => String(i + 1)),
          panels: (["mean", "sd"] as const).map((kind) => ({
            title: kind === "mean" ? "mean" : "standard deviation",
            values: rois.map((_, r) => shown.map(({ regions }) => regions[r][kind])),
          })),
          width,
        }, theme),
    ),
  ];
}

async function shapeSection(out: string, { concepts, rois, parabola }: Concepts): Promise<Html[]> {
  if (concepts.length === 0) return [text("No sphere held enough patches.")];
  return [
    await responsiveChart(
      "concepts-mean-sd",
      out,
      `Each of n = ${concepts.length} × ${rois.length} dots is one concept in one region: mean activation over the concept's patches (across), and standard deviation among them (up), both in standard deviations of all patches of the layer. A reversed U falls off to both sides.`,
      (theme, width) =>
        meanSpreadChart({
          name: "mean against standard deviation of activation, by concept and region",
          points: concepts.flatMap(({ regions }, i) =>
            regions.map(({ mean, sd }, r) => ({
              mean,
              sd,
              note: `concept ${i + 1}, ${rois[r]}: mean ${mean.toFixed(3)}, sd ${sd.toFixed(3)}`,
            }))
          ),
          parabola,
          width,
        }, theme),
    ),
  ];
}

function conceptTable({ concepts }: Concepts, { images, classes }: Pipeline): Html {
  const isKnown = images.some(({ classMask }) => classMask);
  return table({
    caption: "All concepts, in the order of their centres",
    columns: ["concept", "patches", "images", "figure", "category", "share", "mean |mean|", "mean sd"],
    rows: concepts.map(({ patches, images: seen, figure, category, regions }, i) => [
      i + 1,
      patches.length,
      seen,
      isKnown ? figure : "–",
      ...category ? [classes[category.index], category.share] : ["–", "–"],
      regions.reduce((sum, { mean }) => sum + Math.abs(mean), 0) / regions.length,
      regions.reduce((sum, { sd }) => sum + sd, 0) / regions.length,
    ]),
  });
}
