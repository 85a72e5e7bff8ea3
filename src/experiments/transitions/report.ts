/** The report of the experiment `transitions`. */
import { figure, formatNumber, table, text } from "../../report/blocks.ts";
import { flowsDrawing } from "../../report/charts/flows.ts";
import { planeCirclesChart } from "../../report/charts/plane_circles.ts";
import { transitionMatrixChart } from "../../report/charts/transition_matrix.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import { FEW_PATCHES } from "../shared/patch_labels.ts";
import { differenceClaim } from "./claims.ts";
import { type Circles, type Counts, PERMUTATIONS, proportions, type Transitions } from "./compute.ts";
import { type ExperimentRun, writeExperiment } from "../shared/write_experiment.ts";

const EQUATION = rawHtml(
  `<math display="block"><msub><mi>P</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub><mo>=</mo><mfrac><mrow><mo>|</mo><msub><mi>A</mi><mi>i</mi></msub><mo>∩</mo><msub><mi>B</mi><mi>j</mi></msub><mo>|</mo></mrow><mrow><mo>|</mo><msub><mi>A</mi><mi>i</mi></msub><mo>|</mo></mrow></mfrac></math>`,
);

/**
 * Writes `transitions.html`, its chart specs, and the numbers under the experiment `transitions`.
 *
 * @returns the path of the page
 */
export async function writeTransitionsReport(run: ExperimentRun, found: Transitions): Promise<string> {
  await Deno.mkdir(run.out, { recursive: true });
  const { model, from, to, images } = found, circles = from.centres.length;
  const kinds = { figure: proportions(found.figure, circles), ground: proportions(found.ground, circles) };
  const metrics: Record<string, number> = {
    p: found.shifted.p,
    "p.exchanged": found.exchanged.p,
    chi_square: found.chiSquare,
    "radius.A": from.radius,
    "radius.B": to.radius,
  };
  for (const [kind, { rows }] of Object.entries(kinds)) {
    rows.forEach((row, a) => row?.forEach((share, b) => metrics[`${kind}.A${a}.B${b}`] = share));
  }
  const claims = [differenceClaim(found)];
  return await writeExperiment(run, "transitions", { metrics, claims }, {
    title: "Transitions",
    question:
      `Do figure and ground take different paths from layer ${from.layer} to layer ${to.layer} of ${model}?`,
    method:
      `On the map of two dimensions, ${circles} farthest points among the patches of layer ${from.layer} are the centres of the circles A, and ${circles} of layer ${to.layer} those of the circles B; a patch belongs to the nearest circle that it is in. P is the share of the patches of circle A that are in circle B one step later, figure and ground apart. The test asks whether masks that are not the image's own tell the patches apart as well: moved around the image at random, or taken from another image; the statistic is χ² of figure against ground, summed over the circles A.`,
    equation: EQUATION,
    sections: [
      { heading: "Where figure and ground go", body: await matrixSection(run.out, found, kinds) },
      { heading: "The circles", body: await circlesSection(run.out, found) },
    ],
    settings: {
      model,
      layers: `${from.layer} and ${to.layer}`,
      circles,
      "radius of A": formatNumber(from.radius, 3),
      "radius of B": formatNumber(to.radius, 3),
      permutations: PERMUTATIONS,
      images,
    },
  });
}

type Proportions = ReturnType<typeof proportions>;

async function matrixSection(
  out: string,
  { model, from, to, images, ...counts }: Transitions,
  { figure: figureShares, ground }: { figure: Proportions; ground: Proportions },
): Promise<Html[]> {
  const names = (letter: string, { centres }: Circles) => centres.map((_, i) => `${letter}${i}`);
  const [a, b] = [names("A", from), names("B", to)];
  const differences = figureShares.rows.map((row, i) => {
    const other = ground.rows[i];
    return row && other ? row.map((share, j) => share - other[j]) : b.map(() => null);
  });
  const filled = ({ rows }: Proportions) => rows.map((row) => row ?? b.map(() => null));
  const rest = (row: number[] | null) =>
    row ? Math.max(0, 1 - row.reduce((sum, share) => sum + share, 0)) : "–";
  const tableOf = (kind: string, { rows, patches }: Proportions) =>
    table({
      caption: `Shares of ${kind} patches of each circle A in each circle B`,
      columns: ["from", ...b, "elsewhere", "patches"],
      rows: rows.map((row, i) => [
        `${a[i]}${patches[i] < FEW_PATCHES ? " (few)" : ""}`,
        ...(row ?? b.map(() => "–")),
        rest(row),
        patches[i],
      ]),
    });
  const rowsOf = (counts: Counts) =>
    a.map((_, i) => Array.from(counts.subarray(i * (b.length + 1), (i + 1) * (b.length + 1))));
  const flows = (across: number) =>
    flowsDrawing({
      from: a,
      to: [...b, "elsewhere"],
      unit: "patches",
      few: FEW_PATCHES,
      across,
      panels: [
        { title: "figure", counts: rowsOf(counts.figure) },
        { title: "ground", counts: rowsOf(counts.ground) },
      ],
    });
  const flowCaption =
    `Where the patches of n = ${images} images go from the circles A of layer ${from.layer} (left) to the circles B of layer ${to.layer} (right) of ${model}, places on the layers' maps: blocks and ribbons are as high as the number of patches, of figure and of ground each on a scale of its own; numbers on ribbons are shares of the circle A. Circles with fewer than ${FEW_PATCHES} patches are marked "few".`;
  return [
    figure({
      image: { svg: flows(2), narrowSvg: flows(1) },
      caption: flowCaption,
      alt: flowCaption,
      name: "transitions-flows",
    }),
    await responsiveChart(
      "transitions-matrices",
      out,
      `From circle A (rows, layer ${from.layer}) to circle B (columns, layer ${to.layer}) of ${model}: shares (0 to 1) of the figure patches and of the ground patches of each circle A, and their difference; n = ${images} images. A dash: no patches there.`,
      (theme, width) =>
        transitionMatrixChart({
          name: "transitions of figure and of ground",
          unit: "share of a circle's patches (0 to 1): ground blue, figure orange",
          from: a,
          to: b,
          width,
          panels: [
            { title: "figure", rows: filled(figureShares) },
            { title: "ground", rows: filled(ground), negative: true },
            { title: "figure − ground", rows: differences },
          ],
        }, theme),
    ),
    tableOf("figure", figureShares),
    tableOf("ground", ground),
    text(
      "Neighbouring patches are alike, so that shuffling single patches between figure and ground would call almost any blob different. Masks that are moved as a whole keep their shape; masks of other images also keep where figures tend to stand.",
    ),
  ];
}

async function circlesSection(out: string, { model, from, to }: Transitions): Promise<Html[]> {
  const chart = (letter: string, { layer, centres, radius, sample, covered }: Circles) =>
    responsiveChart(
      `transitions-circles-${letter.toLowerCase()}`,
      out,
      `Layer ${layer} of ${model} on the map (its two coordinates have no unit), n = ${sample.length} of the patches of all images: figure patches (dots) and ground patches (rings), and the circles ${letter}, which hold ${
        formatNumber(100 * covered, 0)
      } % of the layer's patches.`,
      (theme, width) =>
        planeCirclesChart({
          name: `circles ${letter} on the map of layer ${layer}`,
          circles: centres.map((centre, i) => ({ label: `${letter}${i}`, centre })),
          radius,
          width,
          points: sample,
        }, theme),
    );
  return [await chart("A", from), await chart("B", to)];
}
