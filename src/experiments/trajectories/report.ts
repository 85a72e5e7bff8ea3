/** The report of the experiment `trajectories`. */
import { figure, table, text } from "../../report/blocks.ts";
import { pathPanelsChart } from "../../report/charts/path_panels.ts";
import { planeLayersChart } from "../../report/charts/plane_layers.ts";
import { escapeHtml, type Html, rawHtml } from "../../report/html.ts";
import { lineByLayerFigure, responsiveChart } from "../../report/responsive_chart.ts";
import { SHOWN_P } from "../shared/claim_cells.ts";
import { partingClaim } from "./claims.ts";
import type { Pipeline } from "../../pipeline/nodes.ts";
import { layerAxis, layerLike } from "../shared/relative_layers.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";
import { type ModelTrajectory, RESAMPLES, type Trajectories } from "./compute.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";

const EQUATION = rawHtml(
  `<math display="block"><mi>w</mi><mo>=</mo><msup><mi>S</mi><mrow><mo>−</mo><mn>1</mn></mrow></msup><mo>(</mo><msub><mi>m</mi><mtext>figure</mtext></msub><mo>−</mo><msub><mi>m</mi><mtext>ground</mtext></msub><mo>)</mo><mo>,</mo><mspace width="1em"/><mi>A</mi><mo>=</mo><mi>P</mi><mo>(</mo><msup><mi>w</mi><mi>T</mi></msup><msub><mi>x</mi><mtext>figure</mtext></msub><mo>&gt;</mo><msup><mi>w</mi><mi>T</mi></msup><msub><mi>x</mi><mtext>ground</mtext></msub><mo>)</mo></math>`,
);

/**
 * Writes `trajectories.html`, its chart specs, and the numbers under the experiment `trajectories`.
 *
 * @returns the path of the page
 */
export async function writeTrajectoriesReport(run: ExperimentRun, found: Trajectories): Promise<string> {
  await Deno.mkdir(run.out, { recursive: true });
  const { pipeline } = run, claims = [partingClaim(found)];
  const metrics: Record<string, number> = { "separation.place": found.place };
  for (const { model, layers, step, beyondPlace } of found.models) {
    if (step.at > 0) metrics[`bifurcation.layer.${model}`] = step.layer;
    metrics[`bifurcation.stability.${model}`] = step.stability;
    metrics[`bifurcation.jump.${model}`] = step.jump;
    metrics[`bifurcation.p.${model}`] = step.p;
    metrics[`bifurcation.step_error.${model}`] = step.error;
    metrics[`bifurcation.line_error.${model}`] = step.lineError;
    metrics[`separation.beyond_place.${model}`] = beyondPlace.effect;
    for (const { layer, separation, planeSeparation } of layers) {
      metrics[`separation.${model}.L${layer}`] = separation;
      metrics[`separation_2d.${model}.L${layer}`] = planeSeparation;
    }
  }
  return await writeExperiment(run, "trajectories", { metrics, claims }, {
    title: "Trajectories",
    question: "At which layer do figure and ground diverge?",
    method:
      `Every patch of ${found.images} images is followed from layer to layer in the ${pipeline.eigenvectors.cols} eigenvectors that all layers and models share, and on their t-SNE map of two dimensions. At each layer a linear discriminant, found on all other images, scores the patches of an image; A is how often a figure patch scores higher than a ground patch of the same image, one half where they are alike. Figure and ground diverge at a layer when A, averaged over images, takes a step there: chance makes no such step (each image's layers shuffled, every layer looked at), two levels fit better than a straight line and bootstrapped images put the step at the same layer, give or take one, and A is higher from there on than the place of the patch alone explains; each with p ≤ ${SHOWN_P}.`,
    equation: EQUATION,
    sections: [
      { heading: "Separation by layer", body: await separationSection(run.out, found) },
      { heading: "Example pixels", body: await examplesPicture(pipeline, found) },
      ...await Promise.all(
        found.models.map(async (model) => ({
          heading: model.model,
          body: await modelSection(run.out, found, model),
        })),
      ),
    ],
    settings: {
      "images with figure and ground": found.images,
      "bootstrap resamples": RESAMPLES,
      permutations: RESAMPLES,
      landmarks: pipeline.fit?.landmarks.indices.length ?? "none",
    },
  });
}

async function separationSection(out: string, { models, place, images }: Trajectories): Promise<Html[]> {
  const layers = layerAxis(models.flatMap(({ layers }) => layers));
  return [
    await lineByLayerFigure(
      "trajectories-separation",
      out,
      `Separation A of figure and ground (0 to 1, one half where they are alike) in images not trained on, by layer, in all eigenvectors; n = ${images} images, bars are 95 % intervals over bootstrapped images. The dashed line is what the place of a patch in its image explains alone.`,
      {
        metric: "A, area under the curve (0 to 1)",
        layers,
        rule: { label: "place alone", value: place },
        series: models.map(({ model, layers }) => ({
          label: model,
          values: layers.map(({ separation }) => separation),
          intervals: layers.map(({ interval }) => interval),
        })),
      },
    ),
    table({
      caption: "The step of each model",
      columns: [
        "model",
        "layer",
        "share of resamples",
        "step up",
        "p",
        "p, line",
        "p, elsewhere",
        "beyond place",
      ],
      rows: models.map(({ model, step, beyondPlace }) => [
        model,
        step.at > 0 ? `L${step.layer}` : "none",
        step.stability,
        step.jump,
        step.p,
        step.lineP,
        step.movedP,
        beyondPlace.effect,
      ]),
    }),
    text("The verdict is about whether there is such a layer; its number depends on the depth of the model."),
    table({
      caption: "Separation A by layer: in all eigenvectors, and on the map of two dimensions",
      columns: ["layer", "A", "low", "high", "A on the map"],
      rows: models.flatMap(({ model, layers }) =>
        layers.map(({ layer, separation, interval: [low, high], planeSeparation }) => [
          `${model} L${layer}`,
          separation,
          low,
          high,
          planeSeparation,
        ])
      ),
    }),
  ];
}

const LETTERS = "ABCDEF";

/** Names of the example pixels, by their order: two an image. */
function exampleName(i: number, kind: string): string {
  return `${LETTERS[Math.floor(i / 2)]} ${kind}`;
}

async function examplesPicture(pipeline: Pipeline, { examples }: Trajectories): Promise<Html[]> {
  const images = [...new Set(examples.map(({ image }) => image))], { rows, cols } = pipeline.grid;
  const side = 200, gap = 12, down = side + 32;
  const parts = await Promise.all(images.map(async (image, column) => {
    const href = await jpegDataUri(await pipeline.images[image].load());
    const marks = examples.map(({ image: own, patch, kind }, i) => {
      if (own !== image) return "";
      const x = (patch % cols + 0.5) * side / cols, y = (Math.floor(patch / cols) + 0.5) * side / rows;
      const round = `cx="${x.toFixed(1)}" cy="${y.toFixed(1)}"`;
      const dashes = kind === "ground" ? ' stroke-dasharray="5 3"' : "";
      return `<circle ${round} r="9" fill="none" stroke="#fff" stroke-width="7"/>` +
        `<circle ${round} r="9" fill="none" stroke="var(--series-${
          i + 1
        })" stroke-width="4"${dashes}><title>${escapeHtml(exampleName(i, kind))}</title></circle>`;
    });
    return `<image x="0" y="0" width="${side}" height="${side}" href="${href}" preserveAspectRatio="none"/>${
      marks.join("")
    }<text x="0" y="${side + 20}" font-size="14" fill="var(--ink)">${LETTERS[column]}</text>`;
  }));
  const draw = (across: number) => {
    const [width, height] = [across * (side + gap) - gap, Math.ceil(parts.length / across) * down];
    const placed = parts.map((part, i) =>
      `<g transform="translate(${i % across * (side + gap)} ${Math.floor(i / across) * down})">${part}</g>`
    );
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${
      placed.join("")
    }</svg>`;
  };
  const names = images.map((image, i) => `${LETTERS[i]} is ${pipeline.images[image].name}`).join(", ");
  const caption =
    `Two pixels of each of n = ${images.length} images: the middle of its figure (full ring) and the ground farthest from it (dashed ring). Their paths are drawn below. ${names}.`;
  return [
    figure({
      image: { svg: draw(images.length), narrowSvg: draw(1) },
      caption,
      alt: caption,
      name: "trajectories-examples",
    }),
  ];
}

/** Example pixels in the order of their panels: figures, then grounds; or, two in a row, image by image. */
function byKind(examples: Trajectories["examples"], isNarrow: boolean): number[] {
  const order = examples.map((_, i) => i);
  if (isNarrow) return order;
  return order.sort((a, b) =>
    Number(examples[a].kind === "ground") - Number(examples[b].kind === "ground") || a - b
  );
}

async function modelSection(
  out: string,
  found: Trajectories,
  { model, layers, examples }: ModelTrajectory,
): Promise<Html[]> {
  const from = layers.findIndex(({ layer }) => layer >= layerLike(found.firstDrawn, layers.length)),
    drawn = layers.slice(Math.max(0, from));
  const first = `layer ${drawn[0].layer}`, file = `trajectories-${model}`;
  const kinds = ["figure", "ground"] as const, steps = drawn.map(({ layer }) => `L${layer}`);
  const how =
    "Arrows lead from layer to layer, from the first (blue) to the last (orange); the other paths are gray. Both axes are t-SNE's, without unit";
  return [
    await responsiveChart(
      `${file}-mean`,
      out,
      `Mean paths of figure and of ground in ${model} from ${first} to the last. ${how}; crosses are one standard deviation of the means of n = ${found.images} images either way.`,
      (theme, width) =>
        pathPanelsChart({
          name: `mean paths of figure and ground in ${model}`,
          steps,
          across: 2,
          panels: kinds.map((kind) => ({
            title: kind,
            places: drawn.map(({ [kind]: { mean } }) => mean),
            sd: drawn.map(({ [kind]: { sd } }) => sd),
          })),
          width,
        }, theme),
    ),
    await responsiveChart(
      `${file}-examples`,
      out,
      `Paths of the example pixels in ${model} from ${first} to the last, figure above ground. ${how}; n = ${found.examples.length} pixels.`,
      (theme, width) =>
        pathPanelsChart({
          name: `paths of example pixels in ${model}`,
          steps,
          across: 3,
          panels: byKind(found.examples, width < 640).map((i) => ({
            title: exampleName(i, found.examples[i].kind),
            places: examples[i].slice(Math.max(0, from)),
          })),
          width,
        }, theme),
    ),
    await responsiveChart(
      `${file}-layers`,
      out,
      `Patches of every layer of ${model} on the map, a sample of each, from the first layer (blue) to the last (orange). Both axes are t-SNE's, without unit; n = ${
        layers.reduce((sum, { sample }) => sum + sample.length, 0)
      } patches.`,
      (theme, width) =>
        planeLayersChart({
          name: `patches of the layers of ${model}`,
          layers: layers.map(({ layer, sample }) => ({ label: `L${layer}`, places: sample })),
          width,
        }, theme),
    ),
    text("A patch takes the place of the sampled patch nearest to it, so that several may share one place."),
  ];
}
