/** The report of the experiment `colors` over all models. */
import { cutWarning } from "../../graph/normalized_cut.ts";
import { stretchColors } from "../../embed/stretch_colors.ts";
import { alternatives, formatNumber, table, text } from "../../report/blocks.ts";
import { colorGrid } from "../../report/color_grid.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import type { LineByLayerChart } from "../../report/charts/line_by_layer.ts";
import { lineByLayerFigure } from "../../report/responsive_chart.ts";
import { colorClaims } from "./claims.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import type { AlignedColors, LayerVariance } from "./compute.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";
import { nodeOf, type Pipeline, slotsOf } from "../../pipeline/nodes.ts";
import { layerAxis } from "../shared/relative_layers.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";

export interface AlignedColorsReport extends ExperimentRun {
  found: AlignedColors;
}

/** Images of a grid, and those that are seen at once. */
const SHOWN_IMAGES = 8, OPEN = 2;

/** The key to colors of the map. */
const MAP_COLORS =
  "Color is the place of a patch on the t-SNE map of all images, layers and models: red, green and blue are its three coordinates";

const EQUATION = rawHtml(
  `<math display="block"><msup><mi>η</mi><mn>2</mn></msup><mo>=</mo><mfrac><mrow><munder><mo>∑</mo><mi>g</mi></munder><msub><mi>n</mi><mi>g</mi></msub><msup><mrow><mo>‖</mo><msub><mi>c</mi><mi>g</mi></msub><mo>−</mo><mi>c</mi><mo>‖</mo></mrow><mn>2</mn></msup></mrow><mrow><munder><mo>∑</mo><mi>i</mi></munder><msup><mrow><mo>‖</mo><msub><mi>c</mi><mi>i</mi></msub><mo>−</mo><mi>c</mi><mo>‖</mo></mrow><mn>2</mn></msup></mrow></mfrac></math>`,
);

/**
 * Writes `colors.html`, its chart specs, and the numbers under the experiment `colors`.
 *
 * @returns the path of the page
 */
export async function writeAlignedColorsReport(report: AlignedColorsReport): Promise<string> {
  const { pipeline, found } = report;
  const claims = colorClaims(found), { cut } = pipeline.fit;
  const metrics: Record<string, number> = {
    "residual.max": Math.max(...cut.residuals),
    "tsne.kl": pipeline.map.kl,
    "tsne.trustworthiness": pipeline.map.trustworthiness,
  };
  if (cut.eigengap !== null) metrics.eigengap = cut.eigengap;
  for (const { model, layer, image, position, category } of found.layers) {
    metrics[`variance.image.${model}.L${layer}`] = image;
    metrics[`variance.position.${model}.L${layer}`] = position;
    if (category !== null) metrics[`variance.category.${model}.L${layer}`] = category;
  }
  return await writeExperiment(report, "colors", { metrics, claims }, {
    title: "Colors",
    question:
      "What do all layers of all models group together, and from which layer on does it follow the image?",
    method:
      `The ${pipeline.total.nodes} tokens of ${pipeline.total.images} images, ${pipeline.models.length} models and all their layers, aligned into one space, form one graph. Its ${pipeline.eigenvectors.cols} leading eigenvectors, solved on ${pipeline.fit.landmarks.indices.length} landmarks and extended to all nodes, are placed in three dimensions by t-SNE and read as red, green and blue: equal colors belong together across images, layers and models. η² is the share of the colors' variance that groups explain.`,
    equation: EQUATION,
    sections: [
      { heading: "Layers across", body: await colorSheets(pipeline) },
      { heading: "What the colors follow", body: await varianceSection(report) },
      ...await Promise.all(
        pipeline.models.map(async (model) => ({
          heading: `Colors of ${model}`,
          body: await grids(pipeline, model),
        })),
      ),
    ],
    settings: {
      landmarks: pipeline.fit.landmarks.indices.length,
      eigenvectors: cutWarning(cut) || "converged, all resolved",
      trustworthiness: formatNumber(pipeline.map.trustworthiness, 4),
    },
  });
}

/** The joint map's colors and those within each layer, one of them shown. */
async function grids(pipeline: Pipeline, model: string): Promise<Html> {
  const { tokens, images } = pipeline, each = 3 * images.length * tokens;
  const within = new Map(
    slotsOf(pipeline, model).map((slot) => {
      const first = 3 * pipeline.slots[slot].first;
      return [slot, stretchColors(pipeline.colors.subarray(first, first + each))];
    }),
  );
  const joint = (slot: number) => {
    const first = 3 * pipeline.slots[slot].first;
    return pipeline.colors.subarray(first, first + each);
  };
  return alternatives(`Colors of ${model}`, [{
    name: "joint map",
    note: "Equal colors belong together across images, layers and models.",
    body: await grid(pipeline, model, "AlignedCut colors", joint),
  }, {
    name: "within each layer",
    note:
      "The same map, its colors stretched within each layer: equal colors belong together in one layer, and mean nothing from one layer to another.",
    body: await grid(pipeline, model, "Colors within each layer", (slot) => within.get(slot)!),
  }]);
}

async function grid(
  pipeline: Pipeline,
  model: string,
  label: string,
  colorsOf: (slot: number) => Uint8Array,
): Promise<Html> {
  const slots = slotsOf(pipeline, model), { rows, cols } = pipeline.grid;
  const shown = Math.min(SHOWN_IMAGES, pipeline.images.length);
  return colorGrid({
    label: `${label}, ${model}`,
    open: OPEN,
    key: MAP_COLORS,
    columns: slots.map((slot) => `L${pipeline.slots[slot].layer}`),
    rows: await Promise.all(
      pipeline.images.slice(0, shown).map(async ({ name, load }, i) => ({
        label: name,
        photo: await jpegDataUri(await load(), undefined, 85),
        cells: slots.map((slot) => {
          const from = 3 * (i * pipeline.tokens + 1);
          return pngDataUri(cols, rows, colorsOf(slot).slice(from, from + 3 * rows * cols));
        }),
      })),
    ),
  });
}

/** A share of the variance by layer, a line for each model. */
function varianceChart(
  { out, found, pipeline }: AlignedColorsReport,
  of: string,
  by: string,
  caption: string,
  lineOf: (layers: LayerVariance[]) => Omit<LineByLayerChart["series"][number], "label">,
): Promise<Html> {
  return lineByLayerFigure(`colors-variance-${of}`, out, caption, {
    metric: `η² by ${by} (0 to 1)`,
    layers: layerAxis(found.layers),
    series: pipeline.models.map((model) => ({
      label: model,
      ...lineOf(found.layers.filter((layer) => layer.model === model)),
    })),
  });
}

async function varianceSection(report: AlignedColorsReport): Promise<Html[]> {
  const { found } = report;
  return [
    await varianceChart(
      report,
      "image",
      "image",
      `η², the share of the variance of patch colors that the image explains (0 to 1), by layer; n = ${found.images} images, bars are 95 % intervals over bootstrapped images.`,
      (own) => ({ values: own.map(({ image }) => image), intervals: own.map(({ interval }) => interval) }),
    ),
    await varianceChart(
      report,
      "position",
      "place",
      `η², the share that the place of the patch explains (0 to 1), by layer; n = ${found.images} images.`,
      (own) => ({ values: own.map(({ position }) => position) }),
    ),
    ...found.categories > 0
      ? await categoryCharts(report)
      : [text("The categories of these images are not known.")],
    table({
      caption: "Variance of the colors explained, η²",
      columns: ["layer", "by image", "by place", "by category"],
      rows: found.layers.map(({ model, layer, image, position, category }) => [
        `${model} L${layer}`,
        image,
        position,
        category ?? "–",
      ]),
    }),
  ];
}

async function categoryCharts(report: AlignedColorsReport): Promise<Html[]> {
  const { found } = report, free = found.categories - 1;
  return [
    await varianceChart(
      report,
      "category",
      "category",
      `η², the share of the variance of the images' mean figure colors that their category explains (0 to 1), by layer; n = ${found.images} images of ${found.categories} categories.`,
      (own) => ({ values: own.map(({ category }) => category!) }),
    ),
    text(
      found.images > 1
        ? `With ${found.categories} categories and ${found.images} images, chance alone explains ${
          formatNumber(free / Math.max(free, found.images - 1), 2)
        } of the variance by category.`
        : "One image does not vary: the share of its figure's color is undefined.",
    ),
  ];
}

/** Images of a sheet, and pixels of their photographs. */
const SHEET_IMAGES = 3, PHOTO = 192;

/**
 * Draws layers from left to right and one row a model, as the paper's Figure 4, for images evenly spaced in the data; the
 * models of the first image are seen at once. Of models that are not equally deep each depth has a sheet of its own.
 */
async function colorSheets(pipeline: Pipeline): Promise<Html[]> {
  const { images, models, slots, colors } = pipeline, { rows, cols } = pipeline.grid;
  const every = Math.ceil(images.length / SHEET_IMAGES),
    shown = images.flatMap((_, i) => i % every === 0 ? [i] : []);
  const photos = await Promise.all(
    shown.map(async (image) => await jpegDataUri(await images[image].load(), PHOTO)),
  );
  const layersOf = (model: string) =>
    slotsOf(pipeline, model).map((slot) => `L${slots[slot].layer}`).join(" ");
  const mapOf = (slot: number, image: number) => {
    const first = 3 * nodeOf(pipeline, slot, image, 1);
    return pngDataUri(cols, rows, colors.slice(first, first + 3 * rows * cols));
  };
  return [...Map.groupBy(models, layersOf)].map(([layers, alike], i) =>
    colorGrid({
      label: i === 0 ? "Colors, layers across" : `Colors, layers across: ${alike.join(", ")}`,
      corner: "row",
      columns: layers.split(" "),
      open: alike.length,
      key:
        `AlignedCut colors of ${shown.length} of ${images.length} images: layers (L) from left to right, ` +
        "a row for each model. Equal colors belong together across images, layers and models; they have no order and no unit",
      rows: shown.flatMap((image, k) =>
        alike.map((model) => ({
          label: `${model} · ${images[image].name}`,
          photo: photos[k],
          cells: slotsOf(pipeline, model).map((slot) => mapOf(slot, image)),
        }))
      ),
    })
  );
}
