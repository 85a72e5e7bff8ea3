import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { pixelsOf } from "../../../src/experiments/figure_ground/compute.ts";
import { writeFigureGroundReport } from "../../../src/experiments/figure_ground/report.ts";
import { sheetPlaces } from "../../../src/synthetic/subject_voxels.ts";
import { figurePatches } from "../../../src/experiments/shared/patch_labels.ts";
import type { Pipeline } from "../../../src/pipeline/nodes.ts";
import { segmentation } from "../../../src/experiments/segmentation/compute.ts";
import { writeSegmentationReport } from "../../../src/experiments/segmentation/report.ts";
import type { ExperimentRun } from "../../../src/experiments/shared/write_experiment.ts";
import { type Claim, readResults } from "../../../src/report/results.ts";
import { chromiumPath, horizontalOverflow, openBrowser, openFile } from "../../support/browser.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { createToySubject } from "../../support/toy_subject.ts";
import { walkingPipeline } from "../../support/walking_pipeline.ts";
import { slotVectors } from "../../../src/experiments/shared/slot_vectors.ts";
import type {
  FigureGround,
  ModelFigureGround,
  RegionActivation,
} from "../../../src/experiments/figure_ground/results.ts";

const NAMES = ["clip<b>_tiny", "stays"];
const ROIS = ["V1", "V2", "V3", "V4", "EBA", "OFA", "FFA", "OPA", "PPA"];

function madeUpRun(out: string): ExperimentRun {
  const pipeline = walkingPipeline({ partsAt: { [NAMES[0]]: 3, [NAMES[1]]: Infinity } });
  pipeline.images[0].name = "<script>alert(1)</script>";
  const adapter = { description: "made-up adapter", software: true } as ExperimentRun["gpu"]["adapter"];
  return {
    out,
    pipeline,
    seed: 0,
    timings: { walk: 1 },
    command: "./run walk",
    gpu: { adapter, memory: { peak: 0 } as ExperimentRun["gpu"]["memory"] },
  };
}

async function madeUpSegmentation(pipeline: Pipeline) {
  const labels = { classes: 2, counts: new Uint32Array(10 * 37 * 2) };
  (await figurePatches(pipeline)).forEach((own, i) =>
    own.forEach((kind, p) => labels.counts[2 * (i * 37 + 1 + p) + kind] = 1)
  );
  const graphs = (slots: number[]) =>
    slots.map((slot) => ({ slot, eigenvectors: slotVectors(pipeline, slot, 4) }));
  const all = pipeline.slots.map((_, slot) => slot);
  return await segmentation(
    pipeline,
    { figure_ground: labels, category: labels },
    { images: 10, before: graphs(all), aligned: graphs([4]), noConstraint: graphs([0]) },
    0,
  );
}

/** The first model as the paper has it, the second the other way around. */
async function madeUpFigureGround(pipeline: Pipeline): Promise<FigureGround> {
  const estimate = (value: number) => ({ value, interval: [value - 0.01, value + 0.01] as [number, number] });
  const effect = (effect: number, p: number) => ({
    effect,
    low: effect - 0.01,
    high: effect + 0.01,
    p,
    n: 10,
  });
  const images = Array.from({ length: 10 }, (_, i) => i), voxels = createToySubject().voxels.count;
  const models = NAMES.map((model, m): ModelFigureGround => {
    const sign = m === 0 ? 1 : -1;
    const regions = ROIS.map((roi): RegionActivation => {
      const expected = roi === "EBA" ? 0 : ["OPA", "PPA"].includes(roi) ? -1 : 1;
      const value = 0.3 * sign * (expected || 1);
      return {
        roi,
        expected,
        figure: value,
        ground: 0,
        difference: estimate(value),
        p: expected === 0 ? null : m === 0 ? 0.001 : 0.999,
      };
    });
    const search = {
      area: estimate(0.8),
      beyondPlace: effect(0.1, m === 0 ? 0.001 : 0.4),
      range: [0.6, 0.9] as [number, number],
    };
    return {
      model,
      regions,
      whole: regions,
      layer: 3,
      slot: 5 * m + 2,
      voxels: {
        figure: Float32Array.from({ length: voxels }, (_, i) => sign * (i - 20)),
        ground: new Float32Array(voxels),
      },
      layers: [1, 2, 3, 4, 5].map((layer) => ({
        layer,
        area: estimate(0.1 * layer),
        differences: ROIS.map(() => estimate(0.1)),
      })),
      figure: { ...search, aligned: 0.7, raw: 0.6 },
      ground: { ...search, aligned: 0.7, raw: 0.6 },
    };
  });
  return {
    images,
    models,
    rois: ROIS,
    place: { figure: 0.7, ground: 0.4 },
    queries: pixelsOf(pipeline.grid, await figurePatches(pipeline), images),
    pairs: [{ models: [NAMES[0], NAMES[1]], agreement: effect(-0.9, 1) }],
    maps: { raw: 0.1, aligned: 0.4, gain: effect(0.3, 0.001) },
    across: { raw: 0.5, aligned: 0.5, gain: effect(0, 0.5) },
    categories: images.map((i) => i % 5),
  };
}

Deno.test("the reports of segmentation and figure-ground hold their claims and numbers, escaped", async () => {
  await inTemporaryFolder(async (out) => {
    const run = madeUpRun(out);
    const pages = [
      await writeSegmentationReport(run, await madeUpSegmentation(run.pipeline)),
      await writeFigureGroundReport(run, await madeUpFigureGround(run.pipeline), {
        places: sheetPlaces(createToySubject()),
        note: "left at the left",
      }),
    ];
    assertEquals(pages, [`${out}/segmentation.html`, `${out}/figure-ground.html`]);
    for (const path of pages) {
      const page = await Deno.readTextFile(path);
      assert(page.length < 2e6);
      assert(!page.includes("clip<b>") && !page.includes("<script>alert") && !page.includes("\\n"), path);
      assertStringIncludes(page, "clip&lt;b&gt;_tiny");
    }
    const { experiments } = (await readResults(`${out}/results.json`))!;
    const { metrics, claims } = experiments.segmentation;
    assertEquals(metrics["reached.figure_ground.clip<b>_tiny"], 3);
    for (const name of ["clip<b>_tiny.L5", "clip<b>_tiny.L5.aligned", "clip<b>_tiny.L5.joint"]) {
      assert(metrics[`miou.figure_ground.${name}`] > 0.95, name);
    }
    assert(metrics["miou.figure_ground.clip<b>_tiny.L5.aligned_no_constraint"] < 0.7);
    assert(metrics["miou.figure_ground.baseline_rgb_position"] > 0);
    const order = claimNamed(claims, "figure-ground-before-category");
    assertEquals(order.cells.map(({ verdict }) => verdict), [...Array(4).fill("not shown"), "not testable"]);
    assertStringIncludes(order.cells[4].note!, "it has 5 layers");
    assertEquals(claimNamed(claims, "eigen-constraint-raises-segmentation-after-align").verdict, "shown");
    assertEquals(claimNamed(claims, "align-lowers-segmentation").verdict, "not shown");

    const brain = experiments["figure-ground"];
    assertEquals(brain.metrics["activation.figure.stays.PPA"], 0.3);
    assertEquals(brain.metrics["similarity.auc.stays"], 0.8);
    const outcome = (id: string) => {
      const { verdict, cells } = claimNamed(brain.claims, id);
      return [verdict, ...cells.map((cell) => cell.verdict === "shown")];
    };
    const regions = "figure-activates-early-and-face-regions";
    assertEquals(outcome(regions), ["partly", true, true, false, false]);
    assertEquals(outcome("models-agree-on-regions"), ["not shown", false]);
    assertEquals(outcome("one-figure-pixel-finds-figure"), ["partly", true, false]);
    assertEquals(outcome("one-ground-pixel-finds-ground"), ["partly", true, false]);
    assertEquals(outcome("aligned-models-agree-on-figure"), ["partly", true, false]);
    const { note, effect } = claimNamed(brain.claims, regions).cells[2];
    assertEquals([note, effect], ["the reverse in V1, V2, V3, V4, OFA, FFA, OPA, PPA", -0.3]);
    if (chromiumPath) await look(pages);
  });
});

function claimNamed(claims: readonly Claim[], id: string): Claim {
  return claims.find((claim) => claim.id === id)!;
}

async function look(pages: string[]): Promise<void> {
  const browser = await openBrowser();
  try {
    for (const path of pages) {
      for (const [width, colorScheme] of [[1280, "light"], [360, "dark"]] as const) {
        const { page, trouble } = await openFile(browser, path, { width, colorScheme });
        assertEquals(trouble, { errors: [], requests: [] }, `${path} ${width}`);
        assertEquals(await horizontalOverflow(page), 0, `${path} ${width}`);
        assert(await page.locator("figure svg:visible").count() >= 3);
        assert(await page.locator(".color-grid img").count() > 10);
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
}
