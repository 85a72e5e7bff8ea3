/** The report page `fixtures`: what the synthetic dataset holds and how its simulated subject responds. */
import { cachedDrawing } from "../../report/drawing_cache.ts";
import { BACKGROUNDS, CATEGORIES, PARTS, renderScene, type Scene } from "../../../fixtures/scenes/mod.ts";
import { openAlgonauts } from "../../data/datasets/algonauts.ts";
import { vocPalette } from "../../data/images/palette_png.ts";
import { colorLegend, figure, formatNumber, table, text } from "../../report/blocks.ts";
import { barChart } from "../../report/charts/bar.ts";
import { colorGrid } from "../../report/color_grid.ts";
import type { Html } from "../../report/html.ts";
import { lineByLayerFigure, responsiveChart } from "../../report/responsive_chart.ts";
import { pngDataUri } from "../../report/tiny_png.ts";
import { jpegDataUri } from "../shared/small_pictures.ts";
import { type RunContext, writeReport } from "../shared/write_experiment.ts";
import { cachedCortexPicture, receptiveFieldPicture, SHOWN_FIELDS } from "../shared/cortex_picture.ts";
import type { SyntheticDataset } from "../../synthetic/write_dataset.ts";
import type { SimulatedSubject } from "../../synthetic/subject_voxels.ts";
import { type RoiSummary, summarizeRois } from "./roi_summary.ts";
import { type ModelProbe, readProbes } from "./model_probes.ts";
import { type VoxelSheet, voxelSheet } from "../../pipeline/voxel_sheet.ts";

/** What the page says. */
export interface SyntheticDataReport extends Pick<RunContext, "out" | "command" | "figures"> {
  /** Folder of the synthetic dataset. */
  dataset: string;
  plan: SyntheticDataset;
  /** Makes the subject, which takes a second: called where something has to be measured or drawn anew. */
  simulated: () => SimulatedSubject;
  /** Wall time of writing the dataset. */
  seconds: number;
  /** Keeps the summary of the regions between runs; absent: it is made anew. */
  keep?: (summarize: () => Promise<RoiSummary[]>) => Promise<RoiSummary[]>;
}

const RETINOTOPIC = ["V1", "V2", "V3", "V4"];
const SHOWN_SCENES = 12, BEST_SCENES = 6;
/** Regions whose scenes are seen at once. */
const OPEN_REGIONS = 4;
const MODELS = new URL("../../../fixtures/models", import.meta.url).pathname;

/**
 * Writes `fixtures.html`, its chart specs, and the numbers to `results.json` under the experiment `fixtures`.
 *
 * @returns the path of the page
 */
export async function writeSyntheticDataReport(report: SyntheticDataReport): Promise<string> {
  const { out, plan } = report;
  let made: SimulatedSubject | undefined;
  const simulated = () => made ??= report.simulated();
  const subject = await openAlgonauts(`${report.dataset}/algonauts/subj01`);
  const heldOut = await openAlgonauts(`${report.dataset}/algonauts/subj01`, "test");
  const summarize = () =>
    summarizeRois({ subject, heldOut, dataset: report.dataset, plan, simulated: simulated() });
  const rois = report.keep ? await report.keep(summarize) : await summarize();
  const probes = await readProbes(MODELS);

  const inputs = {
    models: probes.map(({ model }) => model),
    images: plan.training.count + plan.test.count + plan.graph.count + plan.further.count,
    nodes: plan.voxels,
    data: "embedded",
  };
  const run = {
    out,
    command: report.command,
    timings: { fixtures: report.seconds },
    seed: plan.subjectSeed,
    figures: report.figures,
  };
  return await writeReport(run, "fixtures", inputs, { metrics: metricsOf(plan, rois, probes), claims: [] }, {
    title: "Synthetic dataset",
    question: "What does the synthetic dataset hold, in which every claim is checked against a known truth?",
    method:
      `Scenes are drawn by seed with their captions, masks and parts. A simulated subject with ${plan.voxels} voxels in ${rois.length} regions looks at their pixels and ground truth, never at a model's features; each image is measured three times with noise. All is written in the layouts of Algonauts 2023, PASCAL VOC and ImageNet-Segmentation, and the numbers below are read back from those files.`,
    sections: [
      { heading: "Scenes", body: await sceneSection(plan) },
      {
        heading: "Cortex",
        body: await cortexSection(plan.subjectSeed, simulated, await voxelSheet(subject), rois),
      },
      { heading: "Tuning", body: await tuningSection(plan, rois) },
      { heading: "Noise ceilings", body: await ceilingSection(out, rois) },
      { heading: "Models", body: await probeSection(out, probes) },
    ],
    settings: {
      "training scenes": `${plan.training.count}, seeds from ${plan.training.from}`,
      "held-out scenes": `${plan.test.count}, seeds from ${plan.test.from}`,
      "segmentation scenes": `${plan.graph.count}, seeds from ${plan.graph.from}`,
      "further ones": `${plan.further.count}, seeds from ${plan.further.from}`,
      fingerprint: plan.fingerprint,
    },
  });
}

function metricsOf(plan: SyntheticDataset, rois: RoiSummary[], probes: ModelProbe[]): Record<string, number> {
  const metrics: Record<string, number> = {
    "scenes.training": plan.training.count,
    "scenes.test": plan.test.count,
    "scenes.graph": plan.graph.count,
    voxels: plan.voxels,
  };
  for (const { name, voxels, stated, measured, example, byCategory } of rois) {
    metrics[`voxels.${name}`] = voxels.length;
    metrics[`example.${name}`] = example;
    metrics[`ceiling.stated.${name}`] = stated;
    if (measured !== undefined) metrics[`ceiling.measured.${name}`] = measured;
    byCategory.forEach((value, category) => {
      if (value !== null) metrics[`tuning.${name}.${CATEGORIES[category]}`] = value;
    });
  }
  for (const { model, category, figureGround } of probes) {
    category.forEach((value, i) => metrics[`probe.category.${model}.L${i + 1}`] = value);
    figureGround.forEach((value, i) => metrics[`probe.figure_ground.${model}.L${i + 1}`] = value);
  }
  return metrics;
}

async function sceneSection(plan: SyntheticDataset): Promise<Html[]> {
  const palette = vocPalette();
  const count = Math.min(SHOWN_SCENES, plan.graph.count);
  const scenes = Array.from({ length: count }, (_, i) => renderScene(plan.graph.from + i));
  const picture = (width: number, height: number, plane: Uint8Array) =>
    pngDataUri(width, height, Uint8Array.from(Array.from(plane).flatMap((index) => palette[index])));
  return [
    text(
      `Ten categories (${CATEGORIES.join(", ")}) on five grounds (${BACKGROUNDS.join(", ")}); the parts are ${
        PARTS.slice(1).join(", ")
      }. Masks are drawn with the palette of PASCAL VOC, whose key is below them. These are ${count} of the ${plan.graph.count} scenes of the graph.`,
    ),
    colorGrid({
      label: "Scenes with their masks",
      columns: ["figure", "category", "parts"],
      rows: await Promise.all(scenes.map(async (scene) => {
        const { seed, width, height, figure, categoryMask, parts } = scene;
        const planes = [figure.map((value) => value * 255), categoryMask, parts];
        return {
          label: `scene ${seed}, ${scene.categoryName}`,
          photo: await photoUri(scene),
          cells: planes.map((plane) => picture(width, height, plane)),
        };
      })),
    }),
    colorLegend(CATEGORIES.map((name, k) => ({ name, color: palette[k + 1] })), "Categories"),
    colorLegend(PARTS.slice(1).map((name, k) => ({ name, color: palette[k + 1] })), "Parts"),
    table({
      caption: "Captions",
      columns: ["scene", "category", "caption"],
      rows: scenes.map(({ seed, categoryName, caption }) => [`scene ${seed}`, categoryName, caption]),
    }),
  ];
}

async function cortexSection(
  seed: number,
  simulated: () => SimulatedSubject,
  sheet: VoxelSheet,
  rois: RoiSummary[],
): Promise<Html[]> {
  const fields = (columns: number) =>
    cachedDrawing(
      ["src/experiments/shared/cortex_picture.ts", "fixtures/subject/mod.ts"],
      ["fields", seed, RETINOTOPIC, columns],
      () => receptiveFieldPicture(simulated(), RETINOTOPIC, columns),
    );
  const counts = rois.map(({ name, voxels }) => `${name} ${voxels.length}`).join(", ");
  return [
    figure({
      image: {
        svg: await cachedCortexPicture(sheet, "wide"),
        narrowSvg: await cachedCortexPicture(sheet, "narrow"),
      },
      caption:
        `The regions at published places of the human brain (fixtures/subject/README.md), n = ${sheet.places.length} voxels, in each: ${counts}; ${sheet.note}.`,
      alt: `Map of the voxels by region: ${counts}.`,
      name: "fixtures-cortex",
    }),
    figure({
      image: {
        svg: await fields(RETINOTOPIC.length),
        narrowSvg: await fields(2),
      },
      caption:
        `Receptive fields over the image, at most n = ${SHOWN_FIELDS} of each region's: circles of one standard deviation, which grow from V1 to V4.`,
      alt: "Circles over a square: small and dense for V1, larger for V2, V3 and V4.",
      name: "fixtures-receptive-fields",
    }),
  ];
}

async function tuningSection(plan: SyntheticDataset, rois: RoiSummary[]): Promise<Html[]> {
  return [
    text(
      "For each region the voxel with the highest noise ceiling, and the training scenes to which it responds most, the strongest first.",
    ),
    colorGrid({
      label: "Best scenes of one voxel a region",
      corner: "region",
      open: OPEN_REGIONS,
      columns: Array.from({ length: BEST_SCENES - 1 }, (_, i) => String(i + 2)),
      rows: await Promise.all(
        rois.filter(({ best }) => best.length >= BEST_SCENES).map(async ({ name, best }) => {
          const scenes = best.slice(0, BEST_SCENES).map((image) => renderScene(plan.training.from + image));
          const [photo, ...cells] = await Promise.all(scenes.map(photoUri));
          return { label: `${name}, strongest`, photo, cells };
        }),
      ),
    }),
    table({
      caption:
        "Mean response by region and category, in standard deviations of each voxel over the training scenes",
      columns: ["region", ...CATEGORIES],
      rows: rois.map(({ name, byCategory }) => [name, ...byCategory.map((value) => value ?? "none")]),
      digits: 2,
    }),
  ];
}

async function ceilingSection(out: string, rois: RoiSummary[]): Promise<Html[]> {
  const bars = rois.map(({ name, stated }) => ({ label: name, value: stated }));
  const count = rois.reduce((sum, { voxels }) => sum + voxels.length, 0);
  const caption =
    `Stated noise ceiling (r², 0 to 1) of the mean of three repeats, mean over each region's voxels; n = ${count} voxels.`;
  return [
    await responsiveChart(
      "noise-ceilings",
      out,
      caption,
      (theme, width) => barChart({ metric: "noise ceiling (r²)", bars, width }, theme),
    ),
    text(
      "A ceiling is the share of the variance of a mean of three repeats that is not noise. Measured: the squared correlation, over held-out scenes, of the written responses with the simulated subject's before noise.",
    ),
    table({
      caption: "Noise ceilings (r²)",
      columns: ["region", "voxels", "stated", "lowest", "highest", "measured"],
      rows: rois.map(({ name, voxels, stated, lowest, highest, measured }) => [
        name,
        voxels.length,
        stated,
        lowest,
        highest,
        measured ?? "none: too few scenes",
      ]),
    }),
  ];
}

async function probeSection(out: string, probes: ModelProbe[]): Promise<Html[]> {
  if (probes.length === 0) {
    return [text("There is no probe of a model in fixtures/models: `*_probe.json` appears with training.")];
  }
  const layers = probes[0].category.map((_, i) => `L${i + 1}`);
  const best = probes.map(({ model, category }) => {
    const value = Math.max(...category);
    return `${model} ${formatNumber(value, 3)} at L${category.indexOf(value) + 1}`;
  });
  const lines = (metric: string, chance: number, of: "category" | "figureGround") => ({
    metric,
    layers,
    rule: { label: "chance", value: chance },
    series: probes.map((probe) => ({ label: probe.model, values: probe[of] })),
  });
  return [
    text(`Best layer of a linear probe for the category, on held-out scenes: ${best.join("; ")}.`),
    await lineByLayerFigure(
      "probe-category",
      out,
      "Accuracy of a linear probe for the ten categories (0 to 1), by layer; n = 2,000 held-out scenes.",
      lines("category accuracy (0 to 1)", 0.1, "category"),
    ),
    await lineByLayerFigure(
      "probe-figure-ground",
      out,
      "Balanced accuracy of a linear probe for figure against ground (0 to 1), patch by patch, by layer; n = 2,000 held-out scenes.",
      lines("figure-ground accuracy (0 to 1)", 0.5, "figureGround"),
    ),
  ];
}

/** A scene as a JPEG data URI, a tenth of its PNG. */
async function photoUri({ width, height, rgb }: Scene): Promise<string> {
  return await jpegDataUri({ width, height, data: rgb }, undefined, 85);
}
