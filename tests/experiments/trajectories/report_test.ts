import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { trajectories } from "../../../src/experiments/trajectories/compute.ts";
import { writeTrajectoriesReport } from "../../../src/experiments/trajectories/report.ts";
import { transitions } from "../../../src/experiments/transitions/compute.ts";
import { writeTransitionsReport } from "../../../src/experiments/transitions/report.ts";
import type { ExperimentRun } from "../../../src/experiments/shared/write_experiment.ts";
import { readResults } from "../../../src/report/results.ts";
import { chromiumPath, horizontalOverflow, openBrowser, openFile } from "../../support/browser.ts";
import { inTemporaryFolder } from "../../support/in_temporary_folder.ts";
import { walkingPipeline } from "../../support/walking_pipeline.ts";

function madeUpRun(out: string): ExperimentRun {
  const pipeline = walkingPipeline({ partsAt: { "clip<b>_tiny": 3, stays: Infinity } });
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

Deno.test("the reports of trajectories and transitions hold their claims and numbers, escaped, in one results.json", async () => {
  await inTemporaryFolder(async (out) => {
    const run = madeUpRun(out);
    const pages = [
      await writeTrajectoriesReport(run, await trajectories(run.pipeline, 0)),
      await writeTransitionsReport(run, await transitions(run.pipeline, { layers: [2, 3], seed: 0 })),
    ];
    assertEquals(pages, [`${out}/trajectories.html`, `${out}/transitions.html`]);
    for (const path of pages) {
      const page = await Deno.readTextFile(path);
      assert(page.length < 2e6);
      assert(!page.includes("<b>") && !page.includes("<script>alert"), path);
      assertStringIncludes(page, "clip&lt;b&gt;_tiny");
    }
    const { experiments } = (await readResults(`${out}/results.json`))!;
    const { metrics, claims } = experiments.trajectories;
    assertEquals(metrics["bifurcation.layer.clip<b>_tiny"], 3);
    const [{ verdict, cells, measured }] = claims;
    assertEquals([verdict, ...cells.map((cell) => cell.verdict)], ["partly", "shown", "not shown"]);
    assertStringIncludes(measured, "clip<b>_tiny from layer 2 to 3 of 5");
    const moved = experiments.transitions;
    assertEquals(moved.claims.map(({ verdict, cells }) => [verdict, ...cells.map(({ n }) => n)]), [[
      "shown",
      10,
      10,
    ]]);
    for (let a = 0; a < 5; a++) {
      const row = Object.entries(moved.metrics).filter(([name]) => name.startsWith(`ground.A${a}.`));
      assert(row.length === 0 || row.length === 5);
      assert(row.reduce((sum, [, share]) => sum + share, 0) <= 1 + 1e-9);
    }
    if (chromiumPath) await look(pages);
  });
});

async function look(pages: string[]): Promise<void> {
  const browser = await openBrowser();
  try {
    for (const path of pages) {
      for (const [width, colorScheme] of [[1280, "light"], [360, "dark"]] as const) {
        const { page, trouble } = await openFile(browser, path, { width, colorScheme });
        assertEquals(trouble, { errors: [], requests: [] }, `${path} ${width}`);
        assertEquals(await horizontalOverflow(page), 0, `${path} ${width}`);
        assert(await page.locator("figure svg:visible").count() >= 3);
        await page.close();
      }
    }
  } finally {
    await browser.close();
  }
}
