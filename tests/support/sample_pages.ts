/** Every kind of page that the project writes, from small made-up inputs with hostile names. */
import { type AlignedColors, boundsOf } from "../../src/experiments/colors/compute.ts";
import { writeAlignedColorsReport } from "../../src/experiments/colors/report.ts";
import { writeBrainScoreReport } from "../../src/experiments/brain_score/report.ts";
import { pixelsOf } from "../../src/experiments/figure_ground/compute.ts";
import type { Concepts } from "../../src/experiments/concepts/compute.ts";
import { writeConceptsReport } from "../../src/experiments/concepts/report.ts";
import { writeGalleries } from "../../src/experiments/galleries/compute.ts";
import { writeFigureGroundReport } from "../../src/experiments/figure_ground/report.ts";
import { writeSyntheticDataReport } from "../../src/experiments/synthetic_data/report.ts";
import { planDataset, writeDataset } from "../../src/synthetic/write_dataset.ts";
import { writeIndexPage } from "../../src/experiments/shared/index_page.ts";
import { type NystromReport, writeNystromReport } from "../../src/experiments/nystrom/report.ts";
import { figurePatches } from "../../src/experiments/shared/patch_labels.ts";
import type { Pipeline } from "../../src/pipeline/nodes.ts";
import { writeRealBrainsReport } from "../../src/experiments/real_brains/report.ts";
import { segmentation } from "../../src/experiments/segmentation/compute.ts";
import { writeSegmentationReport } from "../../src/experiments/segmentation/report.ts";
import { trajectories } from "../../src/experiments/trajectories/compute.ts";
import { writeTrajectoriesReport } from "../../src/experiments/trajectories/report.ts";
import { transitions } from "../../src/experiments/transitions/compute.ts";
import { writeTransitionsReport } from "../../src/experiments/transitions/report.ts";
import type { Gpu } from "../../mod.ts";
import { sheetPlaces } from "../../src/synthetic/subject_voxels.ts";
import { openAlgonauts } from "../../src/data/datasets/algonauts.ts";
import { voxelSheet } from "../../src/pipeline/voxel_sheet.ts";
import { createToySubject } from "./toy_subject.ts";
import { walkingPipeline } from "./walking_pipeline.ts";
import { slotVectors } from "../../src/experiments/shared/slot_vectors.ts";
import type { BrainScoreReport } from "../../src/experiments/brain_score/results.ts";
import type { FigureGround } from "../../src/experiments/figure_ground/results.ts";
import { cortex, writeExplorer, writePhotographs } from "./sample_explorer.ts";
import { HOSTILE, LAYERS, MODELS } from "./sample_names.ts";

const GPU = {
  adapter: { description: `adapter ${HOSTILE}`, software: true },
  memory: { peak: 2 ** 20 },
} as unknown as Gpu;

const SHEET = { places: sheetPlaces(createToySubject()), note: `a sheet ${HOSTILE}` };
const each = <T>(write: (model: string, layer: number) => T) =>
  MODELS.flatMap((model) => LAYERS.map((layer) => write(model, layer)));

/**
 * Writes all pages to a folder.
 * @returns the path of each by its name; the index comes last
 */
export async function writeSamplePages(out: string): Promise<Record<string, string>> {
  const run = { out, gpu: GPU, command: `./run x --out "${HOSTILE}"`, timings: { walk: 1 }, seed: 0 };
  const pipeline = samplePipeline(), walking = { ...run, pipeline };
  const dataset = await writeDataset(`${out}/synthetic`, planDataset(30), createToySubject());
  const pages: Record<string, string> = {
    fixtures: await writeSyntheticDataReport({
      out,
      dataset: `${out}/synthetic`,
      plan: dataset,
      simulated: createToySubject,
      command: run.command,
      seconds: 1,
    }),
    "brain-score": await writeBrainScoreReport({ ...run, ...brainScores() }),
    colors: await writeAlignedColorsReport({ ...walking, found: colors() }),
    nystrom: await writeNystromReport({ ...run, ...audit() }),
    segmentation: await writeSegmentationReport(walking, await segments(pipeline)),
    "figure-ground": await writeFigureGroundReport(
      walking,
      await figureGround(pipeline),
      { ...await voxelSheet(await openAlgonauts(`${out}/synthetic/algonauts/subj01`)), note: SHEET.note },
    ),
    trajectories: await writeTrajectoriesReport(walking, await trajectories(pipeline, 0)),
    transitions: await writeTransitionsReport(
      walking,
      await transitions(pipeline, { layers: [2, 3], seed: 0 }),
    ),
    concepts: await writeConceptsReport(walking, concepts(), SHEET),
    galleries: await writeGalleries(
      walking,
      pipeline.images.map((_, i) => i % 10),
      { image: 1, patch: 8 },
      concepts(),
    ),
    "real-brains": await writeRealBrainsReport({ ...run, ...cortex() }),
    photographs: await writePhotographs(`${out}/photographs`, run),
    explorer: await writeExplorer(out, run.command),
  };
  const { photographs: _, ...indexed } = pages;
  return { ...pages, index: await writeIndexPage(out, indexed, run.command) };
}

function samplePipeline(): Pipeline {
  const pipeline = walkingPipeline({ partsAt: { [MODELS[0]]: 3, [MODELS[1]]: Infinity } });
  pipeline.images[0].name = HOSTILE;
  return {
    ...pipeline,
    manifests: [{ hook: "attention" }] as unknown as Pipeline["manifests"],
    fit: {
      cut: { eigenvalues: [1], residuals: [1e-6], eigengap: 0.1, converged: true, resolved: 1 },
      landmarks: { indices: [1, 2] },
    } as unknown as Pipeline[
      "fit"
    ],
    map: { kl: 1, trustworthiness: 0.97 } as Pipeline["map"],
    points3: { data: pipeline.eigenvectors.data, rows: pipeline.eigenvectors.rows, cols: 3 },
    colors: Uint8Array.from({ length: 3 * pipeline.eigenvectors.rows }, (_, i) => i * 37 % 256),
  };
}

const effect = (effect: number) => ({ effect, low: effect - 0.1, high: effect + 0.1, p: 0.001, n: 10 });

function brainScores(): Omit<BrainScoreReport, "out" | "command" | "gpu" | "timings" | "seed"> {
  const rois = ["V1", "V4", "EBA", "<b>ROI"];
  const score = (r: number) => ({
    r,
    voxels: new Float32Array(0),
    rois: Object.fromEntries(rois.map((roi, i) => [roi, { r: r + 0.01 * i, normalized: r + 0.1 }])),
  });
  const after = (miou: number) => ({ miou, overlap: miou + 0.1 });
  const universal = {
    slot: 0.02,
    image: 0.18,
    lambda2: 0.1,
    figureGround: 0.72,
    within: 0.77,
    neighbors: 2.9,
    converged: false,
  };
  const mixed = { before: 0.1, after: 0.3, chance: 0.1, gain: effect(0.2), images: 10, nodes: 300 };
  return {
    data: HOSTILE,
    models: MODELS,
    images: { training: 100, test: 20 },
    skipped: [`3 of 40 voxels: 3 with a response that is not finite (${HOSTILE} 3)`],
    voxels: Object.fromEntries(rois.map((roi) => [roi, 40])),
    conditions: [0, 0.1, 1].map((lambda) => ({
      lambda,
      scores: [score(0.4 + 0.01 * lambda), score(0.41)],
      eigen: [1 - lambda / 2, 0.9],
    })),
    ridge: score(0.5),
    perSlot: score(0.45),
    space: score(0.52),
    trainedOn: score(0.43),
    position: { slot: `${MODELS[0]} L5`, cells: 3, whole: score(0.3), parts: score(0.35) },
    effects: each((model, layer) => ({
      model,
      layer,
      before: 0.5,
      after: { aligned: after(0.6), aligned_no_constraint: after(0.4), ridge_align: after(0.5) },
    })),
    mixed: { paper: mixed, ridge: mixed },
    universal: { nodes: 10_332, images: 100, raw: universal, paper: universal, ridge: universal },
  };
}

function colors(): AlignedColors {
  return {
    images: 10,
    categories: 5,
    layers: each((model, layer) => ({
      model,
      layer,
      image: 0.1 * layer,
      position: 0.9 - 0.1 * layer,
      category: 0.2,
      interval: [0.1 * layer - 0.05, 0.1 * layer + 0.05],
    })),
    models: MODELS.map((model) => ({
      bounds: boundsOf(model, 12),
      model,
      early: effect(0.2),
      rise: effect(0.3),
      category: effect(0.4),
    })),
  };
}

function concepts(): Concepts {
  const rois = ["V1", "<b>ROI"], voxels = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i));
  return {
    model: MODELS[0],
    layer: 4,
    radius: 1.2,
    dropped: 3,
    rois,
    images: 10,
    concepts: Array.from({ length: 9 }, (_, i) => ({
      centre: [i, 0, 0] as [number, number, number],
      images: 4,
      figure: 0.6,
      voxels,
      patches: Uint32Array.from({ length: 40 }, (_, p) => i * 36 + p),
      category: i === 0 ? null : { index: i, share: 0.5 },
      regions: rois.map((_, r) => ({ mean: i / 4 - 1 + r, sd: 1 - i / 20 })),
    })),
    parabola: { constant: 1, linear: 0.1, quadratic: -0.2 },
    shape: effect(0.2),
    purity: { ...effect(0.2), mean: 0.6, concepts: 8 },
  };
}

function audit(): Omit<NystromReport, "out" | "command" | "gpu" | "timings" | "seed"> {
  const found = {
    angles: [0.1, 2, 8],
    eigenvalueError: 0.01,
    trusted: 3,
    seconds: 1.5,
  };
  const connectivity = { smallestDegree: 80, possibleDegree: 40 };
  const draw = { nystrom: { angle: 8, seconds: 1 }, fowlkes: { angle: 6, seconds: 2 } };
  return {
    models: MODELS,
    data: HOSTILE,
    graph: 4000,
    images: 3,
    landmarks: 300,
    neighbors: "all",
    run: {
      nodes: 400,
      leadingAngles: [0.1, 2, 8],
      eigenvalueErrors: [0.01],
      limit: 10,
      trusted: 3,
      connectivity,
    } as unknown as NystromReport["run"],
    audit: {
      nodes: 400,
      components: 3,
      recall: 0.98,
      search: HOSTILE,
      connectivity,
      rows: [
        ...[100, 300].flatMap((landmarks) =>
          [1, 8].map((neighbors) => ({
            ...found,
            method: "nystrom" as const,
            landmarks,
            neighbors,
            sampling: "uniform" as const,
          }))
        ),
        { ...found, method: "fowlkes", landmarks: 100 },
        { ...found, method: "gradient" },
      ],
      compared: {
        nystrom: { ...found, method: "nystrom", landmarks: 300, neighbors: 8, sampling: "uniform" },
        fowlkes: { ...found, method: "fowlkes", landmarks: 100 },
        draws: Array(5).fill(draw),
      },
      exact: { seconds: 3, eigenvalues: [1, 0.8, 0.5], eigengaps: [0.2, 0.3, 0.1], residual: 1e-6 },
    },
  };
}

async function segments(pipeline: Pipeline) {
  const tokens = pipeline.tokens, labels = { classes: 2, counts: new Uint32Array(10 * tokens * 2) };
  (await figurePatches(pipeline)).forEach((own, i) =>
    own.forEach((kind, p) => labels.counts[2 * (i * tokens + 1 + p) + kind] = 1)
  );
  const graphs = (slots: number[]) =>
    slots.map((slot) => ({ slot, eigenvectors: slotVectors(pipeline, slot, 4) }));
  return await segmentation(
    pipeline,
    { figure_ground: labels, category: labels },
    {
      images: 10,
      before: graphs(pipeline.slots.map((_, slot) => slot)),
      aligned: graphs([4]),
      noConstraint: graphs([0]),
    },
    0,
  );
}

async function figureGround(pipeline: Pipeline): Promise<FigureGround> {
  const estimate = (value: number) => ({ value, interval: [value - 0.01, value + 0.01] as [number, number] });
  const rois = ["V1", "V2", "V3", "V4", "EBA", "OFA", "FFA", "OPA", "PPA"];
  const images = Array.from({ length: 10 }, (_, i) => i), { count } = createToySubject().voxels;
  const regions = rois.map((roi, i) => ({
    roi,
    figure: 0.3 - 0.1 * i,
    ground: 0,
    difference: estimate(0.3 - 0.1 * i),
    expected: 1 as const,
    p: 0.001,
  }));
  const search = {
    area: estimate(0.8),
    beyondPlace: effect(0.1),
    aligned: 0.7,
    raw: 0.6,
    range: [0.6, 0.9] as [number, number],
  };
  const align = { raw: 0.1, aligned: 0.4, gain: effect(0.3) };
  return {
    images,
    rois,
    place: { figure: 0.7, ground: 0.4 },
    maps: align,
    across: align,
    models: MODELS.map((model, m) => ({
      model,
      regions,
      whole: regions,
      layer: 3,
      slot: LAYERS.length * m + 2,
      voxels: {
        figure: Float32Array.from({ length: count }, (_, i) => i - 20),
        ground: new Float32Array(count),
      },
      layers: LAYERS.map((layer) => ({
        layer,
        area: estimate(0.1 * layer),
        differences: rois.map(() => estimate(0.1)),
      })),
      figure: search,
      ground: search,
    })),
    queries: pixelsOf(pipeline.grid, await figurePatches(pipeline), images),
    pairs: [{ models: [MODELS[0], MODELS[1]], agreement: { ...effect(-0.9), p: 1 } }],
    categories: images.map((i) => i % 5),
  };
}
