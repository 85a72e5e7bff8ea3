/** The report of the experiment `transitions`. */
import { formatNumber, table, text } from "../../report/blocks.ts";
import { planeCirclesChart } from "../../report/charts/plane_circles.ts";
import { transitionMatrixChart } from "../../report/charts/transition_matrix.ts";
import { type Html, rawHtml } from "../../report/html.ts";
import { responsiveChart } from "../../report/responsive_chart.ts";
import type { Claim } from "../../report/results.ts";
import {
  type Cell,
  type Circles,
  DIFFERENT,
  extremeCells,
  MIN_PATCHES,
  PERMUTATIONS,
  proportions,
  type Transitions,
} from "./compute.ts";
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
    p: found.shifted,
    "p.exchanged": found.exchanged,
    chi_square: found.chiSquare,
    "radius.A": from.radius,
    "radius.B": to.radius,
  };
  for (const [kind, { rows }] of Object.entries(kinds)) {
    rows.forEach((row, a) => row?.forEach((share, b) => metrics[`${kind}.A${a}.B${b}`] = share));
  }
  const claims = [claimOf(found)];
  return await writeExperiment(run, "transitions", { metrics, claims }, {
    title: "Transitions",
    question:
      `Do figure and ground go different ways from layer ${from.layer} to layer ${to.layer} of ${model}?`,
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

function claimOf(found: Transitions): Claim {
  const { figure, ground, from, shifted, exchanged, chiSquare, images } = found;
  const { figureMore, groundMore } = extremeCells(figure, ground, from.centres.length);
  const say = (cell: Cell | null, more: string) =>
    cell
      ? `A${cell.from} to B${cell.to}: figure ${formatNumber(cell.figure, 2)}, ground ${
        formatNumber(cell.ground, 2)
      }`
      : `no circle with ${MIN_PATCHES} patches of each has more ${more}`;
  return {
    id: "transitions-of-figure-and-ground-differ",
    paper:
      "A1 to B0: figure 0.44, ground 0.16; A4 to B4: figure 0.06, ground 0.36 (CLIP, layer 3 to 4; circles on the paper's own map)",
    measured: `the two cells that differ most, ${say(figureMore, "figure")}; ${
      say(groundMore, "ground")
    }; these circles are not the paper's, so that only the size of the differences compares`,
    statistic: `χ² of figure against ground summed over the circles A is ${
      formatNumber(chiSquare, 1)
    }; reached by masks moved around their image: p ${
      formatNumber(shifted, 3)
    }; by masks of other images: p ${
      formatNumber(exchanged, 3)
    }; ${PERMUTATIONS} permutations each, both at most ${DIFFERENT} to be shown`,
    n: images,
    p: Math.max(shifted, exchanged),
    verdict: shifted <= DIFFERENT && exchanged <= DIFFERENT ? "shown" : "not shown",
  };
}

type Proportions = ReturnType<typeof proportions>;

async function matrixSection(
  out: string,
  { model, from, to }: Transitions,
  { figure, ground }: { figure: Proportions; ground: Proportions },
): Promise<Html[]> {
  const names = (letter: string, { centres }: Circles) => centres.map((_, i) => `${letter}${i}`);
  const [a, b] = [names("A", from), names("B", to)];
  const differences = figure.rows.map((row, i) => {
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
      rows: rows.map((row, i) => [a[i], ...(row ?? b.map(() => "–")), rest(row), patches[i]]),
    });
  return [
    await responsiveChart(
      "transitions-matrices",
      out,
      `From circle A (rows, layer ${from.layer}) to circle B (columns, layer ${to.layer}) of ${model}: shares of the figure patches and of the ground patches of each circle A, and their difference. A dash: no patches there.`,
      (theme, width) =>
        transitionMatrixChart({
          name: "transitions of figure and of ground",
          from: a,
          to: b,
          width,
          panels: [
            { title: "figure", rows: filled(figure) },
            { title: "ground", rows: filled(ground), negative: true },
            { title: "figure − ground", rows: differences },
          ],
        }, theme),
    ),
    tableOf("figure", figure),
    text(
      "Neighbouring patches are alike, so that shuffling single patches between figure and ground would call almost any blob different. Masks that are moved as a whole keep their shape; masks of other images also keep where figures tend to stand.",
    ),
    tableOf("ground", ground),
  ];
}

async function circlesSection(out: string, { model, from, to }: Transitions): Promise<Html[]> {
  const chart = (letter: string, { layer, centres, radius, sample, covered }: Circles) =>
    responsiveChart(
      `transitions-circles-${letter.toLowerCase()}`,
      out,
      `Layer ${layer} of ${model} on the map: figure patches (dots) and ground patches (rings), and the circles ${letter}, which hold ${
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
